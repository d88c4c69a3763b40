"""
ATOM dies at every step of a message's way; nothing is lost and nothing doubled.

The judge is what the sandbox's Slack and Teams hold in the end, plus the log.
"""

import asyncio
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from storage.log_reader import LogEntry
from tests.e2e.world import (
    World,
    slack_messages,
    slack_texts,
    teams_messages,
    teams_texts,
    world,
)

STEPS = (
    "received",
    "decided",
    "written",
    "captured",
    "picked",
    "checked",
    "intended",
    "sent",
    "concluding",
    "concluded",
)
_DEATHS = 2


async def talk(here: World) -> None:
    """Post, reply, edit and delete on both sides, whether ATOM lives or not."""
    first = await here.slack("post", text="slack one")
    other = await here.teams("post", text="teams one")
    await here.slack("reply", text="slack reply", thread_ts=first)
    await here.teams("reply", text="teams reply", thread=other)
    gone = await here.slack("post", text="slack two")
    await here.teams("post", text="teams two")
    await here.slack("edit", ts=first, text="slack one, better")
    await here.teams("edit", message=other, text="teams one, better")
    await here.slack("delete", ts=gone)


EXPECTED = Counter(
    {
        "slack one, better": 1,
        "slack reply": 1,
        "teams one, better": 1,
        "teams reply": 1,
        "teams two": 1,
    }
)


def told(texts: list[str]) -> Counter[str]:
    """Count the messages by what they say, without the line that names an author."""
    return Counter(
        next((known for known in EXPECTED if text.endswith(known)), text)
        for text in texts
    )


@pytest.mark.parametrize("step", STEPS)
async def test_killed_at_any_step_nothing_is_lost_or_doubled(
    tmp_path: Path, database_url: str, step: str
) -> None:
    async with world(tmp_path, database_url) as here:
        await here.link()
        await here.start(step, times=2)
        talking = asyncio.create_task(talk(here))
        await here.died()
        for _ in range(_DEATHS):
            await _start_or_die(here, step)
        await here.start()
        await talking

        state = await here.until(
            lambda s: told(slack_texts(s)) == told(teams_texts(s)) == EXPECTED,
            seconds=60,
        )
        await here.quiet()

        state = await here.state()
        assert told(slack_texts(state)) == told(teams_texts(state)) == EXPECTED
        assert _threads_stand(state)
        # What was read again stands before the platforms have sent it again.
        await _until_logged(here, {"create": 6, "edit": 2, "delete": 1})
        assert (await here.verdict()).intact


async def _until_logged(here: World, wanted: Mapping[str, int]) -> None:
    """Wait until the log holds just so many messages, edits and deletions."""

    def holds(entries: list[LogEntry]) -> bool:
        kinds = Counter(entry.etype for entry in entries)
        return {kind: kinds[f"message.{kind}"] for kind in wanted} == wanted

    await here.logged(holds)


async def _start_or_die(here: World, step: str) -> None:
    """Start ATOM to be killed again; it may live on if it never gets there."""
    with suppress(AssertionError):  # it was killed before it was ready
        await here.start(step, times=2)
    try:
        await here.died(within=3)
    except TimeoutError:
        await here.kill()


def _threads_stand(state: Mapping[str, Any]) -> bool:
    in_slack = {m["text"]: m for m in slack_messages(state)}
    roots = {in_slack["slack one, better"]["ts"], in_slack["teams one, better"]["ts"]}
    replies = [in_slack[f"{side} reply"] for side in ("slack", "teams")]
    if {reply["thread_ts"] for reply in replies} != roots:
        return False
    in_teams = [m for m in teams_messages(state) if "reply" in m["text"]]
    return all(not m["is_root"] for m in in_teams)
