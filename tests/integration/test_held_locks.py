"""Who is frozen within a transaction loses its locks before others give up on them."""

import asyncio

from sqlalchemy import text

from storage.database import Database, opened
from storage.database_url import database_url
from storage.hot import Program, Statement
from tests.databases import migrated_template
from tests.servers import Postgres

_ADD = "INSERT INTO tenant VALUES ('acme', 'Acme', '', 0)"


async def test_a_lock_that_is_held_for_nothing_is_gone_in_time(
    postgres: Postgres,
) -> None:
    with postgres.database(migrated_template(postgres)) as url:
        async with opened(database_url(url)) as database:
            await asyncio.wait_for(_written_beside(database), 60)


async def _written_beside(database: Database) -> None:
    """Write what a transaction that goes on no further has written already."""

    def program() -> Program[int]:
        rows = yield Statement("UPDATE tenant SET name = 'Acme 2' RETURNING id")
        return len(rows)

    async with database.engine.begin() as connection:
        await connection.execute(text(_ADD))
    async with database.engine.connect() as frozen:
        await frozen.execute(text("UPDATE tenant SET name = 'Acme 1'"))

        assert await database.hot.run(program) == 1

        await frozen.invalidate()
