"""A company's key is rotated while everybody writes, and the old one destroyed."""

import asyncio
import shutil
from pathlib import Path

import pytest

from bridge.errors import BadInput, Conflict, Refused, StoreUnavailable
from storage.compliance.keys import KeyFile, SealBroken
from storage.compliance.keys.earlier import Earlier
from storage.compliance.keys.rotation import KeyRotation
from storage.hot import Statement
from tests.contract.conftest import TENANT, Store, assemble
from tests.contract.officers import ADA, BEN, Office
from tests.contract.test_subject_keys import as_before, by, keys, refs, said


def rotation(store: Store) -> KeyRotation:
    office, clock = Office.of(store), store.journal.clock
    return KeyRotation(
        store.ring,
        Earlier(store.ring, store.reader, clock),
        office.acts,
        office.duties,
        office.approvals,
        clock,
    )


async def destroyed(store: Store) -> list[int]:
    made = rotation(store)
    await Office.of(store).agree(await made.ask_to_destroy(TENANT, ADA))
    return await made.destroy_old(TENANT, ADA)


async def versions(store: Store) -> set[int]:
    return {row[4] for row in (await keys(store)).values()}


@pytest.fixture
async def office(store: Store) -> Office:
    made = Office.of(store)
    await made.open()
    return made


async def leaves(store: Store) -> list[bytes]:
    rows = await store.database.hot.fetch(
        Statement("SELECT leaf FROM log ORDER BY seq")
    )
    return [bytes(row[0]) for row in rows]


@pytest.mark.usefixtures("office")
async def test_every_key_is_wrapped_again_and_no_leaf_changes(store: Store) -> None:
    for n in range(5):
        await said(store, by(f"U{n}", n))
    before = await leaves(store)

    assert await rotation(store).rotate(TENANT, ADA) == 2

    assert await versions(store) == {2}
    assert (await leaves(store))[: len(before)] == before
    stranger = store.another_process("two")
    assert (await stranger.reader.verify(TENANT)).fault == ""
    entries = await stranger.reader.entries(TENANT, -1, 99)
    assert [e.body["detail"] for e in entries if e.etype == "key.rotate"] == [
        {"from": 1, "to": 2, "provider": "file"}
    ]


@pytest.mark.usefixtures("office")
async def test_everybody_goes_on_writing_while_keys_are_rotated_and_destroyed(
    store: Store,
) -> None:
    other = store.another_process("two")
    stop = asyncio.Event()

    async def writing(process: Store, name: str) -> int:
        count = 0
        while not stop.is_set():
            await asyncio.gather(
                *(said(process, by(f"{name}{count + n}", count + n)) for n in range(3))
            )
            count += 3
        return count

    async def rotating() -> None:
        for _ in range(3):
            await rotation(store).rotate(TENANT, ADA)
            await destroyed(store)
        stop.set()

    written = await asyncio.gather(writing(store, "A"), writing(other, "B"), rotating())

    stranger = store.another_process("three")
    assert (await stranger.reader.verify(TENANT)).fault == ""
    entries = await stranger.reader.entries(TENANT, -1, 10_000)
    said_by = [e for e in entries if e.etype == "message.create" and e.body]
    assert len(said_by) == (written[0] or 0) + (written[1] or 0)
    assert await store.keys.versions(TENANT) == [4]
    assert 1 not in await versions(store)


class Breaking(KeyFile):
    """A key file that stops wrapping under version 2 after a while."""

    left = 7

    async def wrap(self, tenant: str, version: int, ref: str, secret: bytes) -> bytes:
        if version == 2:
            Breaking.left -= 1
            if Breaking.left < 0:
                raise StoreUnavailable("the keys do not answer")
        return await super().wrap(tenant, version, ref, secret)


@pytest.mark.usefixtures("office")
async def test_a_rotation_that_was_cut_short_is_finished_by_the_next(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(12):
        await said(store, by(f"U{n}", n))
    monkeypatch.setattr("storage.compliance.keys.rotation._PAGE", 4)
    monkeypatch.setattr(Breaking, "left", 7)
    breaking = assemble(store.database, Breaking(store.keys.folder), "two")

    with pytest.raises(StoreUnavailable):
        await rotation(breaking).rotate(TENANT, ADA)

    assert await versions(store) == {1, 2}
    with pytest.raises(Conflict, match="still wrap"):
        await rotation(store).ask_to_destroy(TENANT, ADA)
    stranger = store.another_process("three")
    assert (await stranger.reader.verify(TENANT)).fault == ""
    assert await rotation(stranger).rotate(TENANT, ADA) == 2
    assert await versions(store) == {2}


async def test_old_versions_are_destroyed_only_with_a_second_person(
    store: Store, office: Office, tmp_path: Path
) -> None:
    await said(store, by("U1"))
    stolen = tmp_path / "stolen"
    shutil.copytree(store.keys.folder, stolen)
    with pytest.raises(Conflict, match="rotate first"):
        await rotation(store).ask_to_destroy(TENANT, ADA)
    await rotation(store).rotate(TENANT, ADA)
    approval = await rotation(store).ask_to_destroy(TENANT, ADA)
    with pytest.raises(Refused):
        await rotation(store).destroy_old(TENANT, ADA)
    assert store.keys.path(TENANT).exists()
    await office.agree(approval)

    assert await rotation(store).destroy_old(TENANT, ADA) == [1]

    assert not store.keys.path(TENANT).exists()
    assert (await store.reader.verify(TENANT)).fault == ""
    # Whoever has the old version opens nothing with it any more.
    thief = assemble(store.database, KeyFile(stolen), "thief")
    with pytest.raises((BadInput, SealBroken)):
        await thief.reader.entries(TENANT, -1, 99)
    await store.another_process("two").ring.check(TENANT)


async def test_rotating_is_a_duty(store: Store) -> None:
    with pytest.raises(Refused):
        await rotation(store).rotate(TENANT, BEN)


@pytest.mark.usefixtures("office")
async def test_a_process_that_missed_a_rotation_wraps_nothing_under_the_old_version(
    store: Store,
) -> None:
    other = store.another_process("two")
    await said(other, by("U1"))
    await rotation(store).rotate(TENANT, ADA)

    await said(other, by("U2", 2))
    await said(other, by("U3", 3))

    assert await versions(store) == {2}
    assert (await store.reader.verify(TENANT)).fault == ""


async def test_entries_of_before_outlive_the_key_file_that_their_keys_came_from(
    store: Store,
) -> None:
    behind = assemble(store.database, store.keys, "two")
    await as_before(behind, [by("U1"), by("U2", 1), by("U3", 2)])
    await Office.of(behind).open()
    await said(behind, by("U2", 5))
    before = [ref for ref in await refs(store) if ref.startswith("tenant:")]

    await rotation(behind).rotate(TENANT, ADA)
    await destroyed(behind)

    assert await store.keys.versions(TENANT) == [2]
    stranger = store.another_process("three")
    assert (await stranger.reader.verify(TENANT)).fault == ""
    kept = await keys(store)
    company = await stranger.ring.company(TENANT)
    assert [kept[ref][1] for ref in before] == [
        company.person(f"slack|U{n}") for n in (1, 2, 3)
    ]
