"""What happens while ATOM is away crosses once it is back: once, and in order."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bots.core import core
from storage.hot import Program, Statement
from tests.e2e.graph import told_by_graph
from tests.e2e.sizes import FULL
from tests.e2e.world import (
    COMPANY,
    World,
    slack_messages,
    teams_messages,
    world,
)

ROOTS, REPLIES, EDITS, DELETES, TEAMS = (
    (300, 80, 20, 10, 40) if FULL else (30, 12, 6, 4, 8)
)
PATIENCE = 600 if FULL else 60


@dataclass
class Outage:
    """What was said before and during an outage, and what has to stand after it."""

    here: World
    threads: list[str] = field(default_factory=list)
    before: list[str] = field(default_factory=list)
    teams_threads: list[str] = field(default_factory=list)
    teams_before: list[str] = field(default_factory=list)
    in_teams: Counter[str] = field(default_factory=Counter)
    in_slack: Counter[str] = field(default_factory=Counter)

    async def talk_before(self) -> None:
        """Leave threads to be continued, and messages to be edited and deleted."""
        for n in range(4):
            self.threads.append(await self.here.slack("post", text=f"thread {n}"))
            self.in_teams[f"thread {n}"] += 1
        for n in range(EDITS + DELETES):
            self.before.append(await self.here.slack("post", text=f"before {n:03}"))
        for n in range(2):
            root = await self.here.teams("post", text=f"teams thread {n}")
            self.teams_threads.append(root)
            self.in_slack[f"teams thread {n}"] += 1
        for n in range(2):
            before = await self.here.teams("post", text=f"teams before {n}")
            self.teams_before.append(before)
        await self.here.until(
            lambda s: (
                len(teams_messages(s)) == 4 + EDITS + DELETES + 2 + 2
                and len(slack_messages(s)) == 4 + EDITS + DELETES + 2 + 2
            ),
            PATIENCE,
        )
        await self.here.quiet()

    async def talk_meanwhile(self) -> None:
        """Say and change everything while nobody listens, each thread in its order."""
        for n in range(ROOTS):
            await self.here.slack("post", text=f"root {n:03}")
            self.in_teams[f"root {n:03}"] += 1
        for n in range(REPLIES):
            thread = self.threads[n % len(self.threads)]
            await self.here.slack("reply", text=f"reply {n:03}", thread_ts=thread)
            self.in_teams[f"reply {n:03}"] += 1
        for n in range(EDITS):
            await self.here.slack("edit", ts=self.before[n], text=f"edited {n:03}")
            self.in_teams[f"edited {n:03}"] += 1
        for ts in self.before[EDITS:]:
            await self.here.slack("delete", ts=ts)
        await self.here.teams("edit", message=self.teams_before[0], text="teams edited")
        self.in_slack["teams edited"] += 1
        await self.here.teams("delete", message=self.teams_before[1])
        for n in range(TEAMS):
            more = {"thread": self.teams_threads[n % 2]} if n % 2 else {}
            action = "reply" if more else "post"
            await self.here.teams(action, text=f"teams {n:03}", **more)
            self.in_slack[f"teams {n:03}"] += 1

    @property
    def posted(self) -> int:
        return sum(self.in_teams.values()) + sum(self.in_slack.values()) + DELETES + 1

    def over(self, state: Mapping[str, Any]) -> bool:
        return Counter(copies_in_teams(state)) == self.in_teams and (
            Counter(copies_in_slack(state)) == self.in_slack
        )


def copies_in_teams(state: Mapping[str, Any]) -> list[str]:
    return [said(m["text"]) for m in teams_messages(state) if is_copy(m)]


def copies_in_slack(state: Mapping[str, Any]) -> list[str]:
    return [
        m["text"].partition("\n")[0] for m in slack_messages(state) if m.get("bot_id")
    ]


def is_copy(message: Mapping[str, Any]) -> bool:
    """Whether it is no note of ATOM's own, which is one line."""
    return message["author"]["is_bot"] and "\n" in message["text"].strip()


def said(text: str) -> str:
    """Return the line that was said, below the one that names the author."""
    return text.strip().split("\n")[1].strip()


async def deaf(here: World) -> None:
    """Let nothing reach ATOM any more, not even later."""
    await here.set(atom_url="")


