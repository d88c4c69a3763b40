"""
Show record cards as Slack's Work Objects: a preview with a pane at the side.

A Work Object is made of the same redacted card as the blocks beside it, never of the
record. Slack documents no limit but takes no more than about 8,000 bytes of metadata,
so a call's objects keep to a budget together.

`metadata_last_modified` is left out on purpose: by it Slack would draw the room's
preview anew after somebody looked at the record alone, from what they were shown.
"""

import html
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bots.slack.block_kit import ID, LABEL
from bots.slack.record_cards import ACTION_PREFIX
from bridge.cards import Tone
from bridge.records import wording
from bridge.records.cards import CardButton, CardField, RecordCard, Standing
from bridge.records.desk import Opened
from bridge.records.model import Look
from bridge.records.redaction import VIEW

BUDGET = 7_000  # bytes of all objects of a call, as `weigh` counts
ENTITY_TYPE = "slack#/entities/item"  # the type whose fields are all our own

Part = dict[str, Any]

_TITLE, _KIND, _STATUS, _ROW_LABEL, _ROW = 150, 80, 200, 80, 400
_BODY, _LEAST_BODY, _NOTE, _ORIGIN = 2_900, 600, 300, 300
_LEFT_OUT = 150  # what it takes to say that something is left out
_MOST_ROWS, _URL = 40, 1_500
_PRIMARY, _OVERFLOW = 2, 5
_COLOURS = {Tone.GOOD: "green", Tone.WARNING: "yellow", Tone.BAD: "red"}
_STYLES = {Look.PRIMARY: "primary", Look.DANGER: "danger"}
_TITLES = {
    Standing.STALE: "Out of date",
    Standing.GONE: "No such record",
    Standing.FORBIDDEN: "Not for you",
    Standing.UNAVAILABLE: "Not to be reached",
}
# What calls somebody or is a link, should any client read markup where there is none.
_CALLS = re.compile(r"<(?=[!@#]|[A-Za-z][A-Za-z0-9+.-]*:)")


def weigh(text: str) -> int:
    """Count the bytes of a text as it is sent: tame, in the JSON of Slack's library."""
    return len(json.dumps(_tame(text))) - 2


def object_of(card: RecordCard, link: str = "") -> Part | None:
    """
    Return a room's card as a Work Object, None if there is no page to name it by.

    `link` is the link that it stands under, as Slack told it. What may not be named in
    the room is named by that link alone, which everybody in the room has.
    """
    return _fitted(card, link, BUDGET)


