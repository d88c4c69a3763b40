"""The private servers of the tests keep their word."""

from pathlib import Path

import asyncpg
import pytest
from redis.asyncio import Redis as Client
from redis.exceptions import ConnectionError as NoRedis

from tests.servers import Postgres, Redis, require, running_postgres


async def run(url: str, *statements: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(url, timeout=10)
    try:
        for statement in statements[:-1]:
            await connection.execute(statement)
        return list(await connection.fetch(statements[-1]))
    finally:
        await connection.close()


async def test_every_test_gets_an_empty_database_of_its_own(postgres: Postgres) -> None:
    with postgres.database() as first, postgres.database() as second:
        await run(first, "create table note (id int)", "select 1")

        tables = "select 1 from pg_tables where tablename = 'note'"

        assert len(await run(first, tables)) == 1
        assert await run(second, tables) == []


async def test_a_database_can_be_copied_from_a_template(postgres: Postgres) -> None:
    with postgres.database() as original:
        await run(original, "create table note (id int)", "select 1")
        template = original.rpartition("/")[2]

        with postgres.database(template) as copy:
            assert await run(copy, "select * from note") == []


async def test_the_database_goes_even_while_someone_is_connected(
    postgres: Postgres,
) -> None:
    with postgres.database() as url:
        connection = await asyncpg.connect(url, timeout=10)

    with pytest.raises(asyncpg.InvalidCatalogNameError):
        await run(url, "select 1")
    connection.terminate()


def test_what_goes_wrong_with_a_database_is_said_and_the_next_one_is_made() -> None:
    with running_postgres(durable=False) as server:
        with pytest.raises(RuntimeError, match='"nowhere" does not exist'):
            server.create_database("nowhere")
        with server.database():
            server.kill()
            with pytest.raises(RuntimeError, match="psql: "):
                server.create_database()
            server.start()


async def test_commits_wait_for_the_disk_where_that_matters(
    own_postgres: Postgres,
) -> None:
    settings = "select setting from pg_settings where name = 'fsync'"

    assert [row[0] for row in await run(own_postgres.url(), settings)] == ["on"]


async def test_a_stopped_postgres_refuses_and_remembers(own_postgres: Postgres) -> None:
    await run(own_postgres.url(), "create table note (id int)", "select 1")

    own_postgres.stop()

    with pytest.raises(ConnectionRefusedError):
        await run(own_postgres.url(), "select 1")
    own_postgres.start()
    assert await run(own_postgres.url(), "select * from note") == []


async def test_a_killed_postgres_keeps_what_was_committed(
    own_postgres: Postgres,
) -> None:
    url = own_postgres.url()
    await run(url, "create table note (id int)", "insert into note values (7)")
    open_session = await asyncpg.connect(url, timeout=10)
    await open_session.execute("begin; insert into note values (8)")

    own_postgres.kill()
    own_postgres.start()

    assert [row["id"] for row in await run(url, "select id from note")] == [7]
    open_session.terminate()


async def test_a_database_url_opens_an_empty_database(
    database_url: str, tmp_path: Path
) -> None:
    if database_url.startswith("sqlite"):
        assert database_url == f"sqlite:///{tmp_path}/atom.db"
        return

    tables = "select 1 from pg_tables where schemaname = 'public'"

    assert await run(database_url, tables) == []


@pytest.mark.parametrize("round_", [1, 2])
async def test_every_test_gets_an_empty_redis(redis_url: str, round_: int) -> None:
    async with Client.from_url(redis_url, socket_timeout=5) as client:
        assert await client.dbsize() == 0

        await client.set("round", round_)

        assert await client.get("round") == str(round_).encode()


async def test_a_stopped_redis_refuses_and_comes_back_empty(own_redis: Redis) -> None:
    async with Client.from_url(own_redis.url, socket_timeout=5, retry=None) as client:
        await client.set("key", "value")

        own_redis.stop()

        with pytest.raises(NoRedis):
            await client.get("key")
        own_redis.start()
        assert await client.get("key") is None


def test_what_is_found_is_returned() -> None:
    assert require("Hammer", "/usr/bin/hammer", "look again") == "/usr/bin/hammer"


def test_what_is_missing_skips_the_test_with_the_way_to_get_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("ATOM_REQUIRE_SERVERS", raising=False)

    with pytest.raises(pytest.skip.Exception, match="Hammer is missing: buy one"):
        require("Hammer", None, "buy one")


def test_what_is_missing_fails_the_test_where_servers_are_required(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ATOM_REQUIRE_SERVERS", "1")

    with pytest.raises(pytest.fail.Exception, match="Hammer is missing: buy one"):
        require("Hammer", None, "buy one")
