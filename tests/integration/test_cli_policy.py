"""The policy at the command line, over a directory in a YAML file."""

from pathlib import Path
from textwrap import dedent

import pytest

from tests.command_line import CommandLine

SLACK, TEAMS = "slack:T1/C1", "teams:19:t/19:c"
PEOPLE = """
    people:
      - {id: ana, name: Ana Weber, mail: ana@acme.com, groups: [team], accounts: [slack:T1/U1]}
      - {id: bob, name: Bob Ray, mail: bob@acme.com, accounts: [slack:T1/U2]}
    groups:
      team: {name: The team, in: [finance]}
      finance: {name: Finance}
"""
RULES = """
    channels: {"slack:T1/C1": {name: fin}}
    rules:
      - {id: finance-talks, allow: bridge.*, who: {group: Finance},
         where: {channel: fin}, reason: Finance talks there.}
    tests:
      - name: the team talks
        given: {user: Bob Ray, groups: [The team]}
        ask: {action: bridge.post, from: fin}
        expect: {effect: allow, rules: [finance-talks]}
"""


@pytest.fixture
def atom(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    people = tmp_path / "people.yaml"
    people.write_text(dedent(PEOPLE))
    made = CommandLine(tmp_path, capsys, {"ATOM_DIRECTORY_PEOPLE": str(people)})
    made.set_up()
    made.done("directory", "sync")
    return made


def rules(atom: CommandLine, text: str = RULES) -> str:
    file = atom.folder / "rules.yaml"
    file.write_text(dedent(text))
    return str(file)


def test_from_a_draft_to_a_rule_in_force_and_back(atom: CommandLine) -> None:
    file, csv = rules(atom), atom.folder / "changes.csv"
    nothing = atom.done("policy", "show").out
    checked = atom.done("policy", "check", file, "--json").json
    tested = atom.done("policy", "test", file).out
    shown = atom.done("policy", "what-if", file, "--csv", str(csv), "--json").json
    atom.done("policy", "publish", shown["hash"][:12])

    assert "ATOM's own policies" in nothing
    assert checked["names_checked"] is True
    assert "the team talks: passes" in tested
    assert csv.read_text().startswith("change,person,name")
    why = ("policy", "why")
    ana = atom.done(*why, "Ana Weber", "post", SLACK, "--json").json
    bob = atom.done(*why, "slack:T1/U2", "post", SLACK, "--json").json
    assert (ana["allowed"], ana["rule"]) == (True, "finance-talks")
    [way] = ana["rules"][0]["ways"]
    assert way["names"] == ["The team", "Finance"]
    assert bob["allowed"] is False
    assert bob["nearest"][0]["missing"] == ["member of Finance (group)"]
    told = atom.done(*why, "bob@acme.com", "post", SLACK).out
    assert "missing 1: member of Finance (group)" in told

    history = atom.done("policy", "history", "--json").json
    assert [v["number"] for v in history] == [1]
    assert history[0]["resolved"]["group|Finance"] == "finance"
    types = [e["type"] for e in atom.done("log", "show", "--json").json]
    assert types.count("policy.publish") == 1
    assert "finance-talks" in atom.done("policy", "show").out
    compiled = atom.done("policy", "show", "--compiled").out
    assert 'permit (principal in Atom::Group::"finance"' in compiled
    assert '@id("atom-tenant")' in compiled


def test_a_move_between_groups_can_be_tried(atom: CommandLine) -> None:
    shown = atom.done("policy", "what-if", rules(atom), "--json").json
    atom.done("policy", "publish", shown["hash"])

    out = atom.done(
        "policy", "what-if", "--person", "Bob Ray", "--joins", "The team"
    ).out

    assert "1 person" in out


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("rules: [{id: a, allow: bridge.pst}]", "line 1, column 24: rules[1].allow"),
        (
            "rules: [{id: a, allow: bridge.post, who: {group: Nobody}}]",
            "the directory has no group 'Nobody'",
        ),
        ("rules: [", "this is not YAML"),
    ],
)
def test_a_mistake_is_told_in_one_line_with_its_place(
    atom: CommandLine, text: str, says: str
) -> None:
    for command in ("check", "what-if", "test"):
        ran = atom.run("policy", command, rules(atom, text))
        assert ran.code == 1
        assert says in ran.err
        assert len(ran.err.strip().splitlines()) == 1


def test_a_mistake_in_cedar_is_told_with_its_place(atom: CommandLine) -> None:
    cedar = atom.folder / "own.cedar"
    cedar.write_text(
        "permit (principal, action, resource)\nwhen { principal.clearence > 1 };"
    )

    ran = atom.run("policy", "check", "--cedar", str(cedar))

    assert ran.code == 1
    assert "line 2, column 18: attribute `clearence`" in ran.err


def test_what_fails_its_tests_is_not_published(atom: CommandLine) -> None:
    file = rules(atom, RULES.replace("effect: allow", "effect: deny"))
    tested = atom.run("policy", "test", file)
    shown = atom.done("policy", "what-if", file, "--json").json
    published = atom.run("policy", "publish", shown["hash"])

    assert tested.code == 1
    assert published.code == 1
    assert "test 'the team talks' fails" in published.err


def test_a_preview_is_void_when_people_moved(atom: CommandLine) -> None:
    shown = atom.done("policy", "what-if", rules(atom), "--json").json
    people = Path(atom.variables["ATOM_DIRECTORY_PEOPLE"])
    people.write_text(dedent(PEOPLE).replace("{id: bob,", "{id: bob, groups: [team],"))
    atom.done("directory", "sync")

    ran = atom.run("policy", "publish", shown["hash"])

    assert ran.code == 1
    assert "The directory changed" in ran.err


def test_decisions_that_are_none_are_told(atom: CommandLine) -> None:
    first = atom.done("log", "show", "--json").json[0]["seq"]

    none = atom.run("policy", "replay", str(first))
    missing = atom.run("policy", "replay", "9999")
    version = atom.run("policy", "rollback", "7")
    unseen = atom.run("policy", "publish", "0123456789ab")

    assert "holds no decision" in none.err
    assert "no entry 9999" in missing.err
    assert "no version 7" in version.err
    assert "look at what it would change first" in unseen.err


def test_without_a_directory_form_is_checked_and_nothing_published(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    atom = CommandLine(tmp_path, capsys)
    atom.set_up()
    checked = atom.done("policy", "check", rules(atom), "--json").json
    tried = atom.run("policy", "what-if", rules(atom))
    why = atom.done("policy", "why", "slack:U1", "post", SLACK, "--json").json

    assert checked["names_checked"] is False
    assert "No directory is configured" in tried.err
    assert (why["allowed"], why["directory"]) == (True, "none")
