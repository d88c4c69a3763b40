"""What people say on a record is read in the thread of its card, once, by who may."""

from dataclasses import replace

import pytest

from bridge.errors import Ambiguous, CannotTell, Refused, StoreUnavailable, Throttled
from bridge.messages import Platform
from bridge.records.books import CardState, Way
from bridge.records.model import RecordChange, RecordRef, Remark
from tests.records_world import (
    ALICE,
    BOB,
    SLACK,
    TEAMS,
    TENANT,
    FakePlace,
    World,
    said,
    unavailable,
)
from tests.unit.bridge.records.test_carrying import COMMENT, WithVisibility


async def followed(way: Way = Way.BOTH) -> World:
    """A card of CHG1 stands on both sides, and both channels chose it."""
    world = World(system=WithVisibility(offers=(COMMENT,)))
    world.system.add("CHG1")
    await world.mentions.noticed(said("CHG1"))
    for room in (SLACK, TEAMS):
        await world.levels.let_threads(TENANT, room, "slack:alice", way)
    await world.carrying.look(TENANT)
    world.clock.pass_(1)
    return world


def remark(
    world: World, id_: str = "r1", text: str = "It is fixed", **more: str
) -> None:
    """Somebody says something in the system."""
    made = Remark(
        id_, "Carol Díaz", text, world.clock(), names=frozenset({id_}), **more
    )
    world.system.told_of.append(made)


async def told(world: World, change: RecordChange | None = None) -> None:
    ref = world.system.records["id-CHG1"].ref
    world.remarking.heard(TENANT, change or world.system.told(ref))
    await world.remarking.tend(TENANT)


def shown(place: FakePlace) -> list[tuple[str, str]]:
    return [(card.title, card.text) for _, card in place.said.values()]


async def test_what_is_said_on_a_record_appears_on_both_sides_once() -> None:
    world = await followed()
    remark(world)
    remark(world, "r2", "Really `fixed` *now*")

    for _ in range(3):  # events come twice
        await told(world)

    title = "Carol Díaz in ServiceNow, on CHG1"
    both = [(title, "It is fixed"), (title, "Really 'fixed' *now*")]
    assert shown(world.slack) == both
    assert shown(world.teams) == both
    assert {c.channel for c, _ in world.slack.said.values()} == {SLACK}
    entries = world.log.of("record.remark")
    assert len(entries) == 4
    assert entries[0].detail["words"] == "It is fixed"
    assert entries[0].detail["decisions"]


async def test_whoever_says_something_in_the_thread_does_not_hear_it_again() -> None:
    """Nor does the other side of the bridge, where it was read as a message."""
    world = await followed()
    await world.carrying.noticed(said("It is the fan", "m2", BOB, thread="m1"))
    remark(world, "id-CHG1", "It is the fan")  # by the name that its deed knows
    remark(world, "r2", "Thanks")

    await told(world)

    for place in (world.slack, world.teams):
        assert [text for _, text in shown(place)] == ["Thanks"]


async def test_what_is_being_written_is_waited_for() -> None:
    """The event is faster than the answer of the write."""
    world = await followed()
    ref = world.system.records["id-CHG1"].ref
    await world.carried.wrote(TENANT, SLACK, ref, "deed")
    await world.changes.begin(TENANT, "deed", world.clock())
    remark(world, "r1", "It is the fan")
    await told(world)
    assert not world.slack.said

    await world.changes.finish(TENANT, "deed", "", "r1/since")
    world.clock.pass_(6)
    await world.remarking.tend(TENANT)

    assert not world.slack.said
    remark(world, "r2", "Thanks")
    await told(world)
    assert [text for _, text in shown(world.slack)] == ["Thanks"]


async def test_a_write_that_never_ended_is_not_waited_for_forever() -> None:
    world = await followed()
    ref = world.system.records["id-CHG1"].ref
    await world.carried.wrote(TENANT, SLACK, ref, "deed")
    remark(world)
    await told(world)

    world.clock.pass_(121)
    await world.remarking.tend(TENANT)

    assert len(world.slack.said) == 1


@pytest.mark.parametrize("way", [Way.OUT, Way.NONE])
async def test_without_the_channels_choice_nothing_appears(way: Way) -> None:
    world = await followed(way)
    remark(world)

    await told(world)

    assert not world.slack.said
    assert not world.system.count("remarks")


