"""Pieces of Block Kit that more than one kind of card is made of."""

import html
from typing import Any

from bridge.records.wording import EMPTY, units

Block = dict[str, Any]

# Slack's limits, in characters and pieces (docs.slack.dev/reference/block-kit).
HEADER = 150
TEXT = 3_000
CELLS = 10
LABEL = 75
ELEMENTS = 10
MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
ID = 255

_MARKUP = str.maketrans("", "", "*_~`")


def weigh(text: str) -> int:
    """
    Count a text as Slack does at most: escaped, in UTF-16 units.

    It is not documented what Slack's limits count; this is never less.
    """
    entities = 4 * text.count("&") + 3 * (text.count("<") + text.count(">"))
    return units(text) + entities


def escaped(text: str) -> str:
    """Return a text in which mrkdwn finds no mention, link or entity."""
    return html.escape(text, quote=False)


def plain(text: str) -> Block:
    """Return a text in which nothing is markup, no emoji names either."""
    return {"type": "plain_text", "text": text or EMPTY, "emoji": False}


def bold(text: str) -> Block:
    """Return a label: the only text of others that stands in mrkdwn, escaped."""
    inner = escaped(text.translate(_MARKUP).strip())
    return {"type": "mrkdwn", "text": f"*{inner or EMPTY}*", "verbatim": True}


def link(url: str, label: str) -> Block:
    """Return a link; the address was checked by who made the card."""
    shown = f"<{escaped(url)}|{escaped(label)}>"
    return {"type": "mrkdwn", "text": shown, "verbatim": True}


def context(block_id: str, *elements: Block) -> Block:
    return {"type": "context", "block_id": block_id, "elements": list(elements)}


def text_weight(part: Any) -> int:
    """Sum up all texts in blocks, wherever they stand."""
    if isinstance(part, list):
        return sum(text_weight(item) for item in part)
    if not isinstance(part, dict):
        return 0
    return sum(
        weigh(value)
        if name == "text" and isinstance(value, str)
        else text_weight(value)
        for name, value in part.items()
    )
