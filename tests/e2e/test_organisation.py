"""An admin manages the organisation from a chat window, on either database."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bots.sandbox.slack.grid_seed import ADMIN_TOKEN
from bots.sandbox.teams import seed
from tests.e2e.test_linking import command_line, slack_answer, teams_answer
from tests.e2e.world import World, world


@pytest.fixture
async def here(tmp_path: Path, database_url: str) -> AsyncIterator[World]:
    async with world(tmp_path, database_url) as made:
        made.more["ATOM_SLACK_ADMIN_TOKEN"] = ADMIN_TOKEN
        made.more["ATOM_TEAMS_ADMIN_APP_ID"] = seed.ADMIN_APP_ID
        made.more["ATOM_TEAMS_ADMIN_APP_PASSWORD"] = seed.ADMIN_PASSWORD
        await made.set(slack__grid=True)
        await made.start()
        yield made


async def entries(here: World) -> list[tuple[str, str, str]]:
    ran = await command_line(here, "log", "show", "--json")
    return [
        (one["type"], one["outcome"], one["author"])
        for one in json.loads(ran.stdout)
        if one["type"] in {"admin.intent", "admin.outcome"}
    ]


async def test_an_admin_shares_a_channel_and_it_is_on_record(here: World) -> None:
    answer = await slack_answer(here, "channels share #project-falcon acme-labs")

    assert "seen in Acme Labs too" in answer
    listed = json.loads(
        (await command_line(here, "channels", "list", "acme-labs", "--json")).stdout
    )
    falcon = next(one for one in listed if one["name"] == "project-falcon")
    assert falcon["workspaces"] == ["T01ACME", "T03LABS"]
    assert await entries(here) == [
        ("admin.intent", "intended", "slack:U01ALICE"),
        ("admin.outcome", "done", "slack:U01ALICE"),
    ]
    verified = await command_line(here, "log", "verify")
    assert verified.code == 0, verified.stdout


async def test_a_channel_is_archived_only_when_it_is_confirmed(here: World) -> None:
    asked = await slack_answer(here, "channels archive quiet")
    before = await entries(here)

    done = await slack_answer(here, "channels archive quiet confirm")

    assert "/atom channels archive quiet confirm" in asked
    assert before == []
    assert "is archived" in done
    assert len(await entries(here)) == 2


async def test_who_is_no_admin_of_the_organisation_may_not_even_look(
    here: World,
) -> None:
    for line in ("channels list", "workspaces", "channels delete quiet confirm"):
        answer = await slack_answer(here, line, user="U02BOB")
        assert "whole organisation" in answer

    assert await entries(here) == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_in_teams_the_directorys_administrators_may_do_the_same(
    here: World,
) -> None:
    for somebody in ("29:dave", "29:frank"):
        answer = await teams_answer(here, "channels list", user=somebody)
        assert "whole organisation" in answer
    listed = await teams_answer(here, "channels list acme", user="29:erin")
    asked = await teams_answer(here, "channels archive random")
    assert await entries(here) == []

    done = await teams_answer(here, "channels archive random confirm")
    made = await teams_answer(here, "workspaces own labs erin@acme.example")

    assert "Project Falcon" in listed
    assert "@ATOM channels archive random confirm" in asked
    assert "is archived" in done
    assert "1 person is owning Labs now" in made
    by_carol = [
        ("admin.intent", "intended", "teams:29:carol"),
        ("admin.outcome", "done", "teams:29:carol"),
    ]
    assert await entries(here) == by_carol * 2
    await here.set(teams__graph_admin_roles=["User.Read.All"])
    await here.kill()
    await here.start()
    unknown = await teams_answer(here, "channels list")
    assert "not known now" in unknown
