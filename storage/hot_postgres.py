"""The hot path on PostgreSQL, through asyncpg."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeVar

import asyncpg
import structlog

from bridge.errors import BadInput, StoreUnavailable
from storage.frozen import KEPT_ALIVE, Frozen
from storage.hot import (
    Address,
    Guarded,
    Insert,
    Program,
    Rows,
    Statement,
    Step,
    Together,
)
from storage.hot_postgres_sql import guarded, positional, together
from storage.kept_connections import KeptConnections
from storage.known_types import Connection

log = structlog.get_logger()

T = TypeVar("T")

_MOMENT = re.compile(r"= \((\d+)\)")  # the key of the row that found no partition

_OPENING = 20.0  # seconds
_READING = 60.0  # for whoever reads a whole log
_WAITING = 2.0  # for a connection that nobody else uses
_CONNECTING = 2.0  # a host that is gone must not take up a message's patience
_MONTHS = 3  # that the rows of one transaction may be of, at the very most

# What a database that is down, starting, failing over or gone answers with.
_GONE = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InsufficientResourcesError,
    asyncpg.DeadlockDetectedError,
    asyncpg.QueryCanceledError,
    asyncpg.LockNotAvailableError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # between a server's last word and the line's end
    asyncpg.TargetServerAttributeNotMatched,
)


# From so many rows on COPY is cheaper, though it is a round trip of its own.
_MANY = 64


@dataclass(frozen=True, slots=True)
class PostgresServer:
    """Implements `storage.hot.Address`."""

    dsn: str = field(repr=False)  # it has a password in it

    def connect(self) -> "PostgresLines":
        loop = asyncio.new_event_loop()
        try:
            connection = loop.run_until_complete(
                asyncpg.connect(
                    self.dsn,
                    connection_class=Connection,
                    timeout=_OPENING,
                    command_timeout=_READING,
                    server_settings={"default_transaction_read_only": "on"},
                )
            )
        except (*_GONE, asyncpg.PostgresError) as error:
            loop.close()
            raise StoreUnavailable("PostgreSQL does not answer") from error
        return PostgresLines(loop, connection)


@dataclass(frozen=True, slots=True)
class PostgresLines:
    """Implements `storage.hot.Lines`, with a loop that turns only while it reads."""

    loop: asyncio.AbstractEventLoop
    connection: asyncpg.Connection

    def fetch(self, statement: Statement) -> Rows:
        sql, values = positional(statement)
        try:
            rows: Rows = self.loop.run_until_complete(
                self.connection.fetch(sql, *values)
            )
        except _GONE as error:
            raise StoreUnavailable("PostgreSQL does not answer") from error
        return rows

    def close(self) -> None:
        try:
            with suppress(*_GONE):
                self.loop.run_until_complete(self.connection.close(timeout=_CONNECTING))
        finally:
            self.loop.close()


@dataclass(frozen=True, slots=True)
class PostgresHotStore:
    """Implements `storage.hot.HotStore`."""

    pool: asyncpg.Pool
    address: Address
    make_partitions: Callable[[int | None], Awaitable[object]]
    kept: KeptConnections
    frozen: Frozen

    @classmethod
    async def connect(
        cls,
        dsn: str,
        make_partitions: Callable[[int | None], Awaitable[object]],
        size: int = 6,
    ) -> "PostgresHotStore":
        """
        Open a pool; `dsn` may name several hosts and `target_session_attrs`.

        Raises `BadInput` for a user or a database that the server does not take.
        `make_partitions` is called with a row's moment when it finds none to go to.
        """
        try:
            async with asyncio.timeout(_OPENING):
                pool = None
                while pool is None:
                    # A busy server takes its time for the first connection.
                    with suppress(TimeoutError):
                        pool = await asyncpg.create_pool(
                            dsn,
                            min_size=1,
                            max_size=size,
                            connection_class=Connection,
                            timeout=_CONNECTING,
                            command_timeout=5,
                            max_inactive_connection_lifetime=300,
                            reset=_as_it_is,
                            # A plan made while a partition was empty reads all of it once
                            # it is full, until somebody analyses it. Planning is cheap.
                            # A process that is frozen within a transaction would keep its
                            # locks, and with them everybody else from its company's log.
                            server_settings={
                                "plan_cache_mode": "force_custom_plan",
                                "idle_in_transaction_session_timeout": "2000",
                                **KEPT_ALIVE,
                            },
                        )
        except asyncpg.InvalidAuthorizationSpecificationError as error:
            raise BadInput(
                "PostgreSQL refuses the user or the password: correct ATOM_DATABASE_URL"
            ) from error
        except asyncpg.InvalidCatalogNameError as error:
            raise BadInput(
                "PostgreSQL has no such database: make it, or correct ATOM_DATABASE_URL"
            ) from error
        except (*_GONE, asyncpg.PostgresError) as error:
            raise StoreUnavailable("PostgreSQL does not answer") from error
        kept = KeptConnections(pool)
        return cls(pool, PostgresServer(dsn), make_partitions, kept, Frozen(dsn))

    async def run(self, program: Callable[[], Program[T]]) -> T:
        for _ in range(_MONTHS):
            try:
                return await self._run(program)
            except asyncpg.CheckViolationError as error:
                # The janitor should have made it long ago: say so, but lose no row.
                log.exception("a partition was missing and is made now")
                moments = _MOMENT.findall(error.detail or "")
                await self.make_partitions(int(moments[-1]) if moments else None)
        return await self._run(program)

    async def _run(self, program: Callable[[], Program[T]]) -> T:
        try:
            async with self.kept.one(_WAITING) as connection, connection.transaction():
                return await _drive(connection, program())
        except asyncpg.ReadOnlySQLTransactionError as error:
            # A standby by now: whoever else is connected to it is wrong there, too.
            await self.pool.expire_connections()
            await self.kept.give_back()
            raise StoreUnavailable("PostgreSQL may not be written to") from error
        except _GONE as error:
            if isinstance(error, TimeoutError):
                self.frozen.suspect()
            raise StoreUnavailable("PostgreSQL does not answer") from error

    async def fetch(self, statement: Statement) -> Rows:
        try:
            sql, values = positional(statement)
            async with self.kept.one() as connection:
                rows: Rows = await connection.fetch(sql, *values)
        except _GONE as error:
            raise StoreUnavailable("PostgreSQL does not answer") from error
        return rows

    async def close(self) -> None:
        try:
            async with asyncio.timeout(5):
                await self.frozen.close()
                await self.kept.give_back()
                await self.pool.close()
        except TimeoutError:
            self.pool.terminate()


async def _as_it_is(_connection: asyncpg.Connection) -> None:
    """
    Give a connection back without a round trip more.

    Programs leave no settings, locks or listeners behind; asyncpg itself ends a
    transaction that is still open.
    """


async def _drive(connection: asyncpg.Connection, program: Program[T]) -> T:
    try:
        step = next(program)
        while True:
            step = program.send(await _execute(connection, step))
    except StopIteration as done:
        result: T = done.value
        return result


def _is_large(insert: Insert) -> bool:
    return len(insert.rows) >= _MANY and not insert.conflict


async def _copy(connection: asyncpg.Connection, insert: Insert) -> None:
    names = tuple(insert.rows[0])
    records = [tuple(row[name] for name in names) for row in insert.rows]
    await connection.copy_records_to_table(insert.table, records=records, columns=names)


async def _execute(connection: asyncpg.Connection, step: Step) -> Rows:
    match step:
        case Insert():
            await _execute(connection, Guarded([step]))
            return ()
        case Guarded(inserts, guard):
            few = [i for i in inserts if i.rows and not _is_large(i)]
            sql, values = guarded(few, guard)
            written: Rows = await connection.fetch(sql, *values) if sql else ()
            if guard and not written:
                return ()
            for insert in filter(_is_large, inserts):
                await _copy(connection, insert)
            return written if guard else ()
        case Statement():
            sql, values = positional(step)
            fetched: Rows = await connection.fetch(sql, *values)
            return fetched
        case Together(statements):
            sql, values = together(statements)
            answers: Rows = (await connection.fetch(sql, *values))[0]
            return answers
