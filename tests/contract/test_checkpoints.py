"""Tiles follow the log; what is signed is only ever a log that goes on from before."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select

from bridge.compliance import Duty
from bridge.errors import BadInput, Conflict, StoreUnavailable
from storage.compliance.proofs.checkpoints import verified
from storage.compliance.proofs.keeper import LogBroken, TreeKeeper
from storage.compliance.proofs.merkle import verify_consistency, verify_inclusion
from storage.compliance.proofs.notes import opened
from storage.compliance.proofs.publisher import ClockBehind, Contradiction
from storage.compliance.proofs.restoring import Restoring
from storage.compliance.tree import Frontier
from storage.hot import Insert, Program, Rows, Statement
from storage.tables import metadata
from tests.contract.conftest import TENANT, Store
from tests.contract.officers import ADA, CLARA, Office
from tests.contract.proofs import Proofs, proofs_of, said, tamper


@pytest.fixture
def proofs(store: Store, tmp_path: Path) -> Proofs:
    return proofs_of(store, tmp_path)


async def test_every_entry_is_proved_in_every_later_tree(
    proofs: Proofs, store: Store
) -> None:
    leaves: list[bytes] = []
    for size in (3, 4, 7):
        await said(store, size - len(leaves), len(leaves))
        leaves = [e.row["leaf"] for e in await store.reader.entries(TENANT, -1, 99)]
        assert await proofs.keeper.keep(TENANT) == size

    tree = proofs.keeper.tree
    for size in range(1, 8):
        root = Frontier().extend(leaves[:size]).root()
        assert await tree.root(TENANT, size) == root
        for index in range(size):
            path = await tree.inclusion(TENANT, index, size)
            verify_inclusion(index, size, leaves[index], path, root)
        for old in range(1, size + 1):
            old_root = Frontier().extend(leaves[:old]).root()
            path = await tree.consistency(TENANT, old, size)
            verify_consistency((old, size), (old_root, root), path)


async def test_bundles_hold_the_leaves_and_end_as_one_row_each(
    proofs: Proofs, store: Store
) -> None:
    for first in range(0, 300, 100):
        await asyncio.gather(*(said(store, 1, n) for n in range(first, first + 100)))
        await proofs.keeper.keep(TENANT)

    rows = await fetched(store, "SELECT first, width FROM bundle ORDER BY first")
    assert [tuple(row) for row in rows] == [(0, 256), (256, 44)]
    tiles = await fetched(
        store, "SELECT level, idx, width FROM tile ORDER BY level, idx"
    )
    assert [tuple(row) for row in tiles] == [(0, 0, 256), (0, 1, 44), (1, 0, 1)]


async def test_a_proof_is_one_read(proofs: Proofs, store: Store) -> None:
    await said(store, 3)
    await proofs.keeper.keep(TENANT)
    counted = Counting(store)
    tree = TreeKeeper(counted).tree

    await tree.inclusion(TENANT, 1, 3)
    await tree.consistency(TENANT, 2, 3)

    assert counted.reads == 2


async def test_many_keepers_at_once_do_it_once(proofs: Proofs, store: Store) -> None:
    await said(store, 20)

    sizes = await asyncio.gather(*(proofs.keeper.keep(TENANT) for _ in range(8)))

    assert set(sizes) == {20}
    rows = await fetched(store, "SELECT width FROM tile")
    assert [row[0] for row in rows] == [20]
    rows = await fetched(store, "SELECT sum(width) FROM bundle")
    assert rows[0][0] == 20


async def test_a_keeper_that_was_overtaken_takes_nothing_back(
    proofs: Proofs, store: Store
) -> None:
    await said(store, 5)
    late, hot = Counting(store), store.database.hot

    async def overtaken(program: Callable[[], Program[Any]]) -> Any:
        late.run = hot.run
        await said(store, 4, 5)
        assert await proofs.keeper.keep(TENANT) == 9
        done = await hot.run(program)
        assert await proofs.keeper.tree.size(TENANT) == 9
        return done

    late.run = overtaken  # until it is too late
    assert await TreeKeeper(late).keep(TENANT) == 9

    rows = await fetched(store, "SELECT level, idx, width FROM tile")
    assert [tuple(row) for row in rows] == [(0, 0, 9)]
    assert await proofs.verified() is None


async def test_a_changed_entry_is_not_made_a_tile_of(
    proofs: Proofs, store: Store
) -> None:
    await said(store, 5)
    await tamper(store, "UPDATE log SET msg = 'x' WHERE seq = 3")

    with pytest.raises(LogBroken, match="entry 3"):
        await proofs.keeper.keep(TENANT)
    assert await proofs.keeper.tree.size(TENANT) == 0


async def test_an_empty_log_is_signed_too(proofs: Proofs) -> None:
    seen = await proofs.publisher.publish(TENANT)

    assert seen.checkpoint.size == 0
    assert seen.checkpoint.root == Frontier().root()


async def test_a_checkpoint_is_signed_stored_and_put_beside_the_database(
    proofs: Proofs, store: Store
) -> None:
    await said(store, 2)

    seen = await proofs.publisher.publish(TENANT)

    key = (await proofs.signers.current(TENANT)).verifier
    assert verified(seen.note, [key]).checkpoint == seen.checkpoint
    assert (seen.checkpoint.size, seen.time) == (2, proofs.clock.now)
    head = await store.reader.head(TENANT)
    assert seen.checkpoint.root == head.root
    assert proofs.high_water.read(TENANT) == seen.note
    assert await proofs.publisher.newest(TENANT) == seen


async def test_a_heartbeat_signs_the_same_with_a_later_time(
    proofs: Proofs, store: Store
) -> None:
    await said(store, 1)
    first = await proofs.publisher.publish(TENANT)
    proofs.clock.now += 60

    second = await proofs.publisher.publish(TENANT)

    assert second.checkpoint == first.checkpoint
    assert second.time == first.time + 60


async def test_a_clock_that_went_back_signs_nothing(
    proofs: Proofs, store: Store
) -> None:
    await said(store, 1)
    first = await proofs.publisher.publish(TENANT)
    proofs.clock.now -= 7200
    await said(store, 1, 1)

    with pytest.raises(ClockBehind, match="7200 s"):
        await proofs.publisher.publish(TENANT)

    assert await proofs.publisher.newest(TENANT) == first


async def test_a_database_that_was_rolled_back_is_not_signed(
    proofs: Proofs, store: Store
) -> None:
    await said(store, 3)
    await proofs.publisher.publish(TENANT)
    saved = await dump(store)
    await said(store, 4, 3)
    shown = await proofs.publisher.publish(TENANT)
    await restore(store, saved)
    await said(store, 1, 100)

    with pytest.raises(Contradiction, match="ends at 4, but 7") as told:
        await proofs.publisher.publish(TENANT)

    assert told.value.evidence[0] == shown.note
    assert told.value.evidence[1].splitlines()[1] == "4"


async def test_what_was_set_back_goes_on_once_two_persons_declared_it(
    proofs: Proofs, store: Store
) -> None:
    office, before = Office.of(store), await proofs.publisher.keys(TENANT)
    await office.open()
    await office.duties.assign(TENANT, CLARA, ADA, Duty.RETAIN)
    await said(store, 3)
    kept = await proofs.publisher.publish(TENANT)
    saved = await dump(store)
    await said(store, 9, 3)
    gone = await proofs.publisher.publish(TENANT)
    await restore(store, saved)
    await said(store, 20, 100)  # more than had been signed, and other than that
    restoring = Restoring(
        proofs.publisher, office.acts, office.duties, office.approvals
    )

    approval = await restoring.ask(TENANT, ADA)
    await office.agree(approval)
    known = await restoring.declare(TENANT, ADA, "the disk broke")

    told = opened(known.note, [before[0].key, known.key]).text.splitlines()
    assert told[5] == f"kept {kept.checkpoint.size}"
    assert told[7].startswith(f"signed {gone.checkpoint.size} ")
    assert known.key.name != before[0].key.name
    signed = await proofs.publisher.newest(TENANT)
    assert signed is not None
    assert signed.checkpoint.origin == known.key.name
    assert await proofs.verified() is None
    assert await proofs.verified(kept.note) is None
    with pytest.raises(Conflict, match="nothing to declare"):
        await restoring.look(TENANT)
    await said(store, 1, 200)
    await proofs.publisher.rotate(TENANT)
    assert await proofs.verified() is None


async def test_a_log_that_was_changed_is_no_backup(
    proofs: Proofs, store: Store
) -> None:
    office = Office.of(store)
    await said(store, 3)
    await proofs.publisher.publish(TENANT)
    saved = await dump(store)
    await restore(store, saved)
    forged = {**saved, "bundle": [], "tile": [], "tree": []}
    await restore(store, {k: v for k, v in forged.items() if k in saved})
    await tamper(store, "UPDATE log SET leaf = :leaf WHERE seq = 1", leaf=b"x" * 32)
    restoring = Restoring(
        proofs.publisher, office.acts, office.duties, office.approvals
    )

    with pytest.raises((Contradiction, LogBroken)):
        await restoring.look(TENANT)


async def test_a_log_that_went_on_differently_is_not_signed(
    proofs: Proofs, store: Store
) -> None:
    await said(store, 3)
    await proofs.publisher.publish(TENANT)
    saved = await dump(store)
    await said(store, 4, 3)
    shown = await proofs.publisher.publish(TENANT)
    await restore(store, saved)
    await said(store, 9, 100)

    with pytest.raises(Contradiction, match="first 7 entries are not") as told:
        await proofs.publisher.publish(TENANT)

    assert told.value.evidence[0] == shown.note
    with pytest.raises(Contradiction):
        await proofs.publisher.check(TENANT)


async def test_a_checkpoint_that_somebody_else_signed_is_noticed(
    proofs: Proofs, store: Store
) -> None:
    await said(store, 1)
    seen = await proofs.publisher.publish(TENANT)
    forged = seen.note.replace("\n1\n", "\n2\n", 1)
    await tamper(store, "UPDATE checkpoint SET note = :note", note=forged)

    with pytest.raises(Contradiction, match="not signed by"):
        await proofs.publisher.publish(TENANT)


async def test_a_new_key_takes_over_and_both_vouch_for_it(
    proofs: Proofs, store: Store
) -> None:
    await said(store, 2)
    old = await proofs.signers.current(TENANT)
    before = await proofs.publisher.publish(TENANT)

    known, new = await proofs.publisher.rotate(TENANT)

    assert len(opened(known.note, [old.verifier, new.verifier]).signatures) == 2
    assert known.from_size == 2
    at_takeover = await proofs.publisher.newest(TENANT)
    assert at_takeover
    for key in (old, new):
        verified(at_takeover.note, [key.verifier])
    await said(store, 1, 2)
    after = await proofs.publisher.publish(TENANT)
    assert verified(after.note, [new.verifier]).checkpoint.size == 3
    assert verified(before.note, [old.verifier]).checkpoint.size == 2


async def test_a_key_that_is_not_on_record_signs_nothing(
    proofs: Proofs, store: Store, tmp_path: Path
) -> None:
    await proofs.publisher.publish(TENANT)
    elsewhere = proofs_of(store, tmp_path / "elsewhere")

    with pytest.raises(BadInput, match="copy it from where"):
        await elsewhere.publisher.publish(TENANT)


async def test_old_checkpoints_are_thinned_to_one_an_hour(
    proofs: Proofs, store: Store
) -> None:
    proofs.clock.now -= proofs.clock.now % 3600
    for size in range(1, 7):
        await said(store, 1, size)
        await proofs.publisher.publish(TENANT)
        proofs.clock.now += 1200
    proofs.clock.now += 86_400 - 3600

    await proofs.publisher.thin(TENANT)

    rows = await fetched(store, "SELECT size FROM checkpoint ORDER BY size")
    assert [row[0] for row in rows] == [3, 4, 5, 6]
    assert await proofs.verified() is None


async def test_a_database_that_goes_away_after_signing_contradicts_nothing(
    proofs: Proofs, store: Store
) -> None:
    await said(store, 2)
    await proofs.keeper.keep(TENANT)
    await proofs.signers.current(TENANT)
    gone = Counting(store)
    cut = replace(proofs.publisher, store=gone)

    async def unavailable(_program: object) -> None:
        raise StoreUnavailable("gone")

    gone.run = unavailable  # type: ignore[assignment] # it answers no more
    with pytest.raises(StoreUnavailable):
        await cut.publish(TENANT)
    shown = proofs.high_water.read(TENANT)
    assert shown
    assert await proofs.publisher.newest(TENANT) is None

    await said(store, 1, 2)
    later = await proofs.publisher.publish(TENANT)

    assert later.checkpoint.size == 3
    assert await proofs.verified(shown) is None


class Counting:
    """A store that counts what is read from it."""

    def __init__(self, store: Store) -> None:
        self.hot = store.database.hot
        self.run, self.close = self.hot.run, self.hot.close
        self.address = self.hot.address
        self.reads = 0

    async def fetch(self, statement: Statement) -> Rows:
        self.reads += 1
        return await self.hot.fetch(statement)


async def fetched(store: Store, sql: str) -> Rows:
    return await store.database.hot.fetch(Statement(sql))


_ALL = ("log", "head", "tree_state", "tile", "bundle", "checkpoint", "seen", "outbox")


async def dump(store: Store) -> dict[str, Rows]:
    """Return all rows, as a backup would."""
    return {
        table: await fetched(store, str(select(*metadata.tables[table].columns)))
        for table in _ALL
    }


def names_of(table: str) -> list[str]:
    return [column.name for column in metadata.tables[table].columns]


async def restore(store: Store, saved: dict[str, Rows]) -> None:
    """Put a backup back in place of what is there."""

    def restored() -> Program[None]:
        for table, rows in saved.items():
            yield Statement(str(delete(metadata.tables[table])))
            names = names_of(table)
            if rows:
                yield Insert(table, [dict(zip(names, r, strict=True)) for r in rows])

    await store.database.hot.run(restored)
    store.journal._queues.clear()
