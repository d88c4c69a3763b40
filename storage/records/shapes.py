"""How what is kept about records becomes rows, and rows become it again."""

import hashlib
from collections.abc import Sequence

import orjson

from bridge.access import Action
from bridge.messages import Channel
from bridge.records.books import (
    CardInstance,
    CardState,
    IssuedAct,
    Quiet,
    Subscription,
)
from bridge.records.cards import Level, Standing
from bridge.records.entries import change_told, changes_in
from bridge.records.model import Needs, RecordChange, RecordRef, Revision, System
from storage.hot import Row
from storage.rows import clean_id, clean_text

CARD = (
    "tenant, card_id, ref, channel, cause, level, thread, message, unfurl, state, "
    "standing, rev, rev_text, digest, made_us, shown_us"
)


def hashed(text: str) -> str:
    """Return the name under which something is kept that is not kept itself."""
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()


def listed(values: Sequence[str]) -> str:
    """Return a list as one parameter: JSON."""
    return orjson.dumps([clean_text(each) for each in values]).decode()


def card_row(card: CardInstance, now_us: int) -> dict[str, object]:
    return {
        "tenant": card.tenant,
        "card_id": card.card_id,
        "place": hashed(f"{card.ref}\n{card.channel}\n{card.cause}"),
        "ref": str(card.ref),
        "channel": clean_text(str(card.channel)),
        "cause": clean_text(card.cause),
        "level": str(card.level),
        "thread": clean_id(card.thread),
        "message": clean_id(card.message),
        "unfurl": orjson.dumps(dict(card.unfurl)).decode(),
        "state": str(card.state),
        "standing": str(card.standing),
        "rev": card.rev.order,
        "rev_text": clean_text(card.rev.text),
        "digest": card.digest,
        "made_us": card.made_us or now_us,
        "shown_us": card.shown_us,
        "moved_us": now_us,
    }


def card_of(row: Row) -> CardInstance:
    (tenant, card_id, ref, channel, cause, level, thread, message, unfurl) = row[:9]
    (state, standing, rev, rev_text, digest, made_us, shown_us) = row[9:]
    return CardInstance(
        card_id,
        tenant,
        RecordRef.parse(ref),
        Channel.parse(channel),
        cause,
        Level(level),
        thread,
        message,
        orjson.loads(unfurl),
        CardState(state),
        Standing(standing),
        Revision(int(rev), rev_text),
        digest,
        int(made_us),
        int(shown_us),
    )


def act_text(act: IssuedAct) -> str:
    """Return all of an act but its token, which is not kept."""
    return _text(
        {
            "ref": str(act.ref or ""),
            "act": act.act,
            "right": str(act.right),
            "rev": [act.rev.order, act.rev.text],
            "channel": str(act.channel or ""),
            "kind": act.kind,
            "system": str(act.system or ""),
            "instance": act.instance,
            "needs": str(act.needs),
            "detail": dict(act.detail),
        }
    )


def act_of(token: str, tenant: str, row: Row) -> IssuedAct:
    """Read an act from its `what`, `card_id`, `person` and `until_us`."""
    text, card_id, person, until_us = row
    what = orjson.loads(text)
    return IssuedAct(
        token,
        tenant,
        RecordRef.parse(what["ref"]) if what["ref"] else None,
        what["act"],
        Action(what["right"]),
        Revision(*what["rev"]),
        int(until_us),
        card_id,
        Channel.parse(what["channel"]) if what["channel"] else None,
        person,
        what["kind"],
        System(what["system"]) if what["system"] else None,
        what["instance"],
        Needs(what["needs"]),
        what["detail"],
    )


def subscription_text(one: Subscription) -> str:
    return _text(
        {
            "system": str(one.system),
            "instance": one.instance,
            "kind": one.kind,
            "by": one.by,
            "channel": str(one.channel or ""),
            "ref": str(one.ref or ""),
            "filter": one.filter,
            "every": one.every,
            "quiet": [one.quiet.start, one.quiet.end, one.quiet.zone],
            "secured": one.secured,
        }
    )


def subscription_of(row: Row) -> Subscription:
    """Read one from its `tenant`, `id`, `person`, `what` and `made_us`."""
    tenant, id_, person, text, made_us = row
    what = orjson.loads(text)
    return Subscription(
        id_,
        tenant,
        System(what["system"]),
        what["instance"],
        what["kind"],
        what["by"],
        Channel.parse(what["channel"]) if what["channel"] else None,
        person,
        RecordRef.parse(what["ref"]) if what["ref"] else None,
        what["filter"],
        what["every"],
        Quiet(*what["quiet"]),
        what["secured"],
        int(made_us),
    )


def change_text(change: RecordChange) -> str:
    where = {"system": str(change.system), "instance": change.instance}
    return orjson.dumps(where | {"changes": [change_told(change)]}).decode()


def change_of(text: str) -> RecordChange:
    [change] = changes_in(orjson.loads(text))
    return change


def _text(what: dict[str, object]) -> str:
    return clean_text(orjson.dumps(what).decode())
