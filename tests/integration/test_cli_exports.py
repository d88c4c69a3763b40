"""Exports at the command line, as officers meet them, and what an outsider checks."""

import asyncio
import os
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from random import Random

import orjson
import pytest

from bots.command_line.officer import cli_officer
from bots.core import Core, core
from bridge.compliance import Duty, Officer
from bridge.ports import Commitment
from storage.compliance import verify_atom
from tests.command_line import CommandLine
from tests.events import message
from tests.exports import tell
from tests.patient import patient

CLARA = Officer("teams:acme/29:clara")
ME = cli_officer()
EXPORT = ("compliance", "export", "--all", "--format", "all", "--out", "out.zip")


@pytest.fixture
def atom(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    made = CommandLine(tmp_path, capsys)
    made.set_up()

    async def prepared() -> None:
        async with core(patient(tmp_path / "var"), "test") as built:
            await built.duties.assign("acme", ME, ME, Duty.ASSIGN)
            await built.duties.assign("acme", ME, CLARA, Duty.ASSIGN)
            await built.duties.assign("acme", ME, CLARA, Duty.APPROVE)
            await built.duties.assign("acme", CLARA, ME, Duty.EXPORT)
            await tell(built.journal)

    asyncio.run(prepared())
    return made


def approved(atom: CommandLine) -> None:
    """Have Clara agree to all that waits."""

    async def agreed() -> None:
        async with core(patient(atom.folder / "var"), "test") as built:
            for waiting in await built.approvals.waiting("acme"):
                await built.approvals.approve("acme", CLARA, waiting.id)

    asyncio.run(agreed())


def in_core(atom: CommandLine, what: Callable[[Core], Awaitable[None]]) -> None:
    async def ran() -> None:
        async with core(patient(atom.folder / "var"), "test") as built:
            await what(built)

    asyncio.run(ran())


def vkey(atom: CommandLine) -> str:
    async def known() -> str:
        async with core(patient(atom.folder / "var"), "test") as built:
            return str((await built.signers.known("acme"))[-1].key)

    return asyncio.run(known())


def test_an_export_takes_two_persons_and_is_on_record(atom: CommandLine) -> None:
    asked = atom.run(*EXPORT)
    again = atom.run(*EXPORT)
    approved(atom)
    made = atom.done(*EXPORT, "--json").json

    assert (asked.code, again.code) == (1, 1)
    approval = asked.err.split("approvals approve ")[1].split("'")[0]
    assert f"approvals approve {approval}'" in again.err
    assert made["counts"]["exported"] == 9
    assert not (atom.folder / "var/exports" / made["id"]).exists()
    [listed] = atom.done("compliance", "exports", "--json").json
    assert (listed["id"], listed["sha256"]) == (made["id"], made["sha256"])
    assert (listed["officer"], listed["approval"]) == (ME.name, approval)
    log = atom.done("log", "show", "--json").json
    assert [e["type"] for e in log][-2:] == ["export.create", "export.download"]
    assert atom.run(*EXPORT).code == 1  # an approval is for one time


def test_a_stranger_is_shown_that_every_byte_is_what_it_was(atom: CommandLine) -> None:
    atom.run(*EXPORT)
    approved(atom)
    atom.done(*EXPORT)
    folder = atom.folder / "stick"
    with zipfile.ZipFile(atom.folder / "out.zip") as archive:
        archive.extractall(folder)
    key = vkey(atom)
    program = folder / "verify_atom.py"

    for what in ("out.zip", str(folder)):
        command = [sys.executable, "-I", str(program), "--key", key, "export", what]
        ran = subprocess.run(
            command, cwd=atom.folder, capture_output=True, text=True, check=False
        )
        assert (ran.returncode, ran.stderr) == (0, "")
        assert ran.stdout.startswith("OK")


def test_no_byte_can_be_changed(atom: CommandLine) -> None:
    atom.run(*EXPORT)
    approved(atom)
    atom.done(*EXPORT)
    folder, arguments = atom.folder / "stick", ["--key", vkey(atom), "export"]
    with zipfile.ZipFile(atom.folder / "out.zip") as archive:
        archive.extractall(folder)
    chance = Random(7)
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    some = [p for p in files if p.parent.name not in {"proofs", "text"}]
    some += chance.sample([p for p in files if p not in some], 8)
    assert verify_atom.main([*arguments, str(folder)]) == 0

    for path in some:
        data = path.read_bytes()
        at, bit = chance.randrange(len(data)), 1 << chance.randrange(8)
        path.write_bytes(data[:at] + bytes([data[at] ^ bit]) + data[at + 1 :])
        assert verify_atom.main([*arguments, str(folder)]) == 1, (path, at)
        path.write_bytes(data)
    (folder / "more").write_text("added")
    assert verify_atom.main([*arguments, str(folder)]) == 1


def test_what_cannot_be_asked_is_told_in_a_line(atom: CommandLine) -> None:
    base = ("compliance", "export", "--out", "out.zip")
    for words, hint in (
        ((*base, "--all", "--format", "pst"), "is no format"),
        ((*base, "--all", "--tz", "Mars/Base"), "zone"),
        ((*base, "--all", "--from", "soon"), "is no date"),
        ((*base, "--channel", "C1"), "is no channel address"),
        ((*base, "--all", "--as-of", "9999"), "cannot be exported as of more"),
        ((*base, "--all", "--from", "2030-02-01", "--to", "2030-01-01"), "ends before"),
        (
            ("compliance", "export", "--all", "--out", "no/such/out.zip"),
            "cannot be written",
        ),
        (base, "say which"),
    ):
        ran = atom.run(*words)
        assert ran.code != 0
        assert hint in ran.err
        assert len(ran.err.splitlines()) == 1


def test_a_search_says_what_is_exported_as_of_when_it_was_asked(
    atom: CommandLine,
) -> None:
    search = ("--query", "(draft OR psst) after:-90d", "--format", "native")
    command = ("compliance", "export", *search, "--out", "found.zip")
    refused = atom.run(*command)
    approved(atom)

    async def more(built: Core) -> None:
        later = message(ts="19.1", text="another draft", sent_us=1_900_000_900_000_000)
        await built.journal.append(Commitment("acme", later, (), ()))

    in_core(atom, more)
    made = atom.done(*command, "--json").json

    assert "a second person" in refused.err
    assert made["counts"]["matched"] == 2
    with zipfile.ZipFile(atom.folder / "found.zip") as archive:
        manifest = orjson.loads(archive.read("manifest.json"))
    assert "draft" in manifest["query"]["query"]
    assert "-90d" not in manifest["query"]["query"]
    odd = atom.run("compliance", "export", "--query", "colour:red", "--out", "x.zip")
    assert "colour" in odd.err


def test_nobody_without_the_duty_exports_or_looks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    atom = CommandLine(tmp_path, capsys)
    atom.set_up()
    atom.done("compliance", "officers", "assign", ME.name, "assign")

    for words in (EXPORT, ("compliance", "exports")):
        assert "does not have the duty" in atom.run(*words).err


def test_every_hand_over_is_on_record(atom: CommandLine) -> None:
    atom.run(*EXPORT)
    approved(atom)
    made = atom.done(*EXPORT, "--json").json
    custody = ("compliance", "custody", made["id"])

    atom.done(*custody, "--to", "Dr. Weiß, counsel", "--purpose", "Falcon v. Eagle")

    [listed] = atom.done("compliance", "exports", "--json").json
    [passed] = listed["custody"]
    assert passed["recipient"] == "Dr. Weiß, counsel"
    assert passed["sha256"] == made["sha256"]
    assert "Dr. Weiß" in atom.done("compliance", "exports").out
    assert atom.done("log", "show", "--json").json[-1]["type"] == "export.custody"
    unknown = atom.run("compliance", "custody", "nope", "--to", "x", "--purpose", "y")
    assert "There is no export nope" in unknown.err


def test_killed_processes_leave_an_export_that_goes_on(atom: CommandLine) -> None:
    async def more(built: Core) -> None:
        said = [message(ts=f"17.{n:06}", text=f"word {n}") for n in range(500)]
        written = (built.journal.append(Commitment("acme", e, (), ())) for e in said)
        await asyncio.gather(*written)

    in_core(atom, more)
    whole = ("compliance", "export", "--all", "--format", "all", "--out", "whole.zip")
    atom.run(*whole)
    approved(atom)
    size = str(atom.done(*whole, "--json").json["counts"]["matched"])
    manifest = zipfile.ZipFile(atom.folder / "whole.zip").read("manifest.json")
    as_of = str(orjson.loads(manifest)["as_of"]["size"])
    command = [*EXPORT, "--as-of", as_of]
    atom.run(*command)
    approved(atom)

    for store in ("format-actiance", "proofs"):
        killed_at(atom, command, f"{store}.bin")
    atom.done(*command)

    assert size == "509"
    first, second = ((atom.folder / n).read_bytes() for n in ("whole.zip", "out.zip"))
    assert first == second


def killed_at(atom: CommandLine, command: list[str], name: str) -> None:
    """Run a command in a process of its own, and kill it once a file appears."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("ATOM_")}
    environment |= {"TZ": "Asia/Tokyo", "LC_ALL": "C", "PYTHONHASHSEED": "7"}
    running = subprocess.Popen(
        [sys.executable, "-m", "bots", *command],
        cwd=atom.folder,
        env=environment | {"PYTHONPATH": str(Path(verify_atom.__file__).parents[2])},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 120
    try:
        while not [*(atom.folder / "var/exports").glob(f"*/{name}")]:
            assert running.poll() is None, "it ended before it could be killed"
            assert time.monotonic() < deadline
            time.sleep(0.002)
    finally:
        running.send_signal(signal.SIGKILL)
        running.wait()
