"""
Cut a document that is too long for one message into parts.

The tree is cut, never its markup: each part is a document of its own, so a code block,
a quote or a list that goes on in the next part is opened again there.
"""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from bridge.document import (
    Block,
    Cell,
    CodeBlock,
    Document,
    Inline,
    Item,
    Listing,
    Paragraph,
    Quote,
    Row,
    Rule,
    Table,
    Text,
)
from bridge.graphemes import floor, is_boundary

_THING = "\ufffc"  # stands for what is no text: a mention, a picture, a line
_BLANK = "\n"

Weigh = Callable[[Document], int]


def cut(document: Document, weigh: Weigh, budget: int) -> tuple[Document, ...]:
    """
    Return the document in parts of at most `budget`, in as few as seems good.

    `weigh` says what a document makes of a message; it has to grow with the document.
    Parts end with a block if they can, else with a line, a word, or a character. One
    character, or one thing that is not text, is never cut, however heavy it is.
    Nothing but stretches of blanks that would be a part by themselves is left out.
    """
    if weigh(document) <= budget:
        return (document,)
    line = _Line()
    line.add(document.blocks)
    knife = _Knife("".join(line.pieces), line, weigh, budget)
    parts, rest, start, size = [], document.blocks, 0, budget
    while start < len(knife.text):
        end, head, rest = knife.next(rest, start, size)
        parts.append((Document(head), knife.text[start:end]))
        size, start = end - start, end
    return tuple(part for part, said in parts if said.strip()) or (parts[0][0],)


@dataclass(slots=True)
class _Line:
    """
    A document as one line of characters, to find the places where it can be cut.

    `blocks` are the ends of the outermost blocks and `nested` those of the others.
    """

    pieces: list[str] = field(default_factory=list)
    blocks: list[int] = field(default_factory=list)
    nested: list[int] = field(default_factory=list)
    length: int = 0

    def add(self, blocks: Sequence[Block | Item], *, outermost: bool = True) -> None:
        for block in blocks:
            self._add(block)
            (self.blocks if outermost else self.nested).append(self.length)

    def _add(self, block: Block | Item) -> None:
        match block:
            case Paragraph(content) | CodeBlock(content):
                self._leaves(content) if content else self._put(_BLANK)
            case Quote(children) | Item(children) | Listing(children):
                if children:
                    self.add(children, outermost=False)
                else:
                    self._put(_BLANK)
            case Table(rows):
                for row in rows:
                    for cell in row.cells:
                        self._leaves(cell.content)
                    self.nested.append(self.length)
            case Rule():
                self._put(_THING)

    def _leaves(self, content: Sequence[Inline]) -> None:
        for leaf in content:
            self._put(leaf.text if isinstance(leaf, Text) else _THING)

    def _put(self, piece: str) -> None:
        self.pieces.append(piece)
        self.length += len(piece)


@dataclass(frozen=True, slots=True)
class _Knife:
    """Finds how much of a document one part can take."""

    text: str
    line: _Line
    weigh: Weigh
    budget: int

    def next(
        self, blocks: tuple[Block, ...], start: int, size: int
    ) -> tuple[int, tuple[Block, ...], tuple[Block, ...]]:
        """
        Return where the part that begins at `start` ends, the part, and the rest.

        `size` is a guess at its length. Guesses shrink by at least a twentieth and grow
        twofold, so that what is weighed stays in proportion to what is found.
        """
        fitting = None
        shrunk = False
        while True:
            end = self._end(start, start + size)
            head, rest, _ = _split_row(blocks, end - start)
            weight = self.weigh(Document(head))
            if weight > self.budget and end - start > 1:
                if fitting:
                    return fitting
                size = (end - start) * self.budget * 19 // (weight * 20)
                size, shrunk = max(1, min(size, end - start - 1)), True
                continue
            fitting = (end, head, rest)
            if shrunk or end == len(self.text) or weight * 2 > self.budget:
                return fitting
            size *= 2

    def _end(self, start: int, limit: int) -> int:
        """Return the best place to cut up to `limit`, in the last third before it."""
        if limit >= len(self.text):
            return len(self.text)
        low = start + (limit - start) * 2 // 3
        for ends in (self.line.blocks, self.line.nested):
            if (n := bisect_right(ends, limit)) and ends[n - 1] > low:
                return ends[n - 1]
        for gap in "\n ":
            place = self.text.rfind(gap, low, limit) + 1
            if place > low and is_boundary(self.text, place, start):
                return place
        return floor(self.text, limit, start)


def _split_row(nodes: tuple[Any, ...], n: int) -> tuple[Any, Any, int]:
    """Return the first `n` characters of a row, the others, and how many lacked."""
    for i, node in enumerate(nodes):
        if not n:
            return nodes[:i], nodes[i:], 0
        head, rest, n = _split(node, n)
        if rest is not None:
            return (*nodes[:i], head), (rest, *nodes[i + 1 :]), 0
    return nodes, (), n


def _split(node: Any, n: int) -> tuple[Any, Any, int]:
    """Split one node; the rest is None if the node has no more than `n` characters."""
    match node:
        case Text(text):
            if len(text) <= n:
                return node, None, n - len(text)
            return replace(node, text=text[:n]), replace(node, text=text[n:]), 0
        case Paragraph(content) | CodeBlock(content) if content:
            head, rest, n = _split_row(content, n)
            return _halves(node, head, rest, n, "content")
        case Quote(blocks) | Item(blocks) if blocks:
            head, rest, n = _split_row(blocks, n)
            return _halves(node, head, rest, n, "blocks")
        case Listing(items) if items:
            head, rest, n = _split_row(items, n)
            if not rest:
                return node, None, n
            # An item that goes on keeps its number.
            first = node.start + len(items) - len(rest)
            return replace(node, items=head), replace(node, items=rest, start=first), 0
        case Table(rows):
            head, rest, n = _split_row(rows, n)
            return _halves(node, head, rest, n, "rows")
        case Row(cells):
            return _split_cells(cells, n)
        case Cell(content):
            head, rest, n = _split_row(content, n)
            return _halves(node, head, rest, n, "content")
    return node, None, n - 1


def _halves(
    node: Any, head: Any, rest: Any, n: int, member: str
) -> tuple[Any, Any, int]:
    if not rest:
        return node, None, n
    return replace(node, **{member: head}), replace(node, **{member: rest}), 0


def _split_cells(cells: tuple[Cell, ...], n: int) -> tuple[Any, Any, int]:
    """Split a row of a table; what goes on stays in its column."""
    head, rest, n = _split_row(cells, n)
    if not rest:
        return Row(cells), None, n
    empty = [replace(cell, content=()) for cell in cells]
    missing = len(cells) - len(rest)
    return Row((*head, *empty[len(head) :])), Row((*empty[:missing], *rest)), 0
