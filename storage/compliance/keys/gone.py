"""
What the log says is gone: keys that were destroyed, and bodies disposed of.

The entries' bodies say it under `detail`: `keys` are references of subject keys, and
`seqs` positions, or pairs of a first and a last one.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Gone:
    """Which keys, and which ranges of positions, lowest first and apart."""

    keys: frozenset[str]
    ranges: Sequence[tuple[int, int]]

    def key(self, ref: str) -> bool:
        return ref in self.keys

    def entry(self, seq: int) -> bool:
        place = bisect_right(self.ranges, seq, key=lambda pair: pair[0]) - 1
        return place >= 0 and seq <= self.ranges[place][1]

    def part(self, refs: Iterable[str], first: int, end: int) -> "Gone":
        """Return what is told of these keys, and of positions from first to end."""
        start = bisect_right(self.ranges, first, key=lambda pair: pair[0])
        stop = bisect_right(self.ranges, end, key=lambda pair: pair[0])
        return Gone(self.keys.intersection(refs), self.ranges[max(start - 1, 0) : stop])


def gone(bodies: Iterable[Mapping[str, Any]]) -> Gone:
    """Read the bodies of the entries that say so."""
    keys: set[str] = set()
    pairs: list[tuple[int, int]] = []
    for body in bodies:
        detail = body.get("detail") or {}
        keys.update(detail.get("keys") or ())
        pairs += (
            (told, told) if isinstance(told, int) else (told[0], told[1])
            for told in detail.get("seqs") or ()
        )
    return Gone(frozenset(keys), _merged(sorted(pairs)))


def _merged(pairs: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for first, last in pairs:
        if merged and first <= merged[-1][1] + 1:
            merged[-1] = merged[-1][0], max(merged[-1][1], last)
        else:
            merged.append((first, last))
    return merged
