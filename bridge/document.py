"""
What a message says: rich text as a small tree, before any platform's markup.

A `Document` is a row of blocks; paragraphs and their like hold leaves. A newline in a
`Text` is a line break. Styles stand on the leaves, outermost first, so that there is
nothing to nest but quotes and lists, and those only `MAX_DEPTH` deep.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any

from bridge.errors import BadInput

MAX_DEPTH = 16
"""How deep parsers nest blocks; what is deeper is kept, but flat."""


class Style(StrEnum):
    """How words look. Other looks (colour, underline) have no form in Slack."""

    BOLD = "bold"
    ITALIC = "italic"
    STRIKE = "strike"
    CODE = "code"


class Audience(StrEnum):
    """Whom a broadcast calls."""

    HERE = "here"
    CHANNEL = "channel"
    EVERYONE = "everyone"


Styles = tuple[Style, ...]


@dataclass(frozen=True, slots=True)
class Text:
    """Words, as typed: never markup."""

    text: str
    styles: Styles = ()


@dataclass(frozen=True, slots=True)
class Link:
    """A link with a safe address; an empty label shows the address itself."""

    url: str
    label: str = ""
    styles: Styles = ()


@dataclass(frozen=True, slots=True)
class Mention:
    """A person, by id on the platform where it was written."""

    id: str
    label: str = ""
    styles: Styles = ()


@dataclass(frozen=True, slots=True)
class ChannelMention:
    """A channel, by id on the platform where it was written."""

    id: str
    label: str = ""
    styles: Styles = ()


@dataclass(frozen=True, slots=True)
class GroupMention:
    """A group of people, by id on the platform where it was written."""

    id: str
    label: str = ""
    styles: Styles = ()


@dataclass(frozen=True, slots=True)
class Broadcast:
    """A call to everyone in the channel."""

    audience: Audience
    styles: Styles = ()


@dataclass(frozen=True, slots=True)
class Emoji:
    """An emoji by its short name; `char` is empty for a custom or unknown one."""

    name: str
    char: str = ""
    styles: Styles = ()


@dataclass(frozen=True, slots=True)
class Moment:
    """A point in time, in seconds UTC, with the words its author chose for it."""

    timestamp: int
    fallback: str = ""
    url: str = ""
    styles: Styles = ()


@dataclass(frozen=True, slots=True)
class Image:
    """A picture in the text, by a public address."""

    url: str
    alt: str = ""
    styles: Styles = ()


Inline = (
    Text
    | Link
    | Mention
    | ChannelMention
    | GroupMention
    | Broadcast
    | Emoji
    | Moment
    | Image
)


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One or more lines. An empty one is a blank line."""

    content: tuple[Inline, ...] = ()


@dataclass(frozen=True, slots=True)
class CodeBlock:
    """Preformatted lines. Leaves are shown as plain words and call nobody."""

    content: tuple[Inline, ...] = ()
    language: str = ""


@dataclass(frozen=True, slots=True)
class Quote:
    """What somebody said before."""

    blocks: "tuple[Block, ...]" = ()


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of a list, with what is nested in it."""

    blocks: "tuple[Block, ...]" = ()


@dataclass(frozen=True, slots=True)
class Listing:
    """A bulleted or numbered list."""

    items: tuple[Item, ...] = ()
    ordered: bool = False
    start: int = 1


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a table; `align` is left, right or center."""

    content: tuple[Inline, ...] = ()
    align: str = "left"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table."""

    cells: tuple[Cell, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells."""

    rows: tuple[Row, ...] = ()


@dataclass(frozen=True, slots=True)
class Rule:
    """A line across the message."""


Block = Paragraph | CodeBlock | Quote | Listing | Table | Rule


@dataclass(frozen=True, slots=True)
class Document:
    """Everything one message says."""

    blocks: tuple[Block, ...] = ()


@dataclass(frozen=True, slots=True)
class PersonName:
    """
    How a mentioned person is called, and who that is on the target platform.

    `target` is empty for somebody who has no account there.
    """

    name: str = ""
    target: str = ""
    target_name: str = ""


