"""
What the platforms say a message may hold, checked without any of ATOM's own counting.

Slack's limits are those of its documentation of blocks; the sum of all text is what
people found (`msg_blocks_too_long`). Teams counts a message in UTF-16; 24 kB leaves
room for what a client or a connector adds.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

Block = Mapping[str, Any]

SLACK_SUM = 10_000
TEAMS_BYTES = 24_000
_BLOCKS = 50
_ELEMENTS = {"actions": 25, "context": 10}
_TEXTS = {"header": 150, "section": 3_000, "context": 3_000}
_FIELDS, _FIELD = 10, 2_000
_BUTTON, _VALUE, _URL, _ID = 75, 2_000, 3_000, 255
_CONFIRM = {"title": 100, "text": 300, "confirm": 30, "deny": 30}
_PRIMARY = 6


def slack_faults(blocks: list[dict[str, Any]]) -> list[str]:
    """Return what Slack would refuse of a message's blocks; empty for a good message."""
    found = [] if 1 <= len(blocks) <= _BLOCKS else [f"{len(blocks)} blocks"]
    for block in blocks:
        found += _of_block(block)
    every = sum(len(text) for text in _texts(blocks))
    if every > SLACK_SUM:
        found.append(f"msg_blocks_too_long: {every}")
    ids = [block["block_id"] for block in blocks]
    return found if len(ids) == len({*ids}) else [*found, "a block_id stands twice"]


def _of_block(block: Block) -> Iterator[str]:
    kind, most = block["type"], _ELEMENTS.get(block["type"], 0)
    elements = block.get("elements", ())
    if "elements" in block and not 1 <= len(elements) <= most:
        yield f"{len(elements)} elements of {kind}"
    if len(block.get("block_id", "")) > _ID:
        yield "a long block_id"
    if "text" in block:
        yield from _text(block["text"], _TEXTS.get(kind, 0), kind)
    fields = block.get("fields", ())
    if len(fields) > _FIELDS or ("fields" in block and not fields):
        yield f"{len(fields)} fields"
    for each in fields:
        yield from _text(each, _FIELD, "field")
    for each in elements:
        if each["type"] == "button":
            yield from _button(each)
        else:
            yield from _text(each, _TEXTS.get(kind, 0), kind)


def _button(button: Block) -> Iterator[str]:
    yield from _text(button["text"], _BUTTON, "button")
    for name, most in (("value", _VALUE), ("url", _URL), ("action_id", _ID)):
        if len(button.get(name, "")) > most:
            yield f"a long {name} of a button"
    for name, most in _CONFIRM.items() if "confirm" in button else ():
        yield from _text(button["confirm"][name], most, f"confirm {name}")


def _text(text: Block, most: int, where: str) -> Iterator[str]:
    if not 1 <= len(text["text"]) <= most:
        yield f"{len(text['text'])} characters in {where}"


def _texts(part: Any) -> Iterator[str]:
    if isinstance(part, list):
        for each in part:
            yield from _texts(each)
    elif isinstance(part, dict):
        if isinstance(part.get("text"), str):
            yield part["text"]
        for each in part.values():
            if not isinstance(each, str):
                yield from _texts(each)


def teams_faults(activity: dict[str, Any]) -> list[str]:
    """Return what Teams would refuse of a message with a card, or not show whole."""
    found = []
    # As a client that escapes nothing sends it, and in the units that Teams counts.
    told = json.dumps(activity, ensure_ascii=False, separators=(",", ":"))
    if (weight := len(told.encode("utf-16-le"))) > TEAMS_BYTES:
        found.append(f"413 MessageSizeTooBig: {weight}")
    content = activity["attachments"][0]["content"]
    if content["type"] != "AdaptiveCard" or not content["body"]:
        found.append("no card")
    shown = [a for a in content.get("actions", ()) if a.get("mode") != "secondary"]
    if len(shown) > _PRIMARY:
        found.append(f"{len(shown)} buttons that stand side by side")
    if len(content.get("refresh", {}).get("userIds", ())) > 60:
        found.append("more than 60 people who refresh it")
    return found
