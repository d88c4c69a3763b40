"""Links, status and the log from the command line, beside a sandbox Slack."""

import asyncio
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.command_line import CommandLine
from tests.sandbox import Sandbox, running_sandbox

GENERAL, FALCON = "slack:T01ACME/C01GENERAL", "slack:T01ACME/C02FALCON"
RANDOM = "slack:T01ACME/C03RANDOM"
BOARD = "slack:T01ACME/C04BOARD"
TEAMS = "teams:19:acme@thread.tacv2/19:falcon@thread.tacv2"


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with running_sandbox() as running:
        yield running


@pytest.fixture
def atom(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], sandbox: Sandbox
) -> CommandLine:
    atom = CommandLine(tmp_path, capsys)
    atom.set_up()
    atom.variables |= {
        "ATOM_SLACK_SIGNING_SECRET": "sandbox-signing-secret",
        "ATOM_SLACK_BOT_TOKEN": "xoxb-sandbox-T01ACME",
        "ATOM_SLACK_API_URL": sandbox.slack_api,
    }
    return atom


def said(sandbox: Sandbox, channel: str) -> list[str]:
    found: dict[str, Any] = asyncio.run(sandbox.slack_channel(channel))
    return [message["text"] for message in found["messages"]]


def linked(atom: CommandLine) -> str:
    atom.done("link", GENERAL, FALCON)
    [link] = atom.done("links", "--json").json
    id_: str = link["id"]
    return id_


def test_two_channels_are_linked_listed_and_told(
    atom: CommandLine, sandbox: Sandbox
) -> None:
    ran = atom.done("link", GENERAL, FALCON)

    [link] = atom.done("links", "--json").json
    assert link["id"] in ran.out
    assert link["channels"] == [GENERAL, FALCON]
    assert link["state"] == "active"
    for channel in ("C01GENERAL", "C02FALCON"):
        assert any("linked" in text for text in said(sandbox, channel))


def test_a_dry_run_says_what_would_be_and_links_nothing(
    atom: CommandLine, sandbox: Sandbox
) -> None:
    before = said(sandbox, "C02FALCON")

    ran = atom.done("link", GENERAL, FALCON, "--dry-run")

    assert "Nothing was linked" in ran.out
    assert "general" in ran.out
    assert "People: " in ran.out
    assert atom.done("links", "--json").json == []
    assert said(sandbox, "C02FALCON") == before
    assert "linked already" in _refused_twice(atom)


def _refused_twice(atom: CommandLine) -> str:
    linked(atom)
    return atom.run("link", GENERAL, FALCON, "--dry-run").err


def test_the_lists_for_people_hold_names_and_states(atom: CommandLine) -> None:
    id_ = linked(atom)

    links, status = atom.done("links").out, atom.done("status").out

    assert "general" in links
    assert id_ in links
    assert "active" in status
    assert id_ in status


def test_a_link_is_paused_resumed_and_ended(atom: CommandLine) -> None:
    id_ = linked(atom)

    states = []
    for word in ("pause", "resume", "unlink"):
        atom.done(word, id_.lower())
        states.append([one["state"] for one in atom.done("status", "--json").json])

    assert states == [["paused"], ["active"], []]


def test_three_channels_are_one_link_that_shrinks_and_grows(
    atom: CommandLine, sandbox: Sandbox
) -> None:
    atom.done("link", GENERAL, FALCON, RANDOM)
    [link] = atom.done("links", "--json").json
    assert link["channels"] == [GENERAL, FALCON, RANDOM]

    atom.done("unlink", link["id"], FALCON)
    [smaller] = atom.done("links", "--json").json
    atom.done("link", "--add", link["id"], FALCON)
    [larger] = atom.done("links", "--json").json

    assert smaller["channels"] == [GENERAL, RANDOM]
    assert larger["channels"] == [GENERAL, RANDOM, FALCON]
    assert any("joined" in text for text in said(sandbox, "C03RANDOM"))


@pytest.mark.parametrize(
    ("line", "said_"),
    [
        (("link", GENERAL, GENERAL), "with itself"),
        (("link", GENERAL, FALCON), "linked already"),
        (("link", GENERAL, BOARD), "ATOM is not in"),
        (("link", GENERAL, TEAMS), "Teams is switched off"),
        (("link", "general", FALCON), "no channel address"),
        (("pause", "L404"), "no link L404"),
        (("unlink", "L404", FALCON), "no link L404"),
        (("link", "--add", "L404", FALCON), "no link L404"),
        (("link", "--add", "L404", FALCON, RANDOM), "One channel at a time"),
        (("link", GENERAL, FALCON, RANDOM), "circle"),
    ],
)
def test_what_cannot_be_linked_or_changed_is_refused_with_the_reason(
    atom: CommandLine, line: tuple[str, ...], said_: str
) -> None:
    id_ = linked(atom)

    ran = atom.run(*line)

    assert ran.code == 1
    assert said_ in ran.err
    assert ran.err.count("\n") == 1
    assert [one["id"] for one in atom.done("links", "--json").json] == [id_]


def test_a_links_options_are_changed_and_a_wrong_one_refused(
    atom: CommandLine,
) -> None:
    id_ = linked(atom)

    atom.done("options", id_, "files=link", "bots=digest")
    ran = atom.run("options", id_, "files=nowhere")

    assert atom.done("options", id_, "--json").json["files"] == "link"
    assert (ran.code, ran.err) == (
        1,
        "atom: files is one of copy, link, block, not nowhere.\n",
    )


def test_what_is_paused_is_not_paused_again(atom: CommandLine) -> None:
    id_ = linked(atom)
    atom.done("pause", id_)

    ran = atom.run("pause", id_)

    assert (ran.code, ran.err) == (1, f"atom: Link {id_} is paused already.\n")


def test_every_change_is_in_the_log_which_verifies(atom: CommandLine) -> None:
    id_ = linked(atom)
    atom.done("unlink", id_)

    entries = atom.done("log", "show", "--json").json
    head = atom.done("log", "head", "--json").json
    verdict = atom.done("log", "verify", "--json").json

    assert [entry["link"] for entry in entries] == [id_, id_]
    assert all(entry["author"].startswith("operator:") for entry in entries)
    assert head["size"] == 2
    nothing = {"fault": "", "seq": None, "column": ""}
    assert verdict == {**head, "intact": True, **nothing}


def test_the_log_is_shown_from_where_it_is_asked_for(atom: CommandLine) -> None:
    id_ = linked(atom)
    atom.done("unlink", id_)

    last = atom.done("log", "show", "--last", "1", "--json").json
    after = atom.done("log", "show", "--after", "0", "--json").json
    shown = atom.done("log", "show").out

    assert [entry["seq"] for entry in last] == [1]
    assert [entry["seq"] for entry in after] == [1]
    assert "operator:" in shown
    assert "Intact: 2 entries" in atom.done("log", "verify").out
    assert atom.done("log", "head").out.startswith("2 entries, root ")


def test_a_log_that_was_changed_fails_to_verify(atom: CommandLine) -> None:
    linked(atom)
    with sqlite3.connect(atom.folder / "var/atom.db") as database:
        database.execute("UPDATE log SET link = 'another' WHERE seq = 0")
    database.close()

    ran = atom.run("log", "verify")
    data = atom.run("log", "verify", "--json")

    assert (ran.code, data.code) == (1, 1)
    assert "NOT INTACT: entry 0" in ran.out
    assert data.json["intact"] is False
