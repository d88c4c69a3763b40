"""The blocks of an HTML text while it is being read."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from bridge.document import (
    MAX_DEPTH,
    Block,
    Cell,
    Document,
    Item,
    Listing,
    Paragraph,
    Quote,
    Row,
    Table,
)
from bridge.leaves import flat, merged


class Kind(StrEnum):
    """What a frame becomes when it is closed."""

    ROOT = "root"
    QUOTE = "quote"
    LIST = "list"
    ITEM = "item"
    TABLE = "table"
    ROW = "row"
    CELL = "cell"


_PARENTS = {Kind.ITEM: Kind.LIST, Kind.ROW: Kind.TABLE, Kind.CELL: Kind.ROW}


@dataclass(slots=True)
class Frame:
    """An open block, and what was found in it so far."""

    kind: Kind
    blocks: list[Block] = field(default_factory=list)
    items: list[list[Block]] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    cells: list[Cell] = field(default_factory=list)
    ordered: bool = False
    start: int = 1
    align: str = "left"


@dataclass(slots=True)
class Frames:
    """A stack of open blocks, never deeper than a document may be."""

    _stack: list[Frame] = field(default_factory=lambda: [Frame(Kind.ROOT)])

    @property
    def top(self) -> Kind:
        return self._stack[-1].kind

    def open(self, frame: Frame) -> bool:
        """Open a block, unless it is out of place here or too deep."""
        parent = _PARENTS.get(frame.kind)
        if len(self._stack) >= MAX_DEPTH or (parent and self.top is not parent):
            return False
        self._stack.append(frame)
        return True

    def close(self) -> None:
        """Close the newest block and put it into the one around it."""
        frame = self._stack.pop()
        match frame.kind:
            case Kind.QUOTE if blocks := trimmed(frame.blocks):
                self.add(Quote(blocks))
            case Kind.LIST if frame.items:
                items = tuple(Item(trimmed(item)) for item in frame.items)
                self.add(Listing(items, frame.ordered, frame.start))
            case Kind.ITEM:
                self._stack[-1].items.append(frame.blocks)
            case Kind.TABLE if frame.rows:
                self.add(Table(tuple(frame.rows)))
            case Kind.ROW if frame.cells:
                self._stack[-1].rows.append(Row(tuple(frame.cells)))
            case Kind.CELL:
                content = merged(flat(trimmed(frame.blocks)))
                self._stack[-1].cells.append(Cell(content, frame.align))

    def add(self, block: Block) -> None:
        """Add a finished block; what stands between items or cells moves to them."""
        frame = self._stack[-1]
        if frame.kind is Kind.LIST:
            frame.items = frame.items or [[]]
            frame.items[-1].append(block)
        elif frame.kind in {Kind.TABLE, Kind.ROW}:
            self._around_table().blocks.append(block)
        else:
            frame.blocks.append(block)

    def document(self) -> Document:
        """Return everything, once all blocks are closed."""
        return Document(trimmed(self._stack[0].blocks))

    def _around_table(self) -> Frame:
        return next(
            frame
            for frame in reversed(self._stack)
            if frame.kind not in {Kind.TABLE, Kind.ROW, Kind.LIST}
        )


def trimmed(blocks: Sequence[Block]) -> tuple[Block, ...]:
    """Return the blocks without blank lines before and after them."""
    first, last = 0, len(blocks)
    while first < last and _is_blank(blocks[first]):
        first += 1
    while first < last and _is_blank(blocks[last - 1]):
        last -= 1
    return tuple(blocks[first:last])


def _is_blank(block: Block) -> bool:
    return isinstance(block, Paragraph) and not block.content
