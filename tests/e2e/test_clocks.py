"""Clocks that differ by ten minutes double nothing and lose nothing."""

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.databases import migrated_template
from tests.e2e.files import KEEPING, slack_copy, teams_copy
from tests.e2e.world import (
    SHARING,
    World,
    slack_messages,
    slack_texts,
    teams_messages,
    teams_texts,
    world,
)
from tests.servers import Postgres, free_port

# By how much the platforms' clocks are ahead of the machine that ATOM runs on.
AHEAD, BEHIND = 600.0, -600.0
APART = pytest.mark.parametrize("apart", [AHEAD, BEHIND], ids=["behind", "ahead"])


@pytest.fixture
async def here(tmp_path: Path, apart: float) -> AsyncIterator[World]:
    async with world(tmp_path, f"sqlite:///{tmp_path}/atom.db") as made:
        await made.set(
            slack__clock=apart, teams__clock=apart, teams__graph_roles=KEEPING
        )
        await made.link()
        await made.start()
        # Their time is known from the first answer of theirs.
        await made.members_known()
        yield made


@APART
async def test_posts_whose_answers_are_lost_stand_once(here: World) -> None:
    for call in ("slack.chat.postMessage", "teams.post", "teams.reply"):
        await here.fault(call, "reset_after", times=1)
    root = await here.slack("post", text="from Slack")
    await here.until(lambda s: len(teams_messages(s)) == 1)
    await here.slack("reply", text="below", thread_ts=root)
    # What stands there already and says the same is not taken for it.
    await here.teams("post", text="twice")
    await here.until(lambda s: "twice" in slack_texts(s))
    await here.fault("slack.chat.postMessage", "reset_after", times=1)
    await here.teams("post", text="twice")

    await here.until(lambda s: slack_texts(s).count("twice") == 2)
    await here.until(lambda s: any(t.endswith("below") for t in teams_texts(s)))
    await here.quiet()

    state = await here.state()
    assert slack_texts(state) == ["from Slack", "below", "twice", "twice"]
    assert len(teams_messages(state)) == 4
    assert all("said " not in text for text in teams_texts(state))
    assert "bridge.failed" not in {e.etype for e in await here.log()}


@APART
async def test_the_same_said_twice_in_teams_is_found_where_it_stands(
    here: World,
) -> None:
    await here.slack("post", text="twice", user="U01ALICE")
    await here.until(lambda s: len(teams_messages(s)) == 1)
    await here.quiet()
    await here.fault("teams.post", "reset_after", times=1)
    await here.slack("post", text="twice", user="U01ALICE")

    await here.until(lambda s: len(teams_messages(s)) == 2)
    await here.quiet()

    assert len(teams_messages(await here.state())) == 2


@APART
async def test_edits_and_deletions_reach_what_was_found(here: World) -> None:
    await here.fault("teams.post", "reset_after", times=1)
    await here.fault("slack.chat.postMessage", "reset_after", times=1)
    ts = await here.slack("post", text="old in Slack")
    id_ = await here.teams("post", text="old in Teams")
    await here.until(lambda s: len(slack_messages(s)) == len(teams_messages(s)) == 2)
    for call in ("slack.chat.update", "teams.update"):
        await here.fault(call, "reset_after", times=1)
    await here.slack("edit", ts=ts, text="new in Slack")
    await here.teams("edit", message=id_, text="new in Teams")

    await here.until(
        lambda s: (
            any(t.endswith("new in Slack") for t in teams_texts(s))
            and "new in Teams" in slack_texts(s)
        )
    )
    await here.quiet()
    state = await here.state()
    assert len(slack_messages(state)) == len(teams_messages(state)) == 2

    await here.slack("delete", ts=ts)
    await here.teams("delete", message=id_)
    await here.until(lambda s: not slack_messages(s) and not teams_messages(s))


@APART
async def test_files_whose_answers_are_lost_stand_once(here: World) -> None:
    for call in ("teams.reply", "slack.files.completeUploadExternal"):
        await here.fault(call, "reset_after", times=1)
    await here.slack("upload", text="numbers", name="s.csv", content="a,b")
    await here.teams("upload", text="words", name="t.txt", content="c,d")

    await here.until(lambda s: "in this thread" in teams_copy(s, "numbers"))
    await here.until(lambda s: "in this thread" in slack_copy(s, "words"))
    await here.quiet()

    state = await here.state()
    # The list below the copy, and the file's own message.
    assert len([m for m in teams_messages(state) if "s.csv" in m["text"]]) == 2
    names = [f["name"] for m in slack_messages(state) for f in m.get("files", ())]
    assert names.count("t.txt") == 1


