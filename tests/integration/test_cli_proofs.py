"""Proofs from the command line, checked by the stand-alone verifier as a regulator would."""

import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from storage.compliance import verify_atom
from tests.command_line import CommandLine

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
    saved = tmp_path / "saved.db"
    with (
        closing(sqlite3.connect(tmp_path / "var/atom.db")) as database,
        closing(sqlite3.connect(saved)) as copy,
    ):
        database.backup(copy)
    for _ in range(2):
        atom.done("log", "rotate-key")
    shown = atom.done("log", "checkpoint").out
    for left in (tmp_path / "var").glob("atom.db-*"):
        left.unlink()
    shutil.copy(saved, tmp_path / "var/atom.db")

    head, signing = atom.run("log", "head"), atom.run("log", "checkpoint")

    assert (head.code, signing.code) == (1, 1)
    assert "NOT SIGNED ANY MORE" in head.out
    assert shown in head.out
    findings = atom.run("doctor", "--json").json["checks"]
    assert any(f["what"] == "proofs" and f["state"] == "fail" for f in findings)


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
