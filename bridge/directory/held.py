"""
What is known of a company's directory: every source's entries, and who is who in them.

It changes by `Delta`s alone, whether this process made one or another process did, so
all of them come to hold the same.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from bridge.directory.model import Entry, Kind

Ref = tuple[str, str]  # a source's name, and an id of its own


class Life(StrEnum):
    """How sure it is that an entry is still there. Every step can be taken back."""

    LIVE = "live"
    MISSING = "missing"  # a complete reading did not name it; nothing is taken yet
    SUSPENDED = "suspended"
    QUARANTINED = "quarantined"
    BURIED = "buried"  # only its ids are of use: they are never given again

    @property
    def gone(self) -> bool:
        """Whether nothing is granted for it any more."""
        return self not in {Life.LIVE, Life.MISSING}


@dataclass(frozen=True, slots=True)
class Kept:
    """
    An entry as it is kept. Its members are kept apart, so `entry.members` is None.

    `missed` counts the complete readings in a row that did not name it. `since_us` is
    when its life became what it is, and `why` says what made it so.
    """

    source: str
    entry: Entry
    life: Life = Life.LIVE
    missed: int = 0
    since_us: int = 0
    why: str = ""

    @property
    def ref(self) -> Ref:
        return (self.source, self.entry.id)


@dataclass(frozen=True, slots=True)
class Membership:
    """A direct membership, as a source tells of it; `why` it ended, if it did."""

    source: str
    group: str
    member: str
    at_us: int
    why: str = ""

    @property
    def ended(self) -> bool:
        return bool(self.why)


@dataclass(frozen=True, slots=True)
class Delta:
    """What one version of the directory changes in the one before."""

    version: int
    kept: tuple[Kept, ...] = ()
    memberships: tuple[Membership, ...] = ()
    people: tuple[tuple[Ref, str], ...] = ()


@dataclass(slots=True)
class State:
    """A company's whole directory in memory. `people` are ATOM's own ids."""

    version: int = 0
    entries: dict[Ref, Kept] = field(default_factory=dict)
    members: dict[Ref, set[str]] = field(default_factory=dict)
    people: dict[Ref, str] = field(default_factory=dict)
    endings: dict[tuple[str, str, str], Membership] = field(default_factory=dict)

    def absorb(self, delta: Delta) -> None:
        """Take over what changed."""
        for kept in delta.kept:
            self.entries[kept.ref] = kept
        for each in delta.memberships:
            inside = self.members.setdefault((each.source, each.group), set())
            if each.ended:
                inside.discard(each.member)
                self.endings[each.source, each.group, each.member] = each
            else:
                inside.add(each.member)
        self.people.update(delta.people)
        self.version = max(self.version, delta.version)

    def of(self, source: str) -> Iterator[Kept]:
        """Return everything that a source ever told of."""
        return (kept for ref, kept in self.entries.items() if ref[0] == source)

    def living(self, source: str, kind: Kind | None = None) -> int:
        """Count what a source has now."""
        return sum(
            not kept.life.gone and kind in {None, kept.entry.kind}
            for kept in self.of(source)
        )

    def edges(self, source: str) -> int:
        """Count the direct memberships that a source tells of."""
        return sum(len(m) for ref, m in self.members.items() if ref[0] == source)

    def forget_endings(self, before_us: int) -> None:
        """Let go of endings that nothing counts any more; the store keeps them."""
        self.endings = {
            key: each for key, each in self.endings.items() if each.at_us >= before_us
        }
