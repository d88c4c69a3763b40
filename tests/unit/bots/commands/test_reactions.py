"""Who reacted is told to the one who asks, about messages of the channel they are in."""

import pytest

from bots.commands.base import Request
from bots.commands.reactions import MENU
from bridge.cards import Card, Tone
from bridge.messages import Person, Platform
from bridge.reacted import Choice
from tests.unit.bots.commands.conftest import FALCON, TENANT, Office

TS, ID = "1716500000.000100", "1616990032035"
LINKS = {
    TS: "https://acme.slack.com/archives/C02FALCON/p1716500000000100?thread_ts=1.2",
    ID: f"https://teams.microsoft.com/l/message/19:f@thread.tacv2/{ID}?tenantId=a",
}
SIDES = [(Platform.SLACK, TS), (Platform.TEAMS, ID)]


async def ask(
    office: Office,
    platform: Platform,
    text: str,
    thread: str = "",
    *,
    menu: bool = True,
) -> Card:
    person, channel = Person(platform, "somebody"), FALCON[platform]
    asked = Request(TENANT, channel, person, text, "", thread, in_dialog=menu)
    return await office.commands.answer(asked)


def fields(card: Card) -> dict[str, dict[str, str]]:
    return {s.title: {f.label: f.value for f in s.fields} for s in card.sections}


@pytest.mark.parametrize(("platform", "message"), SIDES)
async def test_everybody_in_the_channel_sees_who_chose_what_on_either_side(
    office: Office, platform: Platform, message: str
) -> None:
    office.reactors.chosen[message] = (
        Choice("👍", platform, "Ada"),
        Choice("🎉", platform.other, "Ada"),
        Choice("👍", platform.other, "Bob"),
        Choice("👍", platform, "Eve"),
    )

    card = await ask(office, platform, f"reactions {message}")

    here, there = (f"In {side.title()}" for side in (platform, platform.other))
    assert fields(card) == {
        "👍": {here: "Ada, Eve", there: "Bob"},
        "🎉": {there: "Ada"},
    }
    assert card.title == "4 people reacted"


@pytest.mark.parametrize(("platform", "message"), SIDES)
async def test_a_message_is_named_by_its_link_as_well(
    office: Office, platform: Platform, message: str
) -> None:
    office.reactors.chosen[message] = (Choice("👍", platform, "Ada"),)

    card = await ask(office, platform, f"reactions {LINKS[message]}")

    assert card.title == "1 person reacted"


@pytest.mark.parametrize(("platform", "message"), SIDES)
async def test_in_a_thread_its_first_message_is_meant(
    office: Office, platform: Platform, message: str
) -> None:
    office.reactors.chosen[message] = (Choice("👍", platform, "Ada"),)

    card = await ask(office, platform, "reactions", message)

    assert card.title == "1 person reacted"


@pytest.mark.parametrize("line", ["reactions", "reactions that one", "reactions 12x"])
@pytest.mark.parametrize("platform", list(Platform))
async def test_what_names_no_message_is_answered_with_how_to_name_one(
    office: Office, platform: Platform, line: str
) -> None:
    card = await ask(office, platform, line)

    assert card.tone is Tone.BAD
    assert MENU in card.text


async def test_where_everybody_reads_the_answer_nobody_is_named(office: Office) -> None:
    office.reactors.chosen[ID] = (Choice("👍", Platform.TEAMS, "Ada"),)

    card = await ask(office, Platform.TEAMS, f"reactions {ID}", menu=False)

    assert card.tone is Tone.BAD
    assert "Ada" not in repr(card)
    assert MENU in card.text


async def test_many_emoji_and_names_are_counted(office: Office) -> None:
    chosen = [Choice("👍", Platform.SLACK, f"P{number}") for number in range(52)]
    chosen += [Choice(f":e{number}:", Platform.SLACK, "P0") for number in range(24)]
    office.reactors.chosen[TS] = tuple(chosen)

    card = await ask(office, Platform.SLACK, f"reactions {TS}")

    assert card.text == "And 5 more emoji."
    assert fields(card)["👍"]["In Slack"].endswith("P49 and 2 more")
