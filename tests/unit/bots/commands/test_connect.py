"""People connect their accounts by a link that nobody else sees."""

from dataclasses import dataclass, field

import pytest

from bots.commands.base import Commands, Request
from bots.commands.connect import Connect, Disconnect, accounts_section
from bots.slack.cards import render as slack_card
from bots.teams.cards import adaptive as teams_card
from bridge.cards import Card
from bridge.errors import NotFound
from bridge.messages import Channel
from bridge.records.connections import Connection, Standing, Wanted
from bridge.records.model import System
from tests.events import ALICE, FALCON, PROJECT

LINK = "https://atom.acme.example/connect/jira/acme?state=secret"
JIRA = Connection("acme", "p-alice", System.JIRA, "acme-jira", "alice@acme.example")
SNOW = (System.SERVICENOW, "acme-snow")


@dataclass
class FakeDesk:
    """Holds what is connected, and remembers what was asked."""

    connected: list[Connection] = field(default_factory=lambda: [JIRA])
    wanted: list[Wanted] = field(default_factory=list)
    whispered: list[Card] = field(default_factory=list)
    heard: bool = True
    person: str = "p-alice"

    async def standing(self, tenant: str, person: str) -> Standing:
        return Standing(self.connected, [SNOW])

    async def link(self, wanted: Wanted) -> str:
        self.wanted.append(wanted)
        return LINK

    async def disconnect(
        self, tenant: str, person: str, actor: str, system: System, instance: str
    ) -> Connection:
        for one in self.connected:
            if (one.system, one.instance) == (system, instance):
                self.connected.remove(one)
                return one
        raise NotFound("You have no such account connected.")

    async def who(self, request: Request) -> tuple[str, str]:
        return self.person, "Alice Wong"

    async def whisper(self, request: Request, card: Card) -> bool:
        self.whispered.append(card)
        return self.heard


async def said(desk: FakeDesk, text: str, channel: Channel = FALCON) -> Card:
    commands = Commands(
        (Connect(desk, desk.who, desk.whisper), Disconnect(desk, desk.who))
    )
    return await commands.answer(Request("acme", channel, ALICE, text, "T01ACME"))


def links(card: Card) -> list[str]:
    return [button.url for button in card.buttons if button.url]


@pytest.mark.parametrize("word", ["acme-snow", "servicenow", "ServiceNow"])
async def test_a_system_is_named_by_its_own_name_or_its_kind(word: str) -> None:
    desk = FakeDesk()

    card = await said(desk, f"connect {word}")

    assert links(card) == [LINK]
    assert desk.wanted == [
        Wanted("acme", "p-alice", "slack:U01ALICE", "Alice Wong", *SNOW)
    ]


async def test_where_others_read_along_the_link_is_whispered() -> None:
    desk = FakeDesk()

    card = await said(desk, "connect servicenow", PROJECT)

    assert links(card) == []
    assert "secret" not in str(card)
    assert [links(each) for each in desk.whispered] == [[LINK]]


async def test_where_nothing_can_be_whispered_no_link_is_shown() -> None:
    desk = FakeDesk(heard=False)

    card = await said(desk, "connect servicenow", PROJECT)

    assert "secret" not in str(card)
    assert "/atom connect acme-snow" in card.text


async def test_without_a_name_what_there_is_is_shown() -> None:
    card = await said(FakeDesk(), "connect")

    fields = [(each.label, each.value) for each in card.sections[0].fields]
    assert fields == [
        ("Jira (acme-jira)", "alice@acme.example"),
        ("ServiceNow (acme-snow)", "not connected"),
    ]
    assert [button.command for button in card.buttons] == ["connect acme-snow"]


async def test_an_account_that_the_system_takes_no_more_is_pointed_out() -> None:
    broken = Connection("acme", "p", System.JIRA, "j", "alice", broken=True)

    section = accounts_section(Standing([broken], []))

    assert section.fields[0].label == "Jira (j) – connect it again"


async def test_an_account_is_let_go_of_once() -> None:
    desk = FakeDesk()

    first = await said(desk, "disconnect jira")
    second = await said(desk, "disconnect jira")

    assert first.title == "Jira is not connected any more"
    assert "alice@acme.example" in first.text
    assert "nothing" in second.text


@pytest.mark.parametrize(
    "text", ["connect siebel", "disconnect servicenow", "connect a b"]
)
async def test_what_is_not_there_is_answered_with_what_is(text: str) -> None:
    card = await said(FakeDesk(), text)

    assert "acme-jira" in card.text


async def test_strangers_connect_nothing() -> None:
    desk = FakeDesk(person="")

    for text in ("connect servicenow", "connect", "disconnect jira"):
        assert (await said(desk, text)).title == "You may not do that"
    assert desk.wanted == []


async def test_a_link_opens_a_page_on_both_platforms() -> None:
    card = await said(FakeDesk(), "connect servicenow")

    assert LINK in str(slack_card(card))
    assert "Action.OpenUrl" in str(teams_card(card))
    assert LINK in str(teams_card(card))
