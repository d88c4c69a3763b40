"""Who would gain and lose what by a change, in parts that any platform can show."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

MOST_SHOWN = 10


@dataclass(frozen=True, slots=True, order=True)
class Change:
    """One person who could do one thing in one place, and now cannot, or the reverse."""

    person: str
    name: str
    action: str
    where: str
    when: str = ""


@dataclass(frozen=True, slots=True)
class Counted:
    """How many changes there are about one person, place or action."""

    name: str
    gained: int
    lost: int


@dataclass(frozen=True, slots=True)
class Report:
    """
    What a change of the policy or of the directory would do.

    `hash` binds whoever applies it to what they saw. `pairs` is how many questions were
    compared and `sampled` of how many, if there were too many to ask all. `gained` and
    `lost` name every change, up to a limit; `gains` and `losses` count all of them.
    """

    hash: str
    what: str
    policy: str
    candidate: str
    directory: str
    people: int
    pairs: int
    gains: int
    losses: int
    gained: tuple[Change, ...]
    lost: tuple[Change, ...]
    by_person: tuple[Counted, ...]
    by_place: tuple[Counted, ...]
    by_action: tuple[Counted, ...]
    sampled: int = 0

    def as_csv(self) -> str:
        """Return every named change as a table. No cell is a spreadsheet's formula."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\r\n")
        writer.writerow(("change", "person", "name", "action", "where", "when"))
        for word, changes in (("gains", self.gained), ("loses", self.lost)):
            for each in changes:
                cells = (each.person, each.name, each.action, each.where, each.when)
                writer.writerow((word, *map(_inert, cells)))
        return out.getvalue()


def counted(
    gained: Sequence[tuple[str, int]], lost: Sequence[tuple[str, int]]
) -> tuple[Counted, ...]:
    """Add numbers up by name, the most first."""
    sums: dict[str, list[int]] = {}
    for column, numbers in enumerate((gained, lost)):
        for name, number in numbers:
            sums.setdefault(name, [0, 0])[column] += number
    ordered = sorted(sums.items(), key=lambda item: (-sum(item[1]), item[0]))
    return tuple(Counted(name, *pair) for name, pair in ordered[:MOST_SHOWN])


def _inert(cell: str) -> str:
    return f"'{cell}" if cell.startswith(("=", "+", "-", "@", "\t", "\r")) else cell
