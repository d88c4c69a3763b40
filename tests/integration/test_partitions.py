"""A missing partition is made; the row that found none is not lost."""

import asyncio
import itertools
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from bridge.errors import BadInput, StoreUnavailable
from storage.compliance.keys import KeyFile
from storage.database import Database, opened
from storage.database_url import database_url
from storage.hot import Statement
from storage.journal import Journal
from storage.migrate import ensure_partitions, upgrade
from storage.partitions import attach, detach
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


async def said(journal: Journal, text: str = "") -> None:
    """Write an entry, again and again if need be, as a platform would send it."""
    entry = Entry("message.create", "slack", "slack|U1", 1, {"text": text})
    write = Write(TENANT, keys=(text,) if text else (), entry=entry)
    while True:
        try:
            await journal.write(write)
        except StoreUnavailable:
            await asyncio.sleep(0.05)
        else:
            return


async def test_a_row_of_any_month_makes_its_own(
    tmp_path: Path, postgres: Postgres
) -> None:
    keys = KeyFile.under(tmp_path)
    keys.create(TENANT)
    far = 2_500_000_000_000_000  # in 2049: somebody has set the clock
    with postgres.database() as url:
        async with opened(database_url(url)) as database:
            await upgrade(database.engine)
            store = assemble(database, keys, "one")
            store.journal.clock = lambda: far

            await said(store.journal)

            [entry] = await store.reader.entries(TENANT, -1, 9)
            assert entry.row["cap_us"] >= far
            assert (await store.reader.verify(TENANT)).intact


async def test_a_month_ends_under_load_and_no_row_is_lost(
    tmp_path: Path, postgres: Postgres
) -> None:
    keys = KeyFile.under(tmp_path)
    keys.create(TENANT)
    # The last seconds of a month that nobody has prepared for.
    end = int(datetime(2035, 3, 1, tzinfo=UTC).timestamp()) * 1_000_000
    with postgres.database() as url:
        async with opened(database_url(url)) as database:
            await upgrade(database.engine)
            store = assemble(database, keys, "one")
            other = store.another_process("two")
            ticks = itertools.count(end - 200_000, 5_000)
            store.journal.clock = other.journal.clock = lambda: next(ticks)

            async def say(journal: Journal, first: int) -> None:
                for n in range(first, first + 40):
                    await said(journal, str(n))

            async with asyncio.TaskGroup() as group:
                for each in range(4):
                    journal = (store, other)[each % 2].journal
                    group.create_task(say(journal, each * 40))
                for _ in range(3):
                    group.create_task(_made(database))

            rows = await database.hot.fetch(
                Statement(
                    "SELECT tableoid::regclass::text, count(*) FROM log GROUP BY 1"
                )
            )
            assert {name for name, _ in rows} == {"log_2035_02", "log_2035_03"}
            assert sum(number for _, number in rows) == 160
            verdict = await store.reader.verify(TENANT)
            assert (verdict.size, verdict.intact) == (160, True)


async def _made(database: Database) -> None:
    with suppress(StoreUnavailable):
        await ensure_partitions(database.engine)


async def test_a_partition_is_let_go_of_and_taken_back_while_rows_pass(
    tmp_path: Path, postgres: Postgres
) -> None:
    keys = KeyFile.under(tmp_path)
    keys.create(TENANT)
    old = int(datetime(2031, 5, 15, tzinfo=UTC).timestamp()) * 1_000_000
    with postgres.database() as url:
        async with opened(database_url(url)) as database:
            await upgrade(database.engine)
            store = assemble(database, keys, "one")
            store.journal.clock = lambda: old
            await said(store.journal)
            store.journal.clock = lambda: old + 40 * 86_400_000_000

            writing = asyncio.create_task(said(store.journal))
            await detach(database.engine, "log_2031_05")
            await writing

            fault = (await store.reader.verify(TENANT)).fault
            assert fault == "entry 0 is missing"
            await attach(database.engine, "log_2031_05")
            assert (await store.reader.verify(TENANT)).intact
            await detach(database.engine, "log_2031_05")
            await detach(database.engine, "log_2031_05")
            with pytest.raises(BadInput, match="is no partition"):
                await detach(database.engine, "log_1999_01")
            with pytest.raises(BadInput, match="is no partition"):
                await detach(database.engine, "tenant; drop table log")
