"""Why a link shows no card here, and nothing beyond what whoever asks may know."""

from dataclasses import replace

import pytest

from bridge.cards import Card
from bridge.errors import BadInput
from bridge.messages import Channel, Person, Platform
from bridge.records.cards import Level
from bridge.records.model import PUBLIC, System
from bridge.records.unshown import Unshown
from tests.records_world import (
    ALICE,
    BOB,
    CAROL,
    SLACK,
    STRANGER,
    World,
    asker,
    said,
    unavailable,
)

LINK = "https://acme.example/CHG1"


def with_record(**more: object) -> World:
    world = World()
    world.system.add("CHG1", "Secret plan", **more)
    return world


async def why(world: World, person: Person = ALICE) -> Card:
    return await Unshown(world.mentions).why(asker(person), LINK)


async def test_a_channel_that_shows_nothing_says_so_to_everybody() -> None:
    world = with_record()
    world.levels.chosen[SLACK, System.SERVICENOW] = Level.NOTHING
    world.accesses.connected.clear()

    card = await why(world, BOB)

    assert "`records level` is `nothing`" in card.text
    assert not world.system.calls  # it is so for every record


async def test_who_may_not_see_it_learns_their_own_reason_alone() -> None:
    world = with_record(secured=True)
    world.levels.chosen[SLACK, System.SERVICENOW] = Level.KIND
    world.policy.denied.add((CAROL.id, "record.view", PUBLIC))
    ref = next(iter(world.system.records.values())).ref
    world.system.unseen |= {("p-bob", ref.id)}
    world.accesses.connected.discard("p-alice")

    texts = [
        (await why(world, person)).text for person in (BOB, ALICE, CAROL, STRANGER)
    ]

    for text, reason in zip(
        texts,
        ("no such record", "not connected", "forbidden", "does not know you"),
        strict=True,
    ):
        assert text.endswith("Only who may see a record gets a card by naming it.")
        assert reason in text
    others = ("Secret", "Normal change", "keeps this record", "button", "level")
    assert not [word for word in others if word in " ".join(texts)]


async def test_who_has_no_account_can_connect_one() -> None:
    world = with_record()
    world.accesses.connected.clear()

    card = await why(world)

    assert [each.label for each in card.buttons] == ["Connect ServiceNow"]


async def test_who_may_see_it_learns_that_others_here_may_not_and_not_who() -> None:
    world = with_record()
    world.policy.denied.add((BOB.id, "record.view", PUBLIC))

    card = await why(world)

    assert "Not everybody here may see this record" in card.text
    assert "bob" not in repr(card).lower()


@pytest.mark.parametrize(
    ("level", "shown"),
    [(Level.BUTTON, "a button"), (Level.KIND, "its kind"), (Level.NAME, "title")],
)
async def test_a_lower_level_is_said(level: Level, shown: str) -> None:
    world = with_record()
    world.levels.chosen[SLACK, System.SERVICENOW] = level

    text = (await why(world)).text

    assert shown in text
    assert f"`records level` is `{level}`" in text


async def test_what_the_system_keeps_from_most_is_said_to_who_sees_it() -> None:
    text = (await why(with_record(secured=True))).text

    assert "ServiceNow keeps this record from most people" in text


async def test_what_only_people_see_is_told_apart_from_what_is_away() -> None:
    world = with_record()
    ref = next(iter(world.system.records.values())).ref
    world.system.unseen.add(("", ref.id))
    hidden = (await why(world)).text
    away = World()
    away.system.add("CHG1")
    away.system.faults["resolve"].append(unavailable())

    assert "ATOM's own account of ServiceNow does not see" in hidden
    assert "does not answer now" in (await why(away)).text


async def test_a_card_that_stands_is_named() -> None:
    world = with_record()
    before = (await why(world)).text
    await world.mentions.noticed(said(LINK))

    after = (await why(world)).text

    assert "whoever wrote it may not see the record" in before
    assert "It has a card here already" in after
    assert (await why(world, CAROL)).text == after  # across the bridge too


async def test_what_is_told_is_on_record_first() -> None:
    world = with_record()

    card = await why(world)

    [entry] = world.log.of("record.notice")
    assert (entry.detail["why"], entry.detail["cause"]) == (card.text, LINK)
    assert entry.detail["person"] == "slack:alice"


@pytest.mark.parametrize("link", ["https://elsewhere.example/x", "https://", "<x>"])
async def test_what_is_no_link_to_a_record_is_refused(link: str) -> None:
    with pytest.raises(BadInput, match="no link to a record"):
        await Unshown(with_record().mentions).why(asker(ALICE), link)


@pytest.mark.parametrize("place", [None, Channel(Platform.SLACK, "T1", "D1")])
async def test_in_an_own_chat_there_is_no_card_to_miss(place: Channel | None) -> None:
    alone = replace(asker(ALICE), channel=place)

    with pytest.raises(BadInput, match="channel in which the card is missing"):
        await Unshown(with_record().mentions).why(alone, LINK)
