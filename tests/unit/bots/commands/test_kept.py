"""What movers keep, in chat: listed with buttons, and ended by who has the duty."""

from dataclasses import dataclass, field

import pytest

from bots.commands.base import Commands, Request
from bots.commands.kept import KeptCommand
from bridge.cards import Card, Tone
from bridge.directory.accounts import Account
from bridge.directory.kept import KeptThing, Whom
from bridge.messages import Channel, Person, Platform
from tests.fakes_people import FakeKeptDesk
from tests.unit.bots.commands.conftest import FALCON

FIN = KeptThing("p-ana", "Ana", "group:fin", "group Finance", 10**15, 2 * 10**15)
OPS = KeptThing("p-ana", "Ana", "department:ops", "department Ops", 10**15, 3 * 10**15)


@dataclass
class Desk(FakeKeptDesk):
    things: list[KeptThing] = field(default_factory=lambda: [FIN, OPS])


async def _type(desk: FakeKeptDesk, here: Channel, text: str) -> Card:
    request = Request("acme", here, Person(here.platform, "U1"), text, "T1")
    return await Commands((KeptCommand(desk),)).answer(request)


async def test_each_thing_has_a_button_that_ends_just_that(platform: Platform) -> None:
    desk = Desk()
    card = await _type(desk, FALCON[platform], "kept")

    assert [section.title for section in card.sections] == [
        "Ana: group Finance",
        "Ana: department Ops",
    ]
    pressed = await _type(desk, FALCON[platform], card.buttons[1].command)

    assert pressed.text == "Ana does not keep any more: department Ops."
    me = f"{platform}:T1/U1"
    whom = Whom("p-ana", Account(platform, "T1", "p-ana"))
    assert desk.ended == [(me, whom, "department:ops")]


async def test_somebody_is_mentioned_and_a_name_may_have_blanks(here: Channel) -> None:
    desk = Desk()

    await _type(desk, here, "kept end <@U2|ana> group  Finance")

    whom = Whom("U2", Account(here.platform, "T1", "U2"))
    assert desk.ended == [(f"{here.platform}:T1/U1", whom, "group Finance")]


async def test_without_a_name_all_that_somebody_keeps_ends(here: Channel) -> None:
    card = await _type(Desk(), here, "kept end @p-ana")

    assert card.text == "Ana does not keep any more: group Finance, department Ops."


async def test_a_long_list_says_that_it_is_cut(here: Channel) -> None:
    card = await _type(Desk([FIN] * 7), here, "kept")

    assert len(card.sections) == len(card.buttons) == 5
    assert "2 more are not shown" in card.text
    assert (await _type(Desk([]), here, "kept")).tone is Tone.GOOD


@pytest.mark.parametrize("text", ["kept end", "kept ana fin"])
async def test_half_a_line_ends_nothing(here: Channel, text: str) -> None:
    desk = Desk()

    assert (await _type(desk, here, text)).tone is Tone.BAD
    assert desk.ended == []
