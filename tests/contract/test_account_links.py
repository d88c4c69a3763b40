"""Whose accounts are: on record, in memory, and with codes that work once."""

import asyncio
from dataclasses import replace

import pytest

from bridge.directory.accounts import Account, AccountLink, Confidence, How
from bridge.errors import Conflict, NotFound
from bridge.messages import Person, Platform
from storage.compliance.acts import Acts
from storage.people.accounts import StoredAccounts
from tests.contract.conftest import TENANT, Store, ticking_clock

ALICE = Account(Platform.SLACK, "T01ACME", "U01ALICE")
CAROL = Account(Platform.TEAMS, "tid-acme", "29:carol")
BY_ADDRESS = AccountLink(ALICE, "p-alice", Confidence.ADDRESS, How.ADDRESS)


def accounts_of(store: Store) -> StoredAccounts:
    clock = ticking_clock()
    acts = Acts(store.journal, clock)
    return StoredAccounts(store.database.hot, acts, store.ring, clock)


@pytest.fixture
def accounts(store: Store) -> StoredAccounts:
    return accounts_of(store)


async def told(store: Store) -> list[tuple[str, str]]:
    entries = await store.reader.entries(TENANT, -1, 99)
    return [(e.etype, e.body["text"]) for e in entries]


async def test_a_link_is_known_at_once_and_on_record(
    store: Store, accounts: StoredAccounts
) -> None:
    assert accounts.link_of(TENANT, ALICE) is None

    await accounts.keep(TENANT, BY_ADDRESS, "why", "alice@acme.example")

    person = Person(Platform.SLACK, "U01ALICE")
    assert accounts.owner(TENANT, person, "T01ACME") == ("p-alice", 1)
    assert [one.account for one in accounts.accounts(TENANT, "p-alice")] == [ALICE]
    assert await told(store) == [("account.link", "why")]
    assert accounts.owner("globex", person, "T01ACME") is None


async def test_the_same_again_changes_nothing(
    store: Store, accounts: StoredAccounts
) -> None:
    await accounts.keep(TENANT, BY_ADDRESS, "why")
    await accounts.keep(TENANT, BY_ADDRESS, "why")

    assert len(await told(store)) == 1


async def test_another_process_sees_it_at_its_next_look(
    store: Store, accounts: StoredAccounts
) -> None:
    other = accounts_of(store.another_process("two"))
    await other.refresh(TENANT)
    await accounts.keep(TENANT, BY_ADDRESS, "why")
    assert other.link_of(TENANT, ALICE) is None

    assert await other.refresh(TENANT)

    assert other.link_of(TENANT, ALICE) is not None
    doubt = replace(BY_ADDRESS, confidence=Confidence.NONE, how=How.CHANGED)
    await other.keep(TENANT, doubt, "another address")
    assert await accounts.refresh(TENANT)
    assert not await accounts.refresh(TENANT)
    link = accounts.link_of(TENANT, ALICE)
    assert link is not None
    assert link.confidence is Confidence.NONE
    assert (await told(store))[-1] == ("account.doubt", "another address")


async def test_an_id_alone_finds_an_account_as_long_as_it_is_one(
    accounts: StoredAccounts,
) -> None:
    await accounts.keep(TENANT, BY_ADDRESS, "why")
    nowhere = replace(ALICE, account="")
    assert accounts.link_of(TENANT, nowhere) == accounts.link_of(TENANT, ALICE)

    elsewhere = replace(ALICE, account="T02ACME")
    await accounts.keep(TENANT, replace(BY_ADDRESS, account=elsewhere), "why")

    assert accounts.link_of(TENANT, nowhere) is None


async def test_an_address_is_compared_and_not_kept(
    store: Store, accounts: StoredAccounts
) -> None:
    await accounts.keep(TENANT, BY_ADDRESS, "why", "alice@acme.example")

    assert await accounts.rests_on(TENANT, ALICE, ["alice@acme.example"])
    assert not await accounts.rests_on(TENANT, ALICE, ["mallory@acme.example"])
    assert await accounts.rests_on(TENANT, CAROL, ["anything"])
    entries = await store.reader.entries(TENANT, -1, 99)
    assert not any("alice@acme.example" in str(e.body) for e in entries)


async def test_a_code_is_used_once_and_on_the_other_platform(
    accounts: StoredAccounts,
) -> None:
    code = await accounts.code(TENANT, ALICE)

    with pytest.raises(Conflict):
        await accounts.take(TENANT, code, ALICE)
    assert await accounts.take(TENANT, code.lower(), CAROL) == ALICE
    with pytest.raises(NotFound):
        await accounts.take(TENANT, code, CAROL)
    with pytest.raises(NotFound):
        await accounts.take(TENANT, "ABCD-EFGH", CAROL)


async def test_two_who_type_a_code_at_once_do_not_both_get_it(
    store: Store, accounts: StoredAccounts
) -> None:
    other = accounts_of(store.another_process("two"))
    code = await accounts.code(TENANT, ALICE)

    both = await asyncio.gather(
        accounts.take(TENANT, code, CAROL),
        other.take(TENANT, code, CAROL),
        return_exceptions=True,
    )

    assert sorted(type(one).__name__ for one in both) == ["Account", "NotFound"]


async def test_a_code_that_is_too_old_is_worth_nothing(store: Store) -> None:
    now = [10_000_000_000]
    acts = Acts(store.journal, ticking_clock())
    accounts = StoredAccounts(store.database.hot, acts, store.ring, lambda: now[0])
    code = await accounts.code(TENANT, ALICE)
    now[0] += 10 * 60 * 1_000_000 + 1

    with pytest.raises(NotFound, match="10 minutes"):
        await accounts.take(TENANT, code, CAROL)
