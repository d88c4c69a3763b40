"""`atom setup`, and what every line of the command line has in common."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command_line import CommandLine
from tests.servers import Postgres

ROOT = Path(__file__).parents[2]


@pytest.fixture
def atom(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(tmp_path, capsys)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def contents(folder: Path) -> dict[str, bytes]:
    """Every file, but what SQLite keeps beside its database while it is open."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and not path.name.endswith(("-wal", "-shm"))
    }


def test_a_company_gets_its_key_its_settings_file_and_what_to_do_next(
    atom: CommandLine,
) -> None:
    ran = atom.done("setup", "--company-id", "acme", "--admin-email", "a@acme.example")

    assert mode(atom.folder / "var/keys/acme.key") == 0o600
    assert mode(atom.folder / "atom.toml") == 0o600
    assert mode(atom.folder / "var") == 0o700
    assert "a@acme.example" in ran.out
    assert "atom doctor" in ran.out


def test_a_second_time_changes_nothing_and_says_so(atom: CommandLine) -> None:
    atom.set_up()
    before = contents(atom.folder)

    ran = atom.done("setup", "--company-id", "acme", "--admin-email", "b@acme.example")

    assert "nothing changed" in ran.out
    assert "admin@acme.example" in ran.out
    assert contents(atom.folder) == before


def test_another_company_keeps_the_settings_file(atom: CommandLine) -> None:
    atom.set_up()
    (atom.folder / "atom.toml").write_text("port = 9000\n")

    atom.set_up("globex")

    assert (atom.folder / "atom.toml").read_text() == "port = 9000\n"
    assert (atom.folder / "var/keys/globex.key").exists()


def test_a_lost_key_is_not_replaced_by_another(atom: CommandLine) -> None:
    atom.set_up()
    (atom.folder / "var/keys/acme.key").unlink()

    ran = atom.run("setup", "--company-id", "acme", "--admin-email", "a@acme.example")

    assert ran.code == 1
    assert "restore it" in ran.err
    assert not (atom.folder / "var/keys/acme.key").exists()


@pytest.mark.parametrize(
    ("company", "email"),
    [
        ("Acme", "a@acme.example"),
        ("acme corp", "a@acme.example"),
        ("-acme", "a@acme.example"),
        ("../acme", "a@acme.example"),
        ("a" * 64, "a@acme.example"),
        ("acme", "admin"),
        ("acme", "admin@acme"),
        ("acme", "two people@acme.example"),
    ],
)
def test_a_wrong_id_or_address_is_one_clear_line_and_makes_nothing(
    atom: CommandLine, company: str, email: str
) -> None:
    ran = atom.run("setup", f"--company-id={company}", f"--admin-email={email}")

    assert ran.code == 1
    assert ran.err.startswith("atom: '")
    assert ran.err.count("\n") == 1
    assert contents(atom.folder) == {}


def test_the_file_that_atom_config_names_is_made(atom: CommandLine) -> None:
    atom.variables["ATOM_CONFIG"] = "settings.toml"

    atom.set_up()

    assert (atom.folder / "settings.toml").exists()
    assert not (atom.folder / "atom.toml").exists()


@pytest.mark.parametrize(
    "line",
    [
        ("fly",),
        ("link", "slack:T/C"),
        ("status", "--yaml"),
        ("log",),
        ("log", "show", "--last", "none"),
    ],
)
def test_a_line_that_is_not_understood_ends_with_2_and_one_line(
    atom: CommandLine, line: tuple[str, ...]
) -> None:
    ran = atom.run(*line)

    assert ran.code == 2
    assert ran.err == "" or ran.err.count("\n") == 1


COMMANDS = (
    "demo serve doctor setup link unlink links status pause resume convert log manifest"
)
LONGER = ["log head", "log show", "log verify", "manifest build"]


@pytest.mark.parametrize("command", [*COMMANDS.split(), *LONGER])
def test_every_command_explains_itself(atom: CommandLine, command: str) -> None:
    ran = atom.done(*command.split(), "--help")

    assert f"Usage: atom {command}" in ran.out


@pytest.mark.parametrize(
    "command",
    ["links", "status", "log head", "log show", "log verify", "pause L1", "serve"],
)
def test_without_a_company_every_command_says_to_set_one_up(
    atom: CommandLine, command: str
) -> None:
    ran = atom.run(*command.split())

    assert ran.code == 1
    assert "atom setup" in ran.err
    assert ran.err.count("\n") == 1


