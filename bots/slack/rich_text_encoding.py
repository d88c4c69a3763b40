"""
Tell whether the strings of Slack's rich text are raw, or encoded as `text` is.

Slack shows them raw, and its pages leave open whether that is so everywhere. A message
tells by itself: what is raw stands in its `text` encoded, what is encoded stands there
as it is.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from bots.slack.mrkdwn_tokens import escape, unescape

_Element = Mapping[str, Any]

_STRINGS = ("text", "url", "fallback")
_DEPTH = 3  # blocks hold lists, which hold sections, which hold leaves
_ENTITY = re.compile(r"[^\s&]{0,40}&(?:amp|lt|gt);[^\s&]{0,40}")
_ASKED = 50  # of these in a message; if none of them tells, what follows will not


def raw(blocks: Sequence[_Element], text: str) -> Sequence[_Element]:
    """Return blocks with raw strings, whichever way they came. `text` is the message's."""
    if "&" not in text or not _are_encoded(blocks, text):
        return blocks
    return [_decoded(block, _DEPTH) if _is_rich(block) else block for block in blocks]


def _are_encoded(blocks: Iterable[_Element], text: str) -> bool:
    rich = (block for block in blocks if _is_rich(block))
    said = (string for block in rich for string in _strings(block, _DEPTH))
    words = (found[0] for string in said for found in _ENTITY.finditer(string))
    few = islice(words, _ASKED)
    return any(word in text and escape(word) not in text for word in few)


def _is_rich(block: _Element) -> bool:
    return block.get("type") == "rich_text"


def _strings(element: _Element, depth: int) -> Iterator[str]:
    for name in _STRINGS:
        if isinstance(value := element.get(name), str):
            yield value
    for inner in _within(element, depth):
        if isinstance(inner, dict):
            yield from _strings(inner, depth - 1)


def _decoded(element: _Element, depth: int) -> _Element:
    changed: dict[str, Any] = {
        name: unescape(element[name])
        for name in _STRINGS
        if isinstance(element.get(name), str)
    }
    if within := _within(element, depth):
        changed["elements"] = [
            _decoded(inner, depth - 1) if isinstance(inner, dict) else inner
            for inner in within
        ]
    return {**element, **changed}


def _within(element: _Element, depth: int) -> Sequence[Any]:
    inner = element.get("elements")
    return inner if depth and isinstance(inner, list) else ()
