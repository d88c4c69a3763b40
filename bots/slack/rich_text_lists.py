"""Slack's lists: siblings with an indent on the wire, nested in a document."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from bridge.document import MAX_DEPTH, Inline, Item, Listing, Paragraph


@dataclass(slots=True)
class FlatList:
    """One `rich_text_list`: a list, or a stretch of one between nested lists."""

    indent: int
    ordered: bool
    start: int
    items: list[tuple[Inline, ...]]


@dataclass(slots=True)
class _Entry:
    content: tuple[Inline, ...]
    lists: "list[_Open]" = field(default_factory=list)


@dataclass(slots=True)
class _Open:
    indent: int
    ordered: bool
    start: int
    entries: list[_Entry]


def nested(lists: Iterable[FlatList]) -> Iterator[Listing]:
    """
    Nest neighbouring lists by their indents.

    A jump by several indents nests once, and a row of lists that starts deep starts
    at the top.
    """
    roots: list[_Open] = []
    stack: list[_Open] = []
    for each in lists:
        while len(stack) > 1 and stack[-2].indent >= each.indent:
            stack.pop()
        top = stack[-1] if stack else None
        if top is not None and top.indent > each.indent:
            top.indent = each.indent
        if top is not None and top.indent == each.indent and _continues(top, each):
            top.entries += _entries(each)
            continue
        opened = _Open(each.indent, each.ordered, each.start, _entries(each))
        if top is not None and (top.indent == each.indent or len(stack) >= MAX_DEPTH):
            stack.pop()
        siblings = stack[-1].entries[-1].lists if stack else roots
        siblings.append(opened)
        stack.append(opened)
    return (_listing(root) for root in roots)


def _continues(top: _Open, each: FlatList) -> bool:
    """A list goes on after nested ones, whether or not Slack says where it was."""
    if top.ordered != each.ordered:
        return False
    interrupted = each.start == 1 and bool(top.entries[-1].lists)
    return not each.ordered or interrupted or each.start == top.start + len(top.entries)


def _entries(each: FlatList) -> list[_Entry]:
    return [_Entry(content) for content in each.items]


def _listing(opened: _Open) -> Listing:
    items = tuple(
        Item((Paragraph(entry.content), *map(_listing, entry.lists)))
        for entry in opened.entries
    )
    return Listing(items, opened.ordered, opened.start)