async def killed_while_catching_up(here: World) -> None:
    """Start ATOM to be killed when it has taken in a part of what it missed."""
    with suppress(AssertionError):  # it may be gone before it was ready
        await here.start("captured", times=20)
    await here.died()


@pytest.mark.parametrize("how", ["stop", "kill", "kill again"])
async def test_after_an_outage_everything_is_bridged_once_and_in_order(
    tmp_path: Path, database_url: str, how: str
) -> None:
    if FULL and how != "stop":
        pytest.skip("once is enough with the full numbers")
    async with world(tmp_path, database_url) as here:
        await here.link()
        await here.start()
        outage = Outage(here)
        await outage.talk_before()
        await (here.stop() if how == "stop" else here.kill())
        await deaf(here)
        await outage.talk_meanwhile()
        await here.set(atom_url=here.atom)

        if how == "kill again":
            await killed_while_catching_up(here)
        await here.start()
        await here.until(outage.over, PATIENCE)
        await here.quiet()

        state = await here.state()
        assert outage.over(state)
        roots = [t for t in copies_in_teams(state) if t.startswith("root")]
        assert roots == sorted(roots)
        for thread in threads_in_teams(state).values():
            assert thread == sorted(thread)
        assert sum(map(len, threads_in_teams(state).values())) == REPLIES
        entries = await here.log()
        kinds = Counter(e.etype for e in entries)
        assert kinds["message.create"] == outage.posted
        assert (kinds["message.edit"], kinds["message.delete"]) == (
            EDITS + 1,
            DELETES + 1,
        )
        caught = [e for e in entries if e.row["via"] == "catchup"]
        assert len(caught) >= ROOTS + REPLIES + EDITS + DELETES + TEAMS
        assert (await here.verdict()).intact


async def linked_since(here: World, seconds: float) -> None:
    """Let the link be older by so many seconds than it is."""
    async with core(here.settings, "test") as built:
        [link] = await built.links.all(COMPANY)
        since = Statement(
            "UPDATE link SET created_us = :us",
            {"us": link.created_us - int(seconds) * 10**6},
        )
        await built.database.hot.run(lambda: _changed(since))


