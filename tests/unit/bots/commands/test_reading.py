"""Listing links, their health, and what can be typed."""

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from bots.commands.help import TOPICS
from bots.commands.standard import NAMES
from bots.commands.status import lasted
from bots.teams.cards import MOST_BUTTONS
from bridge.cards import Card, Tone
from bridge.links import LinkState
from bridge.messages import Channel, Platform
from bridge.ports import LinkStatus
from tests.unit.bots.commands.conftest import FALCON, RANDOM, TENANT, Office


def fields(card: Card, section: int = 0) -> dict[str, str]:
    return {field.label: field.value for field in card.sections[section].fields}


async def healthy(office: Office, **numbers: Any) -> None:
    """Put a status row for the Falcon link in place."""
    await office.link(FALCON[Platform.SLACK], FALCON[Platform.TEAMS])
    quiet = LinkStatus(office.links.links[-1], 0, 0, 0, 0, 0, 0, "", 0)
    office.health.rows.append(replace(quiet, **numbers))


async def test_links_are_listed_by_name_and_state(
    office: Office, here: Channel
) -> None:
    await office.link(FALCON[Platform.SLACK], FALCON[Platform.TEAMS])
    await office.link(RANDOM[Platform.SLACK], RANDOM[Platform.TEAMS])
    await office.links.change(office.links.links[1], LinkState.PAUSED, "")

    card = await office.type(here, "links", who="somebody")

    assert [section.title for section in card.sections] == [
        "#project-falcon (Slack) ↔ Project Falcon (Teams)",
        "#random (Slack) ↔ Random (Teams)",
    ]
    assert fields(card, 0) == {"Link": "L1 (this channel)", "State": "active"}
    assert fields(card, 1) == {"Link": "L2", "State": "paused"}


async def test_links_of_other_companies_are_not_listed(
    office: Office, here: Channel
) -> None:
    await office.links.add("globex", tuple(FALCON.values()), "")

    card = await office.type(here, "links")

    assert card.title == "No links yet"
    assert card.sections == ()


async def test_status_shows_every_number_of_the_channels_link(
    office: Office, here: Channel
) -> None:
    await healthy(
        office,
        queued=3,
        delivered=12,
        dead=1,
        parked=2,
        lag_us=2_500_000,
        oldest_us=office.clock() - 90_000_000,
        delivered_since_us=office.clock() - 86_400_000_000,
        throttled_until_us=office.clock() + 30_000_000,
        last_error="channel_not_found",
    )

    card = await office.type(here, "status", who="somebody")

    assert card.tone is Tone.BAD
    assert card.sections[0].text == "Last error: channel_not_found"
    assert fields(card) == {
        "Link": "L1",
        "State": "active",
        "Lag": "2.5 s",
        "Waiting": "3",
        "Oldest waiting": "for 2 min",
        "Delivered in 1 d": "12",
        "Throttled": "for 30.0 s",
        "Dead letters": "1",
        "Outcome unknown": "2",
        "Echoes cut": "0",
    }


async def test_status_leads_to_the_dead_letters(office: Office, here: Channel) -> None:
    await healthy(office, parked=1)

    card = await office.type(here, "status")

    assert [button.command for button in card.buttons] == ["dead"]


async def test_a_throttle_that_is_over_is_not_shown(
    office: Office, here: Channel
) -> None:
    await healthy(office, throttled_until_us=office.clock() - 1)

    card = await office.type(here, "status")

    assert fields(card)["Throttled"] == "no"
    assert card.title == "All is well"


async def test_messages_that_wait_for_minutes_are_late(
    office: Office, here: Channel
) -> None:
    await healthy(office, queued=1, lag_us=300_000_000)

    card = await office.type(here, "status")

    assert (card.title, card.tone) == ("Messages are late", Tone.WARNING)


async def test_a_channel_without_links_sees_the_status_of_all(
    office: Office, platform: Platform
) -> None:
    await healthy(office)

    card = await office.type(RANDOM[platform], "status")

    assert len(card.sections) == 1


