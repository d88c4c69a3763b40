"""Erasing somebody forgets their accounts and buttons, and nobody else's."""

from dataclasses import replace

import pytest

from bridge.directory.accounts import Account, AccountLink, Confidence, How
from bridge.messages import Platform
from bridge.records.connections import Connection, Tokens, Wanted
from bridge.records.model import System
from storage.compliance.acts import Acts
from storage.hot import Program, Statement
from storage.people.accounts import StoredAccounts
from storage.records.accounts import StoredConnections
from storage.records.acts import StoredActs
from storage.records.carried import StoredCarried
from storage.records.forgetting import forgotten
from storage.records.log import StoredRecordLog
from storage.records.sealing import CompanySeal
from storage.records.sign_ins import StoredSignIns
from tests.contract.conftest import TENANT, Store, ticking_clock
from tests.contract.records_books.conftest import act
from tests.contract.records_books.test_carried import ONE

ALICE = Connection(TENANT, "p-alice", System.JIRA, "acme", "alice")
BY_ACCOUNT = replace(ALICE, person="slack:T1/U_1")
OTHERS = [
    replace(ALICE, person="p-bob"),
    replace(ALICE, person="slack:T1/UX1"),
    replace(ALICE, person="teams:T1/U_1"),
    replace(ALICE, tenant="globex"),
]


@pytest.mark.parametrize("whose", [ALICE, BY_ACCOUNT])
async def test_who_is_erased_can_do_nothing_any_more(
    store: Store, acts: Acts, whose: Connection
) -> None:
    hot, clock = store.database.hot, ticking_clock()
    store.keys.create("globex")
    link = AccountLink(
        Account(Platform.SLACK, "T1", "U_1"),
        "p-alice",
        Confidence.PROVED,
        How.CONFIRMED,
    )
    await StoredAccounts(hot, acts, store.ring, clock).keep(TENANT, link, "theirs")
    book = StoredConnections(hot, store.ring, StoredRecordLog(acts), clock)
    buttons = StoredActs(hot, clock)
    for each in (whose, *OTHERS):
        await book.keep(each, Tokens("access"), "atom")
        await buttons.issue([replace(act("", each.person), tenant=each.tenant)])
        said = replace(ONE, tenant=each.tenant, person=each.person)
        await StoredCarried(hot, clock).keep(replace(said, message=each.person))
    sign_ins = StoredSignIns(hot, CompanySeal(store.ring), clock)
    wanted = Wanted(TENANT, whose.person, "slack:U_1", "A", System.JIRA, "acme")
    await sign_ins.open(await sign_ins.begin(wanted), "browser")

    def program() -> Program[None]:
        for statement in forgotten(TENANT, "slack", "U_1"):  # noqa: UP028 - no rows
            yield statement

    await hot.run(program)

    assert await book.of(TENANT, whose.person) == []
    for each in OTHERS:
        assert len(await book.of(each.tenant, each.person)) == 1

    async def counted(sql: str) -> int:
        return int((await hot.fetch(Statement(sql)))[0][0])

    assert await counted("SELECT count(*) FROM record_act") == len(OTHERS)
    assert await counted("SELECT count(*) FROM record_said") == len(OTHERS)
    assert await counted("SELECT count(*) FROM record_sign_in") == 0
    assert await counted("SELECT count(*) FROM record_attempt") == 0
    keys = "SELECT count(*) FROM subject_key WHERE ref LIKE 'account:%'"
    assert await counted(keys) == len(OTHERS)
