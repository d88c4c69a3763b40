"""Proofs from the command line, checked by the stand-alone verifier as a regulator would."""

import asyncio
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from bots.command_line.officer import cli_officer
from bots.core import core
from bots.settings import Settings
from bridge.compliance import Duty
from storage.compliance import verify_atom
from tests.command_line import CommandLine
from tests.contract.officers import CLARA

VERIFIER = Path(verify_atom.__file__)


@pytest.fixture
def atom(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    atom = CommandLine(tmp_path, capsys)
    atom.set_up()
    return atom


def regulator(*arguments: object) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-I", "-S", VERIFIER, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_a_regulator_checks_what_the_company_gave_out(
    atom: CommandLine, tmp_path: Path
) -> None:
    [key] = atom.done("log", "keys", "--json").json
    for _ in range(2):
        atom.done("log", "rotate-key")
    old = tmp_path / "old.note"
    old.write_text(atom.done("log", "checkpoint").out)
    notes = [k["note"] for k in atom.done("log", "keys", "--json").json[1:]]
    trusted: list[object] = ["--key", key["vkey"]]
    for n, note in enumerate(notes):
        (tmp_path / f"key-{n}.note").write_text(note)
        trusted += ["--key-note", tmp_path / f"key-{n}.note"]
    atom.done("log", "rotate-key")
    last = atom.done("log", "keys", "--json").json[-1]["note"]
    (tmp_path / "key-9.note").write_text(last)
    trusted += ["--key-note", tmp_path / "key-9.note"]

    new, proof, between = tmp_path / "new", tmp_path / "proof", tmp_path / "between"
    new.write_text(atom.done("log", "checkpoint").out)
    atom.done("log", "prove", "1", "--out", str(proof))
    atom.done("log", "consistency", "2", "3", "--out", str(between))
    atom.done("log", "tiles", str(tmp_path / "tiles"))

    for asked in (
        ("checkpoint", new, "--old", old, "--proof", between),
        ("proof", proof),
        ("log", tmp_path / "tiles"),
    ):
        code, told = regulator(*trusted, *asked)
        assert code == 0, told


def test_verify_names_the_entry_and_the_column(
    atom: CommandLine, tmp_path: Path
) -> None:
    for _ in range(3):
        atom.done("log", "rotate-key")
    atom.done("log", "checkpoint")
    assert atom.done("log", "verify", "--json").json["intact"] is True
    with closing(sqlite3.connect(tmp_path / "var/atom.db")) as database, database:
        database.execute("UPDATE log SET outcome = 'allow' WHERE seq = 1")

    ran = atom.run("log", "verify", "--json")
    plain = atom.run("log", "verify")

    assert ran.code == plain.code == 1
    assert (ran.json["seq"], ran.json["column"]) == (1, "outcome")
    assert plain.out == "NOT INTACT: entry 1: column outcome was changed\n"


def test_a_rolled_back_database_is_told_with_both_statements(
    atom: CommandLine, tmp_path: Path
) -> None:
    atom.done("log", "rotate-key")
    with set_back(tmp_path / "var"):
        for _ in range(2):
            atom.done("log", "rotate-key")
        shown = atom.done("log", "checkpoint").out

    head, signing = atom.run("log", "head"), atom.run("log", "checkpoint")

    assert (head.code, signing.code) == (1, 1)
    assert "NOT SIGNED ANY MORE" in head.out
    assert shown in head.out
    findings = atom.run("doctor", "--json").json["checks"]
    assert any(f["what"] == "proofs" and f["state"] == "fail" for f in findings)


