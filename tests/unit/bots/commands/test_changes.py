"""Unlinking, pausing and resuming, by admins, in the channel concerned."""

import pytest

from bridge.cards import Tone
from bridge.errors import NotSent
from bridge.links import LinkState
from bridge.messages import Channel, Platform
from tests.unit.bots.commands.conftest import FALCON, RANDOM, TENANT, Office

CHANGES = [
    ("unlink", LinkState.ACTIVE, LinkState.REMOVED),
    ("pause", LinkState.ACTIVE, LinkState.PAUSED),
    ("resume", LinkState.PAUSED, LinkState.ACTIVE),
]
every_change = pytest.mark.parametrize(("line", "before", "after"), CHANGES)


async def prepared(office: Office, state: LinkState) -> str:
    id_ = await office.link(FALCON[Platform.SLACK], FALCON[Platform.TEAMS])
    await office.links.change(office.links.links[0], state, "")
    office.links.actors.clear()
    return id_


@every_change
async def test_the_only_link_of_a_channel_needs_no_name(
    office: Office, here: Channel, line: str, before: LinkState, after: LinkState
) -> None:
    await prepared(office, before)

    card = await office.type(here, line)

    assert card.tone is Tone.GOOD
    assert office.links.links[0].state is after
    assert office.links.actors == [f"{here.platform}:admin"]


@every_change
async def test_every_channel_of_the_link_is_told(
    office: Office, here: Channel, line: str, before: LinkState, after: LinkState
) -> None:
    await prepared(office, before)

    await office.type(here, line)

    assert [len(office.titles(channel)) for channel in FALCON.values()] == [1, 1]


@every_change
async def test_a_channel_that_cannot_be_told_changes_nothing(
    office: Office,
    here: Channel,
    there: Channel,
    *,
    line: str,
    before: LinkState,
    after: LinkState,
) -> None:
    await prepared(office, before)
    office.announcers[there.platform].failures[there] = NotSent("down")

    card = await office.type(here, line)

    assert card.tone is Tone.GOOD
    assert office.links.links[0].state is after


@every_change
async def test_only_admins_change_links(
    office: Office, here: Channel, line: str, before: LinkState, after: LinkState
) -> None:
    await prepared(office, before)

    card = await office.type(here, line, who="somebody")

    assert card.title == "You may not do that"
    assert office.links.links[0].state is before


@every_change
async def test_a_channel_without_links_has_nothing_to_change(
    office: Office, here: Channel, line: str, before: LinkState, after: LinkState
) -> None:
    card = await office.type(here, line)

    assert card.text == "This channel is not linked."


@every_change
async def test_with_several_links_the_one_that_is_named_changes(
    office: Office, here: Channel, line: str, before: LinkState, after: LinkState
) -> None:
    await prepared(office, before)
    other = await office.link(here, RANDOM[here.platform])
    await office.links.change(office.links.links[1], before, "")

    card = await office.type(here, f"{line} {other.lower()}")

    assert card.tone is Tone.GOOD
    assert [link.state for link in office.links.links] == [before, after]


@every_change
async def test_with_several_links_one_must_be_named(
    office: Office, here: Channel, line: str, before: LinkState, after: LinkState
) -> None:
    first = await prepared(office, before)
    other = await office.link(here, RANDOM[here.platform])

    card = await office.type(here, line)

    assert first in card.text
    assert other in card.text
    assert office.links.links[0].state is before


@every_change
async def test_a_link_of_another_channel_cannot_be_named(
    office: Office, here: Channel, line: str, before: LinkState, after: LinkState
) -> None:
    await prepared(office, before)
    other = await office.link(*RANDOM.values())

    card = await office.type(here, f"{line} {other}")

    assert card.tone is Tone.BAD
    assert len(await office.links.all(TENANT)) == 2


@pytest.mark.parametrize(
    ("line", "state"), [("pause", LinkState.PAUSED), ("resume", LinkState.ACTIVE)]
)
async def test_what_is_so_already_is_said_to_be_so(
    office: Office, here: Channel, line: str, state: LinkState
) -> None:
    await prepared(office, state)

    card = await office.type(here, line)

    assert card.tone is Tone.BAD
    assert office.links.actors == []


async def test_a_paused_link_offers_to_be_resumed(
    office: Office, here: Channel
) -> None:
    id_ = await prepared(office, LinkState.ACTIVE)

    card = await office.type(here, "pause")

    assert [button.command for button in card.buttons] == [f"resume {id_}"]
