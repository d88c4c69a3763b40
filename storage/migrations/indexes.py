"""
Indexes that are made and let go of while ATOM writes.

PostgreSQL makes the index of a partitioned table under a lock that keeps writers out
for as long as it takes to read all of it. So the table's own is made empty, that of each
partition beside its writers, and then they are put together. A version that does so does
nothing else: it is no single transaction, and may be begun again where it broke off.
"""

from collections.abc import Sequence

from alembic import op
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

_TRIES = 60
_LOCKED = "55P03"
_PARTITIONED = "SELECT relkind = 'p' FROM pg_class WHERE oid = to_regclass(:table)"
_VALID = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(:name)"
# A partition that comes meanwhile brings its own.
_WITHOUT = """
SELECT p.inhrelid::regclass::text FROM pg_inherits p
WHERE p.inhparent = to_regclass(:table) AND NOT p.inhdetachpending AND NOT EXISTS (
  SELECT FROM pg_index i JOIN pg_inherits its ON its.inhrelid = i.indexrelid
  WHERE i.indrelid = p.inhrelid AND its.inhparent = to_regclass(:name)
)
ORDER BY 1
"""


def make_index(name: str, table: str, columns: Sequence[str], where: str = "") -> None:
    """Make an index, of the rows for which `where` holds; writers go on meanwhile."""
    if op.get_context().dialect.name != "postgresql":
        some = text(where) if where else None
        op.create_index(name, table, list(columns), sqlite_where=some)
        return
    on = f"({', '.join(columns)})" + (f" WHERE {where}" if where else "")
    with op.get_context().autocommit_block():
        connection = op.get_bind()
        if not _asked(connection, _PARTITIONED, table=table):
            _beside_writers(connection, name, table, on)
            return
        _briefly(connection, f"CREATE INDEX IF NOT EXISTS {name} ON ONLY {table} {on}")
        for partition in _without(connection, table, name):
            own = f"{name}_{partition.removeprefix(f'{table}_')}"
            _beside_writers(connection, own, partition, on)
            _briefly(connection, f"ALTER INDEX {name} ATTACH PARTITION {own}")


def drop_index(name: str, table: str) -> None:
    """Let go of what `make_index` made."""
    if op.get_context().dialect.name != "postgresql":
        op.drop_index(name, table)
        return
    with op.get_context().autocommit_block():
        _briefly(op.get_bind(), f"DROP INDEX IF EXISTS {name}")


def _beside_writers(connection: Connection, name: str, table: str, on: str) -> None:
    if _asked(connection, _VALID, name=name) is False:
        # It was being made when somebody broke it off.
        connection.execute(text(f"DROP INDEX CONCURRENTLY {name}"))
    connection.execute(
        text(f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {name} ON {table} {on}")
    )


def _briefly(connection: Connection, statement: str) -> None:
    """
    Run what takes a moment under a lock.

    Others would wait behind it, so it gives up soon and tries again.
    """
    connection.execute(text("SET lock_timeout = '200ms'"))
    try:
        for attempt in range(_TRIES):
            try:
                connection.execute(text(statement))
            except DBAPIError as error:
                last = attempt == _TRIES - 1
                if last or getattr(error.orig, "sqlstate", "") != _LOCKED:
                    raise
                connection.execute(text("SELECT pg_sleep(0.1)"))
            else:
                return
    finally:
        connection.execute(text("RESET lock_timeout"))


def _asked(connection: Connection, question: str, **values: str) -> bool | None:
    found: bool | None = connection.execute(text(question), values).scalar()
    return found


def _without(connection: Connection, table: str, name: str) -> list[str]:
    found = connection.execute(text(_WITHOUT), {"table": table, "name": name})
    return list(found.scalars())