@dataclass(frozen=True, slots=True)
class ChannelName:
    """
    How a channel is called, and what it is on the target platform.

    `target` is the id of its counterpart, where the platform has a form for that;
    `url` is where a click leads. Both are empty for a channel that is not linked.
    """

    name: str
    url: str = ""
    target: str = ""


@dataclass(frozen=True, slots=True)
class Names:
    """
    What a renderer knows of the ids in a document, all by id on the source platform.

    Whatever stands here may be shown to the target's audience; what may not be shown
    is left out by whoever builds it. `channels` also names channels by the address
    that a link leads to. `custom_emoji` gives addresses of pictures and `emoji`
    characters, both by short name; `shared_emoji` are custom ones that the target has
    under the same name. `pings` says that a call to everyone may call them.
    """

    people: Mapping[str, PersonName] = field(default_factory=dict)
    channels: Mapping[str, ChannelName] = field(default_factory=dict)
    groups: Mapping[str, str] = field(default_factory=dict)
    custom_emoji: Mapping[str, str] = field(default_factory=dict)
    emoji: Mapping[str, str] = field(default_factory=dict)
    shared_emoji: frozenset[str] = frozenset()
    pings: bool = False


NOBODY = Names()

_LEAVES: dict[str, type[Inline]] = {
    "text": Text,
    "link": Link,
    "person": Mention,
    "channel": ChannelMention,
    "group": GroupMention,
    "broadcast": Broadcast,
    "emoji": Emoji,
    "moment": Moment,
    "image": Image,
}
_BLOCKS: dict[str, type[Block]] = {
    "paragraph": Paragraph,
    "code": CodeBlock,
    "quote": Quote,
    "list": Listing,
    "table": Table,
    "rule": Rule,
}
_PARTS: dict[str, type] = {"items": Item, "rows": Row, "cells": Cell}
_NAMES: dict[type, str] = {
    **{kind: name for name, kind in _LEAVES.items()},
    **{kind: name for name, kind in _BLOCKS.items()},
}
# What each kind of node is made of, and what need not be said.
_MEMBERS: dict[type, tuple[tuple[str, Any], ...]] = {
    kind: tuple((each.name, each.default) for each in fields(kind))
    for kind in (Document, *_NAMES, *_PARTS.values())
}


def to_json(document: Document) -> dict[str, Any]:
    """Return the document as dicts, lists, strings and integers: what the log keeps."""
    return _encoded(document)


def from_json(value: Any) -> Document:
    """Read what `to_json` wrote. Raises `BadInput` for anything else."""
    try:
        document: Document = _decoded(Document, value, 0)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise BadInput("this is no document as ATOM writes it") from error
    return document


def _encoded(node: Any) -> dict[str, Any]:
    name = _NAMES.get(type(node))
    members: dict[str, Any] = {} if name is None else {"type": name}
    for key, default in _MEMBERS[type(node)]:
        value = getattr(node, key)
        if value != default:
            members[key] = _encoded_value(value)
    return members


def _encoded_value(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_encoded_value(each) for each in value]
    if isinstance(value, str):
        return str(value)
    return int(value) if isinstance(value, int) else _encoded(value)


def _decoded(kind: type, value: Mapping[str, Any], depth: int) -> Any:
    if depth > 2 * MAX_DEPTH:
        raise ValueError("nested too deeply")
    members = {
        key: _member(key, each, depth) for key, each in value.items() if key != "type"
    }
    return kind(**members)  # a member that it does not know is a TypeError


def _member(key: str, value: Any, depth: int) -> Any:
    match key:
        case "content":
            return tuple(_decoded(_LEAVES[each["type"]], each, depth) for each in value)
        case "blocks":
            deeper = depth + 1
            return tuple(
                _decoded(_BLOCKS[each["type"]], each, deeper) for each in value
            )
        case "items" | "rows" | "cells":
            return tuple(_decoded(_PARTS[key], each, depth) for each in value)
        case "styles":
            return tuple(Style(each) for each in value)
        case "audience":
            return Audience(value)
        case "ordered" | "start" | "timestamp":
            return _whole(value) if key != "ordered" else bool(_whole(value))
    return _words(value)


def _whole(value: Any) -> int:
    if not isinstance(value, int):
        raise TypeError("not a number")
    return value


def _words(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value
