"""
Show record cards in Slack: as messages, under links and in modals.

Whatever a record says stands in plain text objects, where nothing is markup and nobody
is mentioned. A card keeps to a budget as a whole, not only element by element: Slack
refuses messages whose texts come to more than about 11,000 characters.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from bots.slack.block_kit import (
    CELLS,
    HEADER,
    LABEL,
    Block,
    bold,
    context,
    escaped,
    link,
    plain,
    text_weight,
    weigh,
)
from bridge.records import wording
from bridge.records.cards import CardButton, CardField, RecordCard
from bridge.records.model import Look

BUDGET = 10_000  # of all texts of a card together, as `block_kit.weigh` counts
ACTION_PREFIX = "rec."  # our buttons' ids; what follows is the act
METADATA = "atom_record_card"
CARD_VIEW = "rec.card"  # the callback id of a modal that shows a card

_STATUS, _KIND, _ROW_LABEL, _ROW = 200, 100, 80, 400
_BODY, _LEAST_BODY, _LEFT_OUT = 2_900, 600, 60
_FALLBACK, _NOTE, _FOOTER, _URL = 1_000, 300, 300, 1_500
_MOST_BUTTONS, _MOST_ROWS = 10, 40
_CONFIRM, _CONFIRM_LABEL = 300, 30
_MODAL_TITLE = 24
_STYLES = {Look.PRIMARY: "primary", Look.DANGER: "danger"}


@dataclass(frozen=True, slots=True)
class Rendered:
    """A card as `chat.postMessage` and `chat.update` take it."""

    text: str
    blocks: list[Block]
    metadata: dict[str, Any]


def render(card: RecordCard) -> Rendered:
    """Return a card's text for notifications, its blocks and its metadata."""
    payload = {"card_id": card.card_id, "rev": wording.line(card.rev, LABEL)}
    metadata = {"event_type": METADATA, "event_payload": payload}
    return Rendered(fallback(card), fit(card), metadata)


def unfurl(card: RecordCard) -> Block:
    """Return what `chat.unfurl` shows under a link; the link itself is its key there."""
    return {"blocks": fit(card), "fallback": fallback(card)}


def fallback(card: RecordCard) -> str:
    """Return what notifications and screen readers say, escaped as Slack reads it."""
    return escaped(wording.line(card.short, _FALLBACK, weigh)) or wording.UNNAMED


def card_view(card: RecordCard, token: str = "") -> Block:
    """Return the modal that shows a card to one person. It carries a token alone."""
    return _modal(card.key or card.source, token, fit(card))


def working_view(title: str, token: str = "", text: str = "Working…") -> Block:
    """Return a modal with a line of text, as it is opened until there is an answer."""
    said = plain(wording.lines(text, _BODY, weigh))
    return _modal(title, token, [{"type": "section", "text": said}])


def fit(card: RecordCard) -> list[Block]:
    """
    Return a card's blocks, as much of it as the budget holds.

    The heading, where it stands, its buttons and its origin are always there. What is
    left out of the rest is said in its place.
    """
    head, foot = list(_head(card)), list(_foot(card))
    room = BUDGET - text_weight([head, foot])
    body = wording.lines(card.body, _BODY, weigh)
    inner = list(_rows(card.fields, room - min(weigh(body), _LEAST_BODY)))
    if body:
        shown = wording.cut(body, min(room - text_weight(inner), _BODY), weigh)
        inner.append({"type": "section", "block_id": "b", "text": plain(shown)})
    return [*head, *inner, *foot]


def _head(card: RecordCard) -> Iterator[Block]:
    heading = wording.heading(card, HEADER, weigh)
    yield {"type": "header", "block_id": "h", "text": plain(heading)}
    status = wording.line(wording.status_line(card), _STATUS, weigh)
    kind = wording.line(wording.kind_line(card), _KIND, weigh)
    elements = [plain(text) for text in (status, kind) if text]
    elements += links(card, _URL)
    if elements:
        yield context("s", *elements)


def links(card: RecordCard, most: int) -> list[Block]:
    if not card.url or weigh(card.url) > most:
        return []
    return [link(card.url, wording.open_label(card))]


def _rows(fields: Sequence[CardField], room: int) -> Iterator[Block]:
    """Yield sections of rows, a row being two cells, and say how many do not fit."""
    cells: list[Block] = []
    shown = 0
    for field in fields[:_MOST_ROWS]:
        row = _row(field)
        room -= text_weight(row)
        if room < _LEFT_OUT:
            break
        cells += row
        shown += 1
    for start in range(0, len(cells), CELLS):
        part = cells[start : start + CELLS]
        yield {"type": "section", "block_id": f"f{start // CELLS}", "fields": part}
    if left := len(fields) - shown:
        yield context("more", plain(wording.left_out(left)))


def _row(field: CardField) -> list[Block]:
    value = wording.HIDDEN if field.text is None else field.text
    shown = wording.line(value, _ROW, weigh) or wording.EMPTY
    return [bold(wording.line(field.label, _ROW_LABEL, weigh)), plain(shown)]


def _foot(card: RecordCard) -> Iterator[Block]:
    if card.note:
        yield context("n", plain(wording.line(card.note, _NOTE, weigh)))
    if buttons := card.buttons[:_MOST_BUTTONS]:
        yield {"type": "actions", "block_id": "a", "elements": list(_buttons(buttons))}
    yield context("z", plain(wording.line(wording.footer(card), _FOOTER, weigh)))


def _buttons(buttons: Sequence[CardButton]) -> Iterator[Block]:
    """Yield buttons whose ids differ, though two do the same kind of thing."""
    seen: set[str] = set()
    for number, each in enumerate(buttons):
        again = f".{number}" if each.act in seen else ""
        seen.add(each.act)
        yield button(each, again)


def button(pressed: CardButton, again: str = "") -> Block:
    """Return a button that carries a token; `again` tells equal acts apart."""
    label = wording.line(pressed.label, LABEL, weigh)
    made: Block = {
        "type": "button",
        "action_id": f"{ACTION_PREFIX}{pressed.act}{again}",
        "text": plain(label),
        "value": pressed.token,
    }
    if pressed.look in _STYLES:
        made["style"] = _STYLES[pressed.look]
    if pressed.confirm:
        made["confirm"] = {
            "title": plain(label),
            "text": plain(wording.line(pressed.confirm, _CONFIRM, weigh)),
            "confirm": plain(wording.line(pressed.label, _CONFIRM_LABEL, weigh)),
            "deny": plain("Cancel"),
        }
    return made


def _modal(title: str, token: str, blocks: list[Block]) -> Block:
    return {
        "type": "modal",
        "callback_id": CARD_VIEW,
        "private_metadata": token,
        "title": plain(wording.line(title, _MODAL_TITLE, weigh)),
        "close": plain("Close"),
        "blocks": blocks,
    }
