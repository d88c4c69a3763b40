"""What parsers and renderers do with the leaves of a document."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import groupby
from typing import assert_never

from bridge.document import (
    Block,
    Broadcast,
    ChannelMention,
    CodeBlock,
    Emoji,
    GroupMention,
    Image,
    Inline,
    Item,
    Link,
    Listing,
    Mention,
    Moment,
    Names,
    Paragraph,
    Quote,
    Rule,
    Style,
    Styles,
    Table,
    Text,
)
from bridge.text import one_line

_SPACE = Text(" ")
_NEWLINE = Text("\n")


def styled(styles: Iterable[Style]) -> Styles:
    """Return the styles in their order, each once, and code innermost."""
    unique = dict.fromkeys(styles)
    if Style.CODE in unique:
        unique[Style.CODE] = unique.pop(Style.CODE)
    return tuple(unique)


def merged(leaves: Iterable[Inline]) -> tuple[Inline, ...]:
    """Join neighbouring texts that look alike. Space has no look of its own."""
    row = tuple(leaves)
    if _is_merged(row):
        return row
    return tuple(_joined(_unstyled_space(leaf) for leaf in _joined(row)))


def without_line_end(leaves: tuple[Inline, ...]) -> tuple[Inline, ...]:
    """Return the leaves without one line end after them, if there is one."""
    if not leaves or not isinstance(last := leaves[-1], Text):
        return leaves
    return merged((*leaves[:-1], replace(last, text=last.text.removesuffix("\n"))))


def words(leaf: Inline, names: Names) -> str:
    """Return what a leaf says where nothing can be linked, mentioned or styled."""
    match leaf:
        case Text():
            return leaf.text
        case Link():
            return leaf.label or leaf.url
        case Mention():
            return f"@{person(leaf, names)}"
        case ChannelMention():
            known = names.channels.get(leaf.id)
            name = one_line(known.name) if known else leaf.label
            return f"#{name or 'private-channel'}"
        case GroupMention():
            name = one_line(names.groups.get(leaf.id, ""))
            return f"@{name or leaf.label or 'unknown-group'}"
        case Broadcast():
            return f"@{leaf.audience}"
        case Emoji():
            return leaf.char or names.emoji.get(leaf.name) or f":{leaf.name}:"
        case Moment():
            return leaf.fallback or iso(leaf.timestamp)
        case Image():
            return leaf.alt or leaf.url
        case _:
            assert_never(leaf)


def person(mention: Mention, names: Names) -> str:
    """Return how to call a mentioned person; an id is never shown."""
    known = names.people.get(mention.id)
    name = one_line(known.name) if known else ""
    return name or mention.label or "unknown-user"


def iso(timestamp: int) -> str:
    """Return a moment as date and time in UTC, labelled as such."""
    try:
        moment = datetime.fromtimestamp(timestamp, UTC)
    except (OverflowError, OSError, ValueError):
        return str(timestamp)
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"


def all_words(leaves: Iterable[Inline], names: Names) -> str:
    return "".join(words(leaf, names) for leaf in leaves)


def table_text(table: Table, names: Names) -> str:
    """Return a table in monospace, its columns aligned."""
    rows = [
        [" ".join(all_words(cell.content, names).split()) for cell in row.cells]
        for row in table.rows
    ]
    widths = [0] * max((len(row) for row in rows), default=0)
    for row in rows:
        widths[: len(row)] = map(max, widths, map(len, row))
    return "\n".join(
        " | ".join(
            _aligned(words_, width, cell.align)
            for words_, width, cell in zip(row, widths, each.cells, strict=False)
        ).rstrip()
        for row, each in zip(rows, table.rows, strict=True)
    )


def flat(blocks: Sequence[Block | Item], separator: Text = _SPACE) -> Iterator[Inline]:
    """Yield every leaf below the blocks, where only leaves have room."""
    for n, block in enumerate(blocks):
        if n:
            yield separator
        match block:
            case Paragraph() | CodeBlock():
                yield from block.content
            case Quote() | Item():
                yield from flat(block.blocks, separator)
            case Listing():
                yield from flat(block.items, separator)
            case Table():
                yield from _flat_rows(block, separator)
            case Rule():
                yield Text("---")
            case _:
                assert_never(block)


def _flat_rows(table: Table, separator: Text) -> Iterator[Inline]:
    for row in table.rows:
        for cell in row.cells:
            yield from cell.content
            yield separator


def _aligned(text: str, width: int, align: str) -> str:
    if align == "right":
        return text.rjust(width)
    return text.center(width) if align == "center" else text.ljust(width)


def _is_merged(row: tuple[Inline, ...]) -> bool:
    """Whether there is nothing to do, as for almost everything that people write."""
    before: Styles | None = None
    for leaf in row:
        if not isinstance(leaf, Text):
            before = None
            continue
        blank = not leaf.text or (leaf.styles and leaf.text.isspace())
        if blank or leaf.styles == before:
            return False
        before = leaf.styles
    return True


def _joined(leaves: Iterable[Inline]) -> Iterator[Inline]:
    for look, group in groupby(leaves, key=_look):
        if look is None:
            yield from group
            continue
        text = "".join(leaf.text for leaf in group if isinstance(leaf, Text))
        if text:
            yield Text(text, look)


def _look(leaf: Inline) -> Styles | None:
    return leaf.styles if isinstance(leaf, Text) else None


def _unstyled_space(leaf: Inline) -> Inline:
    if isinstance(leaf, Text) and leaf.styles and leaf.text.isspace():
        return replace(leaf, styles=())
    return leaf
