"""Dead letters are listed, retried, replayed and dropped by admins of the channel."""

import pytest

from bridge.cards import Tone
from bridge.letters import Replayed
from bridge.messages import Channel, Platform
from tests.unit.bots.commands.conftest import RANDOM, Office
from tests.unit.bots.commands.test_reading import fields

LINES = ["dead", "retry", "replay", "drop all"]


@pytest.fixture
async def office(here: Channel, there: Channel) -> Office:
    made = Office()
    await made.link(here, there)
    return made


def admin(here: Channel) -> str:
    return f"{here.platform}:admin"


async def test_every_letter_is_shown_with_its_reason_but_without_its_text(
    office: Office, here: Channel
) -> None:
    office.die(here)
    office.die(here, unknown=True)

    card = await office.type(here, "dead")

    assert (card.title, card.tone) == ("2 dead letters", Tone.BAD)
    assert [section.text for section in card.sections] == ["no_such", "no_such"]
    assert card.sections[0].title.startswith("50.0: post in ")
    assert fields(card, 0) == {
        "Dead for": "1 min",
        "Tries": "8",
        "Link": "L1",
        "Outcome": "failed",
    }
    assert fields(card, 1)["Outcome"].startswith("unknown")


async def test_a_long_list_is_cut_and_says_so(office: Office, here: Channel) -> None:
    for _ in range(13):
        office.die(here)

    card = await office.type(here, "dead")

    assert (card.title, len(card.sections)) == ("13 dead letters", 10)
    assert "3 more" in card.text


async def test_an_empty_list_is_good_news(office: Office, here: Channel) -> None:
    card = await office.type(here, "dead")

    assert (card.title, card.tone) == ("No dead letters", Tone.GOOD)


@pytest.mark.parametrize("line", LINES)
async def test_only_admins_see_and_decide(
    office: Office, here: Channel, line: str
) -> None:
    office.die(here)

    card = await office.type(here, line, who="somebody")

    assert card.title == "You may not do that"
    assert office.letters.done == []


@pytest.mark.parametrize("line", LINES)
async def test_letters_of_other_channels_are_not_touched(
    office: Office, here: Channel, line: str
) -> None:
    office.die(here, link="L9")

    card = await office.type(here, line)

    assert "no_such" not in f"{card}"
    assert [done for done in office.letters.done if done[0] != "replay"] == []


@pytest.mark.parametrize("line", LINES)
async def test_a_channel_without_a_link_is_told_so(
    office: Office, platform: Platform, line: str
) -> None:
    card = await office.type(RANDOM[platform], line)

    assert card.text == "This channel is not linked."


@pytest.mark.parametrize("which", ["", "L1", "l1", "all"])
async def test_all_letters_of_the_channel_are_retried(
    office: Office, here: Channel, which: str
) -> None:
    office.die(here)
    office.die(here)

    card = await office.type(here, f"retry {which}")

    assert office.letters.done == [("retry", "50.0", "51.0", admin(here))]
    assert card.text == "2 deliveries are on the way again."


@pytest.mark.parametrize("number", ["51.0", "acme.51.0"])
async def test_one_letter_is_retried_by_its_number_or_marker(
    office: Office, here: Channel, number: str
) -> None:
    office.die(here)
    office.die(here)

    await office.type(here, f"retry {number}")

    assert office.letters.done == [("retry", "51.0", admin(here))]


async def test_an_unknown_outcome_is_looked_up_and_the_way_out_is_told(
    office: Office, here: Channel
) -> None:
    office.die(here, unknown=True)

    card = await office.type(here, "retry")

    assert office.letters.done == [("retry", "50.0", admin(here))]
    assert "looked up first" in card.text
    assert "retry 50.0 anyway" in card.text
    assert "a second copy may appear" in card.text


@pytest.mark.parametrize("word", ["anyway", "ANYWAY", "--force"])
async def test_sending_anyway_warns_of_a_second_copy(
    office: Office, here: Channel, word: str
) -> None:
    office.die(here, unknown=True)

    card = await office.type(here, f"retry 50.0 {word}")

    assert office.letters.done == [("anyway", "50.0", admin(here))]
    assert (card.tone, "a second copy may appear" in card.text) == (Tone.WARNING, True)


@pytest.mark.parametrize("line", ["retry anyway", "retry L1 51.0", "retry 9.9", "drop"])
async def test_what_is_not_clear_does_nothing(
    office: Office, here: Channel, line: str
) -> None:
    office.die(here, unknown=True)

    card = await office.type(here, line)

    assert card.tone is Tone.BAD
    assert office.letters.done == []


async def test_whoever_was_quicker_wins(office: Office, here: Channel) -> None:
    office.die(here)
    office.letters.quicker = True

    card = await office.type(here, "retry")

    assert (card.title, "just now" in card.text) == ("That did not work", True)


@pytest.mark.parametrize(
    ("line", "seconds"),
    [
        ("replay", 86_400),
        ("replay 2h", 7_200),
        ("replay L1", 86_400),
        ("replay l1 30min", 1_800),
    ],
)
async def test_a_replay_goes_back_as_far_as_it_is_told(
    office: Office, here: Channel, line: str, seconds: int
) -> None:
    office.letters.missing = Replayed(3, 1, more=True)

    card = await office.type(here, line)

    since = str(office.clock() - seconds * 1_000_000)
    assert office.letters.done == [("replay", "L1", since, admin(here))]
    assert card.text == (
        "3 missing here or there, on the way now. 1 left alone: under way, or of "
        "unknown outcome. There is more: replay again once these are through."
    )


@pytest.mark.parametrize("line", ["replay L9 2h", "replay tomorrow", "replay 1 2 3"])
async def test_a_replay_of_nonsense_is_refused(
    office: Office, here: Channel, line: str
) -> None:
    card = await office.type(here, line)

    assert card.tone is Tone.BAD
    assert office.letters.done == []


async def test_nothing_missing_is_said_plainly(office: Office, here: Channel) -> None:
    card = await office.type(here, "replay")

    assert (card.title, card.tone) == ("Nothing is missing", Tone.PLAIN)


async def test_dropping_keeps_the_reason_that_was_given(
    office: Office, here: Channel
) -> None:
    office.die(here)
    office.die(here)

    first = await office.type(here, "drop 51.0 it was a test")
    second = await office.type(here, "drop all")

    assert office.letters.done == [
        ("drop: it was a test", "51.0", admin(here)),
        ("drop: no reason was given", "50.0", admin(here)),
    ]
    assert first.text == second.text
