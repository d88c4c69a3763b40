"""Entries are sealed with keys of their people's own, and end with them."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bridge.delivery import AttemptState
from bridge.errors import BadInput, StoreUnavailable
from bridge.messages import Event, Person
from bridge.ports import Outcome, Receipt
from storage.batch import group_commit
from storage.compliance.acts import Act, Acts
from storage.compliance.keys import KeyFile, Keyring
from storage.compliance.keys.items import actor_token
from storage.compliance.keys.shredding import destroyed
from storage.compliance.keys.subjects import SubjectKey, Supply
from storage.hot import Program, Row, Statement
from storage.journal import _entry_of
from storage.sealed import Batch
from storage.writes import Write
from tests.contract.conftest import TENANT, Store, assemble
from tests.contract.test_journal import claimed, commitment
from tests.events import ALICE, FALCON, message

QUARTER_US = 92 * 86_400 * 1_000_000


def by(person: str, n: int = 0) -> Event:
    return message(ts=f"17.{n:06}{person}", author=replace(ALICE, id=person))


async def said(store: Store, event: Event) -> Receipt:
    return await store.journal.append(commitment(event))


async def keys(store: Store) -> dict[str, Row]:
    """Return the rows of subject keys by reference, the names' own left out."""
    rows = await store.database.hot.fetch(
        Statement(
            "SELECT ref, person, quarter, wrapped, version FROM subject_key "
            "WHERE person <> '#names'"
        )
    )
    return {row[0]: row for row in rows}


async def refs(store: Store) -> list[str]:
    rows = await store.database.hot.fetch(
        Statement("SELECT key_ref FROM log ORDER BY seq")
    )
    return [row[0] for row in rows]


