"""
Reading the whole log again and comparing it with everything that vouches for it.

Each entry is compared with its leaf, with the leaf's bytes in its bundle and with its
hash in the tiles; the tree with the head, and with every checkpoint that was signed.
The first thing that does not fit is named: the entry, and the column.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NoReturn

from storage.compliance.leaf import COLUMNS, leaf_bytes, leaf_maker
from storage.compliance.proofs.bundles import unpacked
from storage.compliance.proofs.checkpoints import Seen
from storage.compliance.proofs.culprits import culprit, guessed
from storage.compliance.proofs.tiles import WIDTH, Tile, edge, grown, path
from storage.compliance.tree import EMPTY_ROOT, HASH_BYTES, Frontier, leaf_hash
from storage.hot import HotStore, Row, Statement

_AT_ONCE = 16 * WIDTH
_READ = ("leaf", *COLUMNS)
_SEQ, _CAP_US = _READ.index("seq"), _READ.index("cap_us")
_made_of = leaf_maker(_READ)

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Fault:
    """The first thing that is wrong. `seq` is -1 where no one entry is to blame."""

    text: str
    seq: int = -1
    column: str = ""
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Examined:
    """What an examination found: the log's size and root, and the first fault."""

    size: int
    root: bytes
    fault: Fault | None = None


class _Found(Exception):
    """Ends the examination: there is a fault."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.text)
        self.fault = fault


@dataclass(frozen=True, slots=True)
class _Page:
    """Rows that follow each other, and what vouches for them."""

    first: int
    rows: Sequence[Row]
    leaves: Mapping[int, bytes]
    hashes: Mapping[int, bytes]


@dataclass(frozen=True, slots=True)
class _Head:
    """The head's row."""

    size: int = 0
    root: bytes = EMPTY_ROOT
    frontier: bytes = b""
    last_us: int = 0


@dataclass(slots=True)
class _Course:
    """How far the examination came."""

    signed: list[Seen]
    frontier: Frontier = field(default_factory=Frontier)
    tops: dict[Tile, bytes] = field(default_factory=dict)
    last_us: int = 0

    def judge(self, page: _Page) -> None:
        """Take a page's leaves in, or raise `_Found`."""
        hashes = []
        for seq, values in enumerate(page.rows, page.first):
            found = values[_SEQ]
            if found != seq:
                twice = found < seq
                word = "is there twice" if twice else "is missing"
                place = found if twice else seq
                raise _Found(Fault(f"entry {place} {word}", place))
            leaf = bytes(values[0])
            if not _agree(values, leaf, seq, page):
                _blame(dict(zip(_READ, values, strict=True)), seq, page)
            hashes.append(leaf)
        if page.rows:
            self.last_us = page.rows[-1][_CAP_US]
        self._take(hashes)

    def _take(self, hashes: Sequence[bytes]) -> None:
        old = self.frontier.size
        edges = {tile: self.tops[tile] for tile, _ in edge(old)}
        self.tops |= grown(old, edges, hashes)
        for tile in [t for t in self.tops if t.level == 0]:
            if len(self.tops[tile]) == WIDTH * HASH_BYTES:
                del self.tops[tile]  # its entries are compared one by one
        at = 0
        for seen in [s for s in self.signed if s.checkpoint.size <= old + len(hashes)]:
            end = seen.checkpoint.size - old
            self.frontier = self.frontier.extend(hashes[at:end])
            at = max(at, end)
            _follow(seen, self.frontier)
            self.signed.remove(seen)
        self.frontier = self.frontier.extend(hashes[at:])


