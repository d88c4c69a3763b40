"""
What is known of a company's directory: every source's entries, and who is who in them.

It changes by `Delta`s alone, whether this process made one or another process did, so
all of them come to hold the same.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from bridge.directory.model import Entry, Grace, Kind

Ref = tuple[str, str]  # a source's name, and an id of its own
_LISTED, _OWN = "listed", "own"


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
    when its life became what it is, and `why` says what made it so. `former` are
    addresses and sign-in names that a person had there before.
    """

    source: str
    entry: Entry
    life: Life = Life.LIVE
    missed: int = 0
    since_us: int = 0
    why: str = ""
    former: frozenset[str] = frozenset()

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


class Ending(StrEnum):
    """How somebody came to be in something no more."""

    LEFT = "left"  # a source does not say so any more
    CUT = "cut"  # they left it and kept it for a while, until somebody ended that


@dataclass(frozen=True, slots=True)
class Lost:
    """
    Something that somebody is in no more: its id, or the word for a department.

    `kind` is None where only the directory says what the id is. `by` is the source
    that told of it, or who ended it.
    """

    thing: str
    at_us: int
    by: str
    kind: Kind | None = None
    how: Ending = Ending.LEFT


@dataclass(frozen=True, slots=True)
class Delta:
    """What one version of the directory changes in the one before."""

    version: int
    kept: tuple[Kept, ...] = ()
    memberships: tuple[Membership, ...] = ()
    people: tuple[tuple[Ref, str], ...] = ()
    graces: tuple[tuple[str, Grace], ...] = ()  # by person; over with `until_us` 0


@dataclass(slots=True)
class State:
    """A company's whole directory in memory. `people` are ATOM's own ids."""

    version: int = 0
    entries: dict[Ref, Kept] = field(default_factory=dict)
    members: dict[Ref, set[str]] = field(default_factory=dict)
    people: dict[Ref, str] = field(default_factory=dict)
    endings: dict[tuple[str, str, str], Membership] = field(default_factory=dict)
    lately: dict[Ref, Kept] = field(default_factory=dict)  # whose life has changed
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    graces: dict[str, dict[str, Grace]] = field(default_factory=dict)  # of people

    def absorb(self, delta: Delta) -> None:
        """Take over what changed."""
        for kept in delta.kept:
            old = self.entries.get(kept.ref)
            self._count(old, -1)
            self._count(kept, 1)
            if old is None or old.since_us != kept.since_us:
                self.lately[kept.ref] = kept
            self.entries[kept.ref] = kept
        for each in delta.memberships:
            inside = self.members.setdefault((each.source, each.group), set())
            before = len(inside)
            if each.ended:
                inside.discard(each.member)
                self.endings[each.source, each.group, each.member] = each
            else:
                inside.add(each.member)
            self.counts[each.source, _LISTED] += len(inside) - before
        self.people.update(delta.people)
        for person, grace in delta.graces:
            self.graces.setdefault(person, {})[grace.ancestor] = grace
        self.version = max(self.version, delta.version)

    def _count(self, kept: Kept | None, one: int) -> None:
        if kept is not None and not kept.life.gone:
            entry = kept.entry
            self.counts[kept.source, entry.kind] += one
            own = len(entry.parents) + (
                bool(entry.unit) and entry.unit not in entry.parents
            )
            self.counts[kept.source, _OWN] += own * one

    def of(self, source: str) -> Iterator[Kept]:
        """Return everything that a source ever told of."""
        return (kept for ref, kept in self.entries.items() if ref[0] == source)

    def living(self, source: str, kind: Kind | None = None) -> int:
        """Count what a source has now."""
        return sum(self.counts[source, each] for each in ([kind] if kind else Kind))

    def edges(self, source: str) -> int:
        """Count the direct memberships that a source's groups tell of."""
        return self.counts[source, _LISTED]

    def own_edges(self, source: str) -> int:
        """Count the memberships that a source's entries tell of by themselves."""
        return self.counts[source, _OWN]

    def forget(self, before_us: int) -> None:
        """Let go of what happened too long ago to count; the store keeps it."""
        self.lately = {
            ref: kept for ref, kept in self.lately.items() if kept.since_us >= before_us
        }
        self.endings = {
            key: each for key, each in self.endings.items() if each.at_us >= before_us
        }
