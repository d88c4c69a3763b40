"""Searching from chat: people find what they could read anyway, officers everything."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bots.chat_search import ChatSearch
from bots.searching import search_on
from bridge.access import Action, Asked, Decision
from bridge.compliance import Duty, Officer
from bridge.delivery import Copy
from bridge.errors import BadInput, ServiceUnavailable
from bridge.messages import Channel, Person, Platform
from bridge.ports import Commitment
from bridge.search.finding import Findings
from storage.compliance.acts import Acts
from storage.compliance.rights.duties import StoredDuties
from storage.writes import Entry, Origin, Write
from tests.contract.conftest import TENANT, Store
from tests.events import ALICE, FALCON, PROJECT, message
from tests.fakes import FakeAnnouncer, FakeLinkBook

SECRET = Channel(Platform.SLACK, "T01ACME", "C09SECRET")
ADA = Officer("slack:T01ACME/U01ALICE")
BEN = Officer("cli:ben")


@dataclass
class Rooms:
    """Implements `bridge.search.finding.Memberships`."""

    channels: list[Channel] = field(default_factory=list)
    down: bool = False

    async def of(self, person: Person, here: Channel) -> Sequence[Channel]:
        del person, here
        if self.down:
            raise ServiceUnavailable("Slack does not answer.")
        return self.channels


@dataclass(frozen=True)
class Ways:
    """Implements `bridge.composing.Addresses`."""

    async def of(self, channel: Channel, message: str) -> str:
        return f"{channel}/{message}"


@dataclass
class Blind:
    """A policy by which some people read nothing that is bridged."""

    people: set[str] = field(default_factory=set)

    async def decide(self, asked: Asked) -> Decision:
        assert asked.action is Action.READ
        return Decision(asked.person.id not in self.people, "blind", "h", "1")


@dataclass
class Chat:
    store: Store
    search: ChatSearch
    rooms: Rooms
    duties: StoredDuties
    blind: Blind

    async def say(self, id_: str, text: str, channel: Channel) -> int:
        event = message(
            id_, text, channel=channel, platform=channel.platform, event_id=f"Ev{id_}"
        )
        receipt = await self.store.journal.append(Commitment(TENANT, event, (), ()))
        return receipt.seq

    async def copied(self, origin: int, source: Channel, id_: str, to: Channel) -> None:
        entry = Entry(
            etype="bridge.delivered",
            platform=to.platform,
            subject="slack|x",
            src_us=1,
            body={"text": "", "author": {}},
            team=to.team,
            conv=to.id,
            msg=f"copy-{id_}",
            origin=Origin(origin, b"\0" * 32),
        )
        copy = Copy(TENANT, "L1", source, id_, to, f"copy-{id_}", "", 0)
        await self.store.journal.write(Write(TENANT, entry=entry, copies=(copy,)))

    async def find(self, text: str, here: Channel = FALCON) -> Findings:
        await self.search.search.indexing.catch_up(TENANT)
        return await self.search.find(TENANT, ADA, ALICE, here, text, "")


@pytest.fixture
async def chat(store: Store, tmp_path: Path) -> AsyncIterator[Chat]:
    clock = store.journal.clock
    acts = Acts(store.journal, clock)
    duties = StoredDuties(store.database.hot, acts, clock)
    async with search_on(
        store.database, tmp_path, store.reader, store.companies, duties, acts, clock
    ) as search:
        rooms = Rooms([FALCON])
        ways = {platform: Ways() for platform in Platform}
        announcers = {platform: FakeAnnouncer({}) for platform in Platform}
        links, blind = FakeLinkBook(), Blind()
        await links.add(TENANT, (FALCON, PROJECT), "test")
        made = ChatSearch(
            search,
            store.reader,
            duties,
            store.copies,
            {Platform.SLACK: rooms},
            announcers,
            ways,
            clock,
            blind,
            links,
        )
        yield Chat(store, made, rooms, duties, blind)


async def spoken(chat: Chat) -> None:
    await chat.say("1700000001.000001", "plan in falcon", FALCON)
    crossed = await chat.say("1700000002000", "plan in project", PROJECT)
    await chat.copied(crossed, PROJECT, "1700000002000", FALCON)
    await chat.say("1700000003000", "plan before the link", PROJECT)
    await chat.say("1700000004.000001", "plan in secret", SECRET)


async def test_an_employee_finds_what_stands_in_their_channels_from_either_side(
    chat: Chat,
) -> None:
    await spoken(chat)

    found = await chat.find("plan")

    assert {hit.text for hit in found.hits} == {"plan in falcon", "plan in project"}
    assert found.count == 2
    copy = next(hit for hit in found.hits if hit.text == "plan in project")
    assert copy.address == f"{FALCON}/copy-1700000002000"


async def test_whoever_left_a_channel_finds_nothing_of_it(chat: Chat) -> None:
    await spoken(chat)
    chat.rooms.channels = []

    assert (await chat.find("plan")).count == 0
    assert (await chat.find(f"in:{SECRET.id}")).count == 0


async def test_whoever_may_not_read_there_finds_nothing_of_what_is_bridged(
    chat: Chat,
) -> None:
    await spoken(chat)
    chat.rooms.channels = [FALCON, SECRET]
    chat.blind.people = {ALICE.id}

    alone, aloud = await chat.find("plan"), await chat.find("plan", PROJECT)

    assert {hit.text for hit in alone.hits} == {"plan in secret"}
    assert aloud.count == 0


async def test_where_membership_is_not_known_nothing_is_found(chat: Chat) -> None:
    await spoken(chat)
    chat.rooms.down = True

    with pytest.raises(ServiceUnavailable):
        await chat.find("plan")


async def test_an_answer_that_everybody_reads_is_about_that_channel_alone(
    chat: Chat,
) -> None:
    await spoken(chat)

    found = await chat.find("plan", PROJECT)

    assert {hit.text for hit in found.hits} == {
        "plan in project",
        "plan before the link",
    }
    assert "everybody here reads" in found.scope


@pytest.mark.parametrize("asked", ["is:held", "hold:m1", "dlp:iban", "-label:x"])
async def test_nobody_learns_from_a_search_whether_they_are_under_a_hold(
    chat: Chat, asked: str
) -> None:
    with pytest.raises(BadInput, match="for compliance officers"):
        await chat.find(f"plan {asked}")


async def test_an_officer_finds_everything_and_is_on_record(chat: Chat) -> None:
    await spoken(chat)
    await chat.duties.assign(TENANT, BEN, BEN, Duty.ASSIGN)
    await chat.duties.assign(TENANT, BEN, ADA, Duty.SEARCH)

    found = await chat.find("plan")

    assert found.count == 4
    assert ADA.name in found.scope
    entries = await chat.store.reader.entries(TENANT, -1, 100)
    [run] = [e for e in entries if e.etype == "search.run"]
    assert run.body["detail"]["result_count"] == 4
    assert run.body["detail"]["query"] == "plan"
