"""Real processes that are killed in the middle of erasing and rotating."""

import asyncio
import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from bots.core import Core, core
from bridge.compliance import Duty, Officer
from bridge.messages import Person, Platform
from bridge.ports import Commitment
from storage.compliance.keys import rotation
from storage.hot import Statement
from tests.contract.test_journal import YES
from tests.databases import with_tables
from tests.e2e.process import forked
from tests.events import message
from tests.patient import patient

ADA, BEN, CLARA = Officer("cli:ada"), Officer("cli:ben"), Officer("cli:clara")


async def _victim(home: Path, what: str, at: str) -> None:
    """Erase or rotate, and die on the way: at a step, or after so many keys."""
    rotation._PAGE = 4
    async with core(patient(home), "victim") as built:
        if what == "erase":
            eraser = replace(built.eraser, told=lambda step: _die(now=step == at))
            await eraser.erase("acme", ADA, "slack|U0")
        else:
            await built.rotation.rotate(
                "acme", ADA, lambda done, _size: _die(now=done >= int(at))
            )


def _die(*, now: bool) -> None:
    if now:
        os.kill(os.getpid(), signal.SIGKILL)


def killed(home: Path, what: str, at: str) -> None:
    assert forked(_victim, home, what, at) == -signal.SIGKILL


@pytest.fixture
def home(tmp_path: Path) -> Path:
    asyncio.run(_begun(tmp_path))
    return tmp_path


async def _begun(home: Path) -> None:
    with_tables(home)
    async with core(patient(home), "tests") as built:
        await built.companies.create("acme", "Acme", "admin@acme.example")
        await built.ring.begin("acme")
        await built.duties.assign("acme", CLARA, CLARA, Duty.ASSIGN)
        await built.duties.assign("acme", CLARA, ADA, Duty.ERASE)
        await built.duties.assign("acme", CLARA, BEN, Duty.APPROVE)
        for n in range(12):
            author = Person(Platform.SLACK, f"U{n % 6}", "somebody")
            event = message(ts=f"17.{n:06}", author=author)
            await built.journal.append(Commitment("acme", event, (YES,), ()))
        asked = await built.eraser.ask("acme", ADA, "slack|U0")
        await built.approvals.approve("acme", BEN, asked)


async def _erased(built: Core) -> list[bool]:
    entries = await built.log.entries("acme", -1, 1000)
    return [e.erased for e in entries if e.etype == "message.create"]


@pytest.mark.parametrize("step", ["requested", "kept", "shredded", "forgotten"])
async def test_an_erasure_is_finished_by_the_next_process(
    home: Path, step: str
) -> None:
    killed(home, "erase", step)

    async with core(patient(home), "tests") as built:
        assert (await built.log.verify("acme")).fault == ""
        assert await built.eraser.resume("acme") == 1

        assert await _erased(built) == [n % 6 == 0 for n in range(12)]
        assert (await built.log.verify("acme")).fault == ""
        assert [e.state for e in await built.eraser.all("acme")] == ["done"]


@pytest.mark.parametrize("at", ["4", "12"])
async def test_a_rotation_is_finished_by_the_next_process(home: Path, at: str) -> None:
    killed(home, "rotate", at)

    async with core(patient(home), "tests") as built:
        assert (await built.log.verify("acme")).fault == ""
        both = await built.rotation.status("acme")
        assert [wraps.version.state for wraps in both] == ["retired", "active"]
        assert all(wraps.count for wraps in both)
        assert await built.rotation.rotate("acme", ADA) == 2

        [old, new] = await built.rotation.status("acme")
        assert (old.count, new.version.number) == (0, 2)
        assert (await built.log.verify("acme")).fault == ""
        rows = await built.database.hot.fetch(
            Statement("SELECT count(*) FROM log WHERE etype = 'key.rotate'")
        )
        assert rows[0][0] == 1
