"""What cannot get across is listed, and decided on from either side or the shell."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bots.core import core
from bridge.links import LinkState
from storage.hot import Program, Statement
from tests.e2e.test_linking import command_line, slack_answer, teams_answer
from tests.e2e.world import (
    COMPANY,
    FALCON,
    UNCUTTABLE,
    World,
    slack_messages,
    slack_texts,
    teams_messages,
    teams_texts,
    world,
)

_FEW_TRIES = {"ATOM_TUNING_TRIES": "3"}


@pytest.fixture
async def here(tmp_path: Path, database_url: str) -> AsyncIterator[World]:
    async with world(tmp_path, database_url, **_FEW_TRIES) as made:
        await made.link()
        await made.start()
        yield made


async def change_link(here: World, state: LinkState) -> None:
    async with core(here.settings, "test") as built:
        [link] = await built.links.of(COMPANY, FALCON)
        await built.links.change(link, state, "test")
    # Another process may act on what it read a quarter of a second ago, no longer.
    await asyncio.sleep(0.3)


async def entry_of(here: World, text: str) -> int:
    """Wait until a message is captured; returns its position."""
    entries = await here.logged(
        lambda entries: any(e.body.get("text") == text for e in entries)
    )
    return next(e.seq for e in entries if e.body.get("text") == text)


async def sealed(here: World, seq: int, body: bytes | None = None) -> bytes:
    """Return an entry's sealed body, and put another in its place if one is given."""

    def program() -> Program[bytes]:
        rows = yield Statement("SELECT ct FROM log WHERE seq = :seq", {"seq": seq})
        if body is not None:
            yield Statement(
                "UPDATE log SET ct = :ct WHERE seq = :seq", {"ct": body, "seq": seq}
            )
        return bytes(rows[0][0])

    async with here.store() as store:
        return await store.run(program)


async def status(here: World) -> dict[str, Any]:
    ran = await command_line(here, "status", "--json")
    [row] = json.loads(ran.stdout)
    found: dict[str, Any] = row
    return found


async def dead(here: World) -> list[dict[str, Any]]:
    ran = await command_line(here, "dead", "--json")
    assert ran.code == 0, ran.stderr
    found: list[dict[str, Any]] = json.loads(ran.stdout)
    return found


async def until_dead(here: World, count: int = 1) -> None:
    async with core(here.settings, "test") as built:
        async with asyncio.timeout(60):
            while len(await built.letters.all(COMPANY)) < count:
                await asyncio.sleep(0.05)


async def poisoned(here: World) -> tuple[int, bytes]:
    """Let the second of three messages be one that does not open."""
    await change_link(here, LinkState.PAUSED)
    for text in ("one", "two", "three"):
        await here.slack("post", text=text)
        await entry_of(here, text)
    seq = await entry_of(here, "two")
    body = await sealed(here, seq)
    await sealed(here, seq, bytes([body[0] ^ 1]) + body[1:])
    await change_link(here, LinkState.ACTIVE)
    return seq, body


async def test_a_poisoned_message_does_not_hold_its_lane(here: World) -> None:
    seq, _ = await poisoned(here)

    await here.until(lambda s: any(t.endswith("three") for t in teams_texts(s)))
    await until_dead(here)

    row = await status(here)
    [letter] = await dead(here)
    assert (row["dead"], row["queued"]) == (1, 0)
    assert row["last_error"] == letter["reason"]
    assert letter["reason"] == f"log entry {seq} does not open with its key"
    assert letter["entry"] == seq
    assert len(teams_messages(await here.state())) == 2


async def test_a_repaired_message_crosses_when_it_is_retried_from_teams(
    here: World,
) -> None:
    seq, body = await poisoned(here)
    await until_dead(here)
    in_slack = await slack_answer(here, "dead")
    in_chat = await teams_answer(here, "dead")
    reason = f"log entry {seq} does not open"
    assert reason in in_slack
    assert reason in in_chat
    await sealed(here, seq, body)

    await teams_answer(here, "retry")

    await here.until(lambda s: any(t.endswith("two") for t in teams_texts(s)))
    await here.quiet()
    state = await here.state()
    assert sum(t.endswith("two") for t in teams_texts(state)) == 1
    assert "No dead letters" in await slack_answer(here, "dead")
    assert "All is well" in await slack_answer(here, "status")
    decided = [e for e in await here.log() if e.etype == "admin.dead_letter"]
    assert [e.body["author"]["id"] for e in decided] == ["teams:29:carol"]
    assert (await here.verdict()).intact