@pytest.mark.parametrize("line", ["status all", "status"])
async def test_other_links_are_shown_when_asked_for(
    office: Office, here: Channel, line: str
) -> None:
    await healthy(office)
    link = await office.links.add(TENANT, tuple(RANDOM.values()), "")
    office.health.rows.append(LinkStatus(link, 0, 0, 0, 0, 0, 0, "", 0))

    card = await office.type(here, line)

    assert len(card.sections) == (2 if line.endswith("all") else 1)
    assert bool(card.buttons) == (line == "status")


async def test_a_link_can_be_named_for_its_status(
    office: Office, platform: Platform
) -> None:
    await healthy(office)

    card = await office.type(RANDOM[platform], "status l1")

    assert fields(card)["Link"] == "L1"


async def test_the_status_of_an_unknown_link_is_refused(
    office: Office, here: Channel
) -> None:
    await healthy(office)

    card = await office.type(here, "status L9")

    assert card.text == "There is no link L9."


def prefix(here: Channel) -> str:
    return "/atom" if here.platform is Platform.SLACK else "@ATOM"


@pytest.mark.parametrize("text", ["help", "HELP", "", "help nonsense"])
async def test_help_begins_with_few_and_names_all_by_topic(
    office: Office, here: Channel, text: str
) -> None:
    card = await office.type(here, text)

    first, *topics = card.sections
    assert first.fields[0].label == f"`{prefix(here)} link`"
    named = " ".join(topic.text for topic in topics)
    for command in office.commands.known:
        assert command.name == "help" or f"`{command.name}`" in named


async def test_help_all_lists_every_command_with_its_use(
    office: Office, here: Channel
) -> None:
    card = await office.type(here, "help all")

    lines = list(fields(card))
    assert lines[0] == f"`{prefix(here)} link [CODE [backfill=DAYS]] [dry-run]`"
    assert len(lines) == len(office.commands.known)
    assert all(line.startswith(f"`{prefix(here)} ") for line in lines)


async def test_every_topics_button_tells_how_its_commands_are_used(
    office: Office, here: Channel
) -> None:
    buttons = (await office.type(here, "help")).buttons
    topics = [each.command for each in buttons if each.command.startswith("help ")]
    assert len(buttons) <= MOST_BUTTONS

    told = [line for topic in topics for line in fields(await office.type(here, topic))]

    assert {line.split()[1].strip("`") for line in told} == {
        each.name for each in office.commands.known if each.name != "help"
    }


async def test_help_for_one_command_tells_how_it_is_used(
    office: Office, here: Channel
) -> None:
    card = await office.type(here, "help  PAUSE")

    assert list(fields(card)) == [f"`{prefix(here)} pause [LINK]`"]


def test_every_command_that_policies_may_name_has_one_topic() -> None:
    topics = Counter(name for topic in TOPICS for name in topic.names)

    assert set(topics) >= set(NAMES) - {"help"}
    assert set(topics.values()) == {1}


@pytest.mark.parametrize(
    ("typed", "meant"), [("lnk", "link"), ("stat", "status"), ("unlnik", "unlink")]
)
async def test_a_slip_of_the_finger_is_understood(
    office: Office, here: Channel, typed: str, meant: str
) -> None:
    card = await office.type(here, typed)

    assert meant in card.text
    assert card.buttons[0].command == meant


async def test_nonsense_leads_to_help(office: Office, here: Channel) -> None:
    card = await office.type(here, "xyzzy `*now*` <!channel>")

    assert "help" in card.text
    assert "xyzzy" not in f"{card}"


@pytest.mark.parametrize(
    ("microseconds", "text"),
    [
        (-5, "0 ms"),
        (12_300, "12 ms"),
        (1_500_000, "1.5 s"),
        (90_000_000, "2 min"),
        (7_200_000_000, "2 h"),
        (259_200_000_000, "3 d"),
    ],
)
def test_durations_are_short(microseconds: int, text: str) -> None:
    assert lasted(microseconds) == text
