"""Real processes that are killed in the middle of erasing and rotating."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from bots.core import Core, core
from bridge.compliance import Duty, Officer
from bridge.messages import Person, Platform
from bridge.ports import Commitment
from storage.hot import Statement
from tests.contract.test_journal import YES
from tests.events import message
from tests.patient import patient

ADA, BEN, CLARA = Officer("cli:ada"), Officer("cli:ben"), Officer("cli:clara")

_PROGRAM = """
import asyncio, os, signal, sys
from dataclasses import replace
from pathlib import Path
from bots.core import core
from bridge.compliance import Officer
from storage.compliance.keys import rotation
from tests.patient import patient

home, what, at = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
rotation._PAGE = 4

def die(now):
    if now:
        os.kill(os.getpid(), signal.SIGKILL)

async def main():
    async with core(patient(home), "victim") as built:
        ada = Officer("cli:ada")
        if what == "erase":
            eraser = replace(built.eraser, told=lambda step: die(step == at))
            await eraser.erase("acme", ada, "slack|U0")
        else:
            told = lambda done, size: die(done >= int(at))
            await built.rotation.rotate("acme", ada, told)

asyncio.run(main())
"""


def killed(home: Path, what: str, at: str) -> None:
    command = [sys.executable, "-c", _PROGRAM, str(home), what, at]
    done = subprocess.run(command, check=False, capture_output=True, timeout=60)
    assert done.returncode == -9, done.stderr.decode()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    asyncio.run(_begun(tmp_path))
    return tmp_path


async def _begun(home: Path) -> None:
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
    await asyncio.to_thread(killed, home, "erase", step)

    async with core(patient(home), "tests") as built:
        assert (await built.log.verify("acme")).fault == ""
        assert await built.eraser.resume("acme") == 1

        assert await _erased(built) == [n % 6 == 0 for n in range(12)]
        assert (await built.log.verify("acme")).fault == ""
        assert [e.state for e in await built.eraser.all("acme")] == ["done"]


@pytest.mark.parametrize("at", ["4", "12"])
async def test_a_rotation_is_finished_by_the_next_process(home: Path, at: str) -> None:
    await asyncio.to_thread(killed, home, "rotate", at)

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
