"""Positions of the log as ranges: `[[first, last], …]`, lowest first and apart."""

from collections.abc import Iterable, Iterator, Sequence

Ranges = Sequence[Sequence[int]]


def ranges(seqs: Iterable[int]) -> list[list[int]]:
    """Return positions as the fewest ranges; both ends are included."""
    found: list[list[int]] = []
    for seq in sorted(set(seqs)):
        if found and seq == found[-1][1] + 1:
            found[-1][1] = seq
        else:
            found.append([seq, seq])
    return found


def positions(pairs: Ranges) -> Iterator[int]:
    """Yield every position of ranges."""
    for first, last in pairs:
        yield from range(first, last + 1)


def shown(pairs: Ranges) -> str:
    """Return ranges for people: `3-9, 12`."""
    return ", ".join(str(a) if a == b else f"{a}-{b}" for a, b in pairs)
