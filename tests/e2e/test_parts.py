"""
A message too long for the other side stands there in parts, whole, once, in order.

The judge is what the sandbox's Slack and Teams hold, joined again.
"""

import re
from collections.abc import Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

from bridge.messages import Platform
from tests.e2e.world import (
    World,
    slack_messages,
    slack_texts,
    teams_messages,
    teams_texts,
    world,
)

_FAMILY = "👩‍👩‍👧‍👦"
_LINES = [f"line {n:04} {_FAMILY}" for n in range(3_000)]
_CODE = "\n".join(f"code {n:04}" for n in range(700))
_NUMBERED = re.compile(r"(?:line|code|more) \d{4}")
# As small as settings let them be, so that short texts make many parts.
_SMALL = {"ATOM_TUNING_SLACK_PART": "500", "ATOM_TUNING_TEAMS_PART": "4000"}


def long_text(lines: int) -> str:
    """Return numbered lines of emoji, with a block of code in their middle."""
    half = lines // 2
    first, second = _LINES[:half], _LINES[half:lines]
    return "\n".join([*first, f"```\n{_CODE}\n```", *second])


def told(texts: list[str], word: str = "") -> list[str]:
    """Return the numbered lines of all texts, in their order."""
    found = [line for text in texts for line in _NUMBERED.findall(text)]
    return [line for line in found if line.startswith(word)]


def numbered(word: str, count: int) -> list[str]:
    return [f"{word} {n:04}" for n in range(count)]


async def test_a_slack_post_of_60000_characters_lives_its_life_in_teams(
    tmp_path: Path, database_url: str
) -> None:
    async with world(tmp_path, database_url) as here:
        await here.link()
        await here.start()
        text = long_text(3_000)
        assert len(text) > 60_000

        ts = await here.slack("post", text=text, typed=True)
        state = await here.until(lambda s: told(ours(s)) == told([text]))
        root, *others = teams_messages(state)
        assert others
        assert all(not one["is_root"] for one in others)
        assert "the rest is in the thread" in root["text"]
        for one in (root, *others):
            between = one["text"].split(_FAMILY)
            assert len(between) > 100
            assert not any(c in p for p in between for c in "👩👧👦\u200d")

        # A reply to a part comes home, and a reaction to one counts.
        await here.teams("reply", text="to the second part", thread=root["id"])
        state = await here.until(lambda s: "to the second part" in slack_texts(s))
        assert slack_messages(state)[-1]["thread_ts"] == ts
        await here.teams("react", message=others[0]["id"], reaction="like")
        await here.until(lambda s: slack_messages(s)[0]["reactions"] != [])

        await here.slack("edit", ts=ts, text="short now")
        await here.until(lambda s: [t[-9:] for t in ours(s)] == ["short now"])

        longer = long_text(2_000)
        await here.slack("edit", ts=ts, text=longer, typed=True)
        await here.until(lambda s: told(ours(s)) == told([longer]))

        await here.slack("delete", ts=ts)
        await here.until(lambda s: ours(s) == [])
        await here.quiet()
        assert len(slack_texts(await here.state())) == 1
        assert (await here.verdict()).intact


async def test_a_long_teams_message_lives_its_life_in_slack(
    tmp_path: Path, database_url: str
) -> None:
    async with world(tmp_path, database_url) as here:
        await here.link()
        await here.start()
        text = "\n".join(_LINES[:700])

        id_ = await here.teams("post", text=text)
        state = await here.until(lambda s: told(slack_texts(s)) == told([text]))
        root, *others = slack_messages(state)
        assert len(others) > 2
        assert {one["thread_ts"] for one in others} == {root["ts"]}
        assert all(len(one["text"]) <= 3_900 for one in (root, *others))

        await here.slack("reply", text="in Slack", thread_ts=root["ts"])
        await here.until(lambda s: any(t.endswith("in Slack") for t in teams_texts(s)))

        await here.teams("edit", message=id_, text="short now")
        await here.until(lambda s: set(slack_texts(s)) == {"short now", "in Slack"})
        await here.teams("edit", message=id_, text="\n".join(_LINES[:300]))
        await here.until(lambda s: told(slack_texts(s)) == told(_LINES[:300]))
        await here.teams("delete", message=id_)
        await here.until(lambda s: slack_texts(s) == ["in Slack"])
        await here.quiet()
        assert (await here.verdict()).intact


