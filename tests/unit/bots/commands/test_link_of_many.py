"""A link takes further channels in, and lets them go, when their admins want it."""

import pytest

from bridge.cards import Card, Tone
from bridge.errors import Refused
from bridge.links import LinkState
from bridge.messages import Channel, Platform
from tests.unit.bots.commands.conftest import FALCON, RANDOM, TENANT, Office

SLACK, TEAMS = FALCON[Platform.SLACK], FALCON[Platform.TEAMS]
THIRD = RANDOM[Platform.SLACK]


async def of_three(office: Office) -> str:
    id_ = await office.link(SLACK, TEAMS)
    await office.links.join(office.links.links[0], THIRD, "slack:admin")
    office.links.actors.clear()
    return id_


def commands(card: Card) -> list[str]:
    return [button.command for button in card.buttons]


async def test_a_code_from_a_linked_channel_lets_a_further_one_in(
    office: Office, here: Channel, platform: Platform
) -> None:
    id_ = await office.link(SLACK, TEAMS)
    offer = await office.type(here, "link")

    card = await office.type(RANDOM[platform], "link CODE-0001")

    [link] = await office.links.all(TENANT)
    assert "joins this link" in offer.text
    assert (link.id, link.channels) == (id_, (SLACK, TEAMS, RANDOM[platform]))
    assert card.tone is Tone.GOOD
    assert office.titles(RANDOM[platform]) == ["This channel is linked now"]
    for channel in (SLACK, TEAMS):
        [title] = office.titles(channel)
        assert "has joined this channel's link" in title


async def test_a_channel_whose_code_is_typed_in_a_linked_one_joins_its_link(
    office: Office, here: Channel
) -> None:
    await office.link(SLACK, TEAMS)
    offer = await office.type(THIRD, "link")

    await office.type(here, "link CODE-0001")

    [link] = await office.links.all(TENANT)
    assert "this one joins its link" in offer.text
    assert link.channels == (SLACK, TEAMS, THIRD)


async def test_only_an_admin_of_the_further_channel_can_agree(office: Office) -> None:
    await office.link(SLACK, TEAMS)
    await office.type(SLACK, "link")

    card = await office.type(THIRD, "link CODE-0001", who="somebody")

    assert card.title == "You may not do that"
    assert (await office.links.all(TENANT))[0].channels == (SLACK, TEAMS)


async def test_a_further_channel_that_cannot_be_posted_to_stays_out(
    office: Office,
) -> None:
    await office.link(SLACK, TEAMS)
    office.announcers[Platform.SLACK].failures[THIRD] = Refused("not_in_channel")
    await office.type(TEAMS, "link")

    card = await office.type(THIRD, "link CODE-0001")

    assert "not_in_channel" in card.text
    assert (await office.links.all(TENANT))[0].channels == (SLACK, TEAMS)


async def test_a_code_for_a_link_that_has_ended_is_worth_nothing(
    office: Office,
) -> None:
    await office.link(SLACK, TEAMS)
    await office.type(SLACK, "link")
    await office.links.change(office.links.links[0], LinkState.REMOVED, "")

    card = await office.type(THIRD, "link CODE-0001")

    assert "has ended" in card.text
    assert await office.links.all(TENANT) == []


async def test_of_several_links_the_one_that_shall_grow_is_named(
    office: Office,
) -> None:
    await office.link(SLACK, TEAMS)
    other = await office.link(SLACK, THIRD)

    asked = await office.type(SLACK, "link")
    offered = await office.type(SLACK, f"link {other.lower()}")

    assert "several links" in asked.text
    assert "joins this link" in offered.text
    assert [offer.link for offer in office.links.offers.values()] == [other]


async def test_unlink_in_one_of_three_asks_what_is_meant(
    office: Office, here: Channel
) -> None:
    id_ = await of_three(office)

    card = await office.type(here, "unlink")

    assert commands(card) == [f"unlink here {id_}", f"unlink {id_}"]
    assert office.links.actors == []


@pytest.mark.parametrize("line", ["unlink here", "unlink here L1", "unlink HERE l1"])
async def test_one_of_three_is_taken_out_alone(
    office: Office, here: Channel, there: Channel, line: str
) -> None:
    await of_three(office)

    card = await office.type(here, line)

    [link] = await office.links.all(TENANT)
    assert card.tone is Tone.GOOD
    assert link.channels == tuple(c for c in (SLACK, TEAMS, THIRD) if c != here)
    assert office.titles(here) == ["This channel is not linked any more"]
    [title] = office.titles(there)
    assert "has left this channel's link" in title


@pytest.mark.parametrize("line", ["unlink all", "unlink L1", "unlink all l1"])
async def test_the_whole_link_ends_when_that_is_said(
    office: Office, here: Channel, line: str
) -> None:
    await of_three(office)

    await office.type(here, line)

    assert await office.links.all(TENANT) == []
    for channel in (SLACK, TEAMS, THIRD):
        assert office.titles(channel) == ["This channel is not linked any more"]


async def test_of_two_channels_taking_one_out_ends_the_link(
    office: Office, here: Channel
) -> None:
    await office.link(SLACK, TEAMS)

    await office.type(here, "unlink here")

    assert await office.links.all(TENANT) == []


async def test_each_side_s_last_days_are_wanted_with_the_code(
    office: Office, here: Channel, there: Channel
) -> None:
    await office.type(here, "link")

    card = await office.type(there, "link CODE-0001 backfill=7")

    assert "one thread from each side" in card.text
    assert {(w.source, w.targets, w.days) for w in office.wishes.open} == {
        (here, (there,), 7),
        (there, (here,), 7),
    }
    assert office.wishes.actors == [f"{there.platform}:admin"]


async def test_a_channel_that_joins_gets_the_others_history_and_gives_its_own(
    office: Office,
) -> None:
    await office.link(SLACK, TEAMS)
    await office.type(SLACK, "link")

    await office.type(THIRD, "link CODE-0001 backfill=2")

    assert {(w.source, w.targets) for w in office.wishes.open} == {
        (SLACK, (THIRD,)),
        (TEAMS, (THIRD,)),
        (THIRD, (SLACK, TEAMS)),
    }


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("CODE-0001 backfill=31", "At most 30 days"),
        ("CODE-0001 backfill=-1", "backfill=7"),
        ("CODE-0001 backfill=x", "backfill=7"),
        ("CODE-0001 backfill=1 backfill=2", "backfill=7"),
        ("backfill=3", "on the side that agrees"),
    ],
)
async def test_history_that_cannot_be_had_is_refused_before_anything_is_linked(
    office: Office, here: Channel, there: Channel, words: str, told: str
) -> None:
    await office.type(here, "link")

    card = await office.type(there, f"link {words}")

    assert told in card.text
    assert await office.links.all(TENANT) == []
    assert len(office.links.offers) == 1
