"""What goes wrong between ATOM and the platforms does not show."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from tests.databases import migrated_template
from tests.e2e.world import (
    SHARING,
    UNCUTTABLE,
    World,
    slack_messages,
    slack_texts,
    teams_messages,
    teams_texts,
    world,
)
from tests.servers import Postgres, free_port

LOST_ANSWERS = ("500_after", "502_after", "504_after", "reset_after", "timeout_after")
NOT_DONE = ("500", "502", "503", "504", "reset", "429")


_DATABASE = ["database_url"]


def on_both(*faults: str) -> list[tuple[str, str]]:
    """Return every fault on SQLite, and one of each kind on PostgreSQL as well."""
    kinds = {"502_after", "reset_after", "reset", "429"}
    again = [(fault, "postgresql") for fault in faults if fault in kinds]
    return [(fault, "sqlite") for fault in faults] + again


@pytest.fixture
async def here(tmp_path: Path, database_url: str) -> AsyncIterator[World]:
    async with world(tmp_path, database_url) as made:
        await made.link()
        await made.start()
        yield made


@pytest.mark.parametrize(
    ("fault", "database_url"), on_both(*LOST_ANSWERS, *NOT_DONE), indirect=_DATABASE
)
async def test_whatever_slack_answers_one_copy_stands_there(
    tmp_path: Path, database_url: str, fault: str
) -> None:
    async with world(tmp_path, database_url) as here:
        await here.link()
        await here.start()
        more = {"seconds": 4.0} if fault == "timeout_after" else {"retry_after": 1}
        await here.fault("slack.chat.postMessage", fault, times=1, **more)
        await here.teams("post", text="one")
        await here.teams("post", text="two")

        await here.until(lambda s: slack_texts(s) == ["one", "two"])
        await here.quiet()

        assert slack_texts(await here.state()) == ["one", "two"]


@pytest.mark.parametrize(
    ("fault", "database_url"),
    on_both(*LOST_ANSWERS, *NOT_DONE, "412"),
    indirect=_DATABASE,
)
async def test_whatever_teams_answers_one_copy_stands_there(
    tmp_path: Path, database_url: str, fault: str
) -> None:
    async with world(tmp_path, database_url) as here:
        await here.link()
        await here.start()
        more = {"seconds": 4.0} if fault == "timeout_after" else {"retry_after": 1}
        await here.fault("teams.post", fault, times=1, **more)
        await here.slack("post", text="one")
        # Of somebody else: what one person says in a row may share a copy.
        await here.slack("post", text="two", user="U02BOB")

        await here.until(lambda s: len(teams_messages(s)) == 2)
        await here.quiet()

        first, second = teams_texts(await here.state())
        assert first.endswith("one")
        assert second.endswith("two")


async def test_events_delivered_twice_and_out_of_order_cross_once(
    here: World,
) -> None:
    await here.set(slack__order_wait=0.0, teams__order_wait=0.0)
    await here.fault("slack.deliver", "duplicate", times=50)
    await here.fault("teams.deliver", "duplicate", times=50)
    await here.fault("slack.deliver", "reorder", times=5, seconds=0.4)
    ts = [await here.slack("post", text=f"s{n}") for n in range(5)]
    ids = [await here.teams("post", text=f"t{n}") for n in range(5)]
    await here.slack("edit", ts=ts[0], text="s0 edited")
    await here.teams("delete", message=ids[4])

    await here.until(
        lambda s: (
            len(slack_messages(s)) == len(teams_messages(s)) == 9
            and any(text.endswith("s0 edited") for text in teams_texts(s))
        )
    )
    await here.quiet()

    state = await here.state()
    assert len(slack_messages(state)) == len(teams_messages(state)) == 9


async def test_an_edit_that_comes_before_its_message_is_not_lost(
    here: World,
) -> None:
    await here.set(slack__order_wait=0.0)
    await here.fault("slack.deliver", "delay", times=1, seconds=1.5)
    ts = await here.slack("post", text="old")
    await here.slack("edit", ts=ts, text="new")

    state = await here.until(lambda s: len(teams_messages(s)) == 1)
    await here.quiet()

    assert teams_texts(state)[0].endswith("new")


async def test_a_throttled_channel_does_not_delay_the_other_direction(
    here: World,
) -> None:
    await here.fault("teams.post", "429", times=1000, retry_after=1)
    await here.slack("post", text="waits")
    await here.teams("post", text="passes")

    state = await here.until(lambda s: "passes" in slack_texts(s))
    assert teams_texts(state) == ["passes"]
    await here.no_faults()
    await here.until(lambda s: any(t.endswith("waits") for t in teams_texts(s)))


async def test_a_message_that_is_refused_is_dead_and_the_lane_goes_on(
    here: World,
) -> None:
    await here.set(teams__size_limit=4_000)
    await here.slack("post", typed=True, text=UNCUTTABLE)
    await here.slack("post", text="next")

    await here.until(lambda s: any(t.endswith("next") for t in teams_texts(s)))
    await here.quiet()

    kinds = [e.etype for e in await here.log()]
    assert "bridge.failed" in kinds


async def test_while_postgresql_is_stopped_nothing_is_acknowledged_or_sent(
    tmp_path: Path, own_postgres: Postgres
) -> None:
    url = own_postgres.url(own_postgres.create_database())
    async with world(tmp_path, url) as here:
        await here.link()
        await here.start()
        own_postgres.stop()
        await here.slack("post", text="from Slack")
        await here.teams("post", text="from Teams")
        answers: list[int] = []
        async with asyncio.timeout(60):
            while len(answers) < 2:
                await asyncio.sleep(0.1)
                answers = [
                    e["status"]
                    for e in await here.journal()
                    if e["direction"] == "out" and e["call"].endswith("deliver")
                ]
        state = await here.state()

        own_postgres.start()

        assert all(status >= 500 or status == 0 for status in answers)
        assert len(teams_messages(state)) == len(slack_messages(state)) == 1
        await here.until(
            lambda s: len(teams_messages(s)) == len(slack_messages(s)) == 2,
            seconds=60,
        )
        await here.quiet()
        assert (await here.verdict()).intact


async def test_with_a_spool_what_is_said_meanwhile_waits_on_the_disk(
    tmp_path: Path, own_postgres: Postgres
) -> None:
    url = own_postgres.url(own_postgres.create_database())
    more = {**SHARING, "ATOM_TUNING_SPOOL": "1000000"}
    more["ATOM_TUNING_CAPTURE_PATIENCE"] = "0.5"
    async with world(tmp_path, url, **more) as here:
        await here.link()
        await here.start()
        own_postgres.stop()
        for n in range(3):
            await here.slack("post", text=f"from Slack {n}")
            await here.teams("post", text=f"from Teams {n}")
            await here.heard()
        await here.slack("command", command="/atom", args="status")
        state = await here.state()
        assert len(teams_messages(state)) == len(slack_messages(state)) == 3

        await here.kill()
        own_postgres.start()
        await here.start()

        state = await here.until(
            lambda s: len(teams_messages(s)) == len(slack_messages(s)) == 6
        )
        await here.quiet()
        entries = [e for e in await here.log() if e.etype == "message.create"]
        verdict = await here.verdict()

    assert [t[-1] for t in teams_texts(state)[-3:]] == ["0", "1", "2"]
    # What is in the spool may be read from the platforms as well: it is there once.
    assert len(entries) == 6
    assert {e.row["via"] for e in entries} <= {"spool", "catchup"}
    assert "taken in from the disk" in here.stderr
    assert '"count": 6, "event": "taken in from the disk"' in here.stderr
    assert verdict.intact


async def test_a_start_that_meets_a_held_lock_waits_for_it(
    tmp_path: Path, postgres: Postgres
) -> None:
    hasty = {"ATOM_TUNING_CAPTURE_PATIENCE": "0.5"}
    with postgres.database(migrated_template(postgres)) as url:
        async with world(tmp_path, url, **hasty) as here:
            holding = await asyncpg.connect(url)
            try:
                async with holding.transaction():
                    await holding.execute("LOCK TABLE head IN SHARE MODE")
                    starting = asyncio.create_task(here.start())
                    async with asyncio.timeout(80):  # most of which it takes to begin
                        while "the start waits" not in here.stderr:
                            assert not starting.done()
                            await asyncio.sleep(0.05)
                await starting
            finally:
                await holding.close()


async def test_two_processes_share_the_work_and_copy_once(
    tmp_path: Path, postgres: Postgres, redis_url: str
) -> None:
    with postgres.database(migrated_template(postgres)) as url:
        async with world(tmp_path, url, redis_url, **SHARING) as here:
            await here.link()
            await here.start()
            other = replace(here, port=free_port(), process=None)
            await other.start()
            try:
                for n in range(20):
                    await here.slack("post", text=f"m{n:02}")
                    await here.set(atom_url=(other, here)[n % 2].atom)
                await here.until(lambda s: len(teams_messages(s)) == 20)
                await other.kill()
                for n in range(20, 30):
                    await here.slack("post", text=f"m{n:02}")
                await here.set(atom_url=here.atom)
                state = await here.until(lambda s: len(teams_messages(s)) == 30)
                await here.quiet()
            finally:
                await other.stop()

    assert [t[-3:] for t in teams_texts(state)] == [f"m{n:02}" for n in range(30)]


async def test_while_the_sqlite_file_is_locked_nothing_is_acknowledged(
    tmp_path: Path,
) -> None:
    hasty = {"ATOM_TUNING_CAPTURE_PATIENCE": "0.5"}
    async with world(tmp_path, f"sqlite:///{tmp_path}/atom.db", **hasty) as here:
        await here.link()
        await here.start()
        lock = sqlite3.connect(tmp_path / "atom.db", isolation_level=None)
        lock.execute("BEGIN IMMEDIATE")
        await here.slack("post", text="waits")
        await _until_refused(here)
        assert teams_messages(await here.state()) == []

        lock.execute("ROLLBACK")
        lock.close()

        await here.until(lambda s: any(t.endswith("waits") for t in teams_texts(s)))
        assert (await here.verdict()).intact


async def _until_refused(here: World) -> None:
    """Wait until ATOM has answered a delivery with 503."""
    async with asyncio.timeout(60):
        while not any(
            e["call"].endswith("deliver") and e["status"] == 503
            for e in await here.journal()
        ):
            await asyncio.sleep(0.1)
