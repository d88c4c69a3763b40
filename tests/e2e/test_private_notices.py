"""Who said something that did not cross is told once, where they said it, and why."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.world import (
    UNCUTTABLE,
    World,
    slack_messages,
    slack_texts,
    teams_messages,
    teams_texts,
    world,
)


@pytest.fixture
async def here(tmp_path: Path, database_url: str) -> AsyncIterator[World]:
    async with world(tmp_path, database_url) as made:
        await made.link()
        await made.start()
        yield made


def whispers(state: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return what single people were told in Slack."""
    return [w for t in state["slack"]["workspaces"] for w in t["ephemerals"]]


async def test_in_slack_the_author_alone_is_told_once_even_across_a_restart(
    here: World,
) -> None:
    await here.set(teams__size_limit=4_000)
    root = await here.slack("post", text="short")
    await here.slack("reply", thread_ts=root, typed=True, text=UNCUTTABLE)

    state = await here.until(lambda s: len(whispers(s)) == 1)
    await here.kill()
    await here.start()
    await here.slack("post", typed=True, text=UNCUTTABLE)
    await here.slack("post", text="next")
    await here.until(lambda s: any(t.endswith("next") for t in teams_texts(s)))
    await here.quiet()

    [told] = whispers(await here.state())
    assert (told["to"], told["thread_ts"]) == ("U01ALICE", root)
    assert "did not cross to Teams" in told["text"]
    assert "example.com" not in told["text"]
    assert len(slack_messages(state)) == 2
    kinds = [e.etype for e in await here.log()]
    assert kinds.count("bridge.failed") == 2
    assert kinds.count("bridge.notice") == 1


async def test_in_teams_the_author_is_told_in_the_thread(here: World) -> None:
    await here.fault("slack.chat.postMessage", "error", error="restricted_action")

    root = await here.teams("post", text="hello")

    state = await here.until(lambda s: len(teams_messages(s)) == 2)
    told = teams_messages(state)[1]
    assert (told["root"], told["author"]["is_bot"]) == (root, True)
    assert "Carol Díaz: This did not cross to Slack" in told["text"]
    await here.quiet()
    assert slack_texts(await here.state()) == []


@pytest.mark.parametrize("offered", [True, False])
async def test_in_teams_it_is_private_where_that_is_offered(
    tmp_path: Path, *, offered: bool
) -> None:
    private = {"ATOM_TEAMS_PRIVATE_NOTICES": "true"}
    async with world(tmp_path, f"sqlite:///{tmp_path}/atom.db", **private) as here:
        await here.link()
        await here.set(teams__targeted_messages=offered)
        await here.fault("slack.chat.postMessage", "error", error="restricted_action")
        await here.start()

        await here.teams("post", text="hello")

        state = await here.until(lambda s: len(teams_messages(s)) == 2)
    told = teams_messages(state)[1]
    assert told["target"] == ("29:carol" if offered else "")
