"""
ATOM's cards as Adaptive Cards.

Every text stands in a run of a RichTextBlock: those are shown as they are, while a
TextBlock would read Markdown into what people wrote.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bots.commands.record_answers import RecordAnswer
from bots.teams.adaptive import SCHEMA, Json, attachment, column, columns
from bots.teams.record_cards import render as record_card
from bots.teams.record_lists import results
from bots.teams.translate import VERB
from bridge.cards import Button, Card, Field, Section, Tone

LARGEST = 24_000  # bytes; Teams refuses cards above about 28 kB
MOST_BUTTONS = 6

_VERSION = "1.4"
_LONGEST_TEXT = 4_000
_STYLES = {
    Tone.PLAIN: "default",
    Tone.GOOD: "good",
    Tone.WARNING: "warning",
    Tone.BAD: "attention",
}


def card_activity(card: Card) -> Json:
    """Return the message that shows a card. Cards travel without text beside them."""
    return {
        "type": "message",
        "summary": card.title,
        "attachments": [attachment(adaptive(card))],
    }


def adaptive(card: Card) -> Json:
    """Return a card as Teams shows it, cut at a whole section if it is too large."""
    if isinstance(card, RecordAnswer):
        if card.record is not None:
            return _with(record_card(card.record), card.buttons)
        if card.found is not None:
            return _with(results(card.found), card.buttons)
    sections = [_section(section) for section in card.sections]
    kept = len(sections)
    made = _assembled(card, sections, kept)
    while kept and _size(made) > LARGEST:
        kept -= 1
        made = _assembled(card, sections, kept)
    return made


def _with(made: Json, buttons: Sequence[Button]) -> Json:
    """Put below a record, or a list of such, what else can be done about them."""
    if not buttons:
        return made
    below = {"type": "ActionSet", "actions": [_button(b) for b in buttons]}
    return {**made, "body": [*made["body"], below]}


def _assembled(card: Card, sections: list[list[Json]], kept: int) -> Json:
    head = [_line(card.title, size="medium", weight="bolder"), *_lines(card.text)]
    body: list[Json] = [
        {
            "type": "Container",
            "style": _STYLES[card.tone],
            "bleed": card.tone is not Tone.PLAIN,
            "items": head,
        }
    ]
    body += [
        {"type": "Container", "separator": True, "items": section}
        for section in sections[:kept]
    ]
    if left := len(sections) - kept:
        body.append(_line(f"… and {left} more", isSubtle=True))
    made: Json = {
        "type": "AdaptiveCard",
        "$schema": SCHEMA,
        "version": _VERSION,
        "fallbackText": card.title,
        "body": body,
    }
    if card.buttons:
        made["actions"] = [_button(b) for b in card.buttons[:MOST_BUTTONS]]
    return made


def _section(section: Section) -> list[Json]:
    title = [_line(section.title, weight="bolder")] if section.title else []
    fields = [_field(field) for field in section.fields]
    return [*title, *_lines(section.text), *fields]


def _field(field: Field) -> Json:
    return columns(
        column(1, [_line(field.label, isSubtle=True)]),
        column(2, _lines(field.value) or [_line("")]),
        spacing="small",
    )


def _button(button: Button) -> Json:
    if button.url:
        return {"type": "Action.OpenUrl", "title": button.label, "url": button.url}
    return {
        "type": "Action.Execute",
        "title": button.label,
        "verb": VERB,
        "data": {"command": button.command},
    }


def _lines(text: str) -> list[Json]:
    """Return one block a line: a run's line break is not shown everywhere."""
    cut = text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 1] + "…"
    return [_line(line) for line in cut.splitlines()] if cut else []


def _line(text: str, **looks: Any) -> Json:
    return {"type": "RichTextBlock", "inlines": [*_runs(text, looks)]}


def _runs(text: str, looks: Mapping[str, Any]) -> Iterator[Json]:
    """Split a line at its backticks; an odd one stands for itself."""
    pieces = text.split("`")
    if len(pieces) % 2 == 0:
        pieces[-2:] = [f"{pieces[-2]}`{pieces[-1]}"]
    for number, piece in enumerate(pieces):
        if piece or len(pieces) == 1:
            code = {"fontType": "monospace"} if number % 2 else {}
            yield {"type": "TextRun", "text": piece, **looks, **code}


def _size(made: Json) -> int:
    return len(json.dumps(made).encode())
