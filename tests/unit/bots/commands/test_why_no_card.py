"""Asking why a link shows no card: typed alike, and answered to who asks alone."""

import pytest

from bots.commands.base import Request, spoken
from bots.commands.records_why import WhyNoCard, link_in
from bridge.cards import Card
from bridge.records.unshown import Unshown
from tests.records_world import ALICE, CAROL, SLACK, TEAMS, TENANT, World

LINK = "https://acme.example/CHG1"


class Typed:
    """A company where somebody asks."""

    def __init__(self, *, whispers: bool = True) -> None:
        self.world = World()
        self.world.system.add("CHG1")
        self.whispered: list[Card] = []
        self.whispers = whispers
        self.asks = WhyNoCard(Unshown(self.world.mentions), self._whisper)

    async def _whisper(self, _request: Request, card: Card) -> bool:
        self.whispered.append(card)
        return self.whispers


async def test_in_slack_the_answer_is_for_who_asks_anyway() -> None:
    typed = Typed()

    card = await typed.asks.answer(Request(TENANT, SLACK, ALICE, "why", "T1"), LINK)

    assert card.title == "Why there is no card"
    assert typed.whispered == []


async def test_in_teams_the_answer_is_whispered() -> None:
    typed = Typed()

    card = await typed.asks.answer(Request(TENANT, TEAMS, CAROL, "why", "tid"), LINK)

    assert card.title == "Answered to you alone"
    assert [each.title for each in typed.whispered] == ["Why there is no card"]


async def test_where_nobody_can_be_told_alone_nobody_is_told() -> None:
    typed = Typed(whispers=False)

    card = await typed.asks.answer(Request(TENANT, TEAMS, CAROL, "why", "tid"), LINK)

    assert typed.whispered[0].text not in repr(card)
    assert spoken(SLACK.platform, "why LINK") in card.text


@pytest.mark.parametrize(
    ("words", "link"),
    [
        ((LINK,), LINK),
        ((f"<{LINK}>",), LINK),
        ((f"<{LINK}|CHG1>",), LINK),
        (("HTTPS://acme.example/CHG1",), "HTTPS://acme.example/CHG1"),
        ((), ""),
        (("here",), ""),
        (("<@U1>",), ""),
        (("@bob", LINK), ""),
        (("record.view", LINK), ""),
    ],
)
def test_a_link_alone_asks_for_its_card(words: tuple[str, ...], link: str) -> None:
    assert link_in(words) == link
