"""Reactions cross, both ways: one for all who chose the same, gone with the last."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.world import (
    World,
    slack_messages,
    slack_texts,
    teams_messages,
    teams_texts,
    world,
)

BOT = "UATOM"


@pytest.fixture
async def here(tmp_path: Path, database_url: str) -> AsyncIterator[World]:
    async with world(tmp_path, database_url) as made:
        await made.link()
        await made.start()
        yield made


async def crossed_from_slack(here: World, text: str = "from Slack") -> tuple[str, str]:
    """Return the ts of a message in Slack, and the id of its copy in Teams."""
    ts = await here.slack("post", text=text)
    state = await here.until(lambda s: any(t.endswith(text) for t in teams_texts(s)))
    [copy] = [m for m in teams_messages(state) if m["text"].endswith(text)]
    return ts, str(copy["id"])


async def crossed_from_teams(here: World, text: str = "from Teams") -> tuple[str, str]:
    """Return the id of a message in Teams, and the ts of its copy in Slack."""
    message = await here.teams("post", text=text)
    state = await here.until(lambda s: text in slack_texts(s))
    [copy] = [m for m in slack_messages(state) if m["text"] == text]
    return message, str(copy["ts"])


def ours(state: Mapping[str, Any], ts: str) -> set[str]:
    """Return which reactions ATOM has left on a message in Slack."""
    [message] = [m for m in slack_messages(state) if m["ts"] == ts]
    return {r["name"] for r in message.get("reactions", []) if BOT in r["users"]}


def below(state: Mapping[str, Any], message: str) -> str:
    """Return the line below a copy in Teams."""
    [copy] = [m for m in teams_messages(state) if m["id"] == message]
    html: str = copy["html"]
    last = html.rpartition("<p>")[2].removesuffix("</p>")
    return last if " " in last and last[-1].isdigit() else ""


async def test_reactions_in_slack_stand_below_the_copy_in_teams(here: World) -> None:
    ts, copy = await crossed_from_slack(here)

    await here.slack("react", ts=ts, name="+1", user="U01ALICE")
    await here.slack("react", ts=ts, name="+1", user="U02BOB")
    await here.slack("react", ts=ts, name="tada", user="U02BOB")
    await here.until(lambda s: below(s, copy) == "👍 2 · 🎉 1")
    await here.slack("unreact", ts=ts, name="+1", user="U01ALICE")
    await here.slack("unreact", ts=ts, name="+1", user="U02BOB")

    await here.until(lambda s: below(s, copy) == "🎉 1")


async def test_reactions_to_a_copy_in_teams_are_left_once_in_slack(
    here: World,
) -> None:
    ts, copy = await crossed_from_slack(here)
    await here.teams("react", message=copy, reaction="like", user="29:carol")
    await here.teams("react", message=copy, reaction="like", user="29:dave")
    await here.until(lambda s: ours(s, ts) == {"+1"})
    await here.quiet()

    await here.teams("unreact", message=copy, reaction="like", user="29:carol")
    await here.quiet()
    after_one = ours(await here.state(), ts)
    await here.teams("unreact", message=copy, reaction="like", user="29:dave")

    assert after_one == {"+1"}
    await here.until(lambda s: ours(s, ts) == set())
