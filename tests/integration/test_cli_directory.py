"""The directory at the command line, as the operator meets it."""

import asyncio
from pathlib import Path

import pytest
import yaml

from bots.command_line.officer import cli_officer
from bots.core import core
from bots.settings import Settings
from bridge.compliance import Duty, Officer
from tests.command_line import CommandLine

CLARA = Officer("teams:acme/29:clara")
ME = cli_officer().name


@pytest.fixture
def atom(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    made = CommandLine(tmp_path, capsys)
    made.set_up()
    made.variables["ATOM_DIRECTORY_PEOPLE"] = str(tmp_path / "people.yaml")
    return made


def _write(atom: CommandLine, count: int, **more: object) -> None:
    people = [{"id": f"p{n}", "name": f"Person {n}"} for n in range(count)]
    content = {
        "people": [{"id": "ana", "name": "Ana Weber", "mail": "ana@acme.com"}, *people],
        "groups": {"team": {"members": ["ana"], "in": "all"}, "all": "Everybody"},
        **more,
    }
    (atom.folder / "people.yaml").write_text(yaml.safe_dump(content), "utf-8")


def _trust_me(atom: CommandLine) -> None:
    """Have somebody else give whoever runs the tests the duty to approve."""
    atom.done("compliance", "officers", "assign", ME, "assign")
    atom.done("compliance", "officers", "assign", CLARA.name, "assign")

    async def give() -> None:
        async with core(Settings(home=atom.folder / "var"), "test") as built:
            await built.duties.assign("acme", CLARA, cli_officer(), Duty.APPROVE)

    asyncio.run(give())


def test_a_dry_run_prints_the_difference_and_changes_nothing(atom: CommandLine) -> None:
    _write(atom, 1)

    dry = atom.done("directory", "sync", "--dry-run")
    before = atom.done("users", "list", "--json").json
    atom.done("directory", "sync")
    after = atom.done("users", "list", "--json").json

    assert "5 would change, version 0" in dry.out
    assert "+ person Ana Weber" in dry.out
    assert before == []
    assert [each["name"] for each in after] == ["Ana Weber", "Person 0"]


def test_people_are_shown_with_what_they_are_in_and_by_which_way(
    atom: CommandLine,
) -> None:
    _write(atom, 1)
    atom.done("users", "sync", "--source", "yaml")

    told = atom.done("users", "show", "ANA@acme.com", "--json").json
    inside = atom.done("users", "list", "--in", "everybody", "--json").json
    nobody = atom.run("users", "show", "eve")

    assert told["in"] == [
        {"id": "group:all", "path": ["team", "Everybody"]},
        {"id": "group:team", "path": ["team"]},
    ]
    assert told["sources"][0]["id"] == "ana"
    assert [each["name"] for each in inside] == ["Ana Weber"]
    assert (nobody.code, nobody.err) == (
        1,
        "atom: The directory knows nobody as eve.\n",
    )


def test_a_mistake_is_one_line_with_its_place_and_removes_nobody(
    atom: CommandLine,
) -> None:
    _write(atom, 3)
    atom.done("directory", "sync")
    path = atom.folder / "people.yaml"
    path.write_text("people:\n  - id: ana\n    nmae: Ana\n", "utf-8")

    ran = atom.run("directory", "sync", "--json")
    status = atom.done("directory", "status", "--json").json

    assert ran.code == 1
    assert ran.json[0]["complete"] is False
    assert "people.yaml: line 3: nmae is not known" in ran.err
    assert ran.err.count("\n") == 1
    assert status["people"] == 4
    assert "line 3" in status["sources"][0]["problem"]


def test_mass_removals_wait_for_somebody_with_the_duty_and_exactly_their_hash(
    atom: CommandLine,
) -> None:
    _write(atom, 60)
    atom.done("directory", "sync")
    _write(atom, 5)

    dry = atom.done("directory", "sync", "--dry-run")
    synced = atom.done("directory", "sync", "--json").json
    [waiting] = synced[0]["waiting"]
    early = atom.run("directory", "approve", waiting["hash"])
    _trust_me(atom)
    wrong = atom.run("directory", "approve", "0" * 32)
    done = atom.done("directory", "approve", waiting["hash"])
    status = atom.done("directory", "status", "--json").json

    assert "55 would wait for somebody's word" in dry.out
    assert len(waiting["changes"]) == 55
    assert early.code == wrong.code == 1
    assert "does not have the duty to approve" in early.err
    assert "No changes with this hash wait" in wrong.err
    assert "55 changes of people hold now" in done.out
    assert status["waiting"] == []
    shown = atom.done("users", "show", "p50", "--json").json
    assert (shown["standing"], shown["sources"][0]["life"]) == ("left", "suspended")
    types = [e["type"] for e in atom.done("log", "show", "--json").json]
    assert types.count("user.deactivate") > 0


def test_without_a_directory_it_is_said_how_to_have_one(atom: CommandLine) -> None:
    del atom.variables["ATOM_DIRECTORY_PEOPLE"]

    ran = atom.run("directory", "status")

    assert ran.code == 1
    assert "ATOM_DIRECTORY_PEOPLE" in ran.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--source", "hr"), "There is no source hr; there are: people (yaml)"),
        (("--ldap-server", "ldaps://h", "--kind", "x"), "--kind is ldap or"),
        (
            ("--ldap-server", "ldaps://h", "--password-file", "nowhere"),
            "--password-file must name a readable text file",
        ),
    ],
)
def test_bad_input_is_answered_in_one_line(
    atom: CommandLine, arguments: tuple[str, ...], said: str
) -> None:
    _write(atom, 1)

    ran = atom.run("directory", "sync", *arguments)

    assert ran.code == 1
    assert said in ran.err
    assert ran.err.count("\n") == 1
