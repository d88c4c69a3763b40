"""Every command does the same on both platforms, in each platform's own words."""

import re
from collections.abc import Iterator

import pytest

from bridge.cards import Card
from bridge.directory.kept import KeptThing
from bridge.messages import Channel, Platform
from tests.unit.bots.commands.conftest import FALCON, RANDOM, TENANT, Office

NAMES = [command.name for command in Office().commands.known]
LINES = [
    *NAMES,
    "link CODE-0000",
    "pause L9",
    "options files=link bots=relay",
    "options files=nowhere",
    "status all",
    "dead L1",
    "retry 51.0 anyway",
    "replay L1 2h",
    "drop all we saw it",
    "lnik",
    "one two three",
    "lnik",
    "one two three",
    "channels archive vault",
    "channels share vault acme",
    "channels groups vault",
    "sessions reset @bob",
    "officers assign cli:ada read",
    "officers assign cli:ada",
    "approvals now",
    "approve A-1",
    "refuse A-1",
    "approve",
    "hold create Falcon in:here release",
    "hold create Falcon",
    "hold create Falcon after:yesterday",
    "hold release H1",
    "kept ada",
    "kept end ada group:fin",
    "kept end",
]
WRONG = {Platform.SLACK: "@ATOM", Platform.TEAMS: "/atom"}
PLATFORM_WORDS = re.compile(r"workspace|team\b", re.IGNORECASE)


def texts(card: Card) -> Iterator[str]:
    """Every text of a card, but what says outright that it is for the other side."""
    yield from (card.title, card.text)
    for section in card.sections:
        yield from (section.title, section.text)
        for field in section.fields:
            if field.label not in {"In Slack", "In Teams"}:
                yield from (field.label, field.value)
    yield from (button.label for button in card.buttons)


def shape(card: Card) -> tuple[object, ...]:
    """What a card is made of, whatever the platform calls things."""
    return (
        card.title,
        card.tone,
        [len(section.fields) for section in card.sections],
        [button.command for button in card.buttons],
    )


async def answer(platform: Platform, line: str, *, linked: bool, who: str) -> Card:
    office = Office()
    office.kept.things.append(KeptThing("ada", "Ada", "group:fin", "group Fin", 1, 2))
    if linked:
        await office.link(FALCON[platform], FALCON[platform.other])
        office.die(FALCON[platform])
        office.die(FALCON[platform], unknown=True)
    return await office.type(FALCON[platform], line, who)


@pytest.mark.parametrize("who", ["admin", "somebody"])
@pytest.mark.parametrize("linked", [True, False])
@pytest.mark.parametrize("line", LINES)
async def test_a_command_answers_alike_on_both_platforms(
    *, line: str, linked: bool, who: str
) -> None:
    in_slack = await answer(Platform.SLACK, line, linked=linked, who=who)
    in_teams = await answer(Platform.TEAMS, line, linked=linked, who=who)

    assert shape(in_slack) == shape(in_teams)


@pytest.mark.parametrize("who", ["admin", "somebody"])
@pytest.mark.parametrize("linked", [True, False])
@pytest.mark.parametrize("line", LINES)
async def test_no_answer_speaks_the_other_platforms_language(
    platform: Platform, *, line: str, linked: bool, who: str
) -> None:
    card = await answer(platform, line, linked=linked, who=who)

    assert [text for text in texts(card) if WRONG[platform] in text] == []


async def test_announcements_fit_the_channel_they_stand_in(
    office: Office, here: Channel, there: Channel
) -> None:
    await office.type(here, "link")
    await office.type(there, "link CODE-0001")
    for line in ("pause", "resume", "unlink"):
        await office.type(here, line)

    for side in Platform:
        spoken = [card for _, card in office.announcers[side].announced]
        said = " ".join(text for card in spoken for text in texts(card))
        assert len(spoken) == 4
        assert WRONG[side] not in said
        assert not PLATFORM_WORDS.search(said.replace("(Teams)", ""))


@pytest.mark.parametrize(
    "line", ["links", "status", "help", "pause", "dead", "retry", "lnik"]
)
async def test_every_button_is_a_line_that_can_be_typed(
    platform: Platform, line: str
) -> None:
    card = await answer(platform, line, linked=True, who="admin")

    assert all(button.command.split()[0] in NAMES for button in card.buttons)
    assert all(not button.command.startswith(("/", "@")) for button in card.buttons)


async def test_a_whole_life_of_a_link_from_either_side(
    office: Office, here: Channel, there: Channel
) -> None:
    await office.type(here, "link")
    titles = [
        (await office.type(channel, line)).title
        for channel, line in [
            (there, "link CODE-0001"),
            (here, "links"),
            (there, "pause"),
            (here, "resume"),
            (there, "unlink"),
            (RANDOM[here.platform], "links"),
        ]
    ]

    assert titles == [
        "Linked",
        "1 link",
        "Paused",
        "Resumed",
        "Unlinked",
        "No links yet",
    ]
    assert await office.links.all(TENANT) == []
