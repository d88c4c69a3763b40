"""People's accounts: sealed, renewed by one at a time, and gone when they are let go."""

import asyncio
from dataclasses import replace

import pytest

from bridge.records.connections import (
    Attempt,
    Connection,
    Identity,
    Stranger,
    Tokens,
    Wanted,
)
from bridge.records.model import System
from storage.compliance.acts import Acts
from storage.compliance.keys import SealBroken
from storage.hot import Program, Statement
from storage.records.accounts import StoredConnections
from storage.records.log import StoredRecordLog
from storage.records.sealing import CompanySeal
from storage.records.sign_ins import StoredSignIns
from tests.contract.conftest import TENANT, Store, ticking_clock

JIRA, SNOW = System.JIRA, System.SERVICENOW
ALICE = Connection(TENANT, "p-alice", JIRA, "acme", "alice@acme.example", "5b10", 9)
BOB = replace(ALICE, person="p-bob", name="bob@acme.example")
FIRST = Tokens("access-one", "refresh-one", 1_000, "https://acme.atlassian.net")
SECOND = Tokens("access-two", "refresh-two", 2_000)
WANTED = Wanted(TENANT, "p-alice", "slack:U1", "Alice", JIRA, "acme")
LATER = 1 << 62


@pytest.fixture
def book(store: Store, acts: Acts) -> StoredConnections:
    return of_process(store, acts)


def of_process(store: Store, acts: Acts) -> StoredConnections:
    log = StoredRecordLog(acts)
    return StoredConnections(store.database.hot, store.ring, log, ticking_clock())


@pytest.fixture
def sign_ins(store: Store) -> StoredSignIns:
    return StoredSignIns(store.database.hot, CompanySeal(store.ring), lambda: clock[0])


clock = [0]


@pytest.fixture(autouse=True)
def begun() -> None:
    clock[0] = 1_000_000


async def dumped(store: Store) -> str:
    tables = (
        "SELECT * FROM record_account",
        "SELECT * FROM record_attempt",
        "SELECT * FROM record_sign_in",
    )
    rows = [
        [
            bytes(cell) if isinstance(cell, bytes | memoryview) else cell
            for cell in tuple(row)
        ]
        for table in tables
        for row in await store.database.hot.fetch(Statement(table))
    ]
    return str(rows)


async def test_an_account_is_kept_sealed_and_on_record(
    book: StoredConnections, store: Store
) -> None:
    await book.keep(ALICE, FIRST, "slack:U1")

    held = await book.get(TENANT, "p-alice", JIRA, "acme")

    assert held is not None
    assert (held.connection, held.tokens) == (ALICE, FIRST)
    text = await dumped(store)
    assert "p-alice" in text
    assert not any(one in text for one in ("access-one", "refresh-one", "alice@"))
    assert "access-one" not in repr(held)
    entries = await store.reader.entries(TENANT, -1, 99)
    assert [each.etype for each in entries] == ["record.connect"]
    assert "access-one" not in str(entries[0].body)


async def test_accounts_are_one_persons_one_companys_one_instances(
    book: StoredConnections,
) -> None:
    elsewhere = replace(ALICE, system=SNOW, name="alice")
    await book.keep(ALICE, FIRST, "slack:U1")
    await book.keep(elsewhere, SECOND, "slack:U1")
    await book.keep(BOB, SECOND, "teams:U2")

    assert await book.of(TENANT, "p-alice") == [ALICE, elsewhere]
    assert await book.of(TENANT, "p-carol") == []
    assert await book.of("globex", "p-alice") == []
    assert await book.people(TENANT) == ["p-alice", "p-bob"]
    assert await book.get(TENANT, "p-alice", JIRA, "other") is None
    assert await book.get("globex", "p-alice", JIRA, "acme") is None


async def test_another_persons_tokens_do_not_open_in_ones_place(
    book: StoredConnections, store: Store
) -> None:
    await book.keep(ALICE, FIRST, "slack:U1")
    await book.keep(BOB, SECOND, "teams:U2")

    def swap() -> Program[None]:
        yield Statement(
            "UPDATE record_account SET (sealed, key_ref) = (SELECT sealed, key_ref "
            "FROM record_account WHERE person = 'p-bob') WHERE person = 'p-alice'"
        )

    await store.database.hot.run(swap)

    with pytest.raises(SealBroken):
        await book.get(TENANT, "p-alice", JIRA, "acme")


