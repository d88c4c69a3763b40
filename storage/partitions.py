"""
The monthly partitions that PostgreSQL keeps what is only appended to in.

There is no default partition: it would forbid letting go of old ones while ATOM works.
Partitions are made months ahead. A row that finds none makes its own, and says so.
Whatever is done here takes locks that let rows pass, and gives up if it has to wait:
others would wait behind it.
"""

import asyncio
import re
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from bridge.errors import BadInput, StoreUnavailable
from storage.schema import PARTITIONED

_AHEAD = 2  # months
_LOCK = 4_837_202  # any number, the same in every process, and not that of migrations
_TRIES = 20
_PATIENCE = "SET LOCAL lock_timeout = '200ms'"
_NAME = re.compile(r"([a-z]+)_\d{4}_(?:0[1-9]|1[0-2])")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FARTHEST = datetime(9000, 1, 1, tzinfo=UTC)


async def ensure_partitions(
    engine: AsyncEngine, moment_us: int | None = None
) -> list[str]:
    """
    Make the monthly partitions that are missing; returns their names.

    With a moment, make the one that it falls into as well. Raises `StoreUnavailable`
    if somebody else's lock stays in the way.
    """
    if engine.dialect.name != "postgresql":
        return []
    for attempt in range(_TRIES):
        try:
            async with engine.begin() as connection:
                return await connection.run_sync(_ensure, moment_us)
        except DBAPIError as error:
            if not _is_locked(error):
                raise
            await asyncio.sleep(0.05 * (attempt + 1))
    raise StoreUnavailable("a partition cannot be made: somebody locks its table")


def _ensure(connection: Connection, moment_us: int | None) -> list[str]:
    connection.execute(text(_PATIENCE))
    connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
    made = make_partitions(connection)
    if moment_us is not None:
        made += _all(connection, _month_of(moment_us))
    return made


def make_partitions(connection: Connection, now: datetime | None = None) -> list[str]:
    """Make this month's and the next months' partitions, where missing."""
    # A clock that is a little behind must find a place as well.
    month = month_after(_first(now or datetime.now(UTC)) - timedelta(days=40))
    made: list[str] = []
    for _ in range(_AHEAD + 2):
        made += _all(connection, month)
        month = month_after(month)
    return made


async def detach(engine: AsyncEngine, name: str) -> None:
    """
    Let go of a partition, which becomes a table of its own; rows pass meanwhile.

    What a crash left half done is finished. Raises `BadInput` for what is none, and
    `StoreUnavailable` if somebody reads it for too long.
    """
    table = await _table_of(engine, name)
    for attempt in range(_TRIES):
        state = await _detaching(engine, name)
        if state is None:
            return
        how = "FINALIZE" if state else "CONCURRENTLY"
        try:
            # CONCURRENTLY waits for old snapshots, and cannot be part of a transaction.
            async with engine.connect() as connection:
                alone = await connection.execution_options(isolation_level="AUTOCOMMIT")
                await alone.execute(text("SET lock_timeout = '200ms'"))
                await alone.execute(text("SET statement_timeout = '5s'"))
                try:
                    await alone.execute(
                        text(f"ALTER TABLE {table} DETACH PARTITION {name} {how}")
                    )
                finally:
                    await alone.execute(text("RESET lock_timeout"))
                    await alone.execute(text("RESET statement_timeout"))
        except DBAPIError as error:
            if not _is_locked(error):
                raise
            await asyncio.sleep(0.05 * (attempt + 1))
    if await _detaching(engine, name) is not None:
        raise StoreUnavailable(f"{name} cannot be let go of: somebody reads it")


async def attach(engine: AsyncEngine, name: str) -> None:
    """Take a partition back that was let go of. Raises `BadInput` for what is none."""
    table = await _table_of(engine, name)
    month = month_of(name)
    async with engine.begin() as connection:
        await connection.execute(text(_PATIENCE))
        await connection.run_sync(lambda c: _attach(c, table, name, month))


def _all(connection: Connection, month: datetime) -> list[str]:
    return [n for t in PARTITIONED if (n := _make(connection, t, month))]


def _make(connection: Connection, table: str, month: datetime) -> str:
    name = f"{table}_{month:%Y_%m}"
    found = connection.execute(text("SELECT to_regclass(:name)"), {"name": name})
    if found.scalar() is not None:
        return ""
    # CREATE and ATTACH lock less than CREATE … PARTITION OF.
    connection.execute(
        text(
            f"CREATE TABLE {name} "
            f"(LIKE {table} INCLUDING DEFAULTS INCLUDING CONSTRAINTS)"
        )
    )
    _attach(connection, table, name, month)
    return name


def _attach(connection: Connection, table: str, name: str, month: datetime) -> None:
    """The check spares PostgreSQL reading the whole partition under its lock."""
    first, last = (int(m.timestamp()) * 1_000_000 for m in (month, month_after(month)))
    column = PARTITIONED[table]
    for statement in (
        f"ALTER TABLE {name} DROP CONSTRAINT IF EXISTS {name}_range",
        (
            f"ALTER TABLE {name} ADD CONSTRAINT {name}_range "
            f"CHECK ({column} >= {first} AND {column} < {last})"
        ),
        (
            f"ALTER TABLE {table} ATTACH PARTITION {name} "
            f"FOR VALUES FROM ({first}) TO ({last})"
        ),
    ):
        connection.execute(text(statement))


async def _detaching(engine: AsyncEngine, name: str) -> bool | None:
    """Return whether a partition is half let go of; None if it is none any more."""
    async with engine.connect() as connection:
        found = await connection.execute(
            text(
                "SELECT inhdetachpending FROM pg_inherits "
                "WHERE inhrelid = to_regclass(:name)"
            ),
            {"name": name},
        )
        state: bool | None = found.scalar()
        return state


async def _table_of(engine: AsyncEngine, name: str) -> str:
    named = _NAME.fullmatch(name)
    table = named[1] if named else ""
    async with engine.connect() as connection:
        found = await connection.execute(
            text("SELECT to_regclass(:name)"), {"name": name if named else "none"}
        )
        if table not in PARTITIONED or found.scalar() is None:
            raise BadInput(f"'{name}' is no partition, such as log_2030_01")
    return table


def _is_locked(error: DBAPIError) -> bool:
    code = getattr(error.orig, "sqlstate", "")
    return code in {"55P03", "57014", "40P01", "42P07"}


def _month_of(moment_us: int) -> datetime:
    farthest = int((_FARTHEST - _EPOCH).total_seconds()) * 1_000_000
    return _first(_EPOCH + timedelta(microseconds=min(max(moment_us, 0), farthest)))


def month_of(name: str) -> datetime:
    """Return the month that a partition has the rows of."""
    _, year, number = name.split("_")
    return datetime(int(year), int(number), 1, tzinfo=UTC)


def _first(moment: datetime) -> datetime:
    return moment.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def month_after(month: datetime) -> datetime:
    """Return when a month is over."""
    return (month.replace(day=1) + timedelta(days=32)).replace(day=1)
