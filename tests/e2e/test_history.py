"""What was said before a link crosses as one digest a side, once, whatever happens."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from bots.core import core
from bridge.history import wishes
from bridge.links import LinkState
from storage.log_reader import LogEntry
from tests.e2e.test_linking import (
    code_in,
    command_line,
    slack_answer,
    teams_answer,
)
from tests.e2e.world import (
    COMPANY,
    FALCON,
    PROJECT,
    World,
    slack_messages,
    teams_messages,
    world,
)

SLACK, TEAMS = 45, 5


async def talk(here: World) -> None:
    """Let people talk in both channels, which nobody has linked yet."""
    last = ""
    for n in range(SLACK):
        last = await here.slack("post", text=f"slack {n:02}")
    await here.slack("reply", text="slack in a thread", thread_ts=last)
    await here.slack("edit", ts=last, text="slack 44, edited")
    gone = await here.slack("post", text="taken back")
    await here.slack("delete", ts=gone)
    await here.slack("post", text="<!channel> and <@U02BOB>, all of you", typed=True)
    for n in range(TEAMS):
        await here.teams("post", text=f"teams {n}")
    # What is heard after the link crosses by itself, whenever it was said.
    async with asyncio.timeout(60):
        while len(await said(here)) < SLACK + TEAMS + 5:
            await asyncio.sleep(0.1)


async def said(here: World) -> list[LogEntry]:
    """Return the log without what ATOM says of its own starts and stops."""
    return [e for e in await here.log() if e.etype != "admin.config"]


def digest_in_teams(state: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the digest's root and the posts below it."""
    messages = teams_messages(state)
    roots = [m for m in messages if m["is_root"] and "History of" in m["text"]]
    assert len(roots) <= 1
    return [m for m in messages if roots and m["root"] == roots[0]["id"]]


def digest_in_slack(state: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    messages = slack_messages(state)
    roots = [m for m in messages if "History of" in m["text"]]
    assert len(roots) <= 1
    below = [m for m in messages if roots and m.get("thread_ts") == roots[0]["ts"]]
    return [*roots, *(m for m in below if m not in roots)]


def text_of(messages: list[Mapping[str, Any]]) -> str:
    return "\n".join(m["text"] for m in messages)


def whole(state: Mapping[str, Any]) -> bool:
    return "all of you" in text_of(digest_in_teams(state)) and (
        f"teams {TEAMS - 1}" in text_of(digest_in_slack(state))
    )


async def test_history_crosses_once_even_if_atom_is_killed_in_the_middle(
    tmp_path: Path, database_url: str
) -> None:
    more = {"ATOM_TUNING_HISTORY_PAUSE": "0.1"}
    async with world(tmp_path, database_url, **more) as here:
        await here.start("sent", times=4)
        await talk(here)
        code = code_in(await slack_answer(here, "link"))
        with suppress(AssertionError):  # ATOM may be gone before Teams shows it all
            await teams_answer(here, f"link {code} backfill=7")
        await here.died()
        assert not whole(await here.state())

        await here.start()
        await here.slack("post", text="said meanwhile")
        await here.until(whole)
        await here.quiet()

        state = await here.state()
        [root, *parts] = digest_in_teams(state)
        count = SLACK + 2
        assert f"History of #project-falcon, 7 days, {count} messages" in root["text"]
        told = text_of(parts)
        wanted = [f"slack {n:02}" for n in range(SLACK)]
        wanted += ["slack in a thread", "@channel and @Bob Stone, all of you"]
        places = [told.find(text) for text in wanted]
        assert places == sorted(places), told[-300:]
        assert -1 not in places
        assert [told.count(text) for text in wanted] == [1] * len(wanted)
        assert told.count("Alice Wong") == count
        assert "edited" in told
        assert "taken back" not in told
        assert "said meanwhile" not in told
        assert len(parts) < count / 5
        slack = text_of(digest_in_slack(state))
        assert f"7 days, {TEAMS} messages" in slack
        assert [slack.count(f"teams {n}") for n in range(TEAMS)] == [1] * TEAMS

        # A reply below the digest is a new message; an edit of before changes nothing.
        await here.teams("reply", text="what was that?", thread=root["id"])
        await here.until(
            lambda s: any(m["text"].startswith("what was") for m in slack_messages(s))
        )
        await here.quiet()
        state = await here.state()
        [new] = [m for m in slack_messages(state) if m["text"].startswith("what was")]
        assert new.get("thread_ts") in {None, new["ts"]}
        assert len(digest_in_teams(state)) == 1 + len(parts) + 1
        entries = await here.log()
        before = [e for e in entries if e.row["via"] == "backfill"]
        posts = [e for e in before if e.etype == "history.post"]
        assert len(posts) == 1 + len(parts) + len(digest_in_slack(state))
        first = {e.row["conv"]: e.seq for e in reversed(posts)}
        assert all(
            e.seq < first[e.row["conv"]] for e in before if e.etype == "message.create"
        )
        assert (await here.verdict()).intact


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_history_waits_for_what_is_said_now_and_ends_with_its_link(
    tmp_path: Path, database_url: str
) -> None:
    more = {"ATOM_TUNING_HISTORY_PAUSE": "0.5"}
    async with world(tmp_path, database_url, **more) as here:
        await here.start()
        await talk(here)
        await here.fault("teams.post", "429", times=1, retry_after=2)
        async with core(here.settings, "test") as built:
            link = await built.links.add(COMPANY, (FALCON, PROJECT), "test")
            await asyncio.sleep(0.4)  # other processes notice a link by then
            await here.slack("post", text="said now")
            names = iter(("one", "other"))
            await built.wishes.add(wishes(link, 7, lambda: next(names)), "test")
            await here.until(lambda s: bool(digest_in_teams(s)))
            await built.links.change(link, LinkState.REMOVED, "test")

            await here.logged(
                lambda entries: any("ended" in str(e.body) for e in entries)
            )
        await here.quiet()

        state = await here.state()
        roots = [m["text"] for m in teams_messages(state) if m["is_root"]]
        [live] = [n for n, text in enumerate(roots) if "said now" in text]
        [history] = [n for n, text in enumerate(roots) if "History of" in text]
        assert live < history
        assert not whole(state)


async def test_the_command_line_links_with_history(tmp_path: Path) -> None:
    async with world(tmp_path, f"sqlite:///{tmp_path}/atom.db") as here:
        await here.start()
        await here.slack("post", text="said in Slack before")
        await here.teams("post", text="said in Teams before")
        await here.quiet()

        wrong = await command_line(
            here, "link", str(FALCON), str(PROJECT), "--backfill", "4000"
        )
        done = await command_line(
            here, "link", str(FALCON), str(PROJECT), "--backfill", "7"
        )

        assert wrong.code != 0
        assert len(wrong.stderr.strip().splitlines()) == 1, wrong.stderr
        assert done.code == 0, done.stderr
        assert "What was said lately follows" in done.stdout
        state = await here.until(
            lambda s: (
                "said in Slack before" in text_of(digest_in_teams(s))
                and "said in Teams before" in text_of(digest_in_slack(s))
            )
        )
        await here.quiet()
    assert "7 days" in digest_in_teams(state)[0]["text"]
