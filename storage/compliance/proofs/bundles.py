"""
The leaves' own bytes, 256 to a bundle (c2sp.org/tlog-tiles, "log entries").

A leaf's hash tells that an entry was changed, its bytes tell which column was. They
are kept in pieces as they come, and as one row once a bundle is full.
"""

import zlib
from collections.abc import Iterator, Sequence

from storage.compliance.proofs.tiles import WIDTH

_LONGEST = 0xFFFF


def packed(leaves: Sequence[bytes]) -> bytes:
    """Return leaves as a bundle's row keeps them."""
    return zlib.compress(joined(leaves), 1)


def joined(leaves: Sequence[bytes]) -> bytes:
    """Return a bundle as it is served. Raises `ValueError` for a leaf of 64 KiB."""
    if any(len(leaf) > _LONGEST for leaf in leaves):
        raise ValueError("a leaf is longer than a bundle can say")
    return b"".join(len(leaf).to_bytes(2, "big") + leaf for leaf in leaves)


def unpacked(data: bytes) -> list[bytes]:
    """Return the leaves. Raises `ValueError` when `data` is no bundle."""
    try:
        return list(_split(zlib.decompress(data)))
    except zlib.error as error:
        raise ValueError("a bundle cannot be unpacked") from error


def cut(first: int, leaves: Sequence[bytes]) -> Iterator[tuple[int, Sequence[bytes]]]:
    """Cut leaves, the first of which is at `first`, where bundles begin and end."""
    at = 0
    while at < len(leaves):
        room = WIDTH - (first + at) % WIDTH
        yield first + at, leaves[at : at + room]
        at += room


def _split(data: bytes) -> Iterator[bytes]:
    at = 0
    while at < len(data):
        length = int.from_bytes(data[at : at + 2], "big")
        leaf = data[at + 2 : at + 2 + length]
        if len(leaf) != length:
            raise ValueError("a bundle ends within a leaf")
        yield leaf
        at += 2 + length
