"""A whole log as files: `checkpoint`, `tile/LEVEL/INDEX` and `tile/entries/INDEX`."""

from collections.abc import Callable
from pathlib import Path

from bridge.errors import BadInput
from storage.compliance.proofs.bundles import joined, unpacked
from storage.compliance.proofs.checkpoints import Seen
from storage.compliance.proofs.tiles import WIDTH, Tile, path
from storage.compliance.tree import HASH_BYTES
from storage.hot import HotStore, Statement

_ENTRIES = -1


async def write_log(
    store: HotStore,
    tenant: str,
    at: Seen,
    folder: Path,
    progress: Callable[[int], None],
) -> None:
    """Write what a checkpoint covers. Raises `BadInput` if it cannot be written."""
    size = at.checkpoint.size
    try:
        for first in range(0, size, WIDTH):
            leaves = await _leaves(store, tenant, first, min(size, first + WIDTH))
            name = path(Tile(_ENTRIES, first // WIDTH), len(leaves))
            _write(folder / name, joined(leaves))
            progress(first + len(leaves))
        await _write_tiles(store, tenant, size, folder)
        _write(folder / "checkpoint", at.note.encode())
    except OSError as error:
        raise BadInput(f"{folder} cannot be written: {error.strerror}") from error


async def _leaves(store: HotStore, tenant: str, first: int, end: int) -> list[bytes]:
    rows = await store.fetch(
        Statement(
            "SELECT data FROM bundle WHERE tenant = :tenant AND first >= :first "
            "AND first < :end ORDER BY first",
            {"tenant": tenant, "first": first, "end": end},
        )
    )
    found = [leaf for (data,) in rows for leaf in unpacked(bytes(data))]
    if len(found) < end - first:
        raise BadInput(f"the bundle of entry {first} is not whole")
    return found[: end - first]


async def _write_tiles(store: HotStore, tenant: str, size: int, folder: Path) -> None:
    level = 0
    while size >> 8 * level:
        rows = await store.fetch(
            Statement(
                "SELECT idx, data FROM tile WHERE tenant = :tenant "
                "AND level = :level ORDER BY idx",
                {"tenant": tenant, "level": level},
            )
        )
        hashes = size >> 8 * level
        for idx, data in rows:
            width = min(WIDTH, hashes - idx * WIDTH)
            if width > 0:
                part = bytes(data)[: width * HASH_BYTES]
                _write(folder / path(Tile(level, idx), width), part)
        level += 1


def _write(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
