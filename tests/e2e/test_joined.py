"""
While a Teams channel is full, what one person says in a row crosses in one post.

The judge is what the sandbox's Teams holds, and how often ATOM called it.
"""

import asyncio
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from bots.core import core
from bridge.options import Join, LinkOptions
from tests.e2e.world import (
    COMPANY,
    World,
    slack_messages,
    slack_texts,
    teams_messages,
    teams_texts,
    world,
)

# What Teams documents, made short: so few calls that whoever talks has to wait.
FULL = ((3, 1),)
LIMITS = {
    "ATOM_TUNING_TEAMS_CHANNEL_LIMIT": " ".join(f"{n}/{s}" for n, s in FULL),
    "ATOM_TUNING_LIMIT_MARGIN": "0.2",
}
ALICE, BOB = "U01ALICE", "U02BOB"
NAMES = {ALICE: "Alice", BOB: "Bob"}
_SAID = re.compile(r"said \d\d\w*")


async def full(here: World) -> None:
    """Let the channel be linked and narrow."""
    await here.link()
    await here.set(
        teams__throttles=True, teams__send_windows=FULL, slack__order_wait=30.0
    )


def said(state: Mapping[str, Any]) -> list[str]:
    return [word for text in teams_texts(state) for word in _SAID.findall(text)]


async def calls(here: World, *kinds: str) -> int:
    """Return how often the channel was called, with an answer or without."""
    wanted = kinds or ("post", "reply", "update", "delete")
    return sum(call["call"] in wanted for call in await here.journal())


