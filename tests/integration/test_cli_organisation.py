"""The organisation from the command line, beside a sandbox Slack that has one."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bots.sandbox.slack.grid_seed import ADMIN_TOKEN
from tests.command_line import CommandLine
from tests.sandbox import Sandbox, running_sandbox


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with running_sandbox() as running:
        settings = {"slack.grid": True, "slack.rate_limits": False}
        asyncio.run(running.set(settings))
        yield running


@pytest.fixture
def atom(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], sandbox: Sandbox
) -> CommandLine:
    atom = CommandLine(tmp_path, capsys)
    atom.set_up()
    (tmp_path / "admin_token").write_text(f"{ADMIN_TOKEN}\n")
    atom.variables |= {
        "ATOM_SLACK_SIGNING_SECRET": "sandbox-signing-secret",
        "ATOM_SLACK_BOT_TOKEN": "xoxb-sandbox-T01ACME",
        "ATOM_SLACK_ADMIN_TOKEN_FILE": str(tmp_path / "admin_token"),
        "ATOM_SLACK_API_URL": sandbox.slack_api,
    }
    return atom


def channel(sandbox: Sandbox, id_: str) -> dict[str, Any]:
    return asyncio.run(sandbox.slack_channel(id_))


def test_workspaces_and_channels_are_listed_for_people_and_programs(
    atom: CommandLine,
) -> None:
    spaces = atom.done("workspaces", "list", "--json").json
    within = atom.done("channels", "list", "acme-labs", "--json").json

    assert [one["address"] for one in spaces] == ["acme", "acme-labs", "acme-sales"]
    assert [one["name"] for one in within] == ["lab-notes", "vault"]
    assert within[1]["private"] is True
    assert "Acme Labs" in atom.done("workspaces", "list").out
    assert "lab-notes" in atom.done("channels", "list").out


def test_every_kind_of_change_reaches_slack_and_the_log(
    atom: CommandLine, sandbox: Sandbox
) -> None:
    made = atom.done("channels", "create", "launch", "acme-labs", "--private").out
    id_ = made.rpartition("id is ")[2].strip(" .\n")
    for line in [
        ("rename", "launch", "lift-off"),
        ("share", "lift-off", "acme"),
        ("invite", "lift-off", "nora@acme.example", "U02BOB"),
        ("archive", "lift-off", "--confirm"),
        ("unarchive", "lift-off"),
        ("connect", "vault", "S21RESEARCH"),
    ]:
        atom.done("channels", *line)

    shown = channel(sandbox, id_)
    assert (shown["name"], shown["is_private"]) == ("lift-off", True)
    assert shown["workspaces"] == ["T03LABS", "T01ACME"]
    assert shown["members"] == ["U01ALICE", "U21NORA", "U02BOB"]
    assert atom.done("channels", "groups", "vault", "--json").json == ["S21RESEARCH"]
    entries = atom.done("log", "show", "--json").json
    kinds = [entry["type"] for entry in entries]
    assert kinds == ["admin.intent", "admin.outcome"] * 7
    assert all(entry["author"].startswith("operator:") for entry in entries)
    assert {entry["outcome"] for entry in entries} == {"intended", "done"}
    assert atom.done("log", "verify").code == 0


def test_people_are_put_out_by_the_bot_but_not_where_a_group_decides(
    atom: CommandLine, sandbox: Sandbox
) -> None:
    atom.done("channels", "remove", "project-falcon", "bob@acme.example")
    atom.done("channels", "remove", "C02FALCON", "U02BOB")
    atom.done("channels", "connect", "vault", "S21RESEARCH")

    ran = atom.run("channels", "remove", "vault", "U21NORA")

    assert "U02BOB" not in channel(sandbox, "C02FALCON")["members"]
    assert "U21NORA" in channel(sandbox, "C23VAULT")["members"]
    assert "follows an IDP group" in ran.err


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (("channels", "delete", "vault"), "deleted for good"),
        (("channels", "archive", "vault"), "closed for everybody"),
        (("channels", "move", "vault", "acme"), "move to Acme"),
        (("sessions", "reset", "bob@acme.example"), "Bob Stone would be signed out"),
    ],
)
def test_what_is_dangerous_is_shown_first_and_done_when_confirmed(
    atom: CommandLine, sandbox: Sandbox, line: tuple[str, ...], said: str
) -> None:
    asyncio.run(sandbox.act(action="sign_in", user="U02BOB"))

    ran = atom.run(*line)
    untouched = atom.done("log", "show", "--json").json
    atom.done(*line, "--confirm")

    assert (ran.code, ran.err.count("\n")) == (1, 1)
    assert said in ran.err
    assert "--confirm" in ran.err
    assert untouched == []
    assert len(atom.done("log", "show", "--json").json) == 2


@pytest.mark.parametrize(
    ("settings", "line", "said"),
    [
        ({}, ("channels", "rename", "nothing", "x"), "no channel nothing"),
        ({}, ("channels", "rename", "general", "A B"), "a-z, 0-9"),
        ({}, ("channels", "rename", "lab-notes", "vault"), "of that name already"),
        ({}, ("channels", "archive", "general", "--confirm"), "general channel"),
        ({}, ("channels", "create", "x", "moon"), "there are acme, acme-labs"),
        ({}, ("channels", "share", "lab-notes", "acme-labs"), "see lab-notes already"),
        ({}, ("channels", "connect", "lab-notes", "S21RESEARCH"), "Only private"),
        ({}, ("channels", "connect", "vault", "S404"), "no such group"),
        ({}, ("channels", "invite", "vault", "nobody"), "nobody called nobody"),
        ({}, ("channels", "remove", "general", "U02BOB"), "general channel"),
        ({}, ("channels", "list", "--platform", "irc"), "slack or teams"),
        ({}, ("channels", "list", "--platform", "teams"), "not managed here yet"),
        (
            {"slack.kick_restricted": True},
            ("channels", "remove", "project-falcon", "U02BOB"),
            "through an IDP group",
        ),
        (
            {"slack.scopes": ["users:read"]},
            ("channels", "remove", "project-falcon", "U02BOB"),
            "channels:manage",
        ),
        (
            {"slack.admin_scopes": ["admin.teams:read"]},
            ("channels", "list"),
            "install it again",
        ),
        ({"slack.grid": False}, ("workspaces", "list"), "make a new one"),
    ],
)
def test_what_cannot_be_done_is_one_line_that_says_what_to_do(
    atom: CommandLine,
    sandbox: Sandbox,
    settings: dict[str, Any],
    line: tuple[str, ...],
    said: str,
) -> None:
    asyncio.run(sandbox.set(settings))

    ran = atom.run(*line)

    assert ran.code == 1
    assert said in ran.err
    assert ran.err.count("\n") == 1


def test_without_a_token_it_is_said_which_to_set(atom: CommandLine) -> None:
    del atom.variables["ATOM_SLACK_ADMIN_TOKEN_FILE"]

    ran = atom.run("channels", "list")

    assert "set ATOM_SLACK_ADMIN_TOKEN" in ran.err
    assert (ran.code, ran.err.count("\n")) == (1, 1)


def test_a_bots_token_will_not_do(atom: CommandLine) -> None:
    del atom.variables["ATOM_SLACK_ADMIN_TOKEN_FILE"]
    atom.variables["ATOM_SLACK_ADMIN_TOKEN"] = "xoxb-a-bots"

    ran = atom.run("channels", "list")

    assert "ATOM_SLACK_ADMIN_TOKEN must be the admin app's user token" in ran.err
    assert "xoxb-a-bots" not in ran.err


def test_a_lost_answer_is_logged_as_unknown_and_not_repeated(
    atom: CommandLine, sandbox: Sandbox
) -> None:
    call = "slack.admin.conversations.rename"
    asyncio.run(sandbox.fault(call, "reset_after", times=1))

    ran = atom.run("channels", "rename", "vault", "safe")

    assert ran.code == 1
    assert channel(sandbox, "C23VAULT")["name"] == "safe"
    calls = asyncio.run(sandbox.journal("admin.conversations.rename"))
    assert len(calls) == 1
    entries = atom.done("log", "show", "--json").json
    assert [entry["outcome"] for entry in entries] == ["intended", "unknown"]


def test_sharing_reads_every_page_before_it_replaces(
    atom: CommandLine, sandbox: Sandbox
) -> None:
    asyncio.run(sandbox.set({"slack.longest_page": 1}))
    atom.done("channels", "share", "lab-notes", "acme")

    atom.done("channels", "share", "lab-notes", "acme-sales")

    seen = channel(sandbox, "C21LAB")["workspaces"]
    assert sorted(seen) == ["T01ACME", "T03LABS", "T04SALES"]
