"""The whole tree over a log of one size, in memory: 64 bytes an entry."""

from collections.abc import Iterator

from storage.compliance.tree import EMPTY_ROOT, HASH_BYTES, node_hash


class Levels:
    """
    Every node of the tree over `leaves`, their hashes one after the other.

    A last node without a neighbour stands a level higher unchanged, which is how
    RFC 6962 splits trees whose size is no power of two.
    """

    def __init__(self, leaves: bytes) -> None:
        self._levels = [leaves]
        while len(self._levels[-1]) > HASH_BYTES:
            self._levels.append(_above(self._levels[-1]))

    @property
    def root(self) -> bytes:
        return self._levels[-1] or EMPTY_ROOT

    def path(self, index: int) -> list[bytes]:
        """Return the inclusion proof of a leaf, RFC 9162 section 2.1.3."""
        found, at = [], index
        for level in self._levels[:-1]:
            beside = (at ^ 1) * HASH_BYTES
            if beside < len(level):
                found.append(level[beside : beside + HASH_BYTES])
            at >>= 1
        return found


def _above(level: bytes) -> bytes:
    return b"".join(_pairs(level))


def _pairs(level: bytes) -> Iterator[bytes]:
    whole = len(level) - len(level) % (2 * HASH_BYTES)
    for at in range(0, whole, 2 * HASH_BYTES):
        middle = at + HASH_BYTES
        yield node_hash(level[at:middle], level[middle : middle + HASH_BYTES])
    if whole < len(level):
        yield level[whole:]
