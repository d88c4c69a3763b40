"""A missing partition is made; the row that found none is not lost."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import text

from storage.compliance.keys import KeyFile
from storage.database import opened
from storage.database_url import database_url
from storage.migrate import ensure_partitions, upgrade
from storage.writes import Entry, Write
from tests.contract.conftest import TENANT, assemble
from tests.servers import Postgres

_PARTITIONS = """
SELECT inhrelid::regclass::text FROM pg_inherits
JOIN pg_class c ON c.oid = inhrelid WHERE c.relkind = 'r'
"""


@pytest.mark.parametrize("count", [1, 200], ids=["one row", "many rows"])
async def test_a_row_without_a_partition_makes_one(
    tmp_path: Path, postgres: Postgres, count: int
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

            entry = Entry("admin.config", "atom", "atom|cli:root", 1, {"text": "x"})
            receipts = await asyncio.gather(
                *(store.journal.write(Write(TENANT, entry=entry)) for _ in range(count))
            )

            assert {receipt.seq for receipt in receipts} == {*range(count)}
            assert (await store.reader.head(TENANT)).size == count
            assert await ensure_partitions(database.engine) == []
