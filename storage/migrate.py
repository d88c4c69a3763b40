"""
Bringing a database to the schema that this version of ATOM needs.

Alembic does that, and takes a tenth of a start to import; so it is imported only when
there is something to do.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from bridge.errors import StoreUnavailable
from storage.partitions import ensure_partitions, make_partitions

__all__ = ["downgrade", "ensure_partitions", "make_partitions", "upgrade", "versions"]

_LOCK = 4_837_201  # any number, the same in every process
# Alembic thinks between its statements, and on a busy machine for long. Who is frozen
# must let go of the lock all the same.
_UNHURRIED = (
    "SET idle_in_transaction_session_timeout = '60s'",
    "SET idle_session_timeout = '60s'",
)
_PAUSE = 0.2


async def upgrade(engine: AsyncEngine, revision: str = "head") -> None:
    """Apply every missing version. Safe to call at each start, by many processes."""
    if revision == "head" and await _is_current(engine):
        return

    def steps(connection: Connection) -> None:
        from storage.migrations.steps import upgrade_to

        upgrade_to(connection, revision)

    await _run(engine, steps)


async def downgrade(engine: AsyncEngine, revision: str) -> None:
    """Undo versions down to `revision`, which may be `base`."""

    def steps(connection: Connection) -> None:
        from storage.migrations.steps import downgrade_to

        downgrade_to(connection, revision)

    await _run(engine, steps)


async def versions(engine: AsyncEngine) -> tuple[str | None, str | None]:
    """Return the database's schema version and the one that this code needs."""

    try:
        async with engine.connect() as connection:
            current = await connection.run_sync(_version_of)
    except (SQLAlchemyError, OSError) as error:
        raise StoreUnavailable("the database does not answer") from error
    return current, _newest()


async def _is_current(engine: AsyncEngine) -> bool:
    current, newest = await versions(engine)
    return current == newest


def _version_of(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(
        text("SELECT version_num FROM alembic_version")
    ).scalar()
    return found


def _newest() -> str:
    """Return the highest number of the files; a test sees to it that Alembic agrees."""
    files = (Path(__file__).parent / "migrations/versions").glob("v[0-9]*.py")
    return max(file.name[1:5] for file in files)


async def _run(engine: AsyncEngine, work: Callable[[Connection], None]) -> None:
    postgres = engine.dialect.name == "postgresql"
    try:
        async with _alone(engine) if postgres else engine.begin() as connection:
            await connection.run_sync(work)
    except (SQLAlchemyError, OSError) as error:
        raise StoreUnavailable(
            "the database cannot be brought to this version's schema: "
            f"{type(error).__name__}"
        ) from error


@asynccontextmanager
async def _alone(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """
    Give a connection to PostgreSQL while no other process changes the schema.

    Each version is a transaction of its own: some indexes are made outside of any. So
    the lock belongs to the session, and ends with it.
    """
    async with engine.connect() as connection:
        try:
            for setting in _UNHURRIED:
                await connection.execute(text(setting))
            # Who waits within a statement would keep an index from being made.
            while not await _locked(connection):
                await asyncio.sleep(_PAUSE)
            yield connection
            await connection.commit()
        finally:
            await connection.invalidate()


async def _locked(connection: AsyncConnection) -> bool:
    found = await connection.execute(text(f"SELECT pg_try_advisory_lock({_LOCK})"))
    locked = bool(found.scalar())
    await connection.commit()
    return locked
