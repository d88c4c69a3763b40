"""Decisions see the directory as it is now, whichever way it became so."""

import random
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from bridge.directory.held import Delta, Membership, State
from bridge.directory.model import Edge, Entry, Gone, Kind, Reading, Standing
from bridge.directory.people import Precedence
from bridge.directory.view import LiveDirectory
from bridge.messages import Person, Platform
from tests.unit.bridge.directory.told import (
    HOUR,
    NOW,
    group,
    part,
    person,
    taken_in,
    whole,
)


class _World:
    """A view that follows readings of two sources."""

    def __init__(self) -> None:
        self.view = LiveDirectory(lambda: NOW)
        self.view.configure("acme", ("ad", "yaml"), Precedence())
        self.state = State()

    def hears(self, reading: Reading) -> Delta:
        delta = taken_in(self.state, reading)
        self.view.follow("acme", delta)
        return delta

    def inside(self, ref: tuple[str, str]) -> set[str]:
        subject = self.view.find("acme", self.state.people[ref])
        assert subject is not None
        return set(subject.ancestors)


def test_somebody_is_in_everything_their_groups_are_in() -> None:
    world = _World()
    world.hears(
        whole(
            person("ana", unit="ou-fin", parents=["dom-users"], department="Finance"),
            group("team", ["ana"]),
            group("all", ["team"]),
            group("dom-users", None),
            group("ou-fin", None, kind=Kind.UNIT, unit="ou-emea"),
            group("ou-emea", None, kind=Kind.UNIT),
        )
    )

    assert world.inside(("ad", "ana")) == {
        "group:team",
        "group:all",
        "group:dom-users",
        "unit:ou-fin",
        "unit:ou-emea",
        "department:finance",
    }
    who = world.state.people["ad", "ana"]
    assert world.view.path("acme", who, "group:all") == ["Team", "All"]
    assert world.view.path("acme", who, "unit:ou-emea") == ["Ou-Fin", "Ou-Emea"]
    assert world.view.path("acme", who, "group:other") == []


def test_another_primary_group_moves_what_it_gave() -> None:
    world = _World()
    groups = [group("one", None), group("two", None)]
    world.hears(whole(person("ana", parents=["one"]), *groups))

    world.hears(part(person("ana", parents=["two"])))

    assert world.inside(("ad", "ana")) == {"group:two"}


def test_a_group_that_vanished_gives_nothing_and_gives_again_when_it_is_back() -> None:
    world = _World()
    world.hears(whole(person("ana"), group("fin", ["ana"])))
    world.hears(Reading("ad", whole=False, gone=(Gone("fin"),)))
    assert world.inside(("ad", "ana")) == set()

    world.hears(part(group("fin", None)))

    assert world.inside(("ad", "ana")) == {"group:fin"}


def test_members_may_be_told_before_they_are_known() -> None:
    world = _World()
    world.hears(whole(group("fin", ["ana", "sub"])))

    world.hears(part(person("ana")))
    assert world.inside(("ad", "ana")) == {"group:fin"}

    world.hears(part(person("ben"), group("sub", ["ben"])))
    assert world.inside(("ad", "ben")) == {"group:sub", "group:fin"}


def test_a_source_names_people_of_another_but_fills_no_groups_of_it() -> None:
    world = _World()
    world.hears(whole(person("guid-1"), group("admins", [])))
    role = group("desk", ["guid-1"], kind=Kind.ROLE)
    mine = group("admins", ["guid-1"])

    world.hears(whole(role, mine, source="yaml"))

    assert world.inside(("ad", "guid-1")) == {"role:desk"}
    assert [k.source for k in world.view.doubled("acme")] == ["yaml"]


def test_accounts_are_found_by_their_ids_and_not_if_two_have_them() -> None:
    world = _World()
    world.hears(
        whole(
            person("ana", accounts="slack:T1/U1 teams:tid/oid-1"),
            person("ben", slack_id="T1/U2", entra_id="TID/OID-2"),
            person("eve", slack_id="T1/U2"),
        )
    )

    def name(platform: Platform, account: str, id_: str) -> str | None:
        found = world.view.subject("acme", Person(platform, id_), account)
        return found.name if found else None

    assert name(Platform.SLACK, "T1", "U1") == "Ana"
    assert name(Platform.TEAMS, "tid", "oid-1") == "Ana"
    assert name(Platform.TEAMS, "tid", "oid-2") == "Ben"
    assert name(Platform.SLACK, "T1", "U2") is None
    assert name(Platform.SLACK, "T2", "U1") is None