def test_two_persons_declare_a_backup_and_an_auditor_is_told(
    atom: CommandLine, tmp_path: Path
) -> None:
    old_key, kept, gone = (tmp_path / name for name in ("key", "kept", "gone"))
    asyncio.run(appoint(tmp_path))
    old_key.write_text(atom.done("log", "keys").out)
    kept.write_text(atom.done("log", "checkpoint").out)
    assert "nothing to declare" in atom.run("log", "declare-restored").err
    with set_back(tmp_path / "var"):
        atom.done("compliance", "officers", "assign", "cli:dora", "read")
        gone.write_text(atom.done("log", "checkpoint").out)
    assert atom.run("log", "checkpoint").code == 1

    asked = atom.done("log", "declare-restored").out
    why = ("--reason", "the disk broke", "--approved")
    assert "second person" in atom.run("log", "declare-restored", *why).err
    asyncio.run(agree(tmp_path, asked.split("approve ")[1].split()[0]))
    assert "--reason" in atom.run("log", "declare-restored", "--approved").err
    note = atom.done("log", "declare-restored", *why).out.split("\n\n", 1)[1]

    restored, new = tmp_path / "restored", tmp_path / "new"
    restored.write_text(note)
    new.write_text(atom.done("log", "checkpoint").out)
    size, before = (int(path.read_text().split("\n")[1]) for path in (new, kept))
    between = tmp_path / "between"
    atom.done("log", "consistency", str(before), str(size), "--out", str(between))
    assert atom.done("log", "verify", "--json").json["intact"] is True
    assert "log.restored" in atom.done("log", "show").out
    trusted = ("--key", old_key, "--key-note", restored)
    follows = ("--proof", between, "--old")
    assert regulator(*trusted, "checkpoint", new)[0] == 0
    assert regulator(*trusted, "checkpoint", new, *follows, kept)[0] == 0
    code, told = regulator(*trusted, "checkpoint", new, *follows, gone)
    assert code == 1
    assert f"a backup was restored, which holds the first {before} of" in told
    assert regulator("--key", old_key, "checkpoint", new)[0] == 1
    tiles = tmp_path / "tiles"
    atom.done("log", "tiles", str(tiles))
    assert regulator(*trusted, "log", tiles)[0] == 0
    atom.done("log", "rotate-key")
    assert atom.done("log", "checkpoint").code == 0


async def appoint(folder: Path) -> None:
    """Trust whoever runs this with keeping the record, and Clara with approving."""
    async with core(Settings(home=folder / "var"), "test") as built:
        me = cli_officer()
        await built.duties.assign("acme", me, me, Duty.ASSIGN)
        await built.duties.assign("acme", me, CLARA, Duty.APPROVE)
        await built.duties.assign("acme", me, CLARA, Duty.ASSIGN)
        await built.duties.assign("acme", CLARA, me, Duty.RETAIN)


async def agree(folder: Path, approval: str) -> None:
    async with core(Settings(home=folder / "var"), "test") as built:
        await built.approvals.approve("acme", CLARA, approval)


@contextmanager
def set_back(home: Path) -> Iterator[None]:
    """Put the database back as it was before what happens meanwhile."""
    saved = home / "saved.db"
    with (
        closing(sqlite3.connect(home / "atom.db")) as database,
        closing(sqlite3.connect(saved)) as copy,
    ):
        database.backup(copy)
    yield
    for left in home.glob("atom.db-*"):
        left.unlink()
    shutil.copy(saved, home / "atom.db")


def test_an_earlier_checkpoint_may_be_given(atom: CommandLine, tmp_path: Path) -> None:
    atom.done("log", "rotate-key")
    note = tmp_path / "note"
    note.write_text(atom.done("log", "checkpoint").out)
    atom.done("log", "rotate-key")

    assert atom.done("log", "verify", "--checkpoint", str(note)).code == 0
    note.write_text(note.read_text().replace("\n1\n", "\n2\n", 1))
    assert atom.run("log", "verify", "--checkpoint", str(note)).code == 1


def test_what_is_not_there_is_said_in_a_line(atom: CommandLine) -> None:
    assert (
        atom.run("log", "prove", "99").err == "atom: there is no entry 99 in the log\n"
    )
    ran = atom.run("log", "consistency", "1", "99")
    assert (ran.code, ran.err.count("\n")) == (1, 1)
