"""One database, reached two ways: through SQLAlchemy, and through the hot path."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import asyncpg
from sqlalchemy import URL, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from bridge.errors import BadInput, StoreUnavailable
from storage.database_url import plain_dsn, servers
from storage.frozen import KEPT_ALIVE
from storage.hot import HotStore
from storage.hot_postgres import PostgresHotStore
from storage.hot_sqlite import SqliteHotStore
from storage.migrate import ensure_partitions

TO_DO = "start it, or correct ATOM_DATABASE_URL"


@dataclass(frozen=True, slots=True)
class Database:
    """A database that is open. The hot path must not share SQLAlchemy's connections."""

    url: URL
    engine: AsyncEngine
    hot: HotStore

    @property
    def embedded(self) -> bool:
        """Whether it is SQLite, which belongs to one serving process at a time."""
        return self.url.get_backend_name() == "sqlite"


def engine_for(url: URL) -> AsyncEngine:
    """Make an engine for everything that is not the hot path."""
    if url.get_backend_name() == "sqlite":
        make_folder(Path(str(url.database)).parent)
        engine = create_async_engine(url)
        event.listen(engine.sync_engine, "connect", _careful_sqlite)
        return engine
    return create_async_engine(
        url,
        async_creator=partial(_connected, plain_dsn(url)),
        pool_size=6,
        pool_timeout=2,
        pool_recycle=1800,
    )


def make_folder(folder: Path, mode: int = 0o777) -> None:
    """Make a folder for data if it is not there. Raises `BadInput` if it cannot be."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=mode)
    except OSError as error:
        raise BadInput(
            f"{folder} cannot be made: {error.strerror}; ATOM_HOME, or "
            "ATOM_DATABASE_URL, must name a folder where ATOM may write"
        ) from error


@asynccontextmanager
async def opened(url: URL) -> AsyncIterator[Database]:
    """
    Open the database and close it again.

    Raises `BadInput` or `StoreUnavailable`, which say what to do.
    """
    engine = engine_for(url)
    try:
        hot = await _hot_store(url, engine)
        try:
            yield Database(url, engine, hot)
        finally:
            await hot.close()
    finally:
        async with asyncio.timeout(5):
            await engine.dispose()


async def _hot_store(url: URL, engine: AsyncEngine) -> HotStore:
    if url.get_backend_name() == "sqlite":
        return SqliteHotStore(Path(str(url.database)))
    try:
        return await PostgresHotStore.connect(
            plain_dsn(url), lambda moment: ensure_partitions(engine, moment)
        )
    except StoreUnavailable as error:
        at = ", ".join(servers(url))
        raise StoreUnavailable(f"{error} (asked: {at}): {TO_DO}") from error


async def _connected(dsn: str) -> asyncpg.Connection:
    # As on the hot path: who is frozen within a transaction must not keep its locks, nor
    # for as long as the hot path waits for one.
    patience = {"idle_in_transaction_session_timeout": "4000", **KEPT_ALIVE}
    try:
        return await asyncpg.connect(dsn, timeout=2, server_settings=patience)
    except asyncpg.TargetServerAttributeNotMatched as error:
        raise ConnectionError("no server may be written to") from error


def _careful_sqlite(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=2000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
