"""Who is who across sources: joined by ids, never by addresses, and never twice."""

import random
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bridge.directory.held import Kept, Life, State
from bridge.directory.model import Gone, Reading, Standing
from bridge.directory.people import Join, Precedence, identified, merged
from tests.unit.bridge.directory.told import part, person, taken_in, whole

GUID = Join("ad", "id", "entra", "immutable_id")
NUMBER = Join("*", "employee_id", "*", "employee_id")


def test_entries_are_one_person_by_the_id_that_one_has_of_the_other() -> None:
    state = State()
    taken_in(state, whole(person("guid-1")), joins=(GUID,))
    entra = whole(person("t/1", immutable_id="guid-1"), source="entra")

    taken_in(state, entra, joins=(GUID,))

    assert state.people["entra", "t/1"] == state.people["ad", "guid-1"]


def test_the_same_address_joins_nobody() -> None:
    state = State()
    taken_in(state, whole(person("a", mail="x@acme.com")), joins=(GUID, NUMBER))
    other = whole(person("t/1", mail="x@acme.com"), source="entra")
    taken_in(state, other, joins=(GUID, NUMBER))

    assert len(set(state.people.values())) == 2


def test_a_new_hire_with_an_old_name_and_address_is_somebody_else() -> None:
    state = State()
    taken_in(state, whole(person("old", mail="x@acme.com", user_name="x")))
    taken_in(state, Reading("ad", whole=False, gone=(Gone("old"),)))

    taken_in(state, part(person("new", mail="x@acme.com", user_name="x")))

    assert state.people["ad", "old"] != state.people["ad", "new"]


def test_a_number_that_one_source_gives_to_two_tells_nobody_apart() -> None:
    state = State()
    two = [person("a", employee_id="7"), person("b", employee_id="7")]
    taken_in(state, whole(*two), joins=(NUMBER,))
    taken_in(state, whole(person("h", employee_id="7"), source="hr"), joins=(NUMBER,))

    assert len(set(state.people.values())) == 3


def test_a_person_whose_account_is_gone_is_gone_though_another_source_has_them() -> (
    None
):
    state = State()
    taken_in(state, whole(person("g")), joins=(GUID,))
    entra = whole(person("t/1", immutable_id="g"), source="entra")
    taken_in(state, entra, joins=(GUID,))

    taken_in(state, Reading("ad", whole=False, gone=(Gone("g"),)), joins=(GUID,))

    assert state.people["entra", "t/1"] == state.people["ad", "g"]
    both = state.entries.values()
    assert merged(both, Precedence(("ad", "entra"))).standing is Standing.LEFT
    advisory = Precedence(("ad", "entra"), advisory=frozenset({"ad"}))
    assert merged(both, advisory).standing is Standing.ACTIVE


def test_what_is_joined_no_more_is_two_people_again_and_the_first_stays() -> None:
    state = State()
    taken_in(state, whole(person("g")), joins=(GUID,))
    entra = person("t/1", immutable_id="g")
    taken_in(state, whole(entra, source="entra"), joins=(GUID,))
    first = state.people["ad", "g"]

    apart = replace(entra, attributes={})
    taken_in(state, whole(apart, source="entra"), joins=(GUID,))

    assert state.people["ad", "g"] == first
    assert state.people["entra", "t/1"] != first


_SOURCES = ("ad", "entra", "hr")
_ENTRIES = st.lists(
    st.builds(
        lambda source, id_, number, title: Kept(
            source, person(id_, employee_id=number, title=title)
        ),
        st.sampled_from(_SOURCES),
        st.sampled_from("abcd"),
        st.sampled_from(["", "1", "2", "3"]),
        st.sampled_from(["", "x", "y"]),
    ),
    max_size=10,
)


@given(_ENTRIES, st.randoms(use_true_random=False))
def test_the_order_of_entries_makes_no_difference(
    entries: list[Kept], chance: random.Random
) -> None:
    known = {kept.ref: kept for kept in entries}
    items = list(known.items())
    chance.shuffle(items)

    assert identified(dict(items), {}, (NUMBER,)) == identified(known, {}, (NUMBER,))
    precedence = Precedence(_SOURCES, {"title": ("hr",)})
    one = merged(known.values(), precedence)
    assert merged((kept for _, kept in items), precedence) == one


@given(_ENTRIES)
def test_nobody_is_two_entries_of_one_source(entries: list[Kept]) -> None:
    known = {kept.ref: kept for kept in entries}
    people = identified(known, {}, (NUMBER,))

    assert people.keys() == known.keys()
    pairs = [(source, people[source, id_]) for source, id_ in people]
    assert len(set(pairs)) == len(pairs)


def test_each_attribute_is_the_weightiest_sources_that_has_it() -> None:
    def kept(source: str, **attributes: str) -> Kept:
        return Kept(source, replace(person(source), attributes=attributes))

    precedence = Precedence(("ad", "hr"), {"title": ("hr", "ad")})
    told = merged(
        [kept("hr", title="Head", phone="1"), kept("ad", title="head", mail="m")],
        precedence,
    )

    assert told.attributes == {"title": "Head", "phone": "1", "mail": "m"}
    assert told.name == "Ad"


def test_the_strictest_standing_counts() -> None:
    def kept(source: str, standing: Standing) -> Kept:
        return Kept(source, person(source, standing=standing))

    told = [kept("ad", Standing.ACTIVE), kept("hr", Standing.DISABLED)]

    assert merged(told, Precedence()).standing is Standing.DISABLED


def test_a_missing_entry_is_not_gone_yet() -> None:
    missing = Kept("ad", person("a"), life=Life.MISSING)

    assert merged([missing], Precedence()).standing is Standing.ACTIVE
