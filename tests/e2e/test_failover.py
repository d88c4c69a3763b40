"""
Servers are lost and replaced while people talk: slower for a while, nothing else.

The judge is what stands in the sandbox, and the log.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from storage.log_reader import LogEntry
from tests.databases import migrated_template
from tests.e2e.test_linking import command_line
from tests.e2e.world import SHARING, World, slack_messages, teams_messages, world
from tests.servers import Postgres, Redis, free_port
from tests.servers_standby import running_pair, running_watched

_BEFORE, _SAID = 6, 24


@dataclass
class Load:
    """People who talk on both sides, whatever happens."""

    here: World
    pause: float = 0.05

    async def talk(self) -> None:
        for n in range(_SAID):
            await self.here.slack("post", text=f"s{n:02}")
            await self.here.teams("post", text=f"t{n:02}")
            await asyncio.sleep(self.pause)

    async def under_way(self) -> None:
        """Wait until some of it stands, and more is to come."""
        await self.here.until(lambda s: len(copies(s)[0]) >= _BEFORE)

    async def stands(self) -> None:
        """Wait until all of it stands, and see that it does so once and in order."""
        await self.here.until(
            lambda s: all(len(found) >= _SAID for found in copies(s)), seconds=90
        )
        await self.here.quiet()
        in_teams, in_slack = copies(await self.here.state())
        # What was refused is sent again after what came later: the order is the log's.
        heard = [e.body["text"] for e in await self.here.log() if _is_said(e)]
        assert in_teams == [text for text in heard if text.startswith("s")]
        assert in_slack == [text for text in heard if text.startswith("t")]
        assert sorted(in_teams) == [f"s{n:02}" for n in range(_SAID)]
        assert sorted(in_slack) == [f"t{n:02}" for n in range(_SAID)]
        assert (await self.here.verdict()).intact


def _is_said(entry: LogEntry) -> bool:
    return entry.etype == "message.create"


def copies(state: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Return what was said in Slack and stands in Teams, and the other way round."""
    in_teams = [m["text"].split()[-1] for m in teams_messages(state)]
    in_slack = [m["text"].split()[-1] for m in slack_messages(state)]
    return (
        [text for text in in_teams if text.startswith("s")],
        [text for text in in_slack if text.startswith("t")],
    )


@asynccontextmanager
async def two_processes(home: Path, url: str, redis_url: str) -> AsyncIterator[World]:
    """Two processes that share everything; events go to the first."""
    async with world(
        home, url, redis_url, ATOM_TUNING_LIMIT_CARE="1", **SHARING
    ) as here:
        await here.link()
        await here.start()
        other = replace(here, port=free_port(), process=None)
        await other.start()
        try:
            yield here
        finally:
            await other.stop()


@pytest.mark.parametrize("how", ["killed", "restarted"])
async def test_redis_is_lost_under_load(
    tmp_path: Path, postgres: Postgres, own_redis: Redis, how: str
) -> None:
    with postgres.database(migrated_template(postgres)) as url:
        async with two_processes(tmp_path, url, own_redis.url) as here:
            load = Load(here)
            talking = asyncio.create_task(load.talk())
            await load.under_way()

            own_redis.kill()
            if how == "restarted":
                own_redis.start()

            await talking
            await load.stands()


async def test_sentinels_make_another_redis_master_under_load(
    tmp_path: Path, postgres: Postgres
) -> None:
    with (
        running_watched() as redis,
        postgres.database(migrated_template(postgres)) as url,
    ):
        async with two_processes(tmp_path, url, redis.url) as here:
            load = Load(here)
            talking = asyncio.create_task(load.talk())
            await load.under_way()

            redis.fail_over()

            await talking
            await load.stands()
            # Both have gone over to the one that was the replica.
            async with asyncio.timeout(60):
                while _listening(redis.replica) < 2:
                    await asyncio.sleep(0.1)


def _listening(redis: Redis) -> int:
    """Count who listens to wake-ups."""
    return int(redis.answer("PUBSUB NUMSUB atom:wake").rpartition(":")[2] or 0)


async def test_postgresql_restarts_under_load(
    tmp_path: Path, own_postgres: Postgres, redis_url: str
) -> None:
    url = own_postgres.url(own_postgres.create_database())
    async with two_processes(tmp_path, url, redis_url) as here:
        load = Load(here)
        talking = asyncio.create_task(load.talk())
        await load.under_way()

        own_postgres.kill()
        own_postgres.start()

        await talking
        await load.stands()


async def test_postgresqls_standby_takes_over_under_load(
    tmp_path: Path, redis_url: str
) -> None:
    with running_pair(synchronous=True) as pair:
        url = pair.url(pair.primary.create_database())
        async with two_processes(tmp_path, url, redis_url) as here:
            load = Load(here)
            talking = asyncio.create_task(load.talk())
            await load.under_way()

            pair.fail_over()

            await talking
            await load.stands()
            acknowledged = {
                (e["request"]["body"].get("event") or {}).get("ts")
                for e in await here.journal()
                if e["call"] == "deliver"
                and e["side"] == "slack"
                and e["status"] == 200
            }
            logged = {e.row["msg"] for e in await here.log()}
            assert acknowledged - {None} <= logged


@pytest.mark.parametrize("synchronous", [True, False])
async def test_the_doctor_tells_whether_a_failover_may_lose_something(
    tmp_path: Path,
    synchronous: bool,  # noqa: FBT001 - pytest's
) -> None:
    with running_pair(synchronous=synchronous) as pair:
        url = pair.url(pair.primary.create_database())
        async with world(tmp_path, url) as here:
            found = await command_line(here, "doctor", "--json")

        assert ("may lose" in found.stdout) is not synchronous
