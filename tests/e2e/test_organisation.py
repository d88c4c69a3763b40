"""An admin manages the organisation from a chat window, on either database."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bots.sandbox.slack.grid_seed import ADMIN_TOKEN
from tests.e2e.test_linking import command_line, slack_answer, teams_answer
from tests.e2e.world import World, world


@pytest.fixture
async def here(tmp_path: Path, database_url: str) -> AsyncIterator[World]:
    async with world(tmp_path, database_url) as made:
        made.more["ATOM_SLACK_ADMIN_TOKEN"] = ADMIN_TOKEN
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


async def test_in_teams_the_same_line_is_understood(here: World) -> None:
    answer = await teams_answer(here, "channels list")

    assert "not managed here yet" in answer
