"""Admins hear once of accounts that looked like somebody's."""

from bots.refusal_telling import RefusalTelling
from bridge.directory.accounts import Account, AccountLink, Confidence, How
from bridge.messages import Channel, Platform
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
