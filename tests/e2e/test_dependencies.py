"""
Every dependency goes away while messages are written, and comes back.

docs/operations.md promises what happens then; each of its lines names a test, and
those that test_faults.py does not hold are here.
"""

import asyncio
import resource
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from bots.core import core
from tests.databases import migrated_template
from tests.e2e.test_dead_letters import dead, status, until_dead
from tests.e2e.test_faults import _until_refused
from tests.e2e.test_linking import command_line
from tests.e2e.world import (
    COMPANY,
    SHARING,
    UNCUTTABLE,
    World,
    slack_texts,
    teams_messages,
    teams_texts,
    world,
)
from tests.servers import Postgres, Redis, free_port

_AWAY = 100_000  # times


_PATIENT = {"ATOM_TUNING_LONGEST_PAUSE": "0.5", "ATOM_TUNING_TRIES": "50"}


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[World]:
    url = f"sqlite:///{tmp_path}/atom.db"
    async with world(tmp_path, url, **_PATIENT) as made:
        await made.link()
        await made.start()
        yield made


@pytest.fixture
async def either(tmp_path: Path, database_url: str) -> AsyncIterator[World]:
    """The same on either database."""
    async with world(tmp_path, database_url, **_PATIENT) as made:
        await made.link()
        await made.start()
        yield made


async def test_while_redis_is_stopped_two_processes_go_on(
    tmp_path: Path, postgres: Postgres, own_redis: Redis
) -> None:
    with postgres.database(migrated_template(postgres)) as url:
        async with world(tmp_path, url, own_redis.url, **SHARING) as here:
            await here.link()
            await here.start()
            other = replace(here, port=free_port(), process=None)
            await other.start()
            try:
                own_redis.stop()
                for n in range(6):
                    await here.set(atom_url=(here, other)[n % 2].atom)
                    await here.slack("post", text=f"without {n}")
                await here.until(lambda s: len(teams_messages(s)) == 6)
                own_redis.start()
                await here.slack("post", text="with it")
                await here.until(lambda s: len(teams_messages(s)) == 7)
                await here.quiet()
            finally:
                await other.stop()

            assert len(teams_messages(await here.state())) == 7


async def test_while_slack_is_away_its_lanes_wait_and_the_others_go_on(
    here: World,
) -> None:
    await here.fault("slack.*", "reset", times=_AWAY)
    await here.teams("post", text="for Slack")
    await here.slack("post", text="for Teams")
    await here.until(lambda s: any(t.endswith("for Teams") for t in teams_texts(s)))
    row = await status(here)
    assert (row["queued"], slack_texts(await here.state())) == (1, ["for Teams"])

    await here.no_faults()

    await here.until(lambda s: "for Slack" in slack_texts(s))
    await here.quiet()
    assert slack_texts(await here.state()).count("for Slack") == 1


async def test_while_teams_is_away_its_lanes_wait_and_the_others_go_on(
    here: World,
) -> None:
    await here.fault("teams.post", "503", times=_AWAY)
    await here.slack("post", text="for Teams")
    await here.teams("post", text="for Slack")
    await here.until(lambda s: "for Slack" in slack_texts(s))

    await here.no_faults()

    await here.until(lambda s: any(t.endswith("for Teams") for t in teams_texts(s)))
    await here.quiet()
    assert sum(t.endswith("for Teams") for t in teams_texts(await here.state())) == 1


async def test_while_the_login_gives_no_token_teams_waits_however_long(
    tmp_path: Path,
) -> None:
    more = {"ATOM_TUNING_LONGEST_PAUSE": "0.1", "ATOM_TUNING_TRIES": "2"}
    async with world(tmp_path, f"sqlite:///{tmp_path}/atom.db", **more) as here:
        await here.link()
        await here.start()
        await here.fault("teams.token", "503", times=_AWAY)
        await here.slack("post", text="for Teams")
        await here.teams("post", text="for Slack")
        await here.until(lambda s: "for Slack" in slack_texts(s))
        await _noted(here, 12)
        assert teams_texts(await here.state()) == ["for Slack"]

        await here.no_faults()

        await here.until(lambda s: any(t.endswith("for Teams") for t in teams_texts(s)))
        assert await dead(here) == []


async def _noted(here: World, count: int) -> None:
    """Wait until so much was noted of a delivery that still waits."""
    async with core(here.settings, "test") as built:
        async with asyncio.timeout(60):
            while True:
                sizes = dict(await built.queue.sizes())
                open_ = await built.queue.unfinished(range(256), sizes)
                if any(delivery.attempts >= count for delivery in open_):
                    return
                await asyncio.sleep(0.05)


async def test_while_graph_is_away_a_lost_answer_waits_to_be_looked_up(
    here: World,
) -> None:
    await here.fault("teams.graph*", "503", times=_AWAY)
    await here.fault("teams.post", "502_after", times=1)
    await here.slack("post", text="once")
    await here.until(lambda s: len(teams_messages(s)) == 1)
    await here.teams("post", text="passes")
    await here.until(lambda s: "passes" in slack_texts(s))
    assert (await status(here))["queued"] == 1

    await here.no_faults()

    await here.quiet()
    state = await here.state()
    assert sum(t.endswith("once") for t in teams_texts(state)) == 1
    assert await dead(here) == []


