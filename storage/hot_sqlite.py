"""The hot path on SQLite: one thread that writes, one that reads."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from bridge.errors import StoreUnavailable
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

T = TypeVar("T")

_ROWS_AT_ONCE = 64

_PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA busy_timeout=2000",  # platforms wait 3 s at most
    "PRAGMA wal_autocheckpoint=4000",
    "PRAGMA cache_size=-65536",
    "PRAGMA temp_store=MEMORY",
)


@dataclass(frozen=True, slots=True)
class SqliteFile:
    """Implements `storage.hot.Address`."""

    path: Path

    def connect(self) -> "SqliteLines":
        try:
            connection = sqlite3.connect(self.path, isolation_level=None)
            connection.execute("PRAGMA query_only=ON")
            connection.execute("PRAGMA busy_timeout=2000")
            connection.execute("PRAGMA mmap_size=268435456")
        except sqlite3.Error as error:
            raise StoreUnavailable("the SQLite file cannot be read now") from error
        return SqliteLines(connection)


@dataclass(frozen=True, slots=True)
class SqliteLines:
    """Implements `storage.hot.Lines`."""

    connection: sqlite3.Connection

    def fetch(self, statement: Statement) -> Rows:
        try:
            told = self.connection.execute(statement.sql, statement.parameters)
            return told.fetchall()
        except sqlite3.Error as error:
            raise StoreUnavailable("the SQLite file cannot be read now") from error

    def close(self) -> None:
        self.connection.close()


@dataclass(frozen=True, slots=True)
class SqliteHotStore:
    """Implements `storage.hot.HotStore`. Each of its threads has a connection."""

    path: Path
    _writer: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(1, "sqlite-writer")
    )
    _reader: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(1, "sqlite-reader")
    )
    _open: dict[str, sqlite3.Connection] = field(default_factory=dict)

    @property
    def address(self) -> Address:
        return SqliteFile(self.path)

    async def run(self, program: Callable[[], Program[T]]) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._writer, self._run, program)

    async def fetch(self, statement: Statement) -> Rows:
        if statement.brief:
            # Handing it to a thread and back costs many times what it takes, and a
            # reader never waits for the writer.
            return self._fetch("loop", statement)
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self._reader, self._fetch, "reader", statement
        )

    async def close(self) -> None:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._writer, self._close, "writer")
        await loop.run_in_executor(self._reader, self._close, "reader")
        self._close("loop")
        self._writer.shutdown()
        self._reader.shutdown()

    def _run(self, program: Callable[[], Program[T]]) -> T:
        try:
            connection = self._connection("writer")
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            raise StoreUnavailable("the SQLite file cannot be written now") from error
        try:
            result = _drive(connection, program())
            connection.execute("COMMIT")
        except sqlite3.Error as error:
            self._roll_back(connection)
            raise StoreUnavailable("the SQLite file cannot be written now") from error
        except BaseException:
            self._roll_back(connection)
            raise
        return result

    def _roll_back(self, connection: sqlite3.Connection) -> None:
        if connection.in_transaction:
            connection.execute("ROLLBACK")

    def _fetch(self, name: str, statement: Statement) -> Rows:
        try:
            connection = self._connection(name)
            return connection.execute(statement.sql, statement.parameters).fetchall()
        except sqlite3.Error as error:
            raise StoreUnavailable("the SQLite file cannot be read now") from error

    def _connection(self, name: str) -> sqlite3.Connection:
        if name not in self._open:
            connection = sqlite3.connect(self.path, isolation_level=None)
            for pragma in _PRAGMAS:
                connection.execute(pragma)
            if name == "loop":
                connection.execute("PRAGMA busy_timeout=20")
            self._open[name] = connection
        return self._open[name]

    def _close(self, name: str) -> None:
        if connection := self._open.pop(name, None):
            connection.close()


def _drive(connection: sqlite3.Connection, program: Program[T]) -> T:
    rows: Rows = ()
    try:
        step = next(program)
        while True:
            rows = _execute(connection, step)
            step = program.send(rows)
    except StopIteration as done:
        result: T = done.value
        return result


def _execute(connection: sqlite3.Connection, step: Step) -> Rows:
    match step:
        case Insert(table, rows, conflict):
            for chunk in _chunks(rows):
                names = tuple(chunk[0])
                sql = _insert(table, names, len(chunk))
                values = [row[name] for row in chunk for name in names]
                connection.execute(f"{sql} {conflict}", values)
            return ()
        case Statement(sql, parameters):
            return connection.execute(sql, parameters).fetchall()
        case Together(statements):
            return [_execute(connection, each) for each in statements]
        case Guarded(inserts, guard):
            found = _execute(connection, guard) if guard else ()
            for insert in inserts if found or not guard else ():
                _execute(connection, insert)
            return found


def _chunks(rows: Sequence[Mapping[str, Any]]) -> Iterator[Sequence[Mapping[str, Any]]]:
    """
    Cut rows into parts of 64, 32, 16 … so that few different statements are made.

    A statement a row would hand Python's one lock back and forth between the threads
    for every row, and each time wait for whatever the event loop is doing.
    """
    first, size = 0, _ROWS_AT_ONCE
    while first < len(rows):
        while size > len(rows) - first:
            size //= 2
        yield rows[first : first + size]
        first += size


@cache
def _insert(table: str, names: tuple[str, ...], count: int) -> str:
    row = f"({', '.join('?' * len(names))})"
    columns, values = ", ".join(names), ", ".join([row] * count)
    return f"INSERT INTO {table} ({columns}) VALUES {values}"
