"""Short ways to say what a source tells, for tests of the directory."""

from collections.abc import Iterable

from bridge.directory.difference import applied, difference, memberships_after
from bridge.directory.held import Delta, State
from bridge.directory.model import Entry, Kind, Reading, Standing
from bridge.directory.people import Join, identified

HOUR = 3_600_000_000
NOW = 1_900_000_000_000_000


def person(
    id_: str,
    *,
    standing: Standing = Standing.ACTIVE,
    unit: str = "",
    parents: Iterable[str] = (),
    path: str = "",
    guest: bool = False,
    **attributes: str,
) -> Entry:
    return Entry(
        Kind.PERSON,
        id_,
        id_.title(),
        path,
        unit,
        frozenset(parents),
        None,
        attributes,
        standing,
        guest,
    )


def group(
    id_: str,
    members: Iterable[str] | None = (),
    *,
    kind: Kind = Kind.GROUP,
    parents: Iterable[str] = (),
    path: str = "",
    unit: str = "",
) -> Entry:
    inside = None if members is None else frozenset(members)
    return Entry(kind, id_, id_.title(), path, unit, frozenset(parents), inside)


def whole(*entries: Entry, source: str = "ad", complete: bool = True) -> Reading:
    why = "" if complete else "the connection broke"
    return Reading(source, whole=True, complete=complete, why=why, entries=entries)


def part(*entries: Entry, source: str = "ad") -> Reading:
    return Reading(source, whole=False, entries=entries)


def taken_in(
    state: State, reading: Reading, now_us: int = NOW, joins: tuple[Join, ...] = ()
) -> Delta:
    """Bring a reading in without a brake, and return what it changed."""
    changes = difference(state, reading, now_us, HOUR)
    kept = applied(state, changes, now_us)
    entries = {**state.entries, **{k.ref: k for k in kept}}
    people = identified(entries, state.people, joins)
    edges = tuple(memberships_after(changes, now_us))
    delta = Delta(state.version + 1, tuple(kept), edges, tuple(people.items()))
    state.absorb(delta)
    return delta