async def test_without_the_right_to_look_a_lost_answer_is_parked_and_shown(
    either: World,
) -> None:
    here = either
    await here.set(teams__graph_roles=[])
    await here.kill()
    await here.start()  # or it would go on with the token that it has
    await here.fault("teams.post", "502_after", times=1)
    await here.slack("post", text="once")
    await here.slack("post", text="next")

    await until_dead(here)

    await here.until(lambda s: any(t.endswith("next") for t in teams_texts(s)))
    row, [letter] = await status(here), await dead(here)
    assert (row["parked"], letter["unknown"]) == (1, True)
    assert len(teams_messages(await here.state())) == 2


async def test_without_its_key_file_atom_goes_on_but_does_not_start_again(
    here: World,
) -> None:
    key = here.home / "keys" / f"{COMPANY}.key"
    await here.slack("post", text="before")
    await here.until(lambda s: len(teams_messages(s)) == 1)

    key.rename(key.with_suffix(".gone"))

    await here.slack("post", text="after")
    await here.until(lambda s: len(teams_messages(s)) == 2)
    async with here.session.get(f"{here.atom}/readyz") as answer:
        assert answer.status == 503
        assert "restore it from a backup" in await answer.text()
    await here.stop()
    again = await command_line(here, "serve")
    assert again.code == 1
    assert "restore it from a backup" in again.stderr
    key.with_suffix(".gone").rename(key)
    await here.start()
    assert (await here.verdict()).intact


async def test_while_the_disk_is_full_nothing_is_acknowledged(here: World) -> None:
    await here.slack("post", text="before")
    await here.until(lambda s: len(teams_messages(s)) == 1)
    assert here.process is not None
    pid = here.process.process.pid or 0
    unlimited = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    # No file of this process may grow beyond what the log of the database has now.
    full = (here.home / "atom.db-wal").stat().st_size
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (full, unlimited[1]))
    await here.slack("post", text="waits")
    await _until_refused(here)
    assert len(teams_messages(await here.state())) == 1

    resource.prlimit(pid, resource.RLIMIT_FSIZE, unlimited)

    await here.until(lambda s: any(t.endswith("waits") for t in teams_texts(s)))
    await here.quiet()
    assert (await here.verdict()).intact


async def test_metrics_tell_of_each_link_what_status_tells(here: World) -> None:
    begun = time.time()
    await here.set(teams__size_limit=4_000)
    await here.slack("post", typed=True, text=UNCUTTABLE)
    await until_dead(here)
    await here.slack("post", text="short")
    await here.until(lambda s: any(t.endswith("short") for t in teams_texts(s)))
    await here.quiet()

    of = await _figures(here, lambda of: of.get("atom_link_dead_letters") == 1)
    assert of["atom_link_depth"] == of["atom_link_parked"] == 0
    assert of["atom_link_oldest_seconds"] == of["atom_link_throttled_seconds"] == 0
    assert of["atom_link_lag_seconds"] > 0
    assert of["atom_link_intake_total"] == of["atom_link_deliveries_total"] == 2
    # Teams was offered smaller and smaller parts.
    failures = of["atom_link_failures_total"]
    assert failures >= 1
    assert begun < of["atom_link_last_failure_timestamp_seconds"] <= time.time()
    assert "atom_link_throttles_total" not in of
    assert "atom_link_dormant" not in of

    await here.fault("teams.post", "429", times=1, retry_after=3_600)
    await here.slack("post", text="waits")

    of = await _figures(here, lambda of: of.get("atom_link_throttled_seconds", 0) > 0)
    assert of["atom_link_throttled_seconds"] <= 3_600
    assert of["atom_link_throttles_total"] == of["atom_link_depth"] == 1
    assert of["atom_link_failures_total"] == failures
    assert of["atom_link_oldest_seconds"] > 0
    assert of["atom_link_lag_seconds"] > 0

    await here.slack("archive", user="U01ALICE")

    of = await _figures(here, lambda of: of.get("atom_link_dormant") == 1)
    text = await _metrics(here)
    assert 'cause="archived"' in text
    assert "atom_store_up 1.0" in text
    assert "example.com" not in text


async def _figures(
    here: World, hold: Callable[[Mapping[str, float]], bool]
) -> Mapping[str, float]:
    """Wait until the metrics of the only link are as wanted; returns them by name."""
    link = (await status(here))["id"]
    of: Mapping[str, float] = {}
    try:
        async with asyncio.timeout(60):
            while not hold(of):
                text = await _metrics(here)
                shown = dict(t.rsplit(" ", 1) for t in text.splitlines() if link in t)
                of = {name.split("{")[0]: float(n) for name, n in shown.items()}
                await asyncio.sleep(0.2)
    except TimeoutError:
        raise AssertionError(f"not reached; last seen: {of}") from None
    return of


async def _metrics(here: World) -> str:
    async with here.session.get(f"{here.atom}/metrics") as answer:
        return await answer.text()
