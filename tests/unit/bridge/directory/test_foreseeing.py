"""How people will stand is foreseen as it comes, whatever is told."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bridge.directory.difference import applied, difference, memberships_after
from bridge.directory.foreseeing import graces
from bridge.directory.grace import Leniency
from bridge.directory.held import Delta
from bridge.directory.model import Entry, Kind, Standing, Subject
from bridge.directory.people import Precedence, identified
from bridge.directory.view import LiveDirectory
from tests.unit.bridge.directory.told import NOW, group, part, person, whole

PEOPLE, GROUPS = ("ana", "bob", "eve"), ("red", "blue", "gold", "all")
LENIENCY = Leniency({"*": 1.0})

people = st.builds(
    person,
    st.sampled_from(PEOPLE),
    standing=st.sampled_from([Standing.ACTIVE, Standing.ACTIVE, Standing.DISABLED]),
    department=st.sampled_from(["", "fin", "ops"]),
    parents=st.sets(st.sampled_from(GROUPS), max_size=1),
)
groups = st.builds(
    group,
    st.sampled_from(GROUPS),
    st.sets(st.sampled_from(PEOPLE + GROUPS), max_size=4),
)
told = st.lists(st.lists(people | groups, max_size=4), max_size=4)


def in_it(view: LiveDirectory, entries: list[Entry]) -> Delta:
    """Return what a source's word changes, as the sync finds it."""
    state = view.state("acme")
    unique = {entry.id: entry for entry in entries}.values()
    changes = difference(state, part(*unique), NOW, 0)
    kept = applied(state, changes, NOW)
    mine = {k.ref: k for k in kept if k.entry.kind is Kind.PERSON}
    whose = identified({**state.entries, **mine}, state.people, ())
    return Delta(
        state.version + 1,
        tuple(kept),
        tuple(memberships_after(changes, NOW)),
        tuple(whose.items()),
    )


@given(told)
def test_what_is_kept_is_exactly_what_was_lost(changes: list[list[Entry]]) -> None:
    view = LiveDirectory(lambda: NOW)
    view.configure("acme", ("ad",), Precedence())
    first = [*map(person, PEOPLE), *map(group, GROUPS)]
    assert whole(*first).complete
    view.follow("acme", in_it(view, first))
    for entries in changes:
        delta = in_it(view, entries)
        before = {s.id: s for s in view.subjects("acme")}
        keeps = graces(view, "acme", delta, LENIENCY, NOW)
        view.follow("acme", replace(delta, graces=()))
        after = {s.id: s for s in view.subjects("acme")}
        assert {(who, g.ancestor) for who, g in keeps} == {
            (who, ancestor)
            for who, old in before.items()
            for ancestor in _lost(old, after[who])
        }


def _lost(before: Subject, after: Subject) -> frozenset[str]:
    both = {before.standing, after.standing}
    if both != {Standing.ACTIVE}:
        return frozenset()
    return before.ancestors - after.ancestors
