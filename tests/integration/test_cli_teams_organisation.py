"""A Teams organisation from the command line, beside a sandbox's Graph."""

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bots.sandbox.teams import seed
from bots.teams.admin_graph import PERMISSIONS
from tests.command_line import CommandLine
from tests.sandbox import Sandbox, running_sandbox

ROOT = Path(__file__).parents[2]
NEEDED = json.loads(
    (ROOT / "bots/sandbox/teams/graph_permissions.json").read_text("utf-8")
)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with running_sandbox() as running:
        asyncio.run(running.set({"teams.throttles": False}))
        yield running


@pytest.fixture
def atom(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], sandbox: Sandbox
) -> CommandLine:
    atom = CommandLine(tmp_path, capsys)
    atom.set_up()
    base = f"{sandbox.base}/teams"
    atom.variables |= {
        "ATOM_TEAMS_APP_ID": seed.BOT_APP_ID,
        "ATOM_TEAMS_APP_PASSWORD": seed.BOT_PASSWORD,
        "ATOM_TEAMS_TENANT_ID": seed.ACME,
        "ATOM_TEAMS_ADMIN_APP_ID": seed.ADMIN_APP_ID,
        "ATOM_TEAMS_ADMIN_APP_PASSWORD": seed.ADMIN_PASSWORD,
        "ATOM_TEAMS_OPENID_URL": f"{base}/openid/.well-known/openidconfiguration",
        "ATOM_TEAMS_TOKEN_URL": f"{base}/login/{seed.ACME}/oauth2/v2.0/token",
        "ATOM_TEAMS_GRAPH_URL": f"{base}/graph/v1.0",
    }
    return atom


def channels(atom: CommandLine, *team: str) -> dict[str, dict[str, Any]]:
    listed = atom.done("channels", "list", *team, "--platform", "teams", "--json").json
    return {one["name"]: one for one in listed}


def calls(sandbox: Sandbox) -> set[str]:
    told = asyncio.run(sandbox.journal())
    return {one["call"] for one in told if one["call"] in NEEDED}


def team(sandbox: Sandbox, name: str) -> dict[str, Any]:
    state = asyncio.run(sandbox.state())
    teams = [t for tenant in state["teams"]["tenants"] for t in tenant["teams"]]
    return next(one for one in teams if one["name"] == name)


