"""
Keeping the tiles up to date with the log, off the way that messages take.

Everything comes from the log itself and is moved on by compare-and-set: any process
may do it at any time, and two that do it at once do it once. What does not fit its
own leaf, or the head, is not made a tile of.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from bridge.errors import AtomError
from storage.compliance.leaf import COLUMNS, leaf_maker
from storage.compliance.proofs.bundles import cut, packed, unpacked
from storage.compliance.proofs.stored_tiles import StoredTree
from storage.compliance.proofs.tiles import WIDTH, Tile, Tiles, grown, root_line
from storage.compliance.tree import HASH_BYTES, leaf_hash
from storage.hot import Guarded, HotStore, Insert, Program, Row, Statement

_AT_ONCE = 2048
_READ = ("leaf", *COLUMNS)
_SEQ = _READ.index("seq")
_made_of = leaf_maker(_READ)
_SELECT = f"SELECT {', '.join(_READ)} FROM log"
_WIDER = (
    "ON CONFLICT (tenant, level, idx) DO UPDATE SET "
    "width = excluded.width, data = excluded.data"
)
_FULLER = (
    "ON CONFLICT (tenant, first) DO UPDATE SET "
    "width = excluded.width, data = excluded.data"
)


class Bundle(NamedTuple):
    """Leaves as a row keeps them: where they begin, how many they are, and they."""

    first: int
    width: int
    data: bytes


class LogBroken(AtomError):
    """The log does not fit its own tree; nothing is signed until somebody looked."""


@dataclass(frozen=True, slots=True)
class _Grown:
    """
    What a step adds: bundles of leaves, and the tiles that they make or widen.

    `first` are the leaves of the first bundle, which may go on from a piece that is
    there. Bundles are packed already: a transaction is no place to compress things.
    """

    size: int
    first: Sequence[bytes]
    bundles: Sequence[Bundle]
    tiles: Mapping[Tile, bytes]


@dataclass(frozen=True, slots=True)
class TreeKeeper:
    """Makes tiles and bundles of what was logged."""

    store: HotStore

    @property
    def tree(self) -> StoredTree:
        return StoredTree(self.store)

    async def keep(self, tenant: str) -> int:
        """
        Bring the tiles up to the head and return its size.

        Raises `LogBroken`, saying at which entry, and `StoreUnavailable`.
        """
        while True:
            size, root = await self._head(tenant)
            kept = await self.tree.size(tenant)
            if kept > size:
                raise LogBroken(
                    f"the log ends at {size}, but there were {kept} entries"
                )
            edges = await self.tree.edges(tenant, kept)
            if kept == size:
                _check_root(size, root, edges)
                return size
            await self._step(tenant, kept, (size, root), edges)

    async def _head(self, tenant: str) -> tuple[int, bytes]:
        rows = await self.store.fetch(
            Statement(
                "SELECT size, root FROM head WHERE tenant = :tenant",
                {"tenant": tenant},
                brief=True,
            )
        )
        return (rows[0][0], bytes(rows[0][1])) if rows else (0, Tiles({}).fold(()))

    async def _step(
        self,
        tenant: str,
        kept: int,
        head: tuple[int, bytes],
        edges: Mapping[Tile, bytes],
    ) -> None:
        size = min(head[0], kept + _AT_ONCE)
        rows = await self.store.fetch(
            Statement(
                f"{_SELECT} WHERE tenant = :tenant AND seq >= :first AND seq < :end "
                "ORDER BY seq",
                {"tenant": tenant, "first": kept, "end": size},
            )
        )
        more = await asyncio.to_thread(_grow, kept, size, rows, edges)
        if size == head[0]:
            _check_root(size, head[1], {**edges, **more.tiles})
        await self.store.run(partial(_written, tenant, kept, more))


def _grow(
    kept: int, size: int, rows: Sequence[Row], edges: Mapping[Tile, bytes]
) -> _Grown:
    leaves, hashes = [], []
    for seq, values in enumerate(rows, kept):
        if values[_SEQ] != seq:
            raise LogBroken(f"entry {seq} is missing")
        leaves.append(_leaf(values, seq))
        hashes.append(bytes(values[0]))
    if kept + len(leaves) != size:
        raise LogBroken(f"entry {kept + len(leaves)} is missing")
    parts = list(cut(kept, leaves))
    bundles = [Bundle(at, len(part), packed(part)) for at, part in parts]
    first = parts[0][1] if parts else ()
    return _Grown(size, first, bundles, grown(kept, edges, hashes))


def _leaf(values: Row, seq: int) -> bytes:
    try:
        leaf = _made_of(values)
    except (TypeError, ValueError) as error:
        raise LogBroken(f"entry {seq} holds what no leaf can hold") from error
    if leaf_hash(leaf) != bytes(values[0]):
        raise LogBroken(f"entry {seq} was changed: it does not fit its leaf")
    return leaf


def _check_root(size: int, root: bytes, tiles: Mapping[Tile, bytes]) -> None:
    try:
        found = Tiles(tiles).fold(root_line(size))
    except LookupError as error:
        raise LogBroken("tiles of the tree are missing") from error
    if found != root:
        raise LogBroken(f"the head's root is not that of the log's {size} entries")


def _written(tenant: str, kept: int, more: _Grown) -> Program[bool]:
    """Write what grew, unless somebody else did. Returns whether this one did."""
    yield Statement(
        "INSERT INTO tree_state (tenant, size) VALUES (:tenant, 0) "
        "ON CONFLICT DO NOTHING",
        {"tenant": tenant},
    )
    begun = kept - kept % WIDTH
    before: list[bytes] = []
    if kept > begun and more.size >= begun + WIDTH:
        # The bundle that was begun is full now: its pieces become one row.
        pieces = yield Statement(
            "SELECT data FROM bundle WHERE tenant = :tenant AND first >= :begun "
            "AND first < :kept ORDER BY first",
            {"tenant": tenant, "begun": begun, "kept": kept},
        )
        found = [leaf for (data,) in pieces for leaf in unpacked(bytes(data))]
        before = found if len(found) == kept - begun else []
    bundles = [{"tenant": tenant, **each._asdict()} for each in more.bundles]
    if before:
        whole = [*before, *more.first]
        bundles[0] |= {"first": begun, "width": len(whole), "data": packed(whole)}
    tiles = [
        {
            "tenant": tenant,
            "level": tile.level,
            "idx": tile.at,
            "width": len(data) // HASH_BYTES,
            "data": data,
        }
        for tile, data in more.tiles.items()
    ]
    moved = yield Guarded(
        (Insert("tile", tiles, _WIDER), Insert("bundle", bundles, _FULLER)),
        Statement(
            "UPDATE tree_state SET size = :size WHERE tenant = :tenant "
            "AND size = :kept RETURNING size",
            {"tenant": tenant, "size": more.size, "kept": kept},
        ),
    )
    if moved and before:
        yield Statement(
            "DELETE FROM bundle WHERE tenant = :tenant AND first > :begun "
            "AND first < :kept",
            {"tenant": tenant, "begun": begun, "kept": kept},
        )
    return bool(moved)
