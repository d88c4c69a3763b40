"""What is configured is what people can connect, and the directory says who they are."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import ClientSession

from bots.commands.base import Request
from bots.connecting_side import ConnectingSide, connecting_side
from bots.core import Core, core
from bots.settings import Settings
from bridge.cards import Card
from bridge.directory.model import Entry, Kind, Reading, Standing
from bridge.errors import BadInput
from bridge.messages import Channel, Person
from bridge.records.cards import RecordCard
from bridge.records.connections import Connection, Tokens
from bridge.records.desk import Asker
from bridge.records.model import System
from tests.databases import with_tables
from tests.events import ALICE, FALCON, PROJECT

JIRA = {
    "system": "jira",
    "url": "https://acme.atlassian.net",
    "client_id": "atom",
    "client_secret": "atom-secret",
    "calls": "7/10",
}
HUB = {
    "system": "hubspot",
    "url": "https://app.hubspot.com",
    "auth": "token",
    "token": "x",
}


@asynccontextmanager
async def side(
    home: Path, *, directory: bool = False, **more: object
) -> AsyncIterator[tuple[Core, ConnectingSide]]:
    given: dict[str, object] = {
        "home": home,
        "public_url": "https://atom.acme.example/",
        "records": {"acme-jira": JIRA, "hub": HUB},
        **more,
    }
    if directory:
        given["directory"] = {"people": home / "people.yaml"}
    with_tables(home)
    async with core(Settings(home=home), "setup") as made:
        if not await made.company_ids():
            await made.companies.create("acme", "Acme", "admin@acme.example")
            await made.ring.begin("acme")
    async with AsyncExitStack() as stack:
        built = await stack.enter_async_context(
            core(Settings.model_validate(given), "tests")
        )
        session = await stack.enter_async_context(ClientSession())
        yield built, await connecting_side(stack, built, session)


def person(standing: Standing = Standing.ACTIVE) -> Reading:
    told = {"slack_id": "U01ALICE", "mail": "alice@acme.example"}
    entry = Entry(
        Kind.PERSON, "alice", "Alice Wong", attributes=told, standing=standing
    )
    return Reading("people", whole=False, entries=(entry,))


async def test_what_is_configured_can_be_connected(tmp_path: Path) -> None:
    async with side(tmp_path) as (_, made):
        standing = await made.connecting.standing("acme", "somebody")
        right = made.accesses.integration("acme", System.HUBSPOT, "hub")

        assert [*standing.others] == [(System.JIRA, "acme-jira")]
        assert await right.token() == "x"
        assert made.budget("acme") is made.budget("acme")
        assert made.budget("acme").rates("jira:acme-jira").all_calls == "7/10"
        assert [each.name for each in made.commands] == ["connect", "disconnect"]
        assert len(made.jobs) == 2


async def test_without_systems_there_is_nothing_to_connect(tmp_path: Path) -> None:
    async with side(tmp_path, records={}) as (_, made):
        assert (made.commands, made.jobs) == ((), ())
        request = Request("acme", FALCON, ALICE, "me", "T01ACME")
        assert await made.accounts(request) == ()


async def test_a_system_of_another_company_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"\[records.acme-jira\]: there is no company"):
        async with side(tmp_path, records={"acme-jira": {**JIRA, "company": "globex"}}):
            pass


async def test_a_link_leads_to_where_browsers_reach_atom(tmp_path: Path) -> None:
    async with side(tmp_path) as (_, made):
        asker = Asker("acme", ALICE, "T01ACME", FALCON)

        card = await made.offer(asker, System.JIRA, "acme-jira")

        [button] = card.buttons
        start = "https://atom.acme.example/connect/jira/acme-jira?state=acme."
        assert button.url.startswith(start)


async def test_without_a_directory_an_account_stands_for_itself(tmp_path: Path) -> None:
    async with side(tmp_path) as (_, made):
        key = await made.who(Asker("acme", ALICE, "T01ACME", FALCON))

        assert key == "slack:T01ACME/U01ALICE"
        assert made._at_work("acme", str(key)) is None


async def test_with_a_directory_people_are_who_it_says_until_they_leave(
    tmp_path: Path,
) -> None:
    (tmp_path / "people.yaml").write_text("people: []\n")
    async with side(tmp_path, directory=True) as (built, made):
        asker = Asker("acme", ALICE, "T01ACME", FALCON)
        assert await made.who(asker) is None
        assert made._at_work("acme", "anybody") is None
        assert built.sources.sync
        await built.sources.sync.apply(person())

        key = await made.who(asker)
        assert key
        assert made._at_work("acme", key) is True
        assert await made.connecting.whose("acme", "alice@acme.example") == key
        request = Request("acme", FALCON, ALICE, "me", "T01ACME")
        [section] = await made.accounts(request)
        assert section.fields[0].value == "not connected"

        account = Connection("acme", key, System.JIRA, "gone-jira", "alice")
        await made.books.connections.keep(account, Tokens("t"), "slack:U01ALICE")
        await built.sources.sync.apply(person(Standing.LEFT))
        assert made._at_work("acme", key) is False
        assert await made.connecting.left("acme", key) == 1
        assert await made.books.connections.of("acme", key) == []


class Whispering:
    """Remembers what was shown to one person alone."""

    def __init__(self) -> None:
        self.said: list[RecordCard | Card] = []

    async def whisper(
        self, tenant: str, channel: Channel, person: Person, card: RecordCard | Card
    ) -> None:
        self.said.append(card)


async def test_in_teams_the_link_is_whispered(tmp_path: Path) -> None:
    async with side(tmp_path) as (_, made):
        place = Whispering()
        made.places[PROJECT.platform] = place  # type: ignore[assignment]
        bob = Person(PROJECT.platform, "29:bob", "Bob")
        request = Request("acme", PROJECT, bob, "connect jira", "tenant-1")

        answer = await made.commands[0].run(request)

        assert "connect/jira" not in str(answer)
        assert "connect/jira" in str(place.said[0])
