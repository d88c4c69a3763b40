"""What movers keep for a while, at the command line."""

import json
from pathlib import Path

import pytest
import yaml

from tests.command_line import CommandLine
from tests.integration.test_cli_directory import ME, _trust_me


@pytest.fixture
def atom(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """A company in which Ana Weber has moved from Finance to Sales, and keeps that."""
    made = CommandLine(tmp_path, capsys)
    made.set_up()
    made.variables["ATOM_DIRECTORY_PEOPLE"] = str(tmp_path / "people.yaml")
    made.variables["ATOM_DIRECTORY_RUNS"] = json.dumps({"on": True, "keep": {"*": 3}})
    for group in ("fin", "sales"):
        person = {"id": "ana", "name": "Ana Weber", "groups": [group]}
        groups = {"fin": {"name": "Finance", "in": "all"}, "sales": "Sales", "all": ""}
        content = yaml.safe_dump({"people": [person], "groups": groups})
        (tmp_path / "people.yaml").write_text(content, "utf-8")
        made.done("directory", "sync")
    return made


def test_it_is_listed_and_ended_on_record_by_who_has_the_duty(
    atom: CommandLine,
) -> None:
    refused = atom.run("users", "kept", "end", "Ana Weber", "Finance")
    _trust_me(atom)

    listed = atom.done("users", "kept", "list").out
    before = atom.done("users", "show", "ana", "--json").json["kept"]
    ended = atom.done("users", "kept", "end", "ana weber", "finance")
    after = atom.done("users", "kept", "list", "Ana Weber", "--json").json
    again = atom.run("users", "kept", "end", "ana")
    log = atom.done("log", "show", "--last", "20", "--json").json

    assert refused.code == 1
    assert "duty" in refused.err
    assert "group Finance" in listed
    assert [kept["id"] for kept in before] == ["group:all", "group:fin"]
    assert "Ana Weber does not keep group Finance any more." in ended.out
    assert "group all any more" in ended.out  # Finance is in it
    assert after == []
    assert (again.code, again.err) == (1, "atom: Ana Weber keeps nothing.\n")
    told = [entry for entry in log if entry["type"] == "directory.grace"][-1]
    assert told["author"] == ME


def test_nobody_of_that_name_keeps_anything(atom: CommandLine) -> None:
    _trust_me(atom)

    for line, said in (
        (("list", "eve"), "The directory knows nobody as eve."),
        (("end", "ana", "Sales"), "Ana Weber keeps nothing of that name."),
    ):
        ran = atom.run("users", "kept", *line)
        assert (ran.code, ran.err) == (1, f"atom: {said}\n")
    assert len(atom.done("users", "kept", "list", "--json").json) == 2
