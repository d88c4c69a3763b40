"""An admin manages the organisation from a chat window, on either database."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bots.sandbox.slack.grid_seed import ADMIN_TOKEN
from bots.sandbox.slack.model import Channel
from bots.sandbox.teams import seed
from tests.e2e.test_linking import command_line, slack_answer, teams_answer
from tests.e2e.world import World, world

_NOBODY_WAITS = 3600
ALICE, CAROL = "slack:U01ALICE", "teams:29:carol"


@pytest.fixture
async def here(tmp_path: Path, database_url: str) -> AsyncIterator[World]:
    async with world(tmp_path, database_url) as made:
        made.more["ATOM_SLACK_ADMIN_TOKEN"] = ADMIN_TOKEN
        made.more["ATOM_TEAMS_ADMIN_APP_ID"] = seed.ADMIN_APP_ID
        made.more["ATOM_TEAMS_ADMIN_APP_PASSWORD"] = seed.ADMIN_PASSWORD
        made.more["ATOM_TUNING_CALL_TIMEOUT"] = "20"
        await made.set(slack__grid=True)
        await made.start()
        yield made


async def on_record(here: World) -> list[tuple[str, str]]:
    """Return what admins were about to do, and how it ended, each with who they are."""
    return [
        (entry.body["author"]["id"], entry.body["text"])
        for entry in await here.log()
        if entry.etype in {"admin.intent", "admin.outcome"}
    ]


def begun_and_done(who: str, *acts: str) -> list[tuple[str, str]]:
    return [(who, text) for act in acts for text in (act, f"done: {act}")]


def slack_channel(here: World, name: str) -> Channel:
    every = here.sandbox.slack.channels.values()
    return next(one for one in every if one.name == name)


async def test_every_act_on_an_organisation_in_slack_is_done_and_on_record(
    here: World,
) -> None:
    await here.slack("sign_in", user="U02BOB", mobile=True)
    await here.set(slack__bulk_delay=0.5)
    for line, said in (
        ("workspaces", "acme-labs"),
        ("channels create launch acme-labs private", "exists in Acme Labs now"),
        ("channels rename launch lift-off", "is called lift-off now"),
        ("channels share #lift-off acme", "seen in Acme too"),
        ("channels invite lift-off nora@acme.example <@U02BOB|bob>", "2 people are in"),
        ("channels list acme-labs", "private, 3 members"),
        ("channels remove project-falcon U02BOB", "Not in project-falcon any more"),
        ("channels connect vault S21RESEARCH", "follows the group S21RESEARCH now"),
        ("channels groups vault", "S21RESEARCH"),
        ("channels archive lift-off", "/atom channels archive lift-off confirm"),
        ("channels archive lift-off confirm", "is archived"),
        ("channels unarchive lift-off", "is open again"),
        ("channels move deals acme", "/atom channels move deals acme confirm"),
        ("channels move deals acme confirm", "that can take some minutes"),
        ("channels delete quiet", "/atom channels delete quiet confirm"),
        ("channels delete quiet confirm", "is being deleted"),
        ("sessions reset <@U02BOB>", "/atom sessions reset U02BOB confirm"),
        ("sessions reset U02BOB confirm", "is signed out everywhere"),
    ):
        assert said in await slack_answer(here, line), line

    launched, vault = slack_channel(here, "lift-off"), slack_channel(here, "vault")
    assert (launched.private, launched.archived) == (True, False)
    assert launched.internal == ["T03LABS", "T01ACME"]
    assert launched.members == ["U01ALICE", "U21NORA", "U02BOB"]
    assert "U02BOB" not in slack_channel(here, "project-falcon").members
    assert (vault.groups, vault.members) == (["S21RESEARCH"], ["U21NORA", "U03CHEN"])
    assert here.sandbox.slack.grid.sessions == []
    every = here.sandbox.slack.channels
    await here.until(lambda _: "C05QUIET" not in every)
    assert slack_channel(here, "deals").internal == ["T01ACME"]
    answer = await slack_answer(here, "channels disconnect vault S21RESEARCH")
    assert "does not follow the group" in answer
    assert vault.groups == []
    named = f"lift-off ({launched.id})"
    assert await on_record(here) == begun_and_done(
        ALICE,
        "create the private channel launch in Acme Labs",
        f"rename launch ({launched.id}) to lift-off",
        f"share {named} with Acme",
        f"let Nora Berg, U02BOB into {named}",
        "put U02BOB out of project-falcon (C02FALCON)",
        "let vault (C23VAULT) follow the group S21RESEARCH",
        f"archive {named}",
        f"unarchive {named}",
        "move deals (C22DEALS) to Acme",
        "delete quiet (C05QUIET)",
        "sign U02BOB (U02BOB) out everywhere",
        "let vault (C23VAULT) follow the group S21RESEARCH no longer",
    )
    verified = await command_line(here, "log", "verify")
    assert verified.code == 0, verified.stdout


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_what_cannot_be_done_in_slack_is_told_in_a_line(here: World) -> None:
    lines = (
        "channels list",
        "channels invite vault U02BOB",
        "workspaces",
        "channels delete quiet confirm",
        "sessions reset U01ALICE confirm",
    )
    for line in lines:
        assert "whole organisation" in await slack_answer(here, line, user="U02BOB")
    for line, said in (
        ("channels rename nothing x", "no channel nothing"),
        ("channels create x moon", "there are acme, acme-labs"),
        ("channels invite vault nobody", "nobody called nobody"),
        ("channels shrae vault acme", "did you mean channels share?"),
        ("channels move vault", "channels move CHANNEL WORKSPACE"),
    ):
        assert said in await slack_answer(here, line), line
    assert await on_record(here) == []

    refused = [
        ("channels rename general A-B", "a-z, 0-9"),
        ("channels archive general confirm", "general channel"),
        ("channels share lab-notes acme-labs", "see lab-notes already"),
        ("channels connect lab-notes S21RESEARCH", "Only private"),
        ("channels connect vault S404", "no such group"),
        ("channels invite lab-notes U22OMAR", "no workspace that sees"),
    ]
    for line, said in refused:
        assert said in await slack_answer(here, line), line
    # Some of them can be let in, and who cannot be is named.
    answer = await slack_answer(here, "channels invite lab-notes U22OMAR U21NORA")
    assert "1 person is in lab-notes now" in answer
    assert "U22OMAR: is in no workspace" in answer
    # What Slack does later is not asked for twice.
    await here.set(slack__bulk_delay=_NOBODY_WAITS)
    await slack_answer(here, "channels move lab-notes acme-sales confirm")
    moving = await slack_answer(here, "channels move lab-notes acme-sales confirm")
    assert "moving that channel already" in moving
    # Its limits and lost answers are told, and nothing is repeated.
    rename = "slack.admin.conversations.rename"
    await here.fault(rename, "429", retry_after=30, times=1)
    assert "asks to wait" in await slack_answer(here, "channels rename vault safe")
    await here.fault(rename, "reset_after", times=1)
    lost = await slack_answer(here, "channels rename vault safe")
    assert "did not answer" in lost
    assert slack_channel(here, "safe").id == "C23VAULT"
    # An answer that takes longer than Slack waits for comes late.
    await here.fault(rename, "delay", seconds=3, times=1)
    assert "is called" not in await slack_answer(here, "channels rename safe vault")
    await here.until(lambda s: "is called vault now" in str(s["slack"]["workspaces"]))

    ends = [text.partition(":")[0] for _, text in await on_record(here)][1::2]
    assert ends == (
        ["refused"] * len(refused)
        + ["done", "done", "refused", "refused", "unknown", "done"]
    )


def team(here: World, name: str) -> Any:
    every = here.sandbox.teams.teams.values()
    return next(one for one in every if one.name == name)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_in_teams_the_directorys_administrators_may_do_the_same(
    here: World,
) -> None:
    for somebody in ("29:dave", "29:frank"):
        answer = await teams_answer(here, "channels list", user=somebody)
        assert "whole organisation" in answer
    assert "Project Falcon" in await teams_answer(
        here, "channels list acme", user="29:erin"
    )
    for line, said in (
        ("workspaces", "Labs"),
        ("channels archive random", "@ATOM channels archive random confirm"),
        ("channels rename acme/nothing x", "no channel nothing"),
        ("channels move random labs confirm", "cannot do that"),
        ("channels share random labs", "cannot do that"),
        ("channels connect board S1", "cannot do that"),
        ("channels invite board heidi@globex.example", "nobody called"),
        ("workspaces rename nowhere x", "no workspace nowhere"),
    ):
        assert said in await teams_answer(here, line), line
    assert await on_record(here) == []

    for line, said in (
        ("channels archive random confirm", "is archived"),
        ("channels unarchive random", "is open again"),
        ("channels create plans acme", "exists in Acme now"),
        ("channels rename acme/plans roadmap", "is called roadmap now"),
        ("channels create vault acme private", "exists in Acme now"),
        ("channels invite vault dave@acme.example", "1 person is in vault now"),
        ("channels remove vault dave@acme.example", "Not in vault any more"),
        ("channels create outside acme shared", "Its id is not known yet"),
        ("channels invite outside frank@acme.example", "1 person is in outside"),
        ("channels delete roadmap confirm", "is being deleted"),
        ("workspaces create launch erin@acme.example", "is being made"),
        ("workspaces rename labs Lab", "is called Lab now"),
        ("workspaces invite lab frank@acme.example", "1 person is in Lab now"),
        ("workspaces own lab erin@acme.example", "1 person is owning Lab now"),
        ("workspaces remove lab carol@acme.example", "Not in Lab any more"),
        ("workspaces archive lab confirm", "is being archived"),
        ("workspaces unarchive lab", "is being opened again"),
        ("sessions reset erin@acme.example confirm", "signed out everywhere"),
        ("channels invite random dave@acme.example", "whole team"),
        ("workspaces remove lab nobody@acme.example", "nobody called"),
    ):
        assert said in await teams_answer(here, line), line

    lab = team(here, "Lab")
    assert "29:frank" in lab.members
    assert "29:erin" in lab.owners
    assert "29:carol" not in lab.members
    shown = {one.name: one for one in here.sandbox.teams.channels.values()}
    assert (shown["vault"].members, shown["outside"].members[-1:]) == (
        ["29:carol"],
        ["29:frank"],
    )
    assert here.sandbox.teams.people["29:erin"].sessions_from
    told = await on_record(here)
    assert {who for who, _ in told} == {CAROL}
    ends = [text.partition(":")[0] for _, text in told][1::2]
    assert ends == ["done"] * 18 + ["refused"]
    # Limits and lost answers are told, and nothing is repeated.
    await here.fault("teams.graph.patch_channel", "429", retry_after=30, times=1)
    assert "asks to wait" in await teams_answer(here, "channels rename random x")
    await here.fault("teams.graph.patch_channel", "reset_after", times=1)
    lost = await teams_answer(here, "channels rename random dice")
    assert "did not answer" in lost
    assert (await on_record(here))[-1][1].startswith("unknown: rename Random")
    await here.set(teams__graph_admin_roles=["User.Read.All"])
    await here.kill()
    await here.start()
    unknown = await teams_answer(here, "channels list")
    assert "not known now" in unknown