async def test_what_was_said_before_it_was_chosen_stays_there() -> None:
    world = await followed()
    remark(world, "old", "Long ago")
    world.clock.pass_(60)
    await world.levels.let_threads(TENANT, SLACK, "slack:alice", Way.IN)
    world.clock.pass_(1)
    remark(world, "new", "Just now")

    await told(world)

    assert [text for _, text in shown(world.slack)] == ["Just now"]
    assert [text for _, text in shown(world.teams)] == ["Long ago", "Just now"]


async def test_a_room_reads_what_all_of_it_may_see() -> None:
    world = await followed()
    world.policy.denied.add((ALICE.id, "record.view", "notes"))
    remark(world, "r1", "For colleagues", cls="notes")
    remark(world, "r2", "For all")

    await told(world)

    assert [text for _, text in shown(world.slack)] == ["For all"]
    assert [text for _, text in shown(world.teams)] == ["For colleagues", "For all"]
    told_of = [(e.channel, e.detail["words"]) for e in world.log.of("record.remark")]
    assert (SLACK, "For colleagues") not in told_of


async def test_of_what_a_room_may_not_see_nothing_is_said() -> None:
    world = await followed()
    ref = world.system.records["id-CHG1"].ref
    world.system.records[ref.id] = replace(world.system.records[ref.id], secured=True)
    remark(world)

    await told(world)

    assert not world.slack.said


@pytest.mark.parametrize("stands", [True, False])
async def test_a_lost_answer_is_looked_up(*, stands: bool) -> None:
    world = await followed()
    remark(world)
    world.slack.faults["say"].append(Ambiguous("no answer"))
    world.slack.faults["look"].append(CannotTell("not now"))
    await told(world)
    if not stands:
        world.slack.said.clear()

    for _ in range(3):
        world.clock.pass_(6)
        await world.remarking.tend(TENANT)

    assert len(world.slack.said) == len(world.teams.said) == 1
    assert len(world.slack.spoken) == (1 if stands else 2)
    assert set(world.remarks.states.values()) == {CardState.POSTED}


async def test_they_stay_in_order_though_a_platform_asks_to_wait() -> None:
    world = await followed()
    for n in range(3):
        remark(world, f"r{n}", f"Number {n}")
    world.slack.faults["say"].append(Throttled("later", 1.0))

    await told(world)
    assert not world.slack.said
    world.clock.pass_(6)
    await world.remarking.tend(TENANT)

    assert [text for _, text in shown(world.slack)] == [
        "Number 0",
        "Number 1",
        "Number 2",
    ]


async def test_a_thread_that_takes_nothing_is_not_asked_for_ever() -> None:
    world = await followed()
    remark(world)
    world.slack.faults["say"].append(Refused("the channel is archived"))

    await told(world)
    world.clock.pass_(6)
    await world.remarking.tend(TENANT)

    assert not world.slack.said
    assert len(world.teams.said) == 1


async def test_a_system_that_does_not_answer_is_asked_again() -> None:
    world = await followed()
    remark(world)
    world.system.faults["remarks"].append(unavailable())

    await told(world)
    assert not world.slack.said
    world.clock.pass_(6)
    await world.remarking.tend(TENANT)

    assert len(world.slack.said) == 1


async def test_after_a_start_or_lost_events_every_card_is_looked_at() -> None:
    world = await followed()
    remark(world)
    await told(world, world.system.told(None, kind="missed"))
    assert len(world.slack.said) == 1
    remark(world, "r2")

    world.remarking.everything(TENANT)
    await world.remarking.tend(TENANT)

    assert len(world.slack.said) == 2


async def test_what_was_said_just_before_our_own_write_is_not_missed() -> None:
    """Systems that are asked tell of the latest state alone, which is ours."""
    world = await followed()
    remark(world)

    await told(world, world.system.told(world.system.records["id-CHG1"].ref, ours=True))

    assert len(world.slack.said) == 1


async def test_records_without_a_card_cost_nothing() -> None:
    world = await followed()
    other = RecordRef(world.system.system, "acme", "incident", "id-INC1")

    await told(world, world.system.told(other))

    assert not world.system.count("remarks")
    assert not world.remarking._due
    assert Platform.SLACK in world.remarking.places


async def test_without_a_store_nothing_is_shown_and_it_is_taken_up_again() -> None:
    world = await followed()
    remark(world)
    note = world.log.note

    async def down(_entry: object) -> object:
        raise StoreUnavailable("down")

    world.log.note = down  # type: ignore[assignment]
    with pytest.raises(StoreUnavailable):
        await told(world)
    assert not world.slack.said
    world.log.note = note  # type: ignore[method-assign]

    await world.remarking.tend(TENANT)

    assert len(world.slack.said) == 1
