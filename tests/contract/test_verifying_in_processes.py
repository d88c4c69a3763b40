"""Whoever verifies a log with several processes finds what one would find."""

import asyncio
import time
from dataclasses import replace

from storage.compliance.acts import Act, Acts
from storage.compliance.keys.shredding import destroyed
from storage.compliance.portions import Portion, Portions, whole
from storage.crew import Crew
from storage.log_reader import LogReader, Verdict
from tests.contract.conftest import TENANT, Store
from tests.contract.proofs import said, tamper
from tests.contract.test_tampering import changeable, other, put, rows_of

_SIZE = 18
_CREW = Crew(2, least=0, at_once=4)


async def verified(store: Store) -> Verdict:
    """Verify with processes, and make sure that it is what is found without."""
    alone = await store.reader.verify(TENANT)
    seen: list[int] = []
    reader = LogReader(store.database.hot, store.ring, _CREW)
    together = await reader.verify(TENANT, lambda done, _size: seen.append(done))
    assert together == alone
    assert seen == sorted(seen)
    return together


async def portions_of(store: Store) -> list[Portion]:
    cutter = Portions(
        store.database.hot,
        store.reader.keys.opened,
        await store.reader.gone(TENANT),
        _CREW.at_once,
    )
    return [portion async for portion in cutter.of(TENANT, 0, _SIZE)]


async def hashes(portion: Portion) -> bytes:
    """Return what a process of a crew answers."""
    return await asyncio.to_thread(whole, portion)


async def test_a_whole_log_is_whole_for_all_of_them(store: Store) -> None:
    await said(store, _SIZE)

    assert (await verified(store)).intact
    portions = await portions_of(store)
    assert [len(await hashes(p)) // 32 for p in portions] == [4, 4, 4, 4, 2]


async def test_no_column_can_be_changed_without_their_noticing(store: Store) -> None:
    await said(store, _SIZE)
    rows, portions = await rows_of(store), await portions_of(store)

    for column in changeable():
        before = rows[5][column]
        await put(store, 5, column, other(column, before))
        assert not await hashes(portions[1]), column
        await put(store, 5, column, before)
        assert await hashes(portions[1]), column


async def test_the_first_fault_is_named_wherever_it_is(store: Store) -> None:
    await said(store, _SIZE)
    rows = await rows_of(store)
    for seq, column in ((13, "ct"), (10, "raw_ct"), (11, "conv")):
        await put(store, seq, column, other(column, rows[seq][column]))

    found = await verified(store)

    assert found.fault == "entry 10: column raw_ct does not open with its key"


async def test_what_was_cut_off_or_out_is_missed(store: Store) -> None:
    await said(store, _SIZE)
    await tamper(store, "DELETE FROM log WHERE seq > 15")
    cut_off = await verified(store)
    await tamper(store, "DELETE FROM log WHERE seq = 7")

    assert cut_off.fault == "entry 16 and later are missing"
    assert (await verified(store)).fault == "entry 7 is missing"


async def test_what_was_destroyed_has_to_be_said(store: Store) -> None:
    await said(store, _SIZE)
    rows = await store.reader.entries(TENANT, -1, 1)
    ref = rows[0].row["key_ref"]
    acts = Acts(store.journal, store.journal.clock)
    change = destroyed(TENANT, [ref], time.time_ns() // 1000)
    act = Act(TENANT, "erasure.shred", "atom", "one", {})
    await acts.note(act, (change,), rekeys=True)
    silent = await verified(store)
    await acts.note(replace(act, detail={"keys": [ref]}))

    assert silent.fault == "entry 0: its key is destroyed, and no entry says why"
    assert (await verified(store)).intact
