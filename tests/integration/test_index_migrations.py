"""A version that makes an index lets others write meanwhile, and can be begun again."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from storage.database import engine_for
from storage.database_url import database_url as parsed
from storage.migrate import downgrade, ensure_partitions, upgrade
from storage.migrations import versions
from storage.schema import PARTITIONED
from tests.servers import Postgres

BEFORE, AFTER, INDEX = "0044", "0045", "ix_log_changes"
LATER = [
    path
    for path in sorted(Path(versions.__path__[0]).glob("v[0-9]*.py"))
    if path.name[1:5] >= AFTER
]
IN_2049_US = 2_500_000_000_000_000
_TREE = """
SELECT c.relname, i.indisvalid, i.indrelid::regclass::text
FROM pg_partition_tree(to_regclass(:name)) t
JOIN pg_class c ON c.oid = t.relid JOIN pg_index i ON i.indexrelid = t.relid
WHERE t.isleaf OR t.level = 0
"""
_PARTITIONS = (
    "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'log'::regclass"
)
_MAKING = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
    "AND pid <> pg_backend_pid() AND state <> 'idle' AND query LIKE 'CREATE INDEX%'"
)
# As an index is left whose making was broken off.
_BREAK = "UPDATE pg_index SET indisvalid = false WHERE indexrelid = to_regclass(:name)"


@pytest.fixture
def url(postgres: Postgres) -> Iterator[str]:
    with postgres.database() as made:
        yield made


@asynccontextmanager
async def before(url: str) -> AsyncIterator[AsyncEngine]:
    """A database of the version before."""
    engine = engine_for(parsed(url))
    try:
        await upgrade(engine, BEFORE)
        await ensure_partitions(engine)
        yield engine
    finally:
        await engine.dispose()


async def partitions(engine: AsyncEngine) -> set[str]:
    async with engine.connect() as connection:
        return set((await connection.execute(text(_PARTITIONS))).scalars())


async def covered(engine: AsyncEngine) -> set[str]:
    """Return the partitions that have the index; all of it must be valid."""
    async with engine.connect() as connection:
        found = (await connection.execute(text(_TREE), {"name": INDEX})).all()
    assert all(valid for _, valid, _ in found)
    return {table for _, _, table in found} - {"log"}


async def writes(connection: AsyncConnection, table: str, patience: str) -> None:
    """Take the lock that every writer takes, and keep it until the transaction ends."""
    for setting in ("lock_timeout", "idle_in_transaction_session_timeout"):
        await connection.execute(text(f"SET LOCAL {setting} = '{patience}'"))
    await connection.execute(text(f"LOCK TABLE {table} IN ROW EXCLUSIVE MODE"))


@pytest.mark.parametrize("whole", [True, False], ids=["the table", "a partition"])
async def test_who_writes_does_not_wait_for_an_index(url: str, *, whole: bool) -> None:
    async with before(url) as engine:
        table = "log" if whole else sorted(await partitions(engine))[1]
        async with engine.connect() as slow, asyncio.TaskGroup() as group:
            await writes(slow, table, "60s")
            migrating = group.create_task(upgrade(engine, AFTER))
            async with asyncio.timeout(60):
                await _is_being_made(engine)

            async with engine.begin() as other:
                await writes(other, "log", "5s")

            assert not migrating.done()
            await slow.commit()

        assert await covered(engine) == await partitions(engine)


async def _is_being_made(engine: AsyncEngine) -> None:
    while True:
        async with engine.connect() as connection:
            if (await connection.execute(text(_MAKING))).scalar():
                return
        await asyncio.sleep(0.01)


async def test_what_was_broken_off_is_begun_again(url: str) -> None:
    where = "(tenant, conv, seq) WHERE etype IN ('message.edit', 'message.delete')"
    async with before(url) as engine:
        first, second, *_ = sorted(await partitions(engine))
        async with engine.begin() as connection:
            for statement in (
                f"CREATE INDEX {INDEX} ON ONLY log {where}",
                f"CREATE INDEX {INDEX}_{first[4:]} ON {first} {where}",
                f"ALTER INDEX {INDEX} ATTACH PARTITION {INDEX}_{first[4:]}",
                f"CREATE INDEX {INDEX}_{second[4:]} ON {second} {where}",
            ):
                await connection.execute(text(statement))
            broken = {"name": f"{INDEX}_{second[4:]}"}
            await connection.execute(text(_BREAK), broken)
        [came] = {
            name
            for name in await ensure_partitions(engine, IN_2049_US)
            if name.startswith("log_")
        }

        await upgrade(engine, AFTER)

        assert came in await partitions(engine)
        assert await covered(engine) == await partitions(engine)


async def test_processes_that_start_together_take_turns(url: str) -> None:
    engines = [engine_for(parsed(url)) for _ in range(3)]

    async with asyncio.TaskGroup() as group:
        for engine in engines:
            group.create_task(upgrade(engine))

    assert await covered(engines[0]) == await partitions(engines[0])
    for engine in engines:
        await engine.dispose()


async def test_an_index_comes_and_goes(database_url: str) -> None:
    engine = engine_for(parsed(database_url))
    there = (
        "SELECT count(*) FROM sqlite_master WHERE name = :name"
        if engine.dialect.name == "sqlite"
        else "SELECT count(*) FROM pg_class WHERE relname LIKE :name || '%'"
    )
    counts = []

    await upgrade(engine, BEFORE)
    for step in (upgrade, downgrade, upgrade):
        await step(engine, BEFORE if step is downgrade else AFTER)
        async with engine.connect() as connection:
            found = await connection.execute(text(there), {"name": INDEX})
            counts.append(found.scalar())

    assert counts == [counts[0], 0, counts[0]]
    assert counts[0]
    await engine.dispose()


@pytest.mark.parametrize("version", LATER, ids=[path.stem for path in LATER])
def test_no_later_version_keeps_writers_from_these_tables(version: Path) -> None:
    tables = "|".join(PARTITIONED)

    made = re.findall(
        rf"op\.create_index\(\s*[^,]+,\s*\"({tables})\"", version.read_text("utf-8")
    )

    assert made == [], "make it with storage.migrations.indexes"