def test_what_people_proved_goes_before_what_sources_say() -> None:
    world = _World()
    world.hears(whole(person("ana", accounts="slack:T1/U1"), person("ben")))
    ben = world.state.people["ad", "ben"]
    u1 = Person(Platform.SLACK, "U1")

    class _Links:
        def __init__(self, owner: tuple[str, int] | None) -> None:
            self.known = owner

        def owner(
            self, tenant: str, person: Person, account: str
        ) -> tuple[str, int] | None:
            return self.known

    world.view.links = _Links((ben, 3))
    subject = world.view.subject("acme", u1, "T1")
    assert subject is not None
    assert (subject.name, subject.confidence) == ("Ben", 3)

    world.view.links = _Links(("", 0))
    assert world.view.subject("acme", u1, "T1") is None


def test_a_directory_is_as_old_as_its_oldest_source() -> None:
    world = _World()
    assert world.view.age_seconds("acme") > 10**6

    world.view.heard("acme", {"ad": NOW - 5_000_000, "yaml": NOW - HOUR})

    assert world.view.age_seconds("acme") == 3_600
    assert world.view.age_seconds("other") == 0


def test_a_subjects_version_changes_with_what_is_true_of_it_alone() -> None:
    world = _World()
    world.hears(whole(person("ana"), person("ben"), group("fin", ["ana"])))
    ana, ben = (world.state.people["ad", one] for one in ("ana", "ben"))

    def version(who: str) -> int:
        found = world.view.find("acme", who)
        assert found is not None
        return found.version

    before = version(ana), version(ben)
    world.hears(part(person("ana", standing=Standing.DISABLED)))

    assert version(ana) > before[0]
    assert version(ben) == before[1]
    disabled = world.view.find("acme", ana)
    assert disabled is not None
    assert disabled.standing is Standing.DISABLED


_PEOPLE = ["ana", "ben", "eve"]
_GROUPS = ["g1", "g2", "g3"]
_ENTRY = st.one_of(
    st.builds(
        lambda id_, parents, standing: person(id_, parents=parents, standing=standing),
        st.sampled_from(_PEOPLE),
        st.sets(st.sampled_from(_GROUPS)),
        st.sampled_from([Standing.ACTIVE, Standing.DISABLED]),
    ),
    st.builds(
        lambda id_, members, parents: group(id_, members, parents=parents),
        st.sampled_from(_GROUPS),
        st.one_of(st.none(), st.sets(st.sampled_from(_PEOPLE + _GROUPS))),
        st.sets(st.sampled_from(_GROUPS)),
    ),
)
_EDGE = st.builds(Edge, st.sampled_from(_PEOPLE + _GROUPS), st.sampled_from(_GROUPS))
_READING = st.builds(
    lambda source, entries, joined, left, gone: Reading(
        source,
        whole=False,
        entries=tuple({e.id: e for e in entries}.values()),
        joined=tuple(joined),
        left=tuple(left - joined),
        gone=tuple(Gone(id_) for id_ in gone - {e.id for e in entries}),
    ),
    st.sampled_from(["ad", "yaml"]),
    st.lists(_ENTRY, max_size=3),
    st.sets(_EDGE, max_size=3),
    st.sets(_EDGE, max_size=2),
    st.sets(st.sampled_from(_PEOPLE + _GROUPS), max_size=1),
)


@given(st.lists(_READING, max_size=8))
def test_following_step_by_step_shows_what_loading_at_once_shows(
    readings: list[Reading],
) -> None:
    world = _World()
    for reading in readings:
        world.hears(reading)
        world.view.subjects("acme")  # whatever is kept in between must not stay

    fresh = LiveDirectory(lambda: NOW)
    fresh.configure("acme", ("ad", "yaml"), Precedence())
    fresh.follow("acme", _everything(world.state))

    def shown(view: LiveDirectory) -> dict[str, tuple[object, ...]]:
        return {
            s.id: (s.name, s.standing, s.ancestors, s.unit)
            for s in view.subjects("acme")
        }

    assert shown(world.view) == shown(fresh)


