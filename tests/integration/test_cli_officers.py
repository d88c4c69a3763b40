"""Officers and approvals at the command line, as the operator meets them."""

import asyncio
import json
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from bots.command_line.officer import cli_officer
from bots.core import core
from bots.settings import Settings
from bridge.compliance import Duty, Officer
from storage.compliance.proofs.notes import VerifierKey, opened
from tests.command_line import CommandLine

CLARA = Officer("teams:acme/29:clara")
ME = cli_officer().name


@pytest.fixture
def atom(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    made = CommandLine(tmp_path, capsys)
    made.set_up()
    return made


def log_of(atom: CommandLine) -> list[tuple[str, str]]:
    shown = atom.done("log", "show", "--json").json
    return [(entry["type"], entry["text"]) for entry in shown]


def test_the_first_duty_is_made_here_and_no_other(atom: CommandLine) -> None:
    assign = ("compliance", "officers", "assign")
    early = atom.run(*assign, CLARA.name, "approve")
    atom.done(*assign, ME, "assign")
    atom.done(*assign, CLARA.name, "approve")
    mine = atom.run(*assign, ME, "read")

    assert (early.code, mine.code) == (1, 1)
    assert "give somebody 'assign' first" in early.err
    assert "Nobody gives a duty to themselves" in mine.err
    listed = atom.done("compliance", "officers", "list", "--json").json
    assert [(t["officer"], t["duty"]) for t in listed] == [
        (ME, "assign"),
        (CLARA.name, "approve"),
    ]
    assert CLARA.name in atom.done("compliance", "officers", "list").out


def test_a_name_or_duty_that_is_none_is_told_in_a_line(atom: CommandLine) -> None:
    for words, hint in (
        (("ada", "assign"), "is no officer"),
        ((ME, "everything"), "is no duty"),
    ):
        ran = atom.run("compliance", "officers", "assign", *words)
        assert ran.code == 1
        assert hint in ran.err
        assert len(ran.err.splitlines()) == 1


def test_the_environment_makes_nobody_somebody_else(
    atom: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("USER", "LOGNAME", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "ceo")

    atom.done("compliance", "officers", "assign", ME, "assign")

    assert atom.done("compliance", "officers", "list", "--json").json[0]["from"] == ME


def test_a_second_person_says_yes_and_the_asker_cannot(atom: CommandLine) -> None:
    async def asked() -> tuple[str, str]:
        async with core(Settings(home=atom.folder / "var"), "test") as built:
            me, desk = Officer(ME), built.approvals
            await built.duties.assign("acme", me, me, Duty.ASSIGN)
            await built.duties.assign("acme", me, CLARA, Duty.ASSIGN)
            await built.duties.assign("acme", CLARA, me, Duty.APPROVE)
            mine = await desk.ask("acme", me, "export mine", "ab" * 32)
            return mine, await desk.ask("acme", CLARA, "export hers", "cd" * 32)

    mine, hers = asyncio.run(asked())

    assert "export hers" in atom.done("compliance", "approvals", "list").out
    assert "second person" in atom.run("compliance", "approvals", "approve", mine).err
    assert hers in atom.done("compliance", "approvals", "approve", hers).out
    left = atom.done("compliance", "approvals", "list", "--json").json
    assert [one["id"] for one in left] == [mine]
    atom.done("compliance", "approvals", "refuse", mine)
    states = atom.done("compliance", "approvals", "list", "--all", "--json").json
    assert {one["id"]: one["state"] for one in states} == {
        mine: "refused",
        hers: "agreed",
    }
    assert ("approval.agree", f"agree {hers}: export hers") in log_of(atom)


def test_the_access_log_is_for_officers_and_tells_of_itself(atom: CommandLine) -> None:
    refused = atom.run("compliance", "access-log")
    atom.done("compliance", "officers", "assign", ME, "assign")

    first = atom.done("compliance", "access-log", "--period", "today", "--json").json
    again = atom.done("compliance", "access-log", "--period", "today", "--json").json

    assert refused.code == 1
    assert "does not have the duty" in refused.err
    assert [one["etype"] for one in first["uses"]] == ["access.refused", "admin.config"]
    assert [one["etype"] for one in again["uses"]][2:] == ["item.view"]
    assert again["uses"][2]["count"] == 2
    assert len(again["uses"][2]["root"]) == 64
    assert "item.view" in atom.done("compliance", "access-log").out
    assert atom.run("compliance", "access-log", "--period", "soon").code == 1


def test_the_report_is_for_who_may_export_and_its_files_are_signed(
    atom: CommandLine,
) -> None:
    refused = atom.run("compliance", "report", "--period", "this-month")

    async def trusted() -> None:
        async with core(Settings(home=atom.folder / "var"), "test") as built:
            me, clara = Officer(ME), CLARA
            await built.duties.assign("acme", me, me, Duty.ASSIGN)
            await built.duties.assign("acme", me, clara, Duty.ASSIGN)
            await built.duties.assign("acme", clara, me, Duty.EXPORT)

    asyncio.run(trusted())
    made = atom.done("compliance", "report", "--period", "this-month", "--json").json

    assert "does not have the duty to export" in refused.err
    data, pdf, note = (Path(atom.folder, name).read_bytes() for name in made["files"])
    pack = json.loads(data)
    keys = [VerifierKey.parse(key) for key in pack["verifier_keys"]]
    told = opened(note.decode(), keys).text.splitlines()
    assert told[-2:] == [
        f"json {sha256(data).hexdigest()}",
        f"pdf {sha256(pdf).hexdigest()}",
    ]
    assert sum(made["controls"].values()) == len(pack["controls"])
    name, text = log_of(atom)[-1]
    assert (name, text.split(" for ")[0]) == ("export.create", "evidence pack")
    folder = Path(atom.folder, made["files"][0].removesuffix(".json") + "-proofs")
    proofs = sorted(folder.glob("*.proof"))
    assert len(proofs) == len(pack["proofs"]) > 0
    assert checked(folder, "proof", *map(str, proofs)) == 0
    assert checked(folder, "note", str(Path(atom.folder, made["files"][2]))) == 0
    other = proofs[0].read_text().replace("index 0", "index 1")
    proofs[0].write_text(other)
    assert checked(folder, "proof", str(proofs[0])) != 0


def checked(folder: Path, *words: str) -> int:
    """Let the enclosed verifier look, with nothing of ours around."""
    key = ["--key", str(folder / "verifier-keys")]
    line = [sys.executable, "-I", str(folder / "verify_atom.py"), *key, *words]
    return subprocess.run(line, capture_output=True, check=False).returncode
