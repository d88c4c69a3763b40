"""A missing partition is made; the row that found none is not lost."""

from pathlib import Path

from sqlalchemy import text

from storage.compliance.keys import KeyFile
from storage.database import opened
from storage.database_url import database_url
from storage.migrate import ensure_partitions, upgrade
from tests.contract.conftest import TENANT, assemble
from tests.contract.test_journal import commitment
from tests.events import message
from tests.servers import Postgres

_PARTITIONS = """
SELECT inhrelid::regclass::text FROM pg_inherits
JOIN pg_class c ON c.oid = inhrelid WHERE c.relkind = 'r'
"""


async def test_a_row_without_a_partition_makes_one(
    tmp_path: Path, postgres: Postgres
) -> None:
    keys = KeyFile.under(tmp_path)
    keys.create(TENANT)
    with postgres.database() as url:
        async with opened(database_url(url)) as database:
            await upgrade(database.engine)
            async with database.engine.begin() as connection:
                for (name,) in (await connection.execute(text(_PARTITIONS))).all():
                    await connection.execute(text(f"DROP TABLE {name}"))
            store = assemble(database, keys, "one")

            receipt = await store.journal.append(commitment(message()))

            assert receipt.seq == 0
            assert (await store.reader.head(TENANT)).size == 1
            assert await ensure_partitions(database.engine) == []
