"""
The Merkle tree over the log, RFC 6962 section 2.1 (RFC 9162 section 2.1).

Only the tree's right edge is kept: the roots of the perfect subtrees that the size's
binary digits stand for, largest first. Appending costs one hash on average.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Self

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()


def leaf_hash(data: bytes) -> bytes:
    """Hash a leaf: SHA-256(0x00 || data)."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash an inner node: SHA-256(0x01 || left || right)."""
    return sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Frontier:
    """The right edge of a tree of `size` leaves."""

    size: int = 0
    edge: tuple[bytes, ...] = ()

    @classmethod
    def unpack(cls, size: int, packed: bytes) -> Self:
        """Read what `pack` wrote. Raises `ValueError` when it does not fit `size`."""
        if len(packed) != HASH_BYTES * size.bit_count():
            raise ValueError(f"a tree of {size} leaves has another edge")
        edge = (packed[i : i + HASH_BYTES] for i in range(0, len(packed), HASH_BYTES))
        return cls(size, tuple(edge))

    def pack(self) -> bytes:
        return b"".join(self.edge)

    def append(self, leaf: bytes) -> "Frontier":
        """Return the frontier with one more leaf, given as its hash."""
        edge, node, size = list(self.edge), leaf, self.size
        while size & 1:
            node = node_hash(edge.pop(), node)
            size >>= 1
        return Frontier(self.size + 1, (*edge, node))

    def extend(self, leaves: Sequence[bytes]) -> "Frontier":
        """Return the frontier with more leaves."""
        edge, size = list(self.edge), self.size
        for leaf in leaves:
            node, rest = leaf, size
            while rest & 1:
                node = sha256(b"\x01" + edge.pop() + node).digest()
                rest >>= 1
            edge.append(node)
            size += 1
        return Frontier(size, tuple(edge))

    def root(self) -> bytes:
        """Return the tree's root hash; the empty tree has one too."""
        if not self.edge:
            return EMPTY_ROOT
        *rest, node = self.edge
        for left in reversed(rest):
            node = node_hash(left, node)
        return node
