"""Pieces of Adaptive Cards that more than one kind of card is made of."""

import json
from collections.abc import Sequence
from typing import Any

from bridge.records.wording import EMPTY, units

Json = dict[str, Any]

CONTENT_TYPE = "application/vnd.microsoft.card.adaptive"
SCHEMA = "http://adaptivecards.io/schemas/adaptive-card.json"

_JSON = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))


def size(part: Any) -> int:
    """Return how many bytes JSON takes in UTF-16, which is what Teams counts."""
    return 2 * units(_JSON.encode(part))


def weigh(text: str) -> int:
    """Count a text's UTF-16 units as they stand in JSON, quotes and breaks escaped."""
    if text.isprintable():  # a backslash and a quote are, and become two
        return units(text) + text.count("\\") + text.count('"')
    return units(_JSON.encode(text)) - 2


def run(text: str, **looks: Any) -> Json:
    return {"type": "TextRun", "text": text or EMPTY, **looks}


def line(text: str, **looks: Any) -> Json:
    """
    Return a line in which nothing is markup.

    A TextBlock would read Markdown into what people wrote; a run does not.
    """
    return rich([run(text, **looks)])


def rich(runs: Sequence[Json], **more: Any) -> Json:
    return {"type": "RichTextBlock", "inlines": list(runs), **more}


def column(width: int | str, items: Sequence[Json]) -> Json:
    return {"type": "Column", "width": width, "items": list(items)}


def columns(*inside: Json, **more: Any) -> Json:
    return {"type": "ColumnSet", "columns": list(inside), **more}


def attachment(card: Json) -> Json:
    return {"contentType": CONTENT_TYPE, "content": card}


def whole(body: Sequence[Json], fallback: str, actions: Sequence[Json] = ()) -> Json:
    """Return a card; `fallback` is what clients say that cannot show it."""
    made: Json = {
        "type": "AdaptiveCard",
        "$schema": SCHEMA,
        "version": "1.5",
        "fallbackText": fallback,
        "msteams": {"width": "Full"},
        "body": list(body),
    }
    return {**made, "actions": list(actions)} if actions else made
