"""The schema goes up and down on both databases, and is what the code believes."""

import time

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, inspect, text

from storage.database import engine_for
from storage.database_url import database_url as parsed
from storage.migrate import downgrade, ensure_partitions, upgrade, versions
from storage.migrations.steps import head
from storage.schema import PARTITIONED
from storage.tables import metadata


async def test_up_down_and_up_again_leaves_the_schema_of_the_code(
    database_url: str,
) -> None:
    engine = engine_for(parsed(database_url))
    await upgrade(engine)
    await downgrade(engine, "base")
    async with engine.connect() as connection:
        left = await connection.run_sync(lambda c: inspect(c).get_table_names())
    assert left == ["alembic_version"]

    await upgrade(engine)

    async with engine.connect() as connection:
        if engine.dialect.name == "postgresql":  # it compares for long
            unhurried = "SET LOCAL idle_in_transaction_session_timeout = '60s'"
            await connection.execute(text(unhurried))
        assert await connection.run_sync(_differences) == []
    current, wanted = await versions(engine)
    assert current == wanted == head()
    await engine.dispose()


async def test_migrating_twice_changes_nothing(database_url: str) -> None:
    engine = engine_for(parsed(database_url))

    await upgrade(engine)
    await upgrade(engine)

    async with engine.connect() as connection:
        rows = await connection.execute(text("SELECT count(*) FROM shard_owner"))
        assert rows.scalar() == 256
    await engine.dispose()


async def test_missing_partitions_are_made_once(database_url: str) -> None:
    engine = engine_for(parsed(database_url))
    await upgrade(engine)

    assert await ensure_partitions(engine) == []

    await engine.dispose()


async def test_what_had_died_before_there_was_a_list_is_on_it(
    database_url: str,
) -> None:
    engine = engine_for(parsed(database_url))
    await upgrade(engine, "0001")
    now = time.time_ns() // 1000
    rows = [
        {"seq": 1, "attempt": 1, "state": "dead", "at": now},
        {"seq": 2, "attempt": 1, "state": "intent", "at": now + 1},
        {"seq": 2, "attempt": 2, "state": "parked", "at": now + 2},
        {"seq": 3, "attempt": 1, "state": "delivered", "at": now + 3},
    ]
    async with engine.begin() as connection:
        await connection.execute(_ATTEMPT, rows)

    await upgrade(engine)

    async with engine.connect() as connection:
        found = await connection.execute(
            text("SELECT seq, state, unknown_us FROM dead_letter ORDER BY seq")
        )
        assert [tuple(row) for row in found] == [
            (1, "dead", 0),
            (2, "parked", now + 1),
        ]
    await engine.dispose()


_ATTEMPT = text(
    "INSERT INTO attempt (tenant, seq, n, attempt, shard, epoch, link, state, tries, "
    "until_us, reason, at_us) "
    "VALUES ('acme', :seq, 0, :attempt, 1, 1, 'L1', :state, 8, 0, 'no', :at)"
)


def _differences(connection: Connection) -> list[str]:
    def ours(name: str | None, kind: str, _parents: object) -> bool:
        if kind != "table" or name is None:
            return True
        return not name.startswith(("slack_", *(f"{t}_" for t in PARTITIONED)))

    context = MigrationContext.configure(connection, opts={"include_name": ours})
    return [str(difference) for difference in compare_metadata(context, metadata)]