@dataclass(frozen=True, slots=True)
class Examination:
    """Examines the logs in one database, without any key."""

    store: HotStore

    async def examine(
        self,
        tenant: str,
        signed: Iterable[Seen] = (),
        progress: Progress = lambda _done, _size: None,
    ) -> Examined:
        """
        Compare the log with its tree, and with checkpoints whose signatures hold.

        What the entries hold is not opened here.
        """
        head = await self._head(tenant)
        course = _Course(sorted(signed, key=_size))
        try:
            await self._examine(tenant, head, course, progress)
        except _Found as found:
            return Examined(head.size, head.root, found.fault)
        return Examined(head.size, head.root)

    async def _examine(
        self, tenant: str, head: _Head, course: _Course, progress: Progress
    ) -> None:
        size, tiled = head.size, await self._tiled(tenant)
        if tiled > size:
            text = f"the log ends at {size}, but there were {tiled} entries"
            raise _Found(Fault(text, size))
        if course.signed and _size(course.signed[-1]) > size:
            seen = course.signed[-1]
            text = f"the log ends at {size}, but {_size(seen)} entries were signed"
            raise _Found(Fault(text, size, evidence=(seen.note,)))
        async for page in self._pages(tenant, size):
            await asyncio.to_thread(course.judge, page)
            progress(course.frontier.size, size)
        await self._beyond(tenant, size)
        for column, told, found in (
            ("root", head.root, course.frontier.root()),
            ("frontier", head.frontier, course.frontier.pack()),
            ("last_us", head.last_us, course.last_us),
        ):
            if told != found:
                text = f"the head's {column} is not that of its entries"
                raise _Found(Fault(text, column=column))
        current = course.tops if tiled == size else {}
        await self._compare_tiles(tenant, course.tops, current)

    async def _pages(self, tenant: str, size: int) -> AsyncIterator[_Page]:
        """Yield the log's pages, each while the one behind it is read already."""
        ends = [min(size, first + _AT_ONCE) for first in range(0, size, _AT_ONCE)]
        coming: asyncio.Task[_Page] | None = None
        try:
            for first, end in pairwise((0, *ends)):
                page = await (coming or self._page(tenant, first, end))
                coming = None
                if end < size:
                    after = min(size, end + _AT_ONCE)
                    coming = asyncio.create_task(self._page(tenant, end, after))
                yield page
                if len(page.rows) != end - first:
                    seq = first + len(page.rows)
                    raise _Found(Fault(f"entry {seq} is missing", seq))
        finally:
            if coming is not None:
                coming.cancel()
                with suppress(asyncio.CancelledError, Exception):
                    await coming

    async def _page(self, tenant: str, first: int, end: int) -> _Page:
        rows = await self.store.fetch(
            Statement(
                f"SELECT {', '.join(_READ)} FROM log WHERE tenant = :tenant "
                "AND seq >= :first AND seq < :end ORDER BY seq",
                {"tenant": tenant, "first": first, "end": end},
            )
        )
        leaves = await self._bundles(tenant, first, end)
        return _Page(first, rows, leaves, await self._hashes(tenant, first, end))

    async def _bundles(self, tenant: str, first: int, end: int) -> dict[int, bytes]:
        rows = await self.store.fetch(
            Statement(
                "SELECT first, width, data FROM bundle WHERE tenant = :tenant "
                "AND first >= :first AND first < :end ORDER BY first",
                {"tenant": tenant, "first": first, "end": end},
            )
        )
        found: dict[int, bytes] = {}
        for at, width, data in rows:
            try:
                leaves = unpacked(bytes(data))
            except ValueError:
                leaves = []
            if len(leaves) != width:
                raise _Found(Fault(f"the bundle of entry {at} was changed", at, "data"))
            found.update(enumerate(leaves, at))
        return found

    async def _hashes(self, tenant: str, first: int, end: int) -> dict[int, bytes]:
        rows = await self.store.fetch(
            Statement(
                "SELECT idx, data FROM tile WHERE tenant = :tenant AND level = 0 "
                "AND idx >= :first AND idx < :end",
                {"tenant": tenant, "first": first // WIDTH, "end": -(-end // WIDTH)},
            )
        )
        return {
            idx * WIDTH + n: bytes(data[at : at + HASH_BYTES])
            for idx, data in rows
            for n, at in enumerate(range(0, len(data), HASH_BYTES))
        }

    async def _beyond(self, tenant: str, size: int) -> None:
        rows = await self.store.fetch(
            Statement(
                "SELECT min(seq) FROM log WHERE tenant = :tenant "
                "AND (seq >= :size OR seq < 0)",
                {"tenant": tenant, "size": size},
            )
        )
        if rows[0][0] is not None:
            seq = rows[0][0]
            raise _Found(Fault(f"entry {seq} was added past the log's end", seq, "seq"))

    async def _compare_tiles(
        self, tenant: str, tops: Mapping[Tile, bytes], wanted: Mapping[Tile, bytes]
    ) -> None:
        """Compare the tiles above the leaves; the newest may be behind the log."""
        rows = await self.store.fetch(
            Statement(
                "SELECT level, idx, width, data FROM tile WHERE tenant = :tenant "
                "AND level > 0",
                {"tenant": tenant},
            )
        )
        kept = {Tile(level, at): (w, bytes(data)) for level, at, w, data in rows}
        for tile, (width, data) in kept.items():
            right = tops.get(tile, b"")
            if not right.startswith(data) or width * HASH_BYTES != len(data):
                raise _Found(Fault(f"{path(tile)} was changed", column="data"))
        for tile, data in wanted.items():
            if tile.level and kept.get(tile, (0, b""))[1] != data:
                raise _Found(Fault(f"{path(tile)} is missing", column="data"))

    async def _head(self, tenant: str) -> _Head:
        rows = await self.store.fetch(
            Statement(
                "SELECT size, root, frontier, last_us FROM head WHERE tenant = :tenant",
                {"tenant": tenant},
            )
        )
        if not rows:
            return _Head()
        size, root, frontier, last_us = rows[0]
        return _Head(size, bytes(root), bytes(frontier), last_us)

    async def _tiled(self, tenant: str) -> int:
        rows = await self.store.fetch(
            Statement(
                "SELECT size FROM tree_state WHERE tenant = :tenant",
                {"tenant": tenant},
            )
        )
        return rows[0][0] if rows else 0


def _size(seen: Seen) -> int:
    return seen.checkpoint.size


def _follow(seen: Seen, frontier: Frontier) -> None:
    if seen.checkpoint.root != frontier.root():
        size = frontier.size
        text = f"the log's first {size} entries are not those that were signed"
        raise _Found(Fault(text, evidence=(seen.note,)))


def _agree(values: Row, leaf: bytes, seq: int, page: _Page) -> bool:
    """Return whether a row, its leaf, its bundle and its tile agree."""
    try:
        own = _made_of(values)
    except (TypeError, ValueError):
        return False
    known = page.leaves.get(seq, own) == own and page.hashes.get(seq, leaf) == leaf
    return known and leaf_hash(own) == leaf


def _blame(row: Mapping[str, Any], seq: int, page: _Page) -> NoReturn:
    """Raise `_Found` with what does not agree."""
    leaf, kept = bytes(row["leaf"]), page.leaves.get(seq)
    told = page.hashes.get(seq, leaf)
    try:
        own = leaf_bytes(row)
    except (TypeError, ValueError):
        own = b""
    moved = [other for other, known in page.hashes.items() if known == leaf != told]
    if moved:
        text = f"entry {seq} was replaced by entry {moved[0]}"
        raise _Found(Fault(text, seq, "seq"))
    column = culprit(own, kept, leaf, told)
    if not column:
        others = [dict(zip(_READ, values, strict=True)) for values in page.rows]
        column = guessed(row, told, others)
    what = f"column {column} was changed" if column else "a column was changed"
    raise _Found(Fault(f"entry {seq}: {what}", seq, column))