def test_a_wrong_setting_is_one_line_without_a_traceback(atom: CommandLine) -> None:
    atom.variables["ATOM_PORT"] = "many"

    ran = atom.run("links")

    assert (ran.code, ran.err) == (
        1,
        "atom: ATOM_PORT must be a port from 0 to 65535\n",
    )


@pytest.mark.parametrize("command", ["setup", "links", "serve"])
def test_a_folder_that_cannot_be_made_is_one_line_that_names_the_setting(
    atom: CommandLine, command: str
) -> None:
    (atom.folder / "a-file").write_text("")
    atom.variables["ATOM_HOME"] = str(atom.folder / "a-file" / "home")
    more = ("--company-id", "acme", "--admin-email", "a@acme.example")

    ran = atom.run(command, *(more if command == "setup" else ()))

    assert ran.code == 1
    assert "ATOM_HOME" in ran.err
    assert ran.err.count("\n") == 1


def test_with_several_companies_one_must_be_named(atom: CommandLine) -> None:
    atom.set_up("acme")
    atom.set_up("globex")

    unnamed = atom.run("links")
    named = atom.run("links", "--company", "globex", "--json")
    unknown = atom.run("links", "--company", "initech")

    assert (unnamed.code, named.json, unknown.code) == (1, [], 1)
    assert "--company" in unnamed.err
    assert "initech" in unknown.err


def test_the_module_is_the_command_and_a_reader_may_stop_reading(
    tmp_path: Path,
) -> None:
    line = f"{sys.executable} -m bots --help | head -c 1 > /dev/null; echo $?"
    variables = {**os.environ, "PYTHONPATH": str(ROOT)}

    ran = _run(["bash", "-o", "pipefail", "-c", line], tmp_path, variables)

    assert ran.stderr == ""


def _run(
    line: list[str], folder: Path, variables: dict[str, str]
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        line,
        cwd=folder,
        env=variables,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


_COMMANDS = (
    ("links",),
    ("log", "head"),
    ("setup", "--company-id", "acme", "--admin-email", "a@acme.example"),
)


@pytest.mark.parametrize("command", _COMMANDS, ids=" ".join)
def test_a_database_that_does_not_answer_ends_in_one_line_that_names_the_setting(
    atom: CommandLine, command: tuple[str, ...]
) -> None:
    atom.variables["ATOM_DATABASE_URL"] = "postgresql://atom:hush@127.0.0.1:9/atom"

    ran = atom.run(*command)

    assert ran.code == 1
    assert ran.err == (
        "atom: PostgreSQL does not answer (asked: 127.0.0.1:9): "
        "start it, or correct ATOM_DATABASE_URL\n"
    )


@pytest.mark.parametrize(
    ("at", "said"),
    [
        ("nobody:hush@127.0.0.1:{port}/postgres", "refuses the user or the password"),
        ("atom:hush@127.0.0.1:{port}/nowhere", "has no such database: make it"),
    ],
    ids=["user", "database"],
)
def test_what_postgres_does_not_take_is_said_with_the_setting(
    atom: CommandLine, postgres: Postgres, at: str, said: str
) -> None:
    url = f"postgresql://{at.format(port=postgres.port)}"
    atom.variables["ATOM_DATABASE_URL"] = url

    ran = atom.run("links")

    assert (ran.code, ran.err.count("\n")) == (1, 1)
    assert said in ran.err
    assert "ATOM_DATABASE_URL" in ran.err
    assert "hush" not in ran.err


def test_a_start_without_its_database_names_the_setting(tmp_path: Path) -> None:
    variables = {k: v for k, v in os.environ.items() if not k.startswith("ATOM_")}
    variables |= {
        "PYTHONPATH": str(ROOT),
        "ATOM_DATABASE_URL": "postgresql://atom:hush@127.0.0.1:9/atom",
    }

    ran = _run([sys.executable, "-m", "bots", "serve"], tmp_path, variables)

    assert ran.returncode == 1
    assert ran.stderr == (
        "atom: PostgreSQL does not answer (asked: 127.0.0.1:9): "
        "start it, or correct ATOM_DATABASE_URL\n"
    )
