"""Proofs out of the database: each is one read of a handful of tiles."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bridge.errors import BadInput
from storage.compliance.proofs.tiles import (
    Line,
    Tile,
    Tiles,
    consistency_lines,
    edge,
    inclusion_lines,
    needed,
    root_line,
)
from storage.hot import HotStore, Statement


@dataclass(frozen=True, slots=True)
class StoredTree:
    """The tree over a tenant's log, as far as it is in tiles."""

    store: HotStore

    async def size(self, tenant: str) -> int:
        """Return how many leaves the tiles hold."""
        rows = await self.store.fetch(
            Statement(
                "SELECT size FROM tree_state WHERE tenant = :tenant",
                {"tenant": tenant},
                brief=True,
            )
        )
        return rows[0][0] if rows else 0

    async def root(self, tenant: str, size: int) -> bytes:
        """Return the root of the tree's first `size` leaves."""
        line = root_line(size)
        return (await self._tiles(tenant, [line])).fold(line)

    async def inclusion(self, tenant: str, index: int, size: int) -> list[bytes]:
        """Return the proof that leaf `index` is in the tree of `size`."""
        if not 0 <= index < size:
            raise BadInput(f"a tree of {size} has no leaf {index}")
        return await self._proof(tenant, inclusion_lines(index, size))

    async def consistency(self, tenant: str, old: int, new: int) -> list[bytes]:
        """Return the proof that the tree of `new` begins with that of `old`."""
        if not 0 < old <= new:
            raise BadInput(f"no tree of {new} follows one of {old}")
        return await self._proof(tenant, consistency_lines(old, new))

    async def leaf(self, tenant: str, index: int) -> bytes:
        """Return a leaf's hash."""
        [line] = [inclusion_lines(index ^ 1, (index | 1) + 1)[0]]
        return (await self._tiles(tenant, [line])).fold(line)

    async def edges(self, tenant: str, size: int) -> dict[Tile, bytes]:
        """Return the tiles at the right edge that are not full."""
        wanted = {tile for tile, _ in edge(size)}
        return dict(await self._read(tenant, wanted))

    async def _proof(self, tenant: str, lines: Sequence[Line]) -> list[bytes]:
        tiles = await self._tiles(tenant, lines)
        try:
            return tiles.proof(lines)
        except LookupError as error:
            raise BadInput("the tiles do not go that far, or are damaged") from error

    async def _tiles(self, tenant: str, lines: Iterable[Line]) -> Tiles:
        found = dict(await self._read(tenant, needed(lines)))
        return Tiles(found)

    async def _read(self, tenant: str, wanted: set[Tile]) -> list[tuple[Tile, bytes]]:
        if not wanted:
            return []
        where, parameters = [], {"tenant": tenant}
        given: dict[str, object] = dict(parameters)
        for n, tile in enumerate(sorted(wanted)):
            where.append(f"(level = :level{n} AND idx = :idx{n})")
            given |= {f"level{n}": tile.level, f"idx{n}": tile.at}
        rows = await self.store.fetch(
            Statement(
                "SELECT level, idx, data FROM tile WHERE tenant = :tenant "
                f"AND ({' OR '.join(where)})",
                given,
                brief=True,
            )
        )
        return [(Tile(level, at), bytes(data)) for level, at, data in rows]
