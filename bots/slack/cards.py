"""
Show cards in Slack's Block Kit.

Free text goes into rich text or plain text objects, where nothing is markup. Only
labels are mrkdwn, to be bold, and those are escaped.
"""

import html
from collections.abc import Iterator, Sequence
from typing import Any

from bots.commands.record_answers import RecordAnswer
from bots.slack.block_kit import (
    CELLS,
    HEADER,
    ID,
    LABEL,
    MESSAGE_BLOCKS,
    TEXT,
    Block,
    bold,
    plain,
)
from bots.slack.interactions import ACTION_PREFIX
from bots.slack.record_cards import render as record_card
from bots.slack.record_lists import results
from bridge.cards import Button, Card, Field, Section, Tone

_SIGNS = {
    Tone.PLAIN: "",
    Tone.GOOD: "✅ ",
    Tone.WARNING: "⚠️ ",
    Tone.BAD: "⛔ ",
}

_CELL = 2_000
_BUTTONS = 25
_FALLBACK = 3_900
_ALL_TEXT = 12_000


def render(card: Card) -> tuple[str, list[Block]]:
    """Return the text for notifications, and the blocks."""
    if isinstance(card, RecordAnswer) and (card.record or card.found):
        return _records(card)
    title = f"{_SIGNS[card.tone]}{card.title}"
    blocks = [_header(title), *_text(card.text)]
    for section in card.sections:
        blocks += _section(section)
    buttons = list(_actions(card.buttons))
    fitting = _fitting(blocks, MESSAGE_BLOCKS - len(buttons))
    return _fallback(title, card.text), fitting + buttons


def _records(answer: RecordAnswer) -> tuple[str, list[Block]]:
    """Show records as such, and what else can be done about them below."""
    if answer.found is not None:
        drawn = results(answer.found)
    elif answer.record is not None:
        drawn = record_card(answer.record)
    else:
        return answer.title, []
    buttons = list(_actions(answer.buttons))
    fitting = _fitting(drawn.blocks, MESSAGE_BLOCKS - len(buttons))
    return drawn.text, fitting + buttons


def _header(title: str) -> Block:
    return {"type": "header", "text": plain(_cut(title, HEADER) or "ATOM")}


def _section(section: Section) -> Iterator[Block]:
    if section.title:
        yield _rich([_leaf(_cut(section.title, TEXT), bold=True)])
    yield from _text(section.text)
    cells = [cell for field in section.fields for cell in _cells(field)]
    for start in range(0, len(cells), CELLS):
        yield {"type": "section", "fields": cells[start : start + CELLS]}


def _text(text: str) -> Iterator[Block]:
    if text:
        yield _rich(list(_leaves(_cut(text, TEXT))))


def _rich(leaves: list[Block]) -> Block:
    return {
        "type": "rich_text",
        "elements": [{"type": "rich_text_section", "elements": leaves}],
    }


def _leaves(text: str) -> Iterator[Block]:
    """Every other piece between backticks is code; a lone backtick is itself."""
    pieces = text.split("`")
    if len(pieces) % 2 == 0:
        pieces[-2:] = ["`".join(pieces[-2:])]
    for number, piece in enumerate(pieces):
        if piece:
            yield _leaf(piece, code=bool(number % 2))


def _leaf(text: str, **style: bool) -> Block:
    worn = {name: True for name, wanted in style.items() if wanted}
    leaf: Block = {"type": "text", "text": text}
    return {**leaf, "style": worn} if worn else leaf


def _cells(field: Field) -> tuple[Block, Block]:
    """A field is a row of two cells: the label and the value."""
    label = bold(_cut(field.label, _CELL // 6))
    return label, plain(_cut(field.value.replace("`", ""), _CELL))


def _actions(buttons: Sequence[Button]) -> Iterator[Block]:
    # Ids must differ within a message; the same command twice is the same button.
    known = {button.command or button.url: button for button in buttons}
    unique = list(known.values())[:_BUTTONS]
    if unique:
        yield {"type": "actions", "elements": [_button(button) for button in unique]}


def _button(button: Button) -> Block:
    if button.url:
        return {
            "type": "button",
            "text": plain(_cut(button.label, LABEL)),
            "action_id": _cut(f"open:{button.label}", ID),
            "url": button.url,
        }
    return {
        "type": "button",
        "text": plain(_cut(button.label, LABEL)),
        "action_id": _cut(f"{ACTION_PREFIX}{button.command}", ID),
        "value": button.command,
    }


def _fallback(title: str, text: str) -> str:
    shown = "\n".join(filter(None, (title, text.replace("`", ""))))
    return html.escape(_cut(shown, _FALLBACK // 5), quote=False)


def _fitting(blocks: Sequence[Block], most: int) -> list[Block]:
    """Return as many blocks as Slack takes, and say so if that is not all."""
    fitting: list[Block] = []
    room = _ALL_TEXT
    for block in blocks:
        room -= _length(block)
        if room < 0 or len(fitting) == most - 1 < len(blocks) - 1:
            return [*fitting, _rich([_leaf("… and more.")])]
        fitting.append(block)
    return fitting


def _length(part: Any) -> int:
    """Count the characters of all texts in a block."""
    if isinstance(part, dict):
        return sum(_length(value) for value in part.values())
    if isinstance(part, list):
        return sum(_length(value) for value in part)
    return len(part) if isinstance(part, str) else 0


def _cut(text: str, most: int) -> str:
    clean = text.replace("\0", "").encode(errors="replace").decode()
    return clean if len(clean) <= most else clean[: most - 1] + "…"
