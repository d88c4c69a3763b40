"""What people are told of a dormant link, and what they can do about it."""

from dataclasses import replace

from bridge.holds import Cause, Hold
from bridge.links import LinkState
from bridge.messages import Channel, Platform
from bridge.ports import LinkStatus
from tests.unit.bots.commands.conftest import FALCON, Office
from tests.unit.bots.commands.test_reading import fields

WHY = "Project Falcon (Teams) was deleted"


async def dormant(office: Office, state: LinkState = LinkState.ACTIVE) -> None:
    """Link #project-falcon with a channel that was deleted."""
    await office.link(FALCON[Platform.SLACK], FALCON[Platform.TEAMS])
    holds = (Hold(FALCON[Platform.TEAMS], Cause.DELETED),)
    held = replace(office.links.links[-1], holds=holds, state=state).settled()
    office.links.links[-1] = held
    office.health.rows.append(LinkStatus(held, 0, 0, 0, 0, 0, 0, "", 0))


async def test_links_and_status_say_why_a_link_is_dormant(
    office: Office, here: Channel
) -> None:
    await dormant(office)

    listed = await office.type(here, "links")
    status = await office.type(here, "status")

    assert fields(listed)["State"] == f"dormant: {WHY}"
    assert fields(status)["State"] == f"dormant: {WHY}"
    assert status.title == "A link is dormant"


async def test_a_dormant_link_is_not_resumed_by_word(
    office: Office, here: Channel
) -> None:
    await dormant(office)

    card = await office.type(here, "resume")

    assert WHY in card.text
    assert "wakes when that changes" in card.text


async def test_a_paused_link_says_what_else_holds_it(
    office: Office, here: Channel
) -> None:
    await dormant(office, LinkState.PAUSED)

    listed = await office.type(here, "links")

    assert fields(listed)["State"] == f"paused: {WHY}"
