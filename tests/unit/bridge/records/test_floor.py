"""A room sees what all who are there may see."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from bridge.access import Action, Asked, Decision
from bridge.messages import Channel, Person, PersonKind, Platform
from bridge.records.floor import Floors, Room
from bridge.records.model import PUBLIC
from bridge.records.places import Present
from tests.record_samples import OPPORTUNITY

HERE = Channel(Platform.SLACK, "T1", "C1")
ANA, BOB, CLEO = (Person(Platform.SLACK, name) for name in ("ana", "bob", "cleo"))
GUEST = Person(Platform.SLACK, "gus", kind=PersonKind.GUEST)
BOT = Person(Platform.SLACK, "robot", kind=PersonKind.BOT)
REF = OPPORTUNITY.ref
CLASSES = frozenset({PUBLIC, "finance", "legal"})


@dataclass
class FakeRights:
    """A policy by person and class of fields; `unsure` is denied for now only."""

    denied: set[tuple[str, str]] = field(default_factory=set)
    unsure: set[str] = field(default_factory=set)
    asked: list[Asked] = field(default_factory=list)

    async def decide(self, asked: Asked) -> Decision:
        self.asked.append(asked)
        unsure = asked.person.id in self.unsure
        allowed = not unsure and (asked.person.id, asked.field) not in self.denied
        return Decision(
            allowed, "r1", "p1", "d1", Action.RECORD_VIEW, "by rule", unsure=unsure
        )


@dataclass
class World:
    rights: FakeRights = field(default_factory=FakeRights)
    version: str = "1"
    now: float = 0.0

    def floors(self, most: int = 1_000) -> Floors:
        return Floors(self.rights, lambda _: self.version, lambda: self.now, most)


def room(*people: Person, by: Person | None = None, **more: object) -> Room:
    present = Present(people, **more)  # type: ignore[arg-type]
    return Room("acme", HERE, present, by)


async def test_room_sees_only_what_all_may_see() -> None:
    world = World(FakeRights({("bob", "finance")}))

    floor = await world.floors().of_room(room(ANA, BOB, CLEO), REF, CLASSES)

    assert floor.classes == {PUBLIC, "legal"}
    (hidden,) = floor.hidden
    assert (hidden.cls, hidden.person, hidden.reason) == ("finance", BOB, "by rule")


async def test_policy_hears_what_it_is_about() -> None:
    world = World()

    await world.floors().of_room(
        room(ANA, outsiders=True, version="7"), REF, {"finance"}
    )

    assert world.rights.asked[-1] == Asked(
        "acme",
        ANA,
        Action.RECORD_VIEW,
        HERE,
        thing="salesforce/opportunity/0065g00000AbCdEAAV",
        field="finance",
        outsiders=True,
    )


async def test_one_decision_a_class_goes_on_record() -> None:
    world = World(FakeRights({("bob", "finance")}))

    floor = await world.floors().of_room(room(ANA, BOB), REF, CLASSES)

    assert sorted(each.allowed for each in floor.decisions) == [False, True, True]


async def test_room_where_somebody_is_unknown_sees_what_is_public() -> None:
    floor = await World().floors().of_room(room(ANA, unknown=True), REF, CLASSES)

    assert floor.classes == {PUBLIC}
    assert {each.cls for each in floor.hidden} == {"finance", "legal"}
    assert all(each.person is None for each in floor.hidden)


async def test_empty_room_is_an_unknown_one() -> None:
    world = World()

    floor = await world.floors().of_room(room(), REF, CLASSES)

    assert floor.classes == {PUBLIC}
    assert [each.person.id for each in world.rights.asked] == [""]


async def test_room_with_too_many_people_sees_what_is_public() -> None:
    world = World()

    floor = await world.floors(most=2).of_room(room(ANA, BOB, CLEO), REF, CLASSES)

    assert floor.classes == {PUBLIC}
    assert len(world.rights.asked) == 2


async def test_room_of_people_without_the_right_sees_nothing() -> None:
    world = World(FakeRights({("bob", PUBLIC)}))

    floor = await world.floors().of_room(room(ANA, BOB), REF, CLASSES)

    assert floor.classes == frozenset()
    assert {each.field for each in world.rights.asked} == {PUBLIC}


async def test_guest_sees_what_is_public_and_hides_the_rest() -> None:
    world = World(FakeRights({("gus", cls) for cls in CLASSES}))

    floor = await world.floors().of_room(room(ANA, GUEST), REF, CLASSES)

    assert floor.classes == {PUBLIC}


async def test_guest_who_may_not_see_it_shows_it_to_nobody() -> None:
    world = World(FakeRights({("gus", cls) for cls in CLASSES}))

    floor = await world.floors().of_room(room(ANA, GUEST, by=GUEST), REF, CLASSES)

    assert floor.classes == frozenset()


async def test_who_shows_it_must_be_allowed_though_they_left() -> None:
    world = World(FakeRights({("bob", "finance")}))

    floor = await world.floors().of_room(room(ANA, by=BOB), REF, CLASSES)

    assert "finance" not in floor.classes


async def test_programs_are_not_asked_about() -> None:
    world = World(FakeRights({("robot", "finance")}))

    floor = await world.floors().of_room(room(ANA, BOT), REF, CLASSES)

    assert floor.classes == CLASSES


async def test_floor_is_kept_while_nothing_changes() -> None:
    world = World()
    floors = world.floors()
    here = room(ANA, BOB, version="1")

    first = await floors.of_room(here, REF, CLASSES)
    asked = len(world.rights.asked)
    again = await floors.of_room(here, REF, CLASSES)

    assert (again, len(world.rights.asked)) == (first, asked)


async def test_newcomer_alone_is_asked_about() -> None:
    world = World()
    floors = world.floors()
    await floors.of_room(room(ANA, BOB, version="1"), REF, CLASSES)
    world.rights.asked.clear()
    world.rights.denied.add(("cleo", "legal"))

    floor = await floors.of_room(room(ANA, BOB, CLEO, version="2"), REF, CLASSES)

    assert floor.classes == {PUBLIC, "finance"}
    assert {each.person for each in world.rights.asked} == {CLEO}


async def test_membership_without_a_version_is_compared_by_its_people() -> None:
    world = World(FakeRights({("bob", "legal")}))
    floors = world.floors()
    await floors.of_room(room(ANA), REF, CLASSES)

    floor = await floors.of_room(room(ANA, BOB), REF, CLASSES)

    assert "legal" not in floor.classes


async def test_changed_policy_lowers_the_floor_at_once() -> None:
    world = World()
    floors = world.floors()
    here = room(ANA, BOB, version="1")
    await floors.of_room(here, REF, CLASSES)
    world.rights.denied.add(("bob", "finance"))
    world.version = "2"

    floor = await floors.of_room(here, REF, CLASSES)

    assert "finance" not in floor.classes


async def test_answers_do_not_last() -> None:
    world = World()
    floors = world.floors()
    here = room(ANA, BOB, version="1")
    await floors.of_room(here, REF, CLASSES)
    world.rights.denied.add(("bob", "finance"))
    world.now = 31.0

    floor = await floors.of_room(here, REF, CLASSES)

    assert "finance" not in floor.classes


async def test_what_could_not_be_decided_is_asked_again() -> None:
    world = World(FakeRights(unsure={"bob"}))
    floors = world.floors()
    here = room(ANA, BOB, version="1")
    before = await floors.of_room(here, REF, CLASSES)
    world.rights.unsure.clear()

    after = await floors.of_room(here, REF, CLASSES)

    assert (before.classes, after.classes) == (frozenset(), CLASSES)


async def test_who_was_refused_before_is_asked_first() -> None:
    people = [Person(Platform.SLACK, f"U{n}") for n in range(500)]
    world = World(FakeRights({("U499", "finance")}))
    floors = world.floors()
    here = room(*people, version="1")
    await floors.of_room(here, REF, {"finance"})
    world.rights.asked.clear()
    other = type(REF).parse("salesforce:main/opportunity/other")

    floor = await floors.of_room(here, other, {"finance"})

    finance = [each for each in world.rights.asked if each.field == "finance"]
    assert [each.person.id for each in finance] == ["U499"]
    assert floor.classes == {PUBLIC}


async def test_viewer_sees_what_is_theirs() -> None:
    world = World(FakeRights({("bob", "finance")}))

    floor = await world.floors().of_viewer(("acme", BOB, "T1"), REF, CLASSES)

    assert floor.classes == {PUBLIC, "legal"}
    assert {each.account for each in world.rights.asked} == {"T1"}
    assert {each.channel for each in world.rights.asked} == {None}
    assert len(floor.decisions) == 3
    assert floor.audience(viewer=True).viewer


async def test_viewer_without_the_right_sees_nothing() -> None:
    world = World(FakeRights({("bob", PUBLIC)}))

    floor = await world.floors().of_viewer(("acme", BOB, "T1"), REF, CLASSES)

    assert floor.classes == frozenset()
    assert len(world.rights.asked) == 1


PEOPLE = st.lists(st.sampled_from([ANA, BOB, CLEO, GUEST, BOT]), max_size=5)
PAIRS = st.sets(
    st.tuples(
        st.sampled_from(["ana", "bob", "cleo", "gus"]), st.sampled_from(sorted(CLASSES))
    )
)


@given(people=PEOPLE, denied=PAIRS, unknown=st.booleans())
async def test_nobody_present_sees_a_class_they_may_not(
    *, people: list[Person], denied: Iterable[tuple[str, str]], unknown: bool
) -> None:
    world = World(FakeRights(set(denied)))

    floor = await world.floors().of_room(room(*people, unknown=unknown), REF, CLASSES)

    names = {each.id for each in people}
    for person, cls in world.rights.denied:
        strangers = person == "gus" and cls == PUBLIC
        assert person not in names or cls not in floor.classes or strangers
    assert not unknown or floor.classes <= {PUBLIC}
    shown_or_hidden = floor.classes | {each.cls for each in floor.hidden}
    assert shown_or_hidden == CLASSES or PUBLIC not in floor.classes