def ours(state: Mapping[str, Any]) -> list[str]:
    """Return what ATOM's messages in Teams say, without what Carol said there."""
    return [t for t in teams_texts(state) if "to the second part" not in t]


async def speak(here: World) -> None:
    """Say something long on both sides, and something short after it."""
    await here.slack("post", text="\n".join(numbered("line", 900)))
    await here.slack("post", text="after")
    await here.teams("post", text="\n".join(numbered("more", 150)))
    await here.teams("post", text="after")


async def both_stand_once(here: World) -> None:
    """Wait until all is said on both sides, and look whether it is said once."""
    await here.until(
        lambda s: (
            sum(t.endswith("after") for t in teams_texts(s)) == 2
            and slack_texts(s).count("after") == 2
        ),
        seconds=60,
    )
    await here.quiet()

    state = await here.state()
    in_teams = [t for t in teams_texts(state) if t.startswith("Alice")]
    assert told(in_teams) == numbered("line", 900)
    assert sum(t.endswith("after") for t in in_teams) == 1
    in_slack = [m["text"] for m in slack_messages(state) if m.get("bot_id")]
    assert told(in_slack) == numbered("more", 150)
    assert in_slack.count("after") == 1
    assert kinds(in_teams) == await kinds_heard(here, Platform.SLACK)
    assert kinds(in_slack) == await kinds_heard(here, Platform.TEAMS)
    assert (await here.verdict()).intact


def kinds(texts: list[str]) -> list[str]:
    """Return whether the long or the short one comes first; nothing goes between."""
    found = ["short" if text.endswith("after") else "long" for text in texts]
    return [kind for kind, _ in groupby(found)]


async def kinds_heard(here: World, platform: Platform) -> list[str]:
    """Return the same of what was captured: what was refused comes again later."""
    said = [
        e.body["text"]
        for e in await here.log()
        if e.etype == "message.create" and e.row["platform"] == platform
    ]
    return kinds(said)


async def test_killed_between_parts_each_stands_there_once(
    tmp_path: Path, database_url: str
) -> None:
    async with world(tmp_path, database_url, **_SMALL) as here:
        await here.set(slack__order_wait=30.0, teams__order_wait=30.0)
        await here.link()
        await here.start("sent", times=3)
        await speak(here)
        await here.died()
        await here.start("intended", times=3)
        await here.died()
        await here.start()

        await both_stand_once(here)


async def test_answers_lost_between_parts_are_looked_up(
    tmp_path: Path, database_url: str
) -> None:
    async with world(tmp_path, database_url, **_SMALL) as here:
        await here.set(slack__order_wait=30.0, teams__order_wait=30.0)
        await here.link()
        await here.start()
        await here.fault("teams.reply", "reset_after", times=2, skip=1)
        await here.fault("slack.chat.postMessage", "reset_after", times=2, skip=1)
        await here.fault("slack.chat.postMessage", "503", times=1, skip=2)

        await speak(here)

        await both_stand_once(here)


async def test_what_teams_does_not_take_goes_there_in_smaller_parts(
    tmp_path: Path,
) -> None:
    async with world(tmp_path, f"sqlite:///{tmp_path}/atom.db") as here:
        await here.link()
        await here.start()
        await here.set(teams__size_limit=4_000)

        ts = await here.slack("post", text="\n".join(_LINES[:150]))
        await here.until(lambda s: told(teams_texts(s)) == told(_LINES[:150]))
        await here.slack("edit", ts=ts, text="\n".join(_LINES[:100]))
        await here.until(lambda s: told(teams_texts(s)) == told(_LINES[:100]))
        await here.quiet()

        calls = [call["status"] for call in await here.journal()]
        assert 0 < calls.count(413) < 3
