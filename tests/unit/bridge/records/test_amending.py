"""What becomes of a message in chat becomes of it in the record, as far as it can."""

import pytest

from bridge.cards import Card
from bridge.messages import Person
from bridge.records.books import Way
from bridge.records.forms import AMEND, DEED, MADE, TAKE_BACK
from bridge.records.mentions import Named
from bridge.records.ports import NotThere, Rejected
from tests.records_world import (
    ALICE,
    BOB,
    ELSEWHERE,
    SLACK,
    TENANT,
    World,
    said,
    unavailable,
)
from tests.unit.bridge.records.test_carrying import COMMENT, WithVisibility

SECONDS = 20


def at(seq: int, text: str, message: str = "m2", by: Person = BOB) -> Named:
    return Named(TENANT, SLACK, message, by, "T1", text, "m1", seq)


async def carried(*, rigid: bool = False) -> World:
    """A message of Bob's stands in the record."""
    system = WithVisibility(offers=(COMMENT,))
    system.rigid = rigid
    world = World(system=system)
    world.system.add("CHG1")
    await world.mentions.noticed(said("CHG1"))
    await world.levels.let_threads(TENANT, SLACK, "slack:alice", Way.OUT)
    await world.carrying.look(TENANT)
    await world.carrying.noticed(at(5, "It is the fan"))
    return world


async def edit(world: World, seq: int, text: str) -> None:
    world.words[seq] = text
    await world.amending.edited(at(seq, text))


async def settled(world: World) -> None:
    world.clock.pass_(SECONDS + 1)
    await world.amending.settle(TENANT)


def acts(world: World) -> list[str]:
    return [deed.act for _, deed in world.system.written]


async def test_an_edit_changes_what_was_added_once_it_has_settled() -> None:
    world = await carried()
    first = world.system.written[0][1]

    for seq, text in ((6, "It is the f"), (7, "It is the pump")):
        await edit(world, seq, text)
        await world.amending.settle(TENANT)
    assert acts(world) == ["comment"]  # whoever types goes on typing
    await settled(world)

    _, (who, deed) = world.system.written
    assert (who, deed.act) == ("p-bob", AMEND)
    values = {"comment": "It is the pump", "public": "false"}
    assert deed.values == {**values, DEED: first.key, MADE: "id-CHG1"}
    for _ in range(2):
        await settled(world)
    assert len(world.system.written) == 2


async def test_where_words_stay_the_record_is_told_how_it_ended_once() -> None:
    world = await carried(rigid=True)

    for seq, text in ((6, "It is the f"), (7, "It is the pump")):
        await edit(world, seq, text)
    await settled(world)
    await settled(world)

    assert acts(world) == ["comment", "comment"]
    assert world.system.written[1][1].values["comment"] == "Edited: It is the pump"
    assert not world.log.of("record.failed")


async def test_what_somebody_edited_there_is_not_written_over() -> None:
    world = await carried()
    world.system.keeps = True

    await edit(world, 6, "It is the pump")
    await settled(world)

    assert acts(world) == ["comment", "comment"]
    assert world.system.written[1][1].values["comment"] == "Edited: It is the pump"


async def test_what_somebody_deleted_there_is_not_said_again() -> None:
    world = await carried()
    world.system.faults["perform"].append(NotThere("it is not there any more."))

    await edit(world, 6, "It is the pump")
    await settled(world)
    await settled(world)

    assert acts(world) == ["comment"]
    assert not world.slack.whispers


@pytest.mark.parametrize("kept", [False, True], ids=["deleted", "said"])
async def test_a_deletion_takes_it_back_or_says_that_it_was_withdrawn(
    *, kept: bool
) -> None:
    world = await carried()
    world.system.keeps = kept
    await edit(world, 6, "It is the pump")

    await world.amending.deleted(TENANT, SLACK, "m2", 7)
    await edit(world, 8, "Too late")
    await settled(world)
    await settled(world)

    _, (who, deed) = world.system.written
    assert who == "p-bob"
    if kept:
        words = "Withdrawn in chat: what was said at 2030-03-17 17:46 UTC."
        assert (deed.act, deed.values["comment"]) == ("comment", words)
    else:
        assert (deed.act, set(deed.values)) == (TAKE_BACK, {DEED, MADE})


async def test_what_cannot_be_told_now_is_told_later_and_once() -> None:
    world = await carried()
    world.system.lost = 1
    world.system.faults["read"].append(unavailable())
    await edit(world, 6, "It is the pump")

    await settled(world)
    world.clock.pass_(31)
    await settled(world)
    await settled(world)

    assert acts(world) == ["comment", AMEND]


async def test_after_a_crash_nothing_is_written_twice() -> None:
    """It died after the write, before anybody knew that the record follows."""
    world = await carried()
    await edit(world, 6, "It is the pump")
    before = dict(world.carried.kept)
    await settled(world)
    world.carried.kept = before

    await settled(world)

    assert acts(world) == ["comment", AMEND]


async def test_others_messages_and_channels_change_nothing() -> None:
    world = await carried()
    world.words[6] = "Something else"
    await world.amending.edited(at(6, "Something else", "m9"))
    elsewhere = Named(TENANT, ELSEWHERE, "m2", BOB, "T1", "Elsewhere", "m1", 6)
    await world.amending.edited(elsewhere)
    await settled(world)

    assert acts(world) == ["comment"]


@pytest.mark.parametrize("how", ["off", "erased", "left", "never written"])
async def test_it_ends_with_the_choice_the_words_and_the_person(how: str) -> None:
    world = await carried()
    await edit(world, 6, "It is the pump")
    match how:
        case "off":
            await world.levels.let_threads(TENANT, SLACK, "slack:alice", Way.IN)
            await world.carrying.look(TENANT)
        case "erased":
            world.words.clear()
        case "left":
            del world.keys["bob"]
        case "never written":
            world.changes.begun.clear()

    await settled(world)

    assert acts(world) == ["comment"]


async def test_who_may_not_any_more_is_told_alone() -> None:
    world = await carried(rigid=True)
    world.system.faults["perform"].append(Rejected("Closed for comments"))
    await edit(world, 6, "It is the pump")

    await settled(world)
    await settled(world)

    [(person, card)] = world.slack.whispers
    assert person.id == BOB.id != ALICE.id
    assert isinstance(card, Card)
    assert card.text == "Closed for comments"