@APART
async def test_what_happened_meanwhile_is_caught_up_with_once(here: World) -> None:
    await here.slack("post", text="before")
    await here.until(lambda s: len(teams_messages(s)) == 1)
    await here.quiet()
    await here.kill()
    for side in ("slack.deliver", "teams.deliver"):
        await here.fault(side, "drop", times=100)
    ts = await here.slack("post", text="meanwhile in Slack")
    await here.slack("edit", ts=ts, text="meanwhile, edited")
    await here.teams("post", text="meanwhile in Teams")

    await here.no_faults()
    await here.start()

    await here.until(lambda s: "meanwhile in Teams" in slack_texts(s))
    await here.until(lambda s: any("meanwhile, edited" in t for t in teams_texts(s)))
    await here.quiet()
    state = await here.state()
    assert len(slack_messages(state)) == len(teams_messages(state)) == 3
    # Nothing of it came late, by the clock that it was said by.
    assert "said " not in " ".join([*slack_texts(state), *teams_texts(state)])


@APART
async def test_what_is_said_is_heard_in_the_moment(here: World) -> None:
    await here.slack("command", command="/atom", args="status")
    await here.slack("post", text="from Slack")
    await here.teams("post", text="from Teams")

    await here.until(lambda s: len(teams_messages(s)) == len(slack_messages(s)) == 2)
    await here.quiet()

    pushed = [e for e in await here.log() if e.etype == "message.create"]
    assert {e.row["via"] for e in pushed} == {"push"}
    refused = [
        e
        for e in await here.journal()
        if e["direction"] == "out" and e["status"] == 401
    ]
    assert refused == []


async def test_two_hosts_whose_clocks_differ_lose_and_double_nothing(
    tmp_path: Path, postgres: Postgres, redis_url: str
) -> None:
    with postgres.database(migrated_template(postgres)) as url:
        async with world(tmp_path, url, redis_url, **SHARING) as early:
            late = replace(early, port=free_port(), process=None, ahead=AHEAD)
            await early.link()
            await early.start()
            await late.start()
            try:
                talk = Talk(early)
                await talk.turn(early, late)
                # Each goes on with what the other one has begun.
                await early.kill()
                await talk.turn(late)
                await early.start()
                await talk.turn(late, early)
                await late.kill()
                await talk.turn(early)
                await talk.over()
            finally:
                await late.stop()

            state = await early.state()
            assert Counter(talk.copies(state)) == talk.said
            assert all("said " not in text for text in talk.copies(state))
            entries = await early.log()
            kinds = Counter(e.etype for e in entries)
            assert kinds["message.create"] == len(talk.said)
            dropped = {e.body["reason"] for e in entries if e.etype == "bridge.dropped"}
            assert dropped <= {"a newer edit was sent already"}
            assert kinds["bridge.failed"] == 0
            assert (await early.verdict()).intact


class Talk:
    """What two people say in turns, each to another process, and lose answers of."""

    def __init__(self, here: World) -> None:
        self.here = here
        self.said: Counter[str] = Counter()

    async def turn(self, *hosts: World) -> None:
        """Say and change something on both sides; the hosts take it in by turns."""
        here, number = self.here, len(self.said)
        for call in ("slack.chat.postMessage", "teams.post"):
            await here.fault(call, "reset_after", times=1)
        for n in range(4):
            await here.set(atom_url=hosts[n % len(hosts)].atom)
            text = f"{number + n:02}"
            ts = await here.slack("post", text=f"s{text}")
            id_ = await here.teams("post", text=f"t{text}")
            await here.heard()
            if n % 2:
                # Taken in by one host, and changed by way of the other.
                await here.set(atom_url=hosts[0].atom)
                await here.slack("edit", ts=ts, text=f"s{text} changed")
                await here.teams("edit", message=id_, text=f"t{text} changed")
                await here.heard()
            changed = " changed" if n % 2 else ""
            self.said[f"s{text}{changed}"] = self.said[f"t{text}{changed}"] = 1

    async def over(self) -> None:
        await self.here.until(lambda s: Counter(self.copies(s)) == self.said)
        await self.here.quiet()

    @staticmethod
    def copies(state: Mapping[str, Any]) -> list[str]:
        in_slack = [m["text"] for m in slack_messages(state) if m.get("bot_id")]
        ours = [m for m in teams_messages(state) if m["author"]["is_bot"]]
        # What one person says in a row may stand in one post.
        return in_slack + [
            line for m in ours for line in m["text"].split("\n")[1:] if line.strip()
        ]