async def test_thirty_messages_of_two_people_take_fewer_calls(
    tmp_path: Path, database_url: str
) -> None:
    async with world(tmp_path, database_url, **LIMITS) as here:
        await full(here)
        await here.start()
        # However slowly they are said here, most of them have to wait.
        await here.fault("teams.post", "429", retry_after=6)
        turns = [ALICE if n // 5 % 2 == 0 else BOB for n in range(30)]
        for n, who in enumerate(turns):
            await here.slack("post", text=f"said {n:02}", user=who)

        state = await here.until(lambda s: len(said(s)) >= 30, seconds=60)
        await here.quiet()

        state = await here.state()
        assert said(state) == [f"said {n:02}" for n in range(30)]
        for message in teams_messages(state):
            told = [int(word[5:]) for word in _SAID.findall(message["text"])]
            names = {NAMES[turns[n]] for n in told}
            assert len(names) == 1
            assert names.pop() in message["text"]
        assert await calls(here) < 20
        assert (await here.verdict()).intact


async def test_what_stands_together_is_edited_deleted_and_answered_by_itself(
    tmp_path: Path, database_url: str
) -> None:
    async with world(tmp_path, database_url) as here:
        await here.link()
        await here.start()
        ts = await one_post_of(here, 6, change=True)
        state = await here.state()
        [joint] = teams_messages(state)
        assert _SAID.findall(joint["text"]) == [
            "said 00",
            "said 01better",
            "said 03",
            "said 04",
            "said 05",
        ]

        await here.slack("edit", ts=ts[3], text="said 03edited")
        await here.slack("delete", ts=ts[4])
        await here.until(
            lambda s: (
                said(s) == ["said 00", "said 01better", "said 03edited", "said 05"]
            )
        )
        await here.slack("reply", ts="", thread_ts=ts[5], text="said 10")
        await here.teams("reply", text="from Teams", thread=joint["id"])
        state = await here.until(
            lambda s: "said 10" in said(s) and "from Teams" in slack_texts(s)
        )
        reply = next(m for m in teams_messages(state) if "said 10" in m["text"])
        assert reply["root"] == joint["id"]
        answer = next(m for m in slack_messages(state) if m["text"] == "from Teams")
        assert answer["thread_ts"] == ts[0]

        for one in (ts[0], ts[1], ts[3]):
            await here.slack("delete", ts=one)
        await here.until(lambda s: said(s) == ["said 05", "said 10"])
        await here.slack("delete", ts=ts[5])
        await here.until(lambda s: said(s) == ["said 10"])
        await here.quiet()
        assert (await here.verdict()).intact


async def test_reactions_to_what_stands_together_are_counted_together(
    tmp_path: Path, database_url: str
) -> None:
    async with world(tmp_path, database_url) as here:
        await here.link()
        await here.start()
        ts = await one_post_of(here, 3)
        [joint] = teams_messages(await here.state())

        await here.slack("react", ts=ts[0], name="tada", user=ALICE)
        await here.slack("react", ts=ts[1], name="tada", user=ALICE)
        await here.slack("react", ts=ts[2], name="tada", user=BOB)
        await here.until(lambda s: line_below(s).endswith("🎉 2"))
        await here.slack("unreact", ts=ts[0], name="tada", user=ALICE)
        await here.slack("unreact", ts=ts[2], name="tada", user=BOB)
        await here.until(lambda s: line_below(s).endswith("🎉 1"))
        await here.teams("react", message=joint["id"], type="like", user="29:carol")
        await here.until(lambda s: "+1" in str(slack_messages(s)[0]["reactions"]))
        await here.quiet()

        state = await here.state()
        assert said(state) == ["said 00", "said 01", "said 02"]
        assert ["+1" in str(m["reactions"]) for m in slack_messages(state)] == [
            True,
            False,
            False,
        ]


async def test_a_link_may_have_each_message_wait_for_its_turn(
    tmp_path: Path, database_url: str
) -> None:
    async with world(tmp_path, database_url) as here:
        await here.link()
        async with core(here.settings, "test") as built:
            [link] = await built.links.all(COMPANY)
            await built.links.choose(link, LinkOptions(join=Join.NEVER), "test")
        await here.start()

        await one_post_of(here, 3)

        state = await here.state()
        assert said(state) == ["said 00", "said 01", "said 02"]
        assert len(teams_messages(state)) == 3


@pytest.mark.parametrize("step", ["intended", "sent", "concluding", "written"])
async def test_killed_around_a_shared_post_nothing_is_lost_or_doubled(
    tmp_path: Path, database_url: str, step: str
) -> None:
    async with world(tmp_path, database_url) as here:
        await here.link()
        await here.start()
        pause = await asked_to_wait(here)
        for n in range(1, 6):
            await here.slack("post", text=f"said {n:02}")
        await here.heard()
        await here.kill()
        await let_go(here, pause)
        # The first that is intended or sent now is the post of all of them.
        await here.start(step)
        await here.died()
        await here.slack("post", text="said 06", user=BOB)
        await here.start()

        await here.until(lambda s: len(said(s)) >= 7)
        await here.quiet()

        state = await here.state()
        assert said(state) == [f"said {n:02}" for n in range(7)]
        if step in {"sent", "concluding"}:
            assert len(teams_messages(state)) == 2
        ended = [e for e in await here.log() if e.etype == "bridge.delivered"]
        assert sorted(e.body["text"] for e in ended) == said(state)
        assert (await here.verdict()).intact


@pytest.mark.parametrize("answer", ["502_after", "reset_after", "500"])
async def test_a_lost_answer_to_a_shared_post_is_looked_up(
    tmp_path: Path, database_url: str, answer: str
) -> None:
    async with world(tmp_path, database_url) as here:
        await here.link()
        await here.start()
        pause = await asked_to_wait(here)
        await here.fault("teams.post", answer)
        ts = [await here.slack("post", text=f"said {n:02}") for n in range(1, 5)]
        await here.slack("edit", ts=ts[1], text="said 02better")
        await here.slack("delete", ts=ts[2])
        await let_go(here, pause)

        wanted = ["said 00", "said 01", "said 02better", "said 04"]
        await here.until(lambda s: said(s) == wanted)
        await here.quiet()

        assert said(await here.state()) == wanted
        assert (await here.verdict()).intact


async def test_without_the_right_to_look_all_of_a_lost_post_is_parked(
    tmp_path: Path, database_url: str
) -> None:
    async with world(tmp_path, database_url) as here:
        await here.link()
        await here.set(teams__graph_roles=[])
        await here.start()
        pause = await asked_to_wait(here)
        await here.fault("teams.post", "502_after")
        for n in range(1, 4):
            await here.slack("post", text=f"said {n:02}")
        await here.slack("post", text="said 04", user=BOB)
        await let_go(here, pause)
        await here.until(lambda s: "said 04" in said(s))
        await here.quiet()

        async with core(here.settings, "test") as built:
            letters = await built.letters.all(COMPANY)
            assert len(letters) == 4
            assert all(letter.unknown for letter in letters)
            await here.set(teams__graph_roles=["Group.Selected"])
            await here.kill()
            await here.start()
            await built.letters.retry(letters[2:3], "test")
            await here.quiet()
            await built.letters.retry([letters[0], *letters[1:2]], "test")
            await here.quiet()

        state = await here.state()
        assert said(state) == [f"said {n:02}" for n in range(5)]


async def asked_to_wait(here: World) -> int:
    """Have Teams ask for a pause, at the first of what is said, and again and again."""
    rule = here.sandbox.faults.add({"on": "teams.post", "fault": "429", "times": 999})
    await here.slack("post", text="said 00")
    async with core(here.settings, "test") as built, asyncio.timeout(60):
        while not any(
            row.throttled_until_us for row in await built.health.status(COMPANY)
        ):
            await asyncio.sleep(0.02)
    return rule


async def let_go(here: World, rule: int) -> None:
    """Let the channel take what was said meanwhile, once all of it is on record."""
    await here.heard()
    here.sandbox.faults.lift(rule)


async def one_post_of(here: World, count: int, *, change: bool = False) -> list[str]:
    """
    Let somebody say so much while the channel takes nothing; returns the originals.

    With `change`, the second is edited and the third deleted meanwhile.
    """
    pause = await asked_to_wait(here)
    first = slack_messages(await here.state())[0]["ts"]
    later = [await here.slack("post", text=f"said {n:02}") for n in range(1, count)]
    ts = [first, *later]
    if change:
        await here.slack("edit", ts=ts[1], text="said 01better")
        await here.slack("delete", ts=ts[2])
    await let_go(here, pause)
    await here.until(lambda s: len(said(s)) == count - change)
    await here.quiet()
    return ts


def line_below(state: Mapping[str, Any]) -> str:
    return str(teams_messages(state)[0]["text"].strip())
