"""
The tree cut into tiles, as C2SP states it (c2sp.org/tlog-tiles).

A tile has up to 256 hashes of one level: level 0 holds leaves, and each hash of a
higher level stands for a full tile of the level below. The hashes in between are
computed, so that any proof takes a handful of tiles however large the log is.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from storage.compliance.tree import EMPTY_ROOT, HASH_BYTES, node_hash

WIDTH = 256
_BITS = 8


class Tile(NamedTuple):
    """Which tile: its level, and its place there."""

    level: int
    at: int


class Node(NamedTuple):
    """A perfect subtree: of 2**height leaves, the `at`-th of its height."""

    height: int
    at: int

    @property
    def tile(self) -> Tile:
        level, above = divmod(self.height, _BITS)
        return Tile(level, (self.at << above) // WIDTH)


# The subtrees whose hashes make one line of a proof, largest first.
Line = tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Tiles:
    """Tiles at hand, each as its hashes in a row."""

    data: Mapping[Tile, bytes]

    def hash_of(self, node: Node) -> bytes:
        """Raises `LookupError` if the node's tile is not at hand, or too narrow."""
        above = node.height % _BITS
        first = (node.at << above) % WIDTH
        start, end = first * HASH_BYTES, (first + (1 << above)) * HASH_BYTES
        hashes = self.data[node.tile][start:end]
        if len(hashes) != end - start:
            raise LookupError("the tile ends before")
        return _top(hashes)

    def proof(self, lines: Iterable[Line]) -> list[bytes]:
        return [self.fold(line) for line in lines]

    def fold(self, line: Line) -> bytes:
        """Return the hash over neighbouring subtrees, largest first."""
        if not line:
            return EMPTY_ROOT
        *rest, last = (self.hash_of(node) for node in line)
        for left in reversed(rest):
            last = node_hash(left, last)
        return last


def root_line(size: int) -> Line:
    """Return what the root of a tree of `size` is folded from."""
    return tuple(_cover(0, size))


def inclusion_lines(index: int, size: int) -> list[Line]:
    """Return an inclusion proof's lines: RFC 6962 section 2.1.1, leaf upwards."""
    if not 0 <= index < size:
        raise ValueError(f"a tree of {size} has no leaf {index}")
    lines: list[Line] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            lines.append(tuple(_cover(middle, end)))
            end = middle
        else:
            lines.append(tuple(_cover(start, middle)))
            start = middle
    return lines[::-1]


def consistency_lines(old: int, new: int) -> list[Line]:
    """Return a consistency proof's lines: RFC 6962 section 2.1.2."""
    if not 0 < old <= new:
        raise ValueError(f"a tree of {new} cannot follow one of {old}")
    lines: list[Line] = []
    start, end, whole = 0, new, True
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            lines.append(tuple(_cover(middle, end)))
            end = middle
        else:
            lines.append(tuple(_cover(start, middle)))
            start, whole = middle, False
    if not whole:
        lines.append(tuple(_cover(start, end)))
    return lines[::-1]


def needed(lines: Iterable[Line]) -> set[Tile]:
    """Return the tiles that `lines` are computed from."""
    return {node.tile for line in lines for node in line}


def edge(size: int) -> Iterator[tuple[Tile, int]]:
    """Yield the tiles at the right edge of a tree that are not full, with widths."""
    level, hashes = 0, size
    while hashes:
        if width := hashes % WIDTH:
            yield Tile(level, hashes // WIDTH), width
        level, hashes = level + 1, hashes // WIDTH


def grown(
    size: int, edges: Mapping[Tile, bytes], leaves: Sequence[bytes]
) -> dict[Tile, bytes]:
    """
    Return the tiles that more leaves make or widen.

    `edges` are the tiles of `edge(size)`.
    """
    changed: dict[Tile, bytes] = {}
    level, old, hashes = 0, size, b"".join(leaves)
    while hashes:
        index, held = divmod(old, WIDTH)
        data = edges[Tile(level, index)][: held * HASH_BYTES] if held else b""
        data += hashes
        above = []
        for start in range(0, len(data), WIDTH * HASH_BYTES):
            part = data[start : start + WIDTH * HASH_BYTES]
            changed[Tile(level, index)] = part
            if len(part) == WIDTH * HASH_BYTES:
                above.append(_top(part))
            index += 1
        level, old, hashes = level + 1, old // WIDTH, b"".join(above)
    return changed


def path(tile: Tile, width: int = WIDTH) -> str:
    """Return where a tile is served: `tile/LEVEL/INDEX`, level -1 being `entries`."""
    level = "entries" if tile.level < 0 else str(tile.level)
    groups = [f"{tile.at % 1000:03}"]
    rest = tile.at // 1000
    while rest:
        groups.insert(0, f"x{rest % 1000:03}")
        rest //= 1000
    partial = f".p/{width}" if width < WIDTH else ""
    return f"tile/{level}/{'/'.join(groups)}{partial}"


def _top(hashes: bytes) -> bytes:
    """Return the hash over a power of two of hashes."""
    row = [hashes[i : i + HASH_BYTES] for i in range(0, len(hashes), HASH_BYTES)]
    while len(row) > 1:
        row = [node_hash(row[i], row[i + 1]) for i in range(0, len(row), 2)]
    return row[0]


def _split(size: int) -> int:
    """Return the largest power of two below `size`."""
    return 1 << (size - 1).bit_length() - 1


def _cover(start: int, end: int) -> Iterator[Node]:
    """Cut leaves into perfect subtrees, largest first. `start` fits the largest."""
    while start < end:
        height = (end - start).bit_length() - 1
        yield Node(height, start >> height)
        start += 1 << height