async def test_only_one_of_many_may_renew_in_whatever_process(
    book: StoredConnections, store: Store, acts: Acts
) -> None:
    await book.keep(ALICE, FIRST, "slack:U1")
    other = of_process(store.another_process("two"), acts)
    held = await book.get(TENANT, "p-alice", JIRA, "acme")
    assert held is not None

    answers = await asyncio.gather(
        *(
            each.renewing(held, f"task-{number}-{n}", LATER)
            for number in range(5)
            for n, each in enumerate((book, other))
        )
    )

    assert answers.count(True) == 1


async def test_renewed_tokens_replace_those_that_were_renewed_and_no_others(
    book: StoredConnections,
) -> None:
    await book.keep(ALICE, FIRST, "slack:U1")
    old = await book.get(TENANT, "p-alice", JIRA, "acme")
    assert old is not None
    assert not await book.renewed(old, "one", SECOND)
    assert await book.renewing(old, "one", LATER)
    assert not await book.renewed(old, "two", SECOND)

    assert await book.renewed(old, "one", SECOND)

    new = await book.get(TENANT, "p-alice", JIRA, "acme")
    assert new is not None
    assert (new.tokens, new.connection) == (SECOND, ALICE)
    assert new.version > old.version
    assert not await book.renewing(old, "two", LATER)
    assert not await book.renewed(old, "one", FIRST)
    assert await book.renewing(new, "two", LATER)


async def test_who_connects_anew_meanwhile_keeps_what_is_newest(
    book: StoredConnections,
) -> None:
    await book.keep(ALICE, FIRST, "slack:U1")
    old = await book.get(TENANT, "p-alice", JIRA, "acme")
    assert old is not None
    await book.renewing(old, "one", LATER)
    third = Tokens("access-three")

    await book.keep(ALICE, third, "slack:U1")

    assert not await book.renewed(old, "one", SECOND)
    new = await book.get(TENANT, "p-alice", JIRA, "acme")
    assert new is not None
    assert new.tokens == third
    assert await book.renewing(new, "two", LATER)


async def test_a_right_to_renew_ends_with_its_time_or_when_it_is_given_back(
    book: StoredConnections,
) -> None:
    await book.keep(ALICE, FIRST, "slack:U1")
    held = await book.get(TENANT, "p-alice", JIRA, "acme")
    assert held is not None

    assert await book.renewing(held, "one", 5)
    assert await book.renewing(held, "two", LATER)
    assert not await book.renewed(held, "one", SECOND)
    await book.not_renewed(held, "one", broken=False)
    assert not await book.renewing(held, "three", LATER)
    await book.not_renewed(held, "two", broken=False)
    assert await book.renewing(held, "three", LATER)

    await book.not_renewed(held, "three", broken=True)
    [known] = await book.of(TENANT, "p-alice")
    assert known.broken
    assert not await book.renewing(held, "four", LATER)
    await book.keep(ALICE, SECOND, "slack:U1")
    assert await book.of(TENANT, "p-alice") == [ALICE]


async def test_what_is_let_go_of_cannot_be_opened_any_more(
    book: StoredConnections, store: Store
) -> None:
    await book.keep(ALICE, FIRST, "slack:U1")
    keys = "SELECT count(*) FROM subject_key WHERE ref LIKE 'account:%'"

    assert await book.remove(ALICE, "slack:U1", "asked for it") == FIRST
    assert await book.remove(ALICE, "slack:U1", "asked for it") is None

    assert await book.get(TENANT, "p-alice", JIRA, "acme") is None
    assert (await store.database.hot.fetch(Statement(keys)))[0][0] == 0
    entries = await store.reader.entries(TENANT, -1, 99)
    assert [each.etype for each in entries] == ["record.connect", "record.disconnect"]


async def test_a_sign_in_goes_from_a_link_to_an_agreement(
    sign_ins: StoredSignIns, store: Store
) -> None:
    link = await sign_ins.begin(WANTED)
    state, opened = await sign_ins.open(link, "browser")
    attempt = await sign_ins.back(state, "browser")
    who = Identity("5b10", "Alice", "alice@acme.example")
    secret = await sign_ins.found(
        replace(attempt, tokens=FIRST, identity=who), "browser"
    )
    text = await dumped(store)

    done = await sign_ins.agreed(secret, "browser")

    assert attempt == opened
    assert (done.wanted, done.tokens, done.identity) == (WANTED, FIRST, who)
    secrets = (link, state, secret, opened.verifier, "access-one", "refresh-one")
    assert not any(each in text for each in secrets)
    assert link not in repr(opened)
    assert (await dumped(store)) == "[]"