def objects_of(cards: Mapping[str, RecordCard]) -> list[Part]:
    """Return the objects of cards under links, as many as the budget holds."""
    made: list[Part] = []
    room = BUDGET
    for number, (link, card) in enumerate(cards.items()):
        one = _fitted(card, link, room // (len(cards) - number))
        if one is not None and _size(one) <= room:
            made.append(one)
            room -= _size(one)
    return made


def details(card: RecordCard, asked: Mapping[str, Any]) -> Part:
    """
    Return what entity.presentDetails shows one person of a record.

    `asked` is the event that asks for it: the answer has to name the same object.
    """
    url = str(asked.get("entity_url") or card.url)
    reference = asked.get("external_ref") or _reference(card, url)
    head = {"entity_type": ENTITY_TYPE, "url": url, "external_ref": reference}
    return head | {"entity_payload": _payload(card, BUDGET - _size(head))}


def nothing(opened: Opened) -> Part:
    """Return the error that entity.presentDetails shows in place of a record."""
    title = _TITLES.get(opened.standing, "Nothing to show")
    return error(title, opened.text)


def error(title: str, text: str) -> Part:
    """Return an error in our own words; Slack has none that tell the cases apart."""
    return {
        "status": "custom",
        "custom_title": title,
        "custom_message": _tame(wording.lines(text, _BODY, weigh)),
    }


def _fitted(card: RecordCard, link: str, room: int) -> Part | None:
    url = card.url or html.unescape(link)
    if not url or weigh(url) > _URL or weigh(link) > _URL:
        return None
    head: Part = {"entity_type": ENTITY_TYPE, "url": url}
    head["external_ref"] = _reference(card, url)
    if link:
        head["app_unfurl_url"] = link
    return head | {"entity_payload": _payload(card, room - _size(head))}


def _reference(card: RecordCard, url: str) -> Part:
    """Return what comes back when somebody opens it. It tells no more than `url` does."""
    if not card.url:
        return {"id": url}
    return {"id": str(card.ref), "type": card.ref.kind}


def _payload(card: RecordCard, room: int) -> Part:
    """Return what is shown. All but rows and body is there, however little room is."""
    payload: Part = {"attributes": _attributes(card)}
    if actions := _actions(card.buttons):
        payload["actions"] = actions
    head, foot = list(_head(card)), list(_foot(card))
    room -= _size(payload) + _size(head) + _size(foot)
    body = wording.lines(card.body, _BODY, weigh)
    inner = list(_rows(card.fields, room - min(weigh(body), _LEAST_BODY)))
    if body and (left := room - _size(inner) - _LEFT_OUT) > 0:
        text = wording.cut(body, min(left, _BODY), weigh)
        inner.append(_field("body", "Details", text) | {"long": True})
    return payload | {"custom_fields": [*head, *inner, *foot]}


def _attributes(card: RecordCard) -> Part:
    title = wording.line(card.title, _TITLE, weigh)
    made: Part = {"title": {"text": _tame(title or wording.UNNAMED)}}
    kind = wording.line(card.what, _KIND, weigh) or wording.UNNAMED
    made |= {"display_type": _tame(kind), "product_name": card.source}
    if key := wording.line(card.key, _KIND, weigh):
        made["display_id"] = _tame(key)
    return made


def _head(card: RecordCard) -> Iterator[Part]:
    status = wording.line(wording.status_line(card), _STATUS, weigh)
    if not status:
        return
    made = _field("status", "Status", status)
    if card.standing is Standing.LIVE and card.status:
        made["tag_color"] = _COLOURS.get(card.status.tone, "gray")
    yield made


def _rows(fields: Sequence[CardField], room: int) -> Iterator[Part]:
    shown = 0
    for number, field in enumerate(fields[:_MOST_ROWS]):
        value = wording.HIDDEN if field.text is None else field.text
        label = wording.line(field.label, _ROW_LABEL, weigh)
        row = _field(f"f{number}", label, wording.line(value, _ROW, weigh))
        room -= _size(row)
        if room < _LEFT_OUT:
            break
        shown += 1
        yield row
    if left := len(fields) - shown:
        yield _field("more", "More", wording.left_out(left))


def _foot(card: RecordCard) -> Iterator[Part]:
    if note := wording.line(card.note, _NOTE, weigh):
        yield _field("note", "Note", note)
    origin = wording.line(wording.footer(card), _ORIGIN, weigh)
    yield _field("origin", "Source", origin)


def _field(key: str, label: str, text: str) -> Part:
    return {
        "key": key,
        "label": _tame(label) or wording.EMPTY,
        "value": _tame(text) or wording.EMPTY,
        "type": "string",
    }


def _actions(buttons: Sequence[CardButton]) -> Part:
    """
    Return buttons with the tokens that the card's own have.

    Those that ask "are you sure?" are left to the card: here nothing can ask. Nor is
    there one for the person's own view, which is what opening the object shows.
    """
    chosen = [one for one in buttons if not one.confirm and one.act != VIEW.act]
    made: list[Part] = []
    seen: set[str] = set()
    for number, each in enumerate(chosen[: _PRIMARY + _OVERFLOW]):
        again = f".{number}" if each.act in seen else ""
        seen.add(each.act)
        button = {
            "text": _tame(wording.line(each.label, LABEL, weigh)) or wording.EMPTY,
            "action_id": f"{ACTION_PREFIX}{each.act}{again}"[:ID],
            "value": each.token,
        }
        if each.look in _STYLES:
            button["style"] = _STYLES[each.look]
        made.append(button)
    parts = {
        "primary_actions": made[:_PRIMARY],
        "overflow_actions": made[_PRIMARY:],
    }
    return {name: some for name, some in parts.items() if some}


def _tame(text: str) -> str:
    """Return a text in which no client finds a mention or a link with another name."""
    return _CALLS.sub("‹", text)


def _size(part: Any) -> int:
    return len(json.dumps(part)) + 2