def test_everything_that_graph_lets_an_admin_do_is_done_and_on_record(
    atom: CommandLine, sandbox: Sandbox
) -> None:
    for line in [
        ("workspaces", "create", "launch", "erin@acme.example"),
        ("workspaces", "rename", "labs", "Lab"),
        ("workspaces", "invite", "lab", "frank@acme.example"),
        ("workspaces", "own", "lab", "frank@acme.example"),
        ("workspaces", "remove", "lab", "carol@acme.example"),
        ("workspaces", "archive", "lab", "--confirm"),
        ("workspaces", "unarchive", "lab"),
        ("channels", "create", "plans", "acme"),
        ("channels", "create", "vault", "acme", "--private"),
        ("channels", "create", "outside", "acme", "--shared"),
        ("channels", "rename", "acme/plans", "roadmap"),
        ("channels", "archive", "roadmap", "--confirm"),
        ("channels", "unarchive", "roadmap"),
        ("channels", "invite", "vault", "dave@acme.example"),
        ("channels", "invite", "outside", "frank@acme.example"),
        ("channels", "remove", "vault", "dave@acme.example"),
        ("channels", "remove", "vault", "dave@acme.example"),
        ("channels", "delete", "random", "--confirm"),
        ("sessions", "reset", "erin@acme.example", "--confirm"),
    ]:
        atom.done(*line, "--platform", "teams")

    spaces = atom.done("workspaces", "list", "--platform", "teams", "--json").json
    shown = channels(atom, "acme")
    assert [one["address"] for one in spaces] == ["acme", "lab", "launch"]
    assert set(shown) == {
        "General",
        "Project Falcon",
        "Board",
        "roadmap",
        "vault",
        "outside",
    }
    assert [shown[name]["private"] for name in ("roadmap", "vault")] == [False, True]
    assert shown["roadmap"]["archived"] is False
    lab = team(sandbox, "Lab")
    assert "29:frank" in lab["owners"]
    assert "29:carol" not in lab["members"]
    entries = atom.done("log", "show", "--last", "100", "--json").json
    outcomes = [one["outcome"] for one in entries]
    assert outcomes == ["intended", "done"] * 19
    assert atom.done("log", "verify").code == 0

    # Each permission is needed by something, and all of them together are enough.
    made = calls(sandbox)
    alone = {
        one
        for call in made
        if len(known := set(NEEDED[call]) & set(PERMISSIONS)) == 1
        for one in known
    }
    roles = {"RoleManagement.Read.Directory"}  # what chat asks: who is an admin
    assert alone == set(PERMISSIONS) - roles


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (("channels", "invite", "random", "dave@acme.example"), "whole team"),
        (("channels", "remove", "random", "dave@acme.example"), "whole team"),
        (("channels", "move", "random", "labs"), "cannot do that"),
        (("channels", "share", "random", "labs"), "cannot do that"),
        (("channels", "connect", "board", "S1"), "cannot do that"),
        (("channels", "groups", "board"), "cannot do that"),
        (("channels", "delete", "random"), "deleted for good"),
        (("channels", "rename", "general", "x"), "Several channels"),
        (("channels", "rename", "acme/general", "x"), "General channel"),
        (("channels", "create", "random", "acme"), "of that name already"),
        (("channels", "invite", "board", "heidi@globex.example"), "nobody called"),
        (("channels", "invite", "board", "nobody@acme.example"), "nobody called"),
        (("workspaces", "archive", "labs"), "closed for everybody"),
        (("workspaces", "rename", "nowhere", "x"), "no workspace nowhere"),
        (("workspaces", "create", "acme", "dave@acme.example"), "already"),
        (("workspaces", "remove", "labs", "dave@acme.example"), "last owner"),
        (("sessions", "reset", "dave@acme.example"), "--confirm"),
    ],
)
def test_what_cannot_be_done_is_refused_in_a_clear_line(
    atom: CommandLine, sandbox: Sandbox, line: tuple[str, ...], told: str
) -> None:
    before = channels(atom)

    ran = atom.run(*line, "--platform", "teams")

    assert ran.code == 1
    assert told in ran.err
    assert ran.err.count("\n") == 1
    assert channels(atom) == before


def test_a_lost_answer_is_unknown_on_record_and_nothing_is_repeated(
    atom: CommandLine, sandbox: Sandbox
) -> None:
    asyncio.run(sandbox.fault("teams.graph.create_channel", "reset_after"))

    ran = atom.run("channels", "create", "plans", "acme", "--platform", "teams")

    assert ran.code == 1
    assert "plans" in channels(atom, "acme")
    entries = atom.done("log", "show", "--json").json
    assert [one["outcome"] for one in entries] == ["intended", "unknown"]


def test_a_missing_grant_is_told_by_the_doctor_and_by_the_refusal(
    atom: CommandLine, sandbox: Sandbox
) -> None:
    few = [one for one in PERMISSIONS if one != "Channel.Create"]
    whole = atom.run("doctor", "--json").json["checks"]
    asyncio.run(sandbox.set({"teams.graph_admin_roles": few}))

    ran = atom.run("channels", "create", "plans", "acme", "--platform", "teams")
    found = atom.run("doctor", "--json").json["checks"]

    def admin(findings: list[dict[str, Any]]) -> dict[str, Any]:
        return next(one for one in findings if one["what"] == "teams admin app")

    assert "lacks a permission" in ran.err
    assert admin(whole)["detail"] == "all granted"
    assert admin(found)["detail"] == "not granted: Channel.Create"


def test_the_guide_names_exactly_these_permissions() -> None:
    guide = (ROOT / "docs/install.md").read_text("utf-8")
    chapter = guide.partition("## An organisation in Teams")[2].partition("\n## ")[0]

    assert set(re.findall(r"`([A-Z]\w+(?:\.\w+)+)`", chapter)) == set(PERMISSIONS)