async def test_each_step_is_taken_once_and_in_one_browser(
    sign_ins: StoredSignIns,
) -> None:
    link = await sign_ins.begin(WANTED)
    state, _ = await sign_ins.open(link, "browser")

    with pytest.raises(Stranger):
        await sign_ins.back(state, "another browser")
    attempt = await sign_ins.back(state, "browser")
    with pytest.raises(Stranger):
        await sign_ins.back(state, "browser")
    kept = replace(attempt, tokens=FIRST, identity=Identity("1", "Alice"))
    secret = await sign_ins.found(kept, "browser")
    other = await sign_ins.found(kept, "browser")
    with pytest.raises(Stranger):
        await sign_ins.agreed(secret, "another browser")
    with pytest.raises(Stranger):
        await sign_ins.back(secret, "browser")
    await sign_ins.agreed(secret, "browser")
    for over in (secret, other):
        with pytest.raises(Stranger):
            await sign_ins.agreed(over, "browser")
    with pytest.raises(Stranger):
        await sign_ins.open(link, "browser")


async def test_who_looks_at_links_before_people_do_uses_none_up(
    sign_ins: StoredSignIns,
) -> None:
    link = await sign_ins.begin(WANTED)
    await sign_ins.open(link, "scanner")
    state, _ = await sign_ins.open(link, "browser")
    await sign_ins.open(link, "scanner")

    assert (await sign_ins.back(state, "browser")).wanted == WANTED
    for _ in range(17 + 1):
        await sign_ins.open(link, "scanner")
    with pytest.raises(Stranger):
        await sign_ins.open(link, "scanner")


async def test_sign_ins_end_after_ten_minutes(sign_ins: StoredSignIns) -> None:
    link = await sign_ins.begin(WANTED)
    clock[0] += 300_000_000
    state, _ = await sign_ins.open(link, "browser")
    clock[0] += 300_000_001

    with pytest.raises(Stranger):
        await sign_ins.open(link, "browser")
    with pytest.raises(Stranger):
        await sign_ins.back(state, "browser")
    await sign_ins.sweep()


async def test_a_new_link_ends_the_persons_old_one(sign_ins: StoredSignIns) -> None:
    old = await sign_ins.begin(WANTED)
    state, _ = await sign_ins.open(old, "browser")
    others = await sign_ins.begin(replace(WANTED, person="p-bob"))
    elsewhere = await sign_ins.begin(replace(WANTED, system=SNOW))

    new = await sign_ins.begin(WANTED)

    for call in (sign_ins.open(old, "browser"), sign_ins.back(state, "browser")):
        with pytest.raises(Stranger):
            await call
    for link in (new, others, elsewhere):
        await sign_ins.open(link, "browser")


@pytest.mark.parametrize(
    "made_up", ["", ".", "acme", "acme.", "acme.x", "a\n.x", "x" * 9_999]
)
async def test_what_was_made_up_opens_nothing(
    sign_ins: StoredSignIns, made_up: str
) -> None:
    for call in (
        sign_ins.open(made_up, "browser"),
        sign_ins.back(made_up, "browser"),
        sign_ins.agreed(made_up, "browser"),
    ):
        with pytest.raises(Stranger):
            await call


async def test_two_browsers_that_agree_at_once_end_with_one_account(
    sign_ins: StoredSignIns,
) -> None:
    link = await sign_ins.begin(WANTED)
    secrets = []
    for browser in ("one", "two"):
        state, _ = await sign_ins.open(link, browser)
        attempt: Attempt = await sign_ins.back(state, browser)
        kept = replace(attempt, tokens=FIRST, identity=Identity("1", browser))
        secrets.append((await sign_ins.found(kept, browser), browser))

    answers = await asyncio.gather(
        *(sign_ins.agreed(*each) for each in secrets), return_exceptions=True
    )

    assert [isinstance(each, Stranger) for each in answers].count(True) == 1
