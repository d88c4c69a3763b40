"""Who is frozen within a transaction loses its locks before others give up on them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import asyncpg
import pytest
from sqlalchemy import text

from bridge.errors import StoreUnavailable
from storage.database import Database, opened
from storage.database_url import database_url
from storage.frozen import KEPT_ALIVE
from storage.hot import Program, Statement
from storage.hot_postgres import PostgresHotStore
from tests.databases import migrated_template
from tests.servers import Postgres

_ADD = "INSERT INTO tenant VALUES ('acme', 'Acme', '', 0)"
_HOLD = "UPDATE tenant SET name = 'Acme 1'"
_SOON = 60.0


@pytest.fixture
async def database(postgres: Postgres) -> AsyncIterator[Database]:
    with postgres.database(migrated_template(postgres)) as url:
        async with opened(database_url(url)) as made:
            async with made.engine.begin() as connection:
                await connection.execute(text(_ADD))
            yield made


async def test_a_lock_that_is_held_for_nothing_is_gone_in_time(
    database: Database,
) -> None:
    async with asyncio.timeout(_SOON), database.engine.connect() as frozen:
        await frozen.execute(text(_HOLD))

        assert await database.hot.run(_rename) == 1

        await frozen.invalidate()


async def test_a_lock_is_let_go_by_who_prepared_a_statement_and_was_frozen(
    database: Database,
) -> None:
    hot = database.hot
    assert isinstance(hot, PostgresHotStore)
    frozen = await asyncpg.connect(hot.frozen.dsn, server_settings=KEPT_ALIVE)
    await frozen.execute("BEGIN")
    await frozen.execute(_HOLD)
    # To be run by what follows, which never comes.
    await frozen.prepare("SELECT 1 FROM tenant")

    async with asyncio.timeout(_SOON):
        renamed = 0
        while not renamed:  # as often as a start tries
            with suppress(StoreUnavailable):
                renamed = await hot.run(_rename)

    assert renamed == 1
    frozen.terminate()


def _rename() -> Program[int]:
    rows = yield Statement("UPDATE tenant SET name = 'Acme 2' RETURNING id")
    return len(rows)