async def shred(store: Store, *references: str, say: bool = True) -> None:
    """Destroy keys as an erasure does, and `say` so in the log or not."""
    entry = Act(TENANT, "erasure.shred", "atom", "keys destroyed")
    if say:
        entry = replace(entry, detail={"keys": [*references]})
    change = destroyed(TENANT, references, time.time_ns() // 1000)
    acts = Acts(store.journal, store.journal.clock)
    await acts.note(entry, (change,), rekeys=True)


async def run(store: Store, sql: str, **values: object) -> None:
    def change() -> Program[None]:
        yield Statement(sql, values)

    await store.database.hot.run(change)


async def test_an_entry_names_a_random_key_that_stands_wrapped_in_the_database(
    store: Store,
) -> None:
    await said(store, message())

    [ref], rows = await refs(store), await keys(store)
    [entry] = await store.reader.entries(TENANT, -1, 9)
    assert rows[ref][2] in ref
    assert len(bytes(rows[ref][3])) == 12 + 32 + 16
    assert ALICE.id not in "".join(str(value) for value in rows[ref])
    assert not entry.erased


async def test_somebody_has_one_key_a_quarter_and_one_pseudonym(store: Store) -> None:
    clock = store.journal.clock
    for n in range(2):
        await said(store, by("U1", n))
    store.journal.clock = lambda: clock() + QUARTER_US
    await said(store, by("U1", 2))

    first, second, third = await refs(store)
    entries = await store.reader.entries(TENANT, -1, 9)
    assert first == second != third
    assert len({entry.row["actor_tok"] for entry in entries}) == 1
    assert all(entry.body for entry in entries)


async def test_other_people_have_other_keys_and_pseudonyms(store: Store) -> None:
    await asyncio.gather(*(said(store, by(f"U{n}")) for n in range(40)))

    entries = await store.reader.entries(TENANT, -1, 99)
    assert len(set(await refs(store))) == 40
    assert len({entry.row["actor_tok"] for entry in entries}) == 40


async def test_processes_that_hear_somebody_first_at_once_agree_on_a_key(
    store: Store,
) -> None:
    processes = [store, store.another_process("two"), store.another_process("three")]

    await asyncio.gather(
        *(
            said(p, by("U1", 10 * n + i))
            for n, p in enumerate(processes)
            for i in (1, 2)
        )
    )

    assert len(set(await refs(store))) == 1
    assert len(await keys(store)) == 2
    assert len(await store.reader.entries(TENANT, -1, 9)) == 6
    assert (await store.reader.verify(TENANT)).fault == ""


async def test_a_key_that_another_process_destroyed_seals_nothing_more(
    store: Store,
) -> None:
    other = store.another_process("two")
    for n, person in enumerate(("U1", "U2", "U1")):
        await said(store, by(person, n))
    old = await refs(store)

    await shred(other, *set(old))
    # Other people's first, so that this process has the log's end right again.
    for n, person in enumerate(("U3", "U2", "U1"), start=3):
        await said(store, by(person, n))

    entries = [
        e for e in await store.reader.entries(TENANT, -1, 99) if e.row["msg"] != ""
    ]
    assert [entry.erased for entry in entries] == [True] * 3 + [False] * 3
    assert not {entry.row["key_ref"] for entry in entries[3:]} & set(old)
    assert (await store.reader.verify(TENANT)).fault == ""


async def test_what_is_said_in_one_go_with_an_erasure_stays_readable(
    store: Store,
) -> None:
    await said(store, by("U1"))
    [old] = await refs(store)

    await asyncio.gather(
        *(said(store, by("U1", n)) for n in range(1, 4)),
        shred(store, old),
        *(said(store, by("U1", n)) for n in range(4, 8)),
    )

    entries = await store.reader.entries(TENANT, -1, 99)
    shredded = next(e.seq for e in entries if e.etype == "erasure.shred")
    assert all(entry.erased == (entry.seq < shredded) for entry in entries)
    assert (await store.reader.verify(TENANT)).fault == ""


async def test_a_destroyed_key_leaves_neither_text_nor_name(store: Store) -> None:
    await said(store, by("U1"))
    [ref] = await refs(store)
    person = (await keys(store))[ref][1]

    await shred(store, *await keys(store))

    assert person not in str(await keys(store))
    [entry, _] = await store.reader.entries(TENANT, -1, 9)
    assert (entry.erased, entry.body) == (True, {})
    assert (await store.reader.revisions(TENANT, FALCON.id, entry.row["msg"]))[0].erased


async def test_a_key_that_went_without_an_entry_that_says_so_is_found(
    store: Store,
) -> None:
    await said(store, by("U1"))

    await shred(store, *await refs(store), say=False)

    fault = (await store.reader.verify(TENANT)).fault
    assert fault == "entry 0: its key is destroyed, and no entry says why"


async def test_a_key_that_is_missing_is_found(store: Store) -> None:
    await said(store, by("U1"))
    [ref] = await refs(store)

    await run(store, "DELETE FROM subject_key WHERE ref = :ref", ref=ref)

    assert (await store.reader.verify(TENANT)).fault == "entry 0: its key is missing"


_ANOTHERS = "wrapped = (SELECT wrapped FROM subject_key WHERE ref = :second)"


@pytest.mark.parametrize(
    "change", [f"{_ANOTHERS}, version = 1", f"{_ANOTHERS}, version = 2", "version = 2"]
)
async def test_a_key_that_was_changed_is_found(store: Store, change: str) -> None:
    await said(store, by("U1"))
    await said(store, by("U2", 1))
    first, second = await refs(store)
    store.keys.create(TENANT, 2)

    update = f"UPDATE subject_key SET {change} WHERE ref = :first"  # noqa: S608
    named = {"first": first} | ({"second": second} if "second" in change else {})
    await run(store, update, **named)

    stranger = store.another_process("two")
    assert (
        await stranger.reader.verify(TENANT)
    ).fault == "entry 0: its key does not open"


async def test_a_body_that_went_without_an_entry_that_says_so_is_found(
    store: Store,
) -> None:
    for n in range(3):
        await said(store, by("U1", n))
    await run(
        store, "UPDATE log SET ct = :empty, raw_ct = NULL WHERE seq > 0", empty=b""
    )

    fault = (await store.reader.verify(TENANT)).fault
    acts = Acts(store.journal, store.journal.clock)
    await acts.note(Act(TENANT, "retention.dispose", "atom", "two", {"seqs": [[1, 2]]}))

    assert fault == "entry 1: column ct is empty, and no entry says why"
    assert (await store.reader.verify(TENANT)).fault == ""
    entries = await store.reader.entries(TENANT, -1, 9)
    assert [entry.erased for entry in entries] == [False, True, True, False]


async def test_a_copy_of_the_database_alone_opens_nothing(store: Store) -> None:
    await said(store, message(text="xyzzy"))
    store.keys.path(TENANT).unlink()
    thief = store.another_process("thief")

    with pytest.raises(BadInput, match="restore it from a backup"):
        await thief.reader.entries(TENANT, -1, 9)

    store.keys.create(TENANT)
    assert (await thief.reader.verify(TENANT)).fault == "entry 0: its key does not open"


class SlowToAnswer(KeyFile):
    """A key file that stops answering."""

    down = False

    async def wrap(self, tenant: str, version: int, ref: str, secret: bytes) -> bytes:
        if SlowToAnswer.down:
            raise StoreUnavailable("the keys do not answer")
        return await super().wrap(tenant, version, ref, secret)


@pytest.fixture
async def halting(store: Store) -> AsyncIterator[Store]:
    yield assemble(store.database, SlowToAnswer(store.keys.folder), "two")
    SlowToAnswer.down = False


async def test_keys_that_do_not_answer_stop_only_who_has_none_yet(
    halting: Store,
) -> None:
    await said(halting, by("U1"))
    SlowToAnswer.down = True

    answers = await asyncio.gather(
        *(said(halting, by(f"U{n % 3}", n)) for n in range(1, 10)),
        return_exceptions=True,
    )

    kept = [not isinstance(answer, BaseException) for answer in answers]
    assert kept == [n % 3 == 1 for n in range(1, 10)]
    SlowToAnswer.down = False
    assert not (await said(halting, by("U2", 50))).duplicate
    assert (await halting.reader.verify(TENANT)).fault == ""


async def as_before(store: Store, events: list[Event]) -> None:
    """Write entries as they were before persons had keys: derived from the file."""
    old = store.keys.load(TENANT)
    writes, supplied = [], {}
    for event in events:
        entry = _entry_of(commitment(event))
        ref = old.reference(entry.subject)
        secret, token = old.subject(ref), actor_token(old.subject(ref))
        supplied[entry.subject] = SubjectKey(ref, secret, token, "", "", "")
        writes.append(Write(TENANT, entry=entry))
    now = store.journal.clock()
    await store.database.hot.run(
        lambda: group_commit(Batch.of(writes, Supply(supplied), now), now, None)
    )


async def test_entries_of_before_stay_readable_and_people_keep_their_pseudonym(
    store: Store,
) -> None:
    await as_before(store, [by("U1"), by("U2", 1)])
    assert all(ref.startswith("tenant:1:") for ref in await refs(store))
    ring = Keyring(store.database.hot, store.keys)
    assert (await ring.company(TENANT)).derived

    await said(store, by("U1", 3))

    entries = await store.reader.entries(TENANT, -1, 9)
    assert (await store.reader.verify(TENANT)).fault == ""
    assert [bool(entry.body) for entry in entries] == [True] * 3
    assert entries[0].row["actor_tok"] == entries[2].row["actor_tok"]
    assert not entries[2].row["key_ref"].startswith("tenant:")


async def test_a_delivery_whose_message_was_erased_knows_it(store: Store) -> None:
    await said(store, by("U1"))
    leases = await claimed(store)
    [delivery] = await store.queue.unfinished(range(256), {TENANT: 1})

    await shred(store, *await refs(store))

    history = await store.ledger.history(delivery)
    assert (history.erased, history.fault) == (True, "")
    assert history.author == Person(FALCON.platform, "")
    outcome = Outcome(AttemptState.DROPPED, "what it says was erased")
    await store.ledger.conclude(delivery, leases[delivery.shard], outcome, history)
    assert (await store.reader.verify(TENANT)).fault == ""
