"""A company's workspaces and tenants from the command line."""

from pathlib import Path

import pytest

from tests.command_line import CommandLine

TENANT = "teams:7e4a4700-0000-4000-8000-000000000002"


@pytest.fixture
def atom(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    atom = CommandLine(tmp_path, capsys)
    atom.set_up()
    atom.set_up("globex")
    return atom


def accounts(atom: CommandLine, company: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = atom.done(
        "accounts", "list", "--company", company, "--json"
    ).json
    return found


def test_accounts_are_added_named_listed_and_removed(atom: CommandLine) -> None:
    atom.done("accounts", "add", "slack:T02GLOBEX", "--company", "globex")
    atom.done("accounts", "add", TENANT, "--name", "Globex", "--company", "globex")
    atom.done(
        "accounts", "add", "slack:T02GLOBEX", "--name", "G", "--company", "globex"
    )

    before = accounts(atom, "globex")
    shown = atom.done("accounts", "list", "--company", "globex").out
    atom.done("accounts", "remove", "slack:T02GLOBEX", "--company", "globex")

    assert before == [
        {"account": "slack:T02GLOBEX", "name": "G"},
        {"account": TENANT, "name": "Globex"},
    ]
    assert "T02GLOBEX" in shown
    assert accounts(atom, "globex") == before[1:]
    assert accounts(atom, "acme") == []
    assert "None yet" in atom.done("accounts", "list", "--company", "acme").out


def test_every_change_is_in_the_companys_log(atom: CommandLine) -> None:
    atom.done("accounts", "add", "slack:T02GLOBEX", "--company", "globex")

    ran = atom.run("accounts", "add", "slack:T02GLOBEX", "--company", "acme")

    assert "belongs to another company" in ran.err
    texts = {
        company: [
            entry["text"]
            for entry in atom.done("log", "show", "--company", company, "--json").json
        ]
        for company in ("acme", "globex")
    }
    change = "make slack:T02GLOBEX the company's"
    assert texts == {
        "acme": [change, f"refused: {change}"],
        "globex": [change, f"done: {change}"],
    }


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (("add", "T02GLOBEX"), "no account"),
        (("add", "slack:C02FALCON"), "no account"),
        (("add", "teams:globex"), "no account"),
        (("remove", "slack:T01ACME"), "is not acme's"),
    ],
)
def test_what_is_no_account_of_the_companys_is_refused(
    atom: CommandLine, line: tuple[str, ...], told: str
) -> None:
    ran = atom.run("accounts", *line, "--company", "acme")

    assert ran.code == 1
    assert told in ran.err


def test_a_channel_of_another_company_or_of_none_is_not_linked(
    atom: CommandLine,
) -> None:
    atom.variables |= {
        "ATOM_SLACK_SIGNING_SECRET": "signed",
        "ATOM_SLACK_BOT_TOKEN": "xoxb-token",
    }
    atom.done("accounts", "add", "slack:T01ACME", "--company", "acme")
    atom.done("accounts", "add", "slack:T02GLOBEX", "--company", "globex")
    ours = "slack:T01ACME/C1"

    for foreign in ("slack:T02GLOBEX/C2", "slack:T03NOBODY/C3", "teams:19:x/19:y"):
        ran = atom.run("link", ours, foreign, "--company", "acme")

        assert ran.code == 1
        assert f"{foreign} is not known to belong to company acme" in ran.err