def threads_in_teams(state: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return what was replied, by thread, in the order in which it stands there."""
    threads: dict[str, list[str]] = {}
    for message in teams_messages(state):
        if not message["is_root"] and is_copy(message):
            threads.setdefault(message["root"], []).append(said(message["text"]))
    return threads


async def second_feed(here: World) -> None:
    """Start ATOM with Graph's notices, as a bot that hears only what mentions it."""
    await here.link()
    await told_by_graph(here)
    await here.set(teams__rsc=False)


async def test_what_only_graph_tells_of_crosses_once(
    tmp_path: Path, database_url: str
) -> None:
    async with world(tmp_path, database_url) as here:
        await second_feed(here)

        root = await here.teams("post", text="unheard")
        await here.teams("reply", text="unheard too", thread=root)
        await here.until(lambda s: len(slack_messages(s)) == 2)
        await here.slack("post", text="an answer")
        await here.until(lambda s: len(teams_messages(s)) == 3)
        await here.quiet()

        state = await here.state()
        assert copies_in_slack(state) == ["unheard", "unheard too"]
        entries = await here.log()
        said = [e for e in entries if e.etype == "message.create"]
        assert Counter(e.row["via"] for e in said) == {"catchup": 2, "push": 1}


async def test_what_graph_could_not_tell_of_crosses_once_it_says_so(
    tmp_path: Path, database_url: str
) -> None:
    async with world(tmp_path, database_url) as here:
        await second_feed(here)
        await here.fault("teams.graph.notify", "drop")

        await here.teams("post", text="missed")
        await here.until(lambda s: len(slack_messages(s)) == 1)

        assert copies_in_slack(await here.state()) == ["missed"]


async def test_what_slack_dropped_crosses_once_it_says_so(
    tmp_path: Path, database_url: str
) -> None:
    async with world(tmp_path, database_url) as here:
        await here.link()
        await here.start()
        await here.slack("post", text="before")
        await here.until(lambda s: len(teams_messages(s)) == 1)
        await here.fault("slack.deliver", "drop", times=3)
        for text in ("one", "two", "three"):
            await here.slack("post", text=text)

        await here.slack("rate_limited")
        await here.until(lambda s: len(teams_messages(s)) == 4)
        await here.quiet()

        told = copies_in_teams(await here.state())
        assert told == ["before", "one", "two", "three"]


async def test_the_later_of_two_edits_of_a_second_stands_though_nobody_heard_it(
    tmp_path: Path, database_url: str
) -> None:
    async with world(tmp_path, database_url) as here:
        await here.link()
        await here.start()
        alice = {"ts": await here.slack("post", text="one"), "user": "U01ALICE"}
        await here.until(lambda s: copies_in_teams(s) == ["one"])
        await here.slack("edit", text="two", **alice)
        await here.until(lambda s: copies_in_teams(s) == ["two"])
        await here.quiet()
        await here.kill()
        await deaf(here)

        # Slack's time stands still until it is that late again.
        await here.set(slack__clock=-600.0)
        await here.slack("edit", text="three", **alice)
        await here.set(slack__clock=0.0, atom_url=here.atom)
        await here.start()

        await here.until(lambda s: copies_in_teams(s) == ["three"])
        await here.quiet()
        edits = [e for e in await here.log() if e.etype == "message.edit"]
        assert [e.body["text"] for e in edits] == ["two", "three"]
        first, last = (e.row["src_us"] for e in edits)
        assert first == last


async def test_a_reaction_waits_for_a_message_that_only_catching_up_brings(
    tmp_path: Path, database_url: str
) -> None:
    short = {"RECONCILE_AFTER": "0.1", "CALL_TIMEOUT": "0.5", "ORPHAN_PATIENCE": "0"}
    more = {f"ATOM_TUNING_{name}": seconds for name, seconds in short.items()}
    async with world(tmp_path, database_url, **more) as here:
        await here.link()
        await here.set(teams__reactions_on_user_messages=True)
        await here.start()
        await here.slack("post", text="heard")
        await here.until(lambda s: copies_in_teams(s) == ["heard"])
        await here.quiet()
        await deaf(here)
        ts = await here.slack("post", text="missed here")
        message = await here.teams("post", text="missed there")
        await here.set(atom_url=here.atom)
        await here.slack("react", ts=ts, name="tada", user="U02BOB")
        await here.teams("react", message=message, reaction="heart", user="29:dave")
        await here.heard()
        await asyncio.sleep(2)  # longer than it may take until a copy is known

        await here.stop()
        await here.start()

        def over(state: Mapping[str, Any]) -> bool:
            return any(
                m["author"]["is_bot"]
                and "missed here" in m["text"]
                and "🎉 1" in m["text"]
                for m in teams_messages(state)
            ) and any(
                m["text"] == "missed there"
                and [r["name"] for r in m.get("reactions", [])] == ["heart"]
                for m in slack_messages(state)
            )

        await here.until(over)


async def test_a_late_copy_says_when_its_original_was_said(
    tmp_path: Path, database_url: str
) -> None:
    async with world(tmp_path, database_url) as here:
        await here.link()
        await deaf(here)
        await here.set(slack__clock=-3600.0, teams__clock=-3600.0)
        ts = await here.slack("post", text="early in Slack")
        await here.teams("post", text="early in Teams")
        await here.set(slack__clock=0.0, teams__clock=0.0, atom_url=here.atom)
        await linked_since(here, 7200)

        await here.start()
        # The copies, and what Carol is told below hers.
        state = await here.until(
            lambda s: len(teams_messages(s)) == 3 and len(slack_messages(s)) == 2
        )

        at = datetime.fromtimestamp(int(ts.split(".", maxsplit=1)[0]), UTC)
        said = f"said {at:%Y-%m-%d %H:%M} UTC"
        [in_teams] = [m for m in teams_messages(state) if "early in Slack" in m["text"]]
        assert said in in_teams["text"]
        [in_slack] = [m for m in slack_messages(state) if m.get("bot_id")]
        assert said in str(in_slack)
        [note] = [m["text"] for m in teams_messages(state) if "late" in m["text"]]
        assert "crossed to Slack late" in note
        state = await here.until(lambda s: len(whispers(s)) == 1)
        assert whispers(state)[0]["to"] == "U01ALICE"
        assert "crossed to Teams late" in whispers(state)[0]["text"]


def whispers(state: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return what single people were told in Slack."""
    return [w for t in state["slack"]["workspaces"] for w in t["ephemerals"]]


def _changed(statement: Statement) -> Program[None]:
    yield statement
