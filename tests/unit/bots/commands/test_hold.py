"""Officers hold and release from chat, and nothing about a matter stands there."""

import pytest

from bridge.cards import Tone
from bridge.messages import Platform
from tests.unit.bots.commands.conftest import FALCON, Office


@pytest.mark.parametrize("platform", Platform)
async def test_an_officer_holds_lists_and_releases(platform: Platform) -> None:
    office, here = Office(), FALCON[platform]

    made = await office.type(
        here, "hold create Falcon in:here after:2030-01-31 release"
    )
    listed = await office.type(here, "hold")
    released = await office.type(here, "hold release H1")

    assert made.tone is Tone.GOOD
    [hold] = office.holds.made
    [scope] = hold.scopes
    assert scope.channels == {str(here)}
    assert (scope.query, scope.from_us) == ("release", 1_896_048_000_000_000)
    assert [section.title for section in listed.sections] == ["H1"]
    assert "goes on holding until" in released.text
    for card in (made, listed, released):
        assert "Falcon" not in f"{card}"


@pytest.mark.parametrize("line", ["hold", "hold create X in:here", "hold release H1"])
async def test_without_the_duty_it_is_refused(line: str) -> None:
    office = Office()

    card = await office.type(FALCON[Platform.SLACK], line, who="somebody")

    assert card.tone is not Tone.GOOD
    assert "may not" in card.text
    assert office.holds.made == []


@pytest.mark.parametrize(
    "line",
    [
        "hold create",
        "hold create Falcon",
        "hold create Falcon after:soon",
        "hold create Falcon in:nowhere",
        "hold create Falcon from:bob",
        "hold create Falcon in:here after:2030-02-01 before:2030-01-01",
        "hold everything",
        "hold release",
        "hold release H9",
    ],
)
async def test_what_cannot_be_held_is_said(line: str) -> None:
    office = Office()

    card = await office.type(FALCON[Platform.TEAMS], line)

    assert card.tone is not Tone.GOOD
    assert office.holds.made == []
