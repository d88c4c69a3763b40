"""Erasing somebody in a whole ATOM: log, search index, files, holds, the disk."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from shutil import copy

import pytest

from bots.core import Core, core
from bots.erasing import Erasing
from bridge.compliance import Duty, Officer
from bridge.legal_holds import HoldScope
from bridge.messages import Person, Platform
from bridge.ports import Commitment
from storage.compliance.erasure.matters import Matters
from storage.hot import Statement
from storage.shelf import DiskShelf
from tests.contract.test_journal import YES
from tests.databases import with_tables
from tests.events import FALCON, message
from tests.patient import patient

ADA, BEN, CLARA = Officer("cli:ada"), Officer("cli:ben"), Officer("cli:clara")
ALICE = "slack|UALICE"
WORDS = ("zyzzyva", "quokkas")
YEAR_US = 366 * 86_400 * 1_000_000


async def _said(built: Core, person: str, n: int, text: str) -> int:
    author = Person(Platform.SLACK, person, "somebody")
    event = message(ts=f"17.{n:06}", author=author, text=text, raw=text.encode())
    event = replace(event, sent_us=built.journal.clock())
    return (await built.journal.append(Commitment("acme", event, (YES,), ()))).seq


async def _kept_file(built: Core, content: bytes, n: int, folder: Path) -> str:
    async with DiskShelf(folder).room() as room:
        await room.write(content)
        blob = await built.blobs.put("acme", room)
    held = built.blobs.held(blob, "slack", FALCON.id, f"17.{n:06}")

    def program():  # type: ignore[no-untyped-def]  # noqa: ANN202
        for statement in held:  # noqa: UP028 - a tuple cannot be sent rows
            yield statement

    await built.database.hot.run(program)
    return blob.place


@pytest.fixture
async def built(tmp_path: Path) -> AsyncIterator[Core]:
    with_tables(tmp_path)
    async with core(patient(tmp_path), "tests") as made:
        await _begun(made)
        yield made


async def _begun(made: Core) -> None:
    await made.companies.create("acme", "Acme", "admin@acme.example")
    await made.ring.begin("acme")
    await made.duties.assign("acme", CLARA, CLARA, Duty.ASSIGN)
    for duty in (Duty.ERASE, Duty.HOLD):
        await made.duties.assign("acme", CLARA, ADA, duty)
    await made.duties.assign("acme", CLARA, BEN, Duty.APPROVE)


async def _erase(built: Core) -> None:
    asked = await built.eraser.ask("acme", ADA, ALICE)
    await built.approvals.approve("acme", BEN, asked)
    await built.eraser.erase("acme", ADA, ALICE)


def _holding(home: Path, needle: bytes) -> list[str]:
    files = [path for path in home.rglob("*") if path.is_file()]
    return [path.name for path in files if needle in path.read_bytes()]


def _named(home: Path, part: str) -> bool:
    return any(home.rglob(f"*{part}*"))


async def test_nothing_of_it_is_left_on_the_disk(built: Core, tmp_path: Path) -> None:
    seq = await _said(built, "UALICE", 1, f"hello {WORDS[0]}")
    await _said(built, "UBOB", 2, f"hello {WORDS[1]}")
    place = await _kept_file(built, b"the file", 1, tmp_path / "crossing")
    rows = await built.database.hot.fetch(
        Statement(
            "SELECT k.wrapped FROM subject_key k JOIN log l ON l.key_ref = k.ref "
            "WHERE l.seq = :seq",
            {"seq": seq},
        )
    )
    wrapped = bytes(rows[0][0])
    await built.search.indexing.catch_up("acme")
    assert _holding(tmp_path, WORDS[0].encode()) != []
    assert _holding(tmp_path, wrapped) != []
    assert _named(tmp_path, place)

    await _erase(built)

    assert _holding(tmp_path, WORDS[0].encode()) == []
    assert _holding(tmp_path, WORDS[1].encode()) != []
    assert _holding(tmp_path, wrapped) == []
    assert not _named(tmp_path, place)
    assert (await built.log.verify("acme")).fault == ""


async def test_a_hold_over_the_person_wins_until_its_grace_is_over(
    built: Core,
) -> None:
    seq = await _said(built, "UALICE", 1, f"hello {WORDS[0]}")
    scope = HoldScope(people=frozenset({"slack:T01ACME/UALICE"}))
    hold = await built.legal_holds.create("acme", ADA, "Case 7", scope)
    matter = hold.matter.id

    await _erase(built)

    matters = Matters(built.ring, built.log)
    [kept] = await matters.opened("acme", matter, -1, 9)
    assert (kept.seq, kept.body["text"]) == (seq, f"hello {WORDS[0]}")
    assert (await built.log.at("acme", [seq]))[0].erased
    assert await built.eraser.end_matters("acme") == []
    await built.legal_holds.release("acme", ADA, matter)
    assert await built.eraser.end_matters("acme") == []
    assert len(await matters.opened("acme", matter, -1, 9)) == 1

    later = _a_year_on(built)
    await _said(built, "UBOB", 3, "a year on")
    assert await later.end_matters("acme") == [matter]

    assert await matters.opened("acme", matter, -1, 9) == []
    assert (await built.log.verify("acme")).fault == ""


def _a_year_on(built: Core):  # type: ignore[no-untyped-def]  # noqa: ANN202
    clock = built.journal.clock
    built.journal.clock = lambda: clock() + YEAR_US
    holds = built.legal_holds
    time = replace(holds.time, clock=built.journal.clock)
    return replace(built.eraser, holds=replace(holds, time=time))


async def test_a_database_from_before_the_erasure_is_not_served_as_it_is(
    tmp_path: Path,
) -> None:
    home, backup = tmp_path / "home", tmp_path / "atom.db"
    home.mkdir()
    async with core(patient(home), "tests") as built:
        await _begun(built)
        seq = await _said(built, "UALICE", 1, "hello")
        other = await _said(built, "UBOB", 2, "hello")
    copy(home / "atom.db", backup)
    async with core(patient(home), "tests") as built:
        await _erase(built)
    for path in home.glob("atom.db*"):
        path.unlink()
    copy(backup, home / "atom.db")

    async with core(patient(home), "tests") as built:
        assert not (await built.log.at("acme", [seq]))[0].erased
        await Erasing(built.eraser, built.company_ids).before_serving()

        shown = await built.log.at("acme", [seq, other])
        assert [entry.erased for entry in shown] == [True, False]
        assert (await built.log.verify("acme")).fault == ""