def _everything(state: State) -> Delta:
    edges = tuple(
        Membership(source, grp, member, NOW)
        for (source, grp), members in state.members.items()
        for member in members
    )
    return Delta(
        state.version,
        tuple(state.entries.values()),
        edges,
        tuple(state.people.items()),
    )


@given(
    st.lists(
        st.tuples(st.sampled_from(["ad", "yaml"]), st.lists(_ENTRY, max_size=4)),
        max_size=5,
    ),
    st.randoms(use_true_random=False),
)
def test_any_order_of_different_sources_readings_leads_to_the_same(
    told: list[tuple[str, list[Entry]]], chance: random.Random
) -> None:
    last = dict(told)
    readings = [
        whole(*{e.id: e for e in entries}.values(), source=source)
        for source, entries in last.items()
    ]
    states = []
    for _ in range(2):
        world = _World()
        for reading in readings:
            world.hears(reading)
        states.append((world.state.entries, world.state.members, world.state.people))
        chance.shuffle(readings)

    assert states[0] == states[1]


def test_people_and_things_are_found_by_what_they_are_called() -> None:
    world = _World()
    world.hears(
        whole(
            person(
                "ana", mail="Ana@acme.com", user_name="aw", department="Back  Office"
            ),
            person("ben", mail="ana@acme.com", path="CN=Ben,DC=acme"),
            group("fin", ["ana"], path="CN=Fin,DC=acme"),
            group("all", ["fin"]),
        )
    )
    view, who = world.view, world.state.people["ad", "ana"]

    assert view.named("acme", Kind.PERSON, "AW") == [who]
    assert len(view.named("acme", Kind.PERSON, "ana@ACME.com")) == 2
    assert view.named("acme", Kind.GROUP, "cn=fin,dc=ACME") == ["fin"]
    assert view.named("acme", Kind.ROLE, "fin") == []
    assert view.named("acme", Kind.DEPARTMENT, "back office") == ["back office"]
    assert view.name_of("acme", Kind.GROUP, "fin") == "Fin"
    assert view.within("acme", "group:all") == [who]
    assert view.above("acme", "group:fin") == ["group:all"]

    world.hears(Reading("ad", whole=False, gone=(Gone("fin"), Gone("ben"))))
    assert view.named("acme", Kind.GROUP, "fin") == []
    assert view.named("acme", Kind.PERSON, "ana@acme.com") == [who]


def test_what_only_looks_alike_is_called_otherwise() -> None:
    """Whoever may name groups or people must not come into a rule by a look-alike."""
    world = _World()
    alike = {
        "cyrillic": "Fin\u0430nce",
        "wide": "\uff26inance",
        "hidden": "Fin\u200bance",
        "composed": "Fina\u0301nce",
    }
    fakes = [replace(group(id_), name=name) for id_, name in alike.items()]
    eve = person("eve", department="Fin\u0430nce", mail="\u0430na@acme.com")
    world.hears(whole(*fakes, eve, person("ana", mail="ana@acme.com")))
    view, state = world.view, world.state

    assert view.named("acme", Kind.GROUP, "Finance") == []
    assert view.named("acme", Kind.DEPARTMENT, "Finance") == []
    assert view.named("acme", Kind.PERSON, "ana@acme.com") == [
        state.people["ad", "ana"]
    ]
    world.hears(part(group("finance")))
    assert view.named("acme", Kind.GROUP, "Finance") == ["finance"]
    assert "group:finance" not in world.inside(("ad", "eve"))
    for id_, name in alike.items():
        assert view.named("acme", Kind.GROUP, name) == [id_]


def test_an_address_of_somebody_who_is_gone_is_remembered_as_theirs() -> None:
    world = _World()
    world.hears(part(person("old", mail="ana@acme.com")))
    assert not world.view.gone_under("acme", "ana@acme.com")

    world.hears(Reading("ad", whole=False, gone=(Gone("old"),)))
    world.hears(part(person("new", mail="ana@acme.com")))

    assert world.view.gone_under("acme", "ana@acme.com")
    assert not world.view.gone_under("acme", "ben@acme.com")