async def test_what_was_refused_is_retried_from_slack_and_dropped_from_the_shell(
    here: World,
) -> None:
    await here.set(teams__size_limit=4_000)
    for text in ("alpha", "omega"):
        await here.slack("post", typed=True, text=UNCUTTABLE + text)
    await until_dead(here, 2)
    first, second = [letter["letter"] for letter in await dead(here)]
    await here.set(teams__size_limit=100_000)

    assert "Queued again" in await slack_answer(here, f"retry {first}")
    dropped = await command_line(here, "drop", second, "--reason", "too long anyway")

    assert dropped.code == 0, dropped.stderr
    await here.until(lambda s: any(t.endswith("alpha") for t in teams_texts(s)))
    await here.quiet()
    assert await dead(here) == []
    assert not any("omega" in t for t in teams_texts(await here.state()))
    decided = [e for e in await here.log() if e.etype == "admin.dead_letter"]
    assert [e.body["change"] for e in decided] == ["retry", "drop"]
    assert decided[1].body["reason"] == "too long anyway"
    assert decided[1].body["author"]["id"].startswith("operator:")


async def test_who_is_no_admin_decides_nothing(here: World) -> None:
    await here.set(teams__size_limit=4_000)
    await here.slack("post", typed=True, text=UNCUTTABLE)
    await until_dead(here)

    for line in ("dead", "retry", "drop all", "replay"):
        answer = await slack_answer(here, line, user="U02BOB")
        assert "may not" in answer
        assert "may not" in await teams_answer(here, line, user="29:dave")

    assert len(await dead(here)) == 1


async def test_what_was_said_while_the_link_was_gone_is_replayed_and_never_doubled(
    here: World,
) -> None:
    await here.slack("post", text="before")
    await here.until(lambda s: any(t.endswith("before") for t in teams_texts(s)))
    await here.set(teams__size_limit=4_000)
    await here.slack("post", typed=True, text=UNCUTTABLE + "missed")
    await until_dead(here)
    await here.set(teams__size_limit=100_000)

    answer = await slack_answer(here, "replay 1h")

    assert "1 missing" in answer
    await here.until(lambda s: any(t.endswith("missed") for t in teams_texts(s)))
    await here.quiet()
    [link] = json.loads((await command_line(here, "links", "--json")).stdout)
    again = await command_line(here, "replay", link["id"], "1h")
    await here.quiet()
    texts = teams_texts(await here.state())
    assert "Nothing is missing" in again.stdout
    assert sum(t.endswith(("before", "missed")) for t in texts) == 2


async def test_an_unknown_outcome_is_looked_up_again_or_sent_anyway(
    here: World,
) -> None:
    await here.fault("slack.chat.postMessage", "500_after", times=1)
    await here.fault(
        "slack.conversations.history", "error", times=50, error="missing_scope"
    )
    await here.teams("post", text="once")
    await until_dead(here)
    [letter] = await dead(here)
    assert letter["unknown"]
    await here.no_faults()

    looked_up = await command_line(here, "retry", letter["letter"])

    assert "looked up first" in looked_up.stdout
    await here.quiet()
    assert slack_texts(await here.state()).count("once") == 1
    assert await dead(here) == []


async def test_sending_anyway_may_double_and_says_so(here: World) -> None:
    await here.fault("slack.chat.postMessage", "500_after", times=1)
    await here.fault(
        "slack.conversations.history", "error", times=50, error="missing_scope"
    )
    await here.teams("post", text="twice")
    await until_dead(here)
    [letter] = await dead(here)
    await here.no_faults()

    answer = await slack_answer(here, f"retry {letter['letter']} anyway")

    assert "a second copy may appear" in answer
    await here.quiet()
    copies = [m for m in slack_messages(await here.state()) if m["text"] == "twice"]
    assert len(copies) == 2
