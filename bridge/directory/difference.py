"""
What a reading changes in what is known.

A reading that is not complete takes nothing away: what it lacks is unknown. What a
complete reading of everything does not name is gone only when a second one, some time
later, does not name it either.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from bridge.directory.held import Kept, Life, Membership, Ref, State
from bridge.directory.model import Edge, Entry, Gone, Kind, Reading, Standing

_SEVERITY = {
    Standing.ACTIVE: 0,
    Standing.LOCKED: 1,
    Standing.PENDING: 2,
    Standing.EXPIRED: 3,
    Standing.DISABLED: 4,
    Standing.LEFT: 5,
}
_ENOUGH = 2  # complete readings that have to miss something


class What(StrEnum):
    """What happens to an entry or to a membership."""

    ADD = "add"
    CHANGE = "change"
    DISABLE = "disable"  # its source itself says that somebody may do less
    RETURN = "return"
    MISS = "miss"
    SUSPEND = "suspend"
    QUARANTINE = "quarantine"
    BURY = "bury"
    JOIN = "join"
    LEAVE = "leave"


@dataclass(frozen=True, slots=True)
class Change:
    """
    One step. `id` is the entry's, or the member's of a `group` that it joins or leaves.

    `entry` is what it is afterwards, for what has an afterwards.
    """

    what: What
    source: str
    id: str
    kind: Kind = Kind.PERSON
    name: str = ""
    group: str = ""
    entry: Entry | None = None
    why: str = ""

    @property
    def ref(self) -> Ref:
        return (self.source, self.id)

    @property
    def key(self) -> tuple[str, ...]:
        """What makes two changes the same one, and their order."""
        return (self.source, self.what, self.kind, self.id, self.group)


def severity(standing: Standing) -> int:
    """Return how much a standing takes away: 0 nothing, more for more."""
    return _SEVERITY[standing]


def folded(readings: Sequence[Reading]) -> Reading:
    """
    Make one reading of those of one run; what was said last counts.

    It is whole only if the last one says so, and complete only if nothing broke off.
    """
    last = readings[-1]
    entries: dict[str, Entry] = {}
    gone: dict[str, Gone] = {}
    edges: dict[Edge, bool] = {}
    for reading in readings:
        for entry in reading.entries:
            entries[entry.id] = entry
            gone.pop(entry.id, None)
        for each in reading.gone:
            gone[each.id] = each
            entries.pop(each.id, None)
        edges |= dict.fromkeys(reading.joined, True)
        edges |= dict.fromkeys(reading.left, False)
    broken = [r.why for r in readings if not r.complete and r.why]
    complete = last.complete and not broken
    return Reading(
        source=last.source,
        whole=last.whole and last.complete,
        complete=complete,
        why=broken[0] if broken else last.why,
        entries=tuple(entries.values()),
        joined=tuple(edge for edge, inside in edges.items() if inside),
        left=tuple(edge for edge, inside in edges.items() if not inside),
        gone=tuple(gone.values()),
        cursor=last.cursor if complete else b"",
    )


def difference(
    state: State, reading: Reading, now_us: int, grace_us: int
) -> list[Change]:
    """Return what a reading changes, in an order that does not depend on its own."""
    changes = [
        *_entries(state, reading),
        *_memberships(state, reading),
        *_gone(state, reading),
    ]
    if reading.whole and reading.complete:
        changes += _unnamed(state, reading, now_us, grace_us)
    return sorted(changes, key=lambda change: change.key)


def ripened(
    state: State, source: str, now_us: int, quarantine_us: int, bury_us: int
) -> Iterator[Change]:
    """Return what was gone for so long that it goes a step further."""
    for kept in state.of(source):
        age = now_us - kept.since_us
        if kept.life is Life.SUSPENDED and age >= quarantine_us:
            yield _about(kept, What.QUARANTINE, kept.why)
        elif kept.life is Life.QUARANTINED and age >= bury_us:
            yield _about(kept, What.BURY, kept.why)


def _entries(state: State, reading: Reading) -> Iterator[Change]:
    for told in reading.entries:
        kept = state.entries.get((reading.source, told.id))
        entry = replace(told, members=None)
        if kept and not reading.complete:
            entry = _more(kept.entry, entry)
        if kept is None:
            what = What.ADD
        elif kept.life is not Life.LIVE:
            what = What.RETURN
        elif kept.entry == entry:
            continue
        elif severity(entry.standing) > severity(kept.entry.standing):
            what = What.DISABLE
        else:
            what = What.CHANGE
        yield Change(
            what, reading.source, entry.id, entry.kind, entry.name, entry=entry
        )


def _more(known: Entry, told: Entry) -> Entry:
    """Return what an incomplete reading tells, without taking anybody out."""
    parents = known.parents | told.parents
    return replace(told, parents=parents, unit=told.unit or known.unit)


def _memberships(state: State, reading: Reading) -> Iterator[Change]:
    wanted: dict[Edge, bool] = {}
    for entry in reading.entries:
        if entry.members is None:
            continue
        for member in entry.members:
            wanted[Edge(member, entry.id)] = True
        for member in state.members.get((reading.source, entry.id), set()):
            wanted.setdefault(Edge(member, entry.id), False)
    wanted |= dict.fromkeys(reading.joined, True)
    # Whoever is told of both ways is out: a doubt must not grant anything.
    wanted |= dict.fromkeys(reading.left, False)
    for edge, inside in wanted.items():
        now = edge.member in state.members.get((reading.source, edge.group), set())
        if inside and not now:
            yield _edge(state, reading, edge, What.JOIN)
        elif now and not inside and reading.complete:
            yield _edge(state, reading, edge, What.LEAVE)


def _edge(state: State, reading: Reading, edge: Edge, what: What) -> Change:
    kept = state.entries.get((reading.source, edge.group))
    name = kept.entry.name if kept else edge.group
    why = "the source took it back" if what is What.LEAVE else ""
    return Change(
        what, reading.source, edge.member, Kind.GROUP, name, edge.group, why=why
    )


def _gone(state: State, reading: Reading) -> Iterator[Change]:
    for gone in reading.gone if reading.complete else ():
        kept = state.entries.get((reading.source, gone.id))
        if kept and not kept.life.gone:
            yield _about(kept, What.SUSPEND, gone.fate)


def _unnamed(
    state: State, reading: Reading, now_us: int, grace_us: int
) -> Iterator[Change]:
    named = {e.id for e in reading.entries} | {g.id for g in reading.gone}
    for kept in state.of(reading.source):
        if kept.life.gone or kept.entry.id in named:
            continue
        often = kept.missed + 1 >= _ENOUGH
        if often and now_us - kept.since_us >= grace_us:
            yield _about(kept, What.SUSPEND, "vanished")
        else:
            yield _about(kept, What.MISS, "not named")


def _about(kept: Kept, what: What, why: str) -> Change:
    entry = kept.entry
    return Change(what, kept.source, entry.id, entry.kind, entry.name, why=why)


def applied(state: State, changes: Iterable[Change], now_us: int) -> list[Kept]:
    """Return the entries as they are after the changes."""
    after: dict[Ref, Kept] = {}
    for change in changes:
        if change.what in {What.JOIN, What.LEAVE}:
            continue
        kept = after.get(change.ref) or state.entries.get(change.ref)
        after[change.ref] = _after(change, kept, now_us)
    return list(after.values())


def memberships_after(changes: Iterable[Change], now_us: int) -> Iterator[Membership]:
    """Return who is in what after the changes, and why somebody is not any more."""
    for change in changes:
        if change.what is What.JOIN:
            yield Membership(change.source, change.group, change.id, now_us)
        elif change.what is What.LEAVE:
            why = change.why or "it ended"
            yield Membership(change.source, change.group, change.id, now_us, why)


def addresses_of(entry: Entry) -> frozenset[str]:
    """Return the address and the sign-in name of an entry, in lower case."""
    told = entry.attributes
    names = (told.get(name, "").strip().lower() for name in ("mail", "user_name"))
    return frozenset(names) - {""}


def _former(kept: Kept, entry: Entry) -> frozenset[str]:
    if entry.kind is not Kind.PERSON:
        return frozenset()
    return (kept.former | addresses_of(kept.entry)) - addresses_of(entry)


def _after(change: Change, kept: Kept | None, now_us: int) -> Kept:
    if change.entry is not None:
        if kept and kept.life is Life.LIVE:
            return replace(kept, entry=change.entry, former=_former(kept, change.entry))
        missed = kept is not None and kept.life is Life.MISSING
        since = kept.since_us if kept and missed else now_us
        former = _former(kept, change.entry) if kept else frozenset[str]()
        return Kept(
            change.source, change.entry, since_us=since, why=change.why, former=former
        )
    if kept is None:
        raise AssertionError("only what is known can go")
    if change.what is What.MISS:
        first = kept.life is Life.LIVE
        return replace(
            kept,
            life=Life.MISSING,
            missed=kept.missed + 1,
            since_us=now_us if first else kept.since_us,
            why=change.why,
        )
    return replace(
        kept, life=_LIVES[change.what], missed=0, since_us=now_us, why=change.why
    )


_LIVES = {
    What.SUSPEND: Life.SUSPENDED,
    What.QUARANTINE: Life.QUARANTINED,
    What.BURY: Life.BURIED,
}
