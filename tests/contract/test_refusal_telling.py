"""Admins hear once of accounts that looked like somebody's."""

import asyncio
from dataclasses import dataclass, field

from bots.owner_telling import OwnerTelling
from bots.refusal_telling import RefusalTelling
from bridge.cards import Card
from bridge.directory.accounts import Account, AccountLink, Confidence, How
from bridge.messages import Channel, Person, Platform
from storage.compliance.acts import Acts
from storage.people.accounts import StoredAccounts
from tests.contract.conftest import TENANT, Store, ticking_clock
from tests.fakes import FakeAnnouncer

ADMINS = Channel(Platform.SLACK, "T1", "CADMINS")
MALLORY = Account(Platform.SLACK, "T1", "UMALLORY")
REFUSED = AccountLink(MALLORY, "", Confidence.NONE, How.REFUSED)
BEN = AccountLink(
    Account(Platform.SLACK, "T1", "UBEN"), "p-ben", Confidence.ADDRESS, How.ADDRESS
)


async def telling(store: Store, announcer: FakeAnnouncer) -> RefusalTelling:
    clock = ticking_clock()
    acts = Acts(store.journal, clock)
    accounts = StoredAccounts(store.database.hot, acts, store.ring, clock)
    await accounts.refresh(TENANT)
    announcers = {Platform.SLACK: announcer}
    return RefusalTelling(accounts, acts, announcers, TENANT, str(ADMINS), clock)


async def test_a_refused_account_is_told_of_once_by_one_of_several_processes(
    store: Store,
) -> None:
    announcer = FakeAnnouncer()
    one = await telling(store, announcer)
    await one.accounts.keep(TENANT, REFUSED, "it is a guest, under Ana's address")
    await one.accounts.keep(TENANT, BEN, "it has the address of Ben")
    other = await telling(store.another_process("two"), announcer)

    for each in (one, one, other):
        await each.tell(ADMINS)

    [(channel, card)] = announcer.announced
    assert channel == ADMINS
    assert str(MALLORY) in card.text
    assert "`who UMALLORY is ADDRESS` in a linked channel of Slack" in card.text
    assert "Ana" not in card.text


async def test_what_was_refused_long_ago_is_no_news(store: Store) -> None:
    announcer = FakeAnnouncer()
    one = await telling(store, announcer)
    await one.accounts.keep(TENANT, REFUSED, "it is a guest")
    now = one.clock()
    one.clock = lambda: now + 2 * 86_400_000_000

    await one.tell(ADMINS)

    assert announcer.announced == []


@dataclass
class Chats:
    """Everybody's own chat with ATOM on one platform."""

    said: list[tuple[str, str, Card]] = field(default_factory=list)

    async def alone(self, account: str, person: Person, card: Card) -> None:
        self.said.append((account, person.id, card))


async def test_whose_address_it_has_hears_of_it_once_in_their_own_chats(
    store: Store,
) -> None:
    """Scenario 21: the victim is told, and whoever tries it is not."""
    slack, teams = Chats(), Chats()
    theirs = [
        Account(Platform.SLACK, "T1", "UANA"),
        Account(Platform.TEAMS, "tid", "29:ana"),
        MALLORY,
    ]

    def one(at: Store) -> OwnerTelling:
        chats = {Platform.SLACK: slack, Platform.TEAMS: teams}
        return OwnerTelling(
            lambda _t, who: theirs if who == "p-ana" else [],
            Acts(at.journal, at.journal.clock),
            chats,
        )

    for each in (one(store), one(store.another_process("two"))):
        await each.tell(TENANT, MALLORY, "p-ana")
        await each.tell(TENANT, MALLORY, "p-nobody")

    assert [(a, who) for a, who, _ in (*slack.said, *teams.said)] == [
        ("T1", "UANA"),
        ("tid", "29:ana"),
    ]
    assert str(MALLORY) in slack.said[0][2].text


async def test_what_is_noted_is_told_as_soon_as_it_can_be(store: Store) -> None:
    chats = Chats()
    telling = OwnerTelling(
        lambda *_: [Account(Platform.SLACK, "T1", "UANA")],
        Acts(store.journal, store.journal.clock),
        {Platform.SLACK: chats},
    )
    telling.refused(TENANT, MALLORY, "p-ana")

    task = asyncio.create_task(telling.run())
    async with asyncio.timeout(30):
        while not chats.said:
            await asyncio.sleep(0.01)
    task.cancel()
