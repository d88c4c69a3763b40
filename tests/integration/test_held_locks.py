"""Who is frozen within a transaction loses its locks before others give up on them."""

import asyncio
from contextlib import suppress

import asyncpg
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


async def test_a_lock_that_is_held_for_nothing_is_gone_in_time(
    postgres: Postgres,
) -> None:
    with postgres.database(migrated_template(postgres)) as url:
        async with opened(database_url(url)) as database:
            await asyncio.wait_for(_written_beside(database), 60)


async def test_a_lock_is_let_go_by_whom_prepared_a_statement_and_was_frozen(
    postgres: Postgres,
) -> None:
    with postgres.database(migrated_template(postgres)) as url:
        async with opened(database_url(url)) as database:
            await asyncio.wait_for(_written_beside_what_is_prepared(database), 60)


async def _written_beside_what_is_prepared(database: Database) -> None:
    hot = database.hot
    assert isinstance(hot, PostgresHotStore)
    async with database.engine.begin() as connection:
        await connection.execute(text(_ADD))
    frozen = await asyncpg.connect(hot.frozen.dsn, server_settings=KEPT_ALIVE)
    await frozen.execute("BEGIN")
    await frozen.execute("UPDATE tenant SET name = 'Acme 1'")
    # To be run by what follows, which never comes.
    await frozen.prepare("SELECT 1 FROM tenant")

    while True:
        with suppress(StoreUnavailable):  # as often as a start tries
            assert await hot.run(_rename) == 1
            break

    frozen.terminate()


def _rename() -> Program[int]:
    rows = yield Statement("UPDATE tenant SET name = 'Acme 2' RETURNING id")
    return len(rows)


async def _written_beside(database: Database) -> None:
    """Write what a transaction that goes on no further has written already."""
    async with database.engine.begin() as connection:
        await connection.execute(text(_ADD))
    async with database.engine.connect() as frozen:
        await frozen.execute(text("UPDATE tenant SET name = 'Acme 1'"))

        assert await database.hot.run(_rename) == 1

        await frozen.invalidate()
