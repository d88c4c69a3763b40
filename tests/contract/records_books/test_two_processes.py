"""Of two processes with connections of their own to one database, one wins."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bridge.records.books import UsedUp
from bridge.records.connections import Connection, Tokens
from bridge.records.model import System
from storage.compliance.acts import Acts
from storage.compliance.keys import KeyFile
from storage.database import opened
from storage.database_url import database_url as parsed
from storage.records.accounts import StoredConnections
from storage.records.acts import StoredActs
from storage.records.cards import StoredCards
from storage.records.changes import StoredChanges
from storage.records.log import StoredRecordLog
from tests.contract.conftest import TENANT, Store, assemble, ticking_clock
from tests.contract.records_books.conftest import act, card

NOW, LATER = 500, 1 << 62


@pytest.fixture
async def other(
    store: Store, database_url: str, tmp_path: Path
) -> AsyncIterator[Store]:
    async with opened(parsed(database_url)) as database:
        yield assemble(database, KeyFile.under(tmp_path), "two")


async def test_one_claim_one_post_one_deed_and_one_renewal(
    store: Store, other: Store, acts: Acts
) -> None:
    both, clock = (store, other), ticking_clock()
    books = [StoredActs(each.database.hot, clock) for each in both]
    cards = [StoredCards(each.database.hot, clock) for each in both]
    changes = [StoredChanges(each.database.hot, clock) for each in both]
    accounts = [
        StoredConnections(each.database.hot, each.ring, StoredRecordLog(acts), clock)
        for each in both
    ]
    button = act()
    await books[0].issue([button])
    await cards[0].plan([card()])
    whose = Connection(TENANT, "p-alice", System.JIRA, "acme", "alice")
    await accounts[0].keep(whose, Tokens("access"), "slack:U1")
    held = await accounts[1].get(TENANT, "p-alice", System.JIRA, "acme")
    assert held is not None

    claims = await asyncio.gather(
        *(b.claim(TENANT, button.token, "p", NOW) for _ in range(4) for b in books),
        return_exceptions=True,
    )
    posts = await asyncio.gather(
        *(c.posting(TENANT, "crd_1") for _ in range(4) for c in cards)
    )
    deeds = await asyncio.gather(
        *(c.begin(TENANT, "deed", NOW) for _ in range(4) for c in changes)
    )
    renewals = await asyncio.gather(
        *(
            account.renewing(held, f"task-{n}-{number}", LATER)
            for n in range(4)
            for number, account in enumerate(accounts)
        )
    )

    assert [each for each in claims if not isinstance(each, UsedUp)] == [button]
    assert posts.count(True) == deeds.count(0) == renewals.count(True) == 1
