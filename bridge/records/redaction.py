"""
Make a card of a record that holds only what its audience may see.

Redact, then render: whatever is not in the card made here cannot be shown by mistake,
not in a notification, a fallback text or the data of a button. Nothing else in ATOM
turns a `Record` into something visible.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from hashlib import blake2s
from typing import assert_never
from urllib.parse import urlsplit

from bridge.access import Action
from bridge.records.cards import CardButton, CardField, Level, RecordCard, Standing
from bridge.records.forms import Form
from bridge.records.model import (
    PUBLIC,
    Absence,
    Fact,
    Needs,
    Offer,
    Record,
    RecordRef,
    Revision,
)
from bridge.records.wording import when
from bridge.text import safe_url

VIEW = Offer("view", "My view", Action.RECORD_VIEW)
RETRY = Offer("retry", "Try again", Action.RECORD_VIEW)
FOLLOW = Offer("follow", "Follow here", Action.RECORD_VIEW)
CONNECT = Offer("connect", "Connect account…", Action.RECORD_VIEW)

_MOST_OFFERS = 8
_LONGEST_URL = 1_000
_LONGEST_ECHO = 3  # shorter values stand in any sentence
# Alike for the deleted and for the forbidden, so that nobody learns which it is.
_NOT_TO_BE_SEEN = "Deleted or no longer visible."
_NOT_FOR_ALL = "Not everybody here may see this record."


@dataclass(frozen=True, slots=True)
class Audience:
    """
    Who looks at a card, and the classes of fields that all of them may see.

    `viewer` says that it is one person alone. In a room `level` is what its admins let
    a mention show; of records that the business system itself keeps from most people
    it is a button, whatever they let.
    """

    classes: frozenset[str]
    viewer: bool = False
    level: Level = Level.DATA

    def sees(self, cls: str) -> bool:
        return cls in self.classes


@dataclass(frozen=True, slots=True)
class Frame:
    """
    What a card has beside the record: whose it is, when, and its buttons' tokens.

    `tokens` are by act; an offer without one makes no button. `hosts` are those that
    the company's systems have pages on: links go nowhere else.
    """

    card_id: str
    ref: RecordRef
    now_us: int
    hosts: frozenset[str] = frozenset()
    tokens: Mapping[str, str] = field(default_factory=dict)


def offers_of(seen: Record | Absence, audience: Audience) -> tuple[Offer, ...]:
    """Return what the card will have buttons for: each of them needs a token."""
    match seen:
        case Absence.UNCONNECTED:
            return (CONNECT,) if audience.viewer else (VIEW,)
        case Absence.UNREACHABLE | Absence.SPENT:
            return (RETRY,)
        case Absence.GONE:
            return ()
        case Record():
            return _offers(seen, audience)


def _offers(record: Record, audience: Audience) -> tuple[Offer, ...]:
    if not audience.sees(PUBLIC):
        return () if audience.viewer else (VIEW,)
    if audience.viewer:
        return record.offers[: _MOST_OFFERS + 2]
    if _level(record, audience) is not Level.DATA:
        return (VIEW,)
    return (*record.offers[:_MOST_OFFERS], VIEW, FOLLOW)


def card_of(
    seen: Record | Absence,
    audience: Audience,
    frame: Frame,
    last: Record | None = None,
) -> RecordCard:
    """
    Return what an audience may see of a record, or of its absence.

    `last` is the record as it was read before, for a card that has to say that it is
    out of date; only its name is taken from it, as far as the audience may see that.
    """
    if isinstance(seen, Absence):
        return _absent(seen, audience, frame, last)
    if not audience.sees(PUBLIC):
        return _forbidden(seen, audience, frame)
    match _level(seen, audience):
        case Level.NOTHING | Level.BUTTON:
            bare = _nameless(frame, Standing.LIVE, seen.as_of_us)
        case Level.KIND:
            nameless = _nameless(frame, Standing.LIVE, seen.as_of_us)
            bare = replace(nameless, what=seen.what, title=seen.what)
        case Level.NAME:
            bare = _named(seen, audience, frame)
        case Level.DATA:
            bare = _whole(seen, audience, frame)
        case never:
            assert_never(never)
    return _with_buttons(bare, seen, audience, frame)


def superseded(
    audience: Audience, frame: Frame, last: Record | None = None
) -> RecordCard:
    """Return a card that says that another one took its place."""
    bare = _remembered(Standing.SUPERSEDED, audience, frame, last)
    return replace(bare, reason="A newer card shows this record.")


def hidden_fields(record: Record, audience: Audience) -> tuple[str, ...]:
    """Return the ids of what is kept from an audience, for the record of it."""
    kept = [each.id for each in record.facts if not audience.sees(each.cls)]
    others = {"title": record.title_cls, "status": record.status_cls}
    if record.body:
        others["body"] = record.body.cls
    kept += [name for name, cls in others.items() if not audience.sees(cls)]
    return tuple(kept)


def form_of(form: Form, audience: Audience) -> Form:
    """
    Return a form without the inputs of classes that the person may not see.

    An input that depends on one of those goes with it: its choices would tell.
    """
    gone: set[str] = set()
    for _ in form.inputs:  # however long the chain is
        also = {
            each.id
            for each in form.inputs
            if not audience.sees(each.cls) or each.controller in gone
        }
        if also == gone:
            break
        gone = also
    if not gone:
        return form
    told = (
        f"{len(gone)} {'field is' if len(gone) == 1 else 'fields are'} hidden from you."
    )
    kept = tuple(each for each in form.inputs if each.id not in gone)
    return replace(form, inputs=kept, note=" ".join(filter(None, (form.note, told))))


def digest_of(card: RecordCard) -> str:
    """
    Return what two cards share that show the same.

    When it was read makes no difference, nor do the tokens of its buttons, which are
    new each time.
    """
    shown = [
        card.card_id,
        card.source,
        card.what,
        card.title,
        card.standing,
        card.rev,
        card.key,
        card.url,
        [card.status.text, card.status.tone] if card.status else None,
        [[each.id, each.label, each.text] for each in card.fields],
        card.body,
        [
            [each.act, each.label, each.look, each.needs, each.confirm]
            for each in card.buttons
        ],
        card.hidden,
        card.reason,
        card.viewer,
        card.note,
    ]
    told = json.dumps(shown, separators=(",", ":")).encode()
    return blake2s(told, digest_size=16).hexdigest()


def allowed_url(url: str, hosts: frozenset[str]) -> str:
    """
    Return an address that may be linked to: https, and of a host that is listed.

    One without https has to have its whole origin listed, as `http://127.0.0.1:8080`.
    """
    safe = safe_url(url)
    if not safe or len(safe) > _LONGEST_URL:
        return ""
    try:
        parts = urlsplit(safe)
        port = parts.port
    except ValueError:
        return ""
    plain = parts.scheme == "http" and f"http://{parts.netloc}" in hosts
    secure = parts.scheme == "https" and parts.hostname in hosts and port in {None, 443}
    fine = plain or secure
    return safe if fine and "@" not in parts.netloc else ""


def _level(record: Record, audience: Audience) -> Level:
    if audience.viewer:
        return Level.DATA
    if record.secured:
        return Level.BUTTON
    return audience.level


def _whole(record: Record, audience: Audience, frame: Frame) -> RecordCard:
    rows, hidden = _rows(record.facts, audience)
    body = record.body
    if body and not audience.sees(body.cls):
        body, hidden = None, hidden + 1
    status = record.status if audience.sees(record.status_cls) else None
    named = _named(record, audience, frame)
    return replace(
        named,
        status=status,
        rev=_revision(record.rev),
        changed_us=record.rev.at_us if record.rev.text else None,
        fields=rows,
        body=body.text if body else "",
        hidden=named.hidden + hidden + (status is None),
    )


def _rows(
    facts: tuple[Fact, ...], audience: Audience
) -> tuple[tuple[CardField, ...], int]:
    """Return the rows, and how many of the fields are hidden, shown as a row or not."""
    rows: list[CardField] = []
    hidden = 0
    for each in facts:
        if audience.sees(each.cls):
            rows.append(CardField(each.id, each.label, each.text))
            continue
        hidden += 1
        if not each.secretive:
            rows.append(CardField(each.id, each.label, None))
    return tuple(rows), hidden


def _named(record: Record, audience: Audience, frame: Frame) -> RecordCard:
    visible = audience.sees(record.title_cls)
    return RecordCard(
        card_id=frame.card_id,
        ref=frame.ref,
        source=frame.ref.system.shown,
        what=record.what,
        title=record.title if visible else record.what,
        standing=Standing.LIVE,
        as_of_us=record.as_of_us,
        key=record.key,
        url=allowed_url(record.url, frame.hosts),
        hidden=int(not visible),
        viewer=audience.viewer,
    )


def _nameless(frame: Frame, standing: Standing, at_us: int) -> RecordCard:
    source = frame.ref.system.shown
    return RecordCard(
        card_id=frame.card_id,
        ref=frame.ref,
        source=source,
        what="",
        title=f"{source} record",
        standing=standing,
        as_of_us=at_us,
    )


def _forbidden(record: Record, audience: Audience, frame: Frame) -> RecordCard:
    bare = _nameless(frame, Standing.FORBIDDEN, frame.now_us)
    reason = _NOT_TO_BE_SEEN if audience.viewer else _NOT_FOR_ALL
    bare = replace(bare, reason=reason, viewer=audience.viewer)
    return _with_buttons(bare, record, audience, frame)


def _absent(
    absence: Absence, audience: Audience, frame: Frame, last: Record | None
) -> RecordCard:
    source = frame.ref.system.shown
    outdated = Standing.STALE if last else Standing.UNAVAILABLE
    since = f" Out of date since {when(last.as_of_us)}." if last else ""
    match absence:
        case Absence.GONE:
            bare = _nameless(frame, Standing.GONE, frame.now_us)
            reason = _NOT_TO_BE_SEEN
        case Absence.UNREACHABLE:
            bare = _remembered(outdated, audience, frame, last)
            reason = f"{source} cannot be reached.{since}"
        case Absence.SPENT:
            bare = _remembered(outdated, audience, frame, last)
            reason = f"{source} takes no more calls for now.{since}"
        case Absence.UNCONNECTED:
            bare = _nameless(frame, Standing.UNAVAILABLE, frame.now_us)
            whose = f"Your {source}" if audience.viewer else f"ATOM's {source}"
            reason = f"{whose} account is not connected."
        case never:
            assert_never(never)
    bare = replace(bare, reason=reason, viewer=audience.viewer)
    return _with_buttons(bare, absence, audience, frame)


def _remembered(
    standing: Standing, audience: Audience, frame: Frame, last: Record | None
) -> RecordCard:
    """Return a card with the name that was known last, if it may be said here."""
    told = {Level.NAME, Level.DATA}
    if not (last and audience.sees(PUBLIC) and _level(last, audience) in told):
        return _nameless(frame, standing, frame.now_us)
    named = _named(last, audience, frame)
    at_us = last.as_of_us if standing is Standing.STALE else frame.now_us
    return replace(named, standing=standing, as_of_us=at_us, hidden=0)


def _with_buttons(
    bare: RecordCard, seen: Record | Absence, audience: Audience, frame: Frame
) -> RecordCard:
    secrets = _secrets(seen, audience) if isinstance(seen, Record) else ()
    buttons = (
        _button(offer, frame.tokens[offer.act], secrets)
        for offer in offers_of(seen, audience)
        if offer.act in frame.tokens
    )
    return replace(bare, buttons=tuple(buttons))


def _secrets(record: Record, audience: Audience) -> tuple[str, ...]:
    hidden = [each.text for each in record.facts if not audience.sees(each.cls)]
    if not audience.sees(record.title_cls):
        hidden.append(record.title)
    return tuple(text for text in hidden if len(text) > _LONGEST_ECHO)


def _button(offer: Offer, token: str, secrets: tuple[str, ...]) -> CardButton:
    confirm = offer.confirm
    if offer.needs is Needs.CONFIRMATION and not confirm:
        confirm = f"{offer.label}?"
    # A system's own words may repeat a value; everybody in the room would read it.
    if any(secret in confirm for secret in secrets):
        confirm = f"{offer.label}?"
    return CardButton(offer.act, offer.label, token, offer.look, offer.needs, confirm)


def _revision(rev: Revision) -> str:
    # Where a vendor tells no revision, the order is only when the record was read.
    counted = rev.order >= 0 and rev.at_us is None
    return rev.text or (str(rev.order) if counted else "")
