"""Who has the database and the application can hide nothing from who has the tree."""

import shutil
from hashlib import sha256
from pathlib import Path

import pytest

from bridge.compliance import Duty
from bridge.errors import AtomError, Refused
from storage.compliance.keys import KeyFile, Keyring
from storage.compliance.rights.reading import Reading
from storage.log_reader import LogReader
from tests.contract.conftest import TENANT, Store
from tests.contract.officers import ADA, BEN, CLARA, Office
from tests.contract.proofs import proofs_of, said, tamper

DIGEST = sha256(b"destroy").hexdigest()


async def test_the_whole_database_without_the_key_says_nothing(
    store: Store, tmp_path: Path
) -> None:
    await said(store, 3)
    thief = KeyFile(tmp_path / "elsewhere")
    thief.create(TENANT)

    reader = LogReader(store.database.hot, Keyring(store.database.hot, thief))

    with pytest.raises(AtomError):
        await reader.entries(TENANT, -1, 9)


@pytest.mark.parametrize(
    ("sql", "fault"),
    [
        (
            "UPDATE subject_key SET wrapped = NULL WHERE person <> '#names'",
            "its key is destroyed, and no entry says why",
        ),
        ("DELETE FROM subject_key WHERE person <> '#names'", "its key is missing"),
        ("UPDATE log SET ct = ''", "column ct"),
    ],
    ids=["destroyed", "deleted", "emptied"],
)
async def test_what_is_erased_behind_the_log_is_named(
    store: Store, tmp_path: Path, sql: str, fault: str
) -> None:
    proofs = proofs_of(store, tmp_path)
    await said(store, 3)
    await proofs.publisher.publish(TENANT)
    await tamper(store, sql)

    store.ring.forget(TENANT)
    found = await proofs.verified()

    assert found
    assert found.seq == 0
    assert fault in found.text


async def test_two_who_collude_leave_entries_that_cannot_be_taken_out(
    store: Store, tmp_path: Path
) -> None:
    proofs, office = proofs_of(store, tmp_path), Office.of(store)
    await office.open()
    await said(store, 3)
    with pytest.raises(Refused):
        await office.duties.assign(TENANT, ADA, ADA, Duty.READ)
    await office.duties.assign(TENANT, CLARA, ADA, Duty.READ)
    reading = Reading(office.duties, office.acts, store.journal.clock)
    entries = await store.reader.entries(TENANT, -1, 99)
    await reading.show(TENANT, ADA, entries, "curious")
    kept = (await proofs.publisher.publish(TENANT)).note

    [seen] = [
        entry.seq
        for entry in await store.reader.entries(TENANT, -1, 99)
        if entry.etype == "item.view"
    ]
    await tamper(store, "DELETE FROM log WHERE seq = :seen", seen=seen)

    found = await proofs.verified(kept)
    assert found
    assert found.seq == seen


async def test_a_duty_that_was_written_past_the_log_is_named(
    store: Store, tmp_path: Path
) -> None:
    proofs, office = proofs_of(store, tmp_path), Office.of(store)
    await office.open()
    await office.duties.assign(TENANT, CLARA, ADA, Duty.READ)
    await office.duties.revoke(TENANT, CLARA, ADA, Duty.READ)
    assert await proofs.verified() is None

    await tamper(
        store,
        "INSERT INTO duty (tenant, officer, duty, granted_by, granted_us) "
        "VALUES ('acme', 'cli:ada', 'compliance.read', 'cli:clara', 1)",
    )
    given = await proofs.verified()
    await tamper(store, "DELETE FROM duty WHERE officer IN ('cli:ada', 'cli:ben')")
    taken = await proofs.verified()

    assert given
    assert given.text == "cli:ada has the duty compliance.read, and no entry gave it"
    assert taken
    assert "lacks the duty" in taken.text


async def test_nobody_destroys_keys_alone(store: Store) -> None:
    office = Office.of(store)
    await office.open()
    asked = await office.approvals.ask(TENANT, ADA, "destroy", DIGEST)

    with pytest.raises(Refused):
        await office.approvals.approve(TENANT, ADA, asked)
    with pytest.raises(Refused):
        await office.approvals.spend(TENANT, ADA, DIGEST)
    await office.approvals.approve(TENANT, BEN, asked)
    await office.approvals.spend(TENANT, ADA, DIGEST)


async def test_a_copy_of_the_folder_from_before_is_not_signed_as_it_is(
    store: Store, tmp_path: Path
) -> None:
    proofs = proofs_of(store, tmp_path)
    await said(store, 3)
    await proofs.publisher.publish(TENANT)
    water = tmp_path / "before"
    shutil.copytree(proofs.high_water.folder, water)
    await said(store, 2, 3)
    later = await proofs.publisher.publish(TENANT)
    await tamper(store, "DELETE FROM log WHERE seq > 2")
    await tamper(store, "UPDATE head SET size = 3")

    with pytest.raises(AtomError):
        await proofs.publisher.publish(TENANT)
    found = await proofs.verified(later.note)
    assert found
    assert "signed" in found.text or "ends at" in found.text
