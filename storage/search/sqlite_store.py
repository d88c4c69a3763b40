"""
The search file: SQLite with FTS5, through a library new enough to forget.

FTS5 keeps deleted words in its file unless `secure-delete` is set, which SQLite has
had since 3.42; Python's own is often older.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import apsw

from bridge.errors import StoreUnavailable
from storage.hot import Program, Rows, Statement

T = TypeVar("T")

_PRAGMAS = (
    # First: another process may be making the same file at this moment.
    "PRAGMA busy_timeout=5000",
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=NORMAL",  # what a crash takes is made anew from the log
    "PRAGMA secure_delete=ON",
    "PRAGMA cache_size=-65536",
    "PRAGMA mmap_size=1073741824",
    "PRAGMA temp_store=MEMORY",
)


@dataclass(frozen=True, slots=True)
class SearchFile:
    """Runs programs and reads, as `storage.hot.HotStore` does, on `search.db`."""

    path: Path
    _writer: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(1, "search-writer")
    )
    _reader: ThreadPoolExecutor = field(
        default_factory=lambda: ThreadPoolExecutor(1, "search-reader")
    )
    _open: dict[str, tuple[apsw.Connection, int]] = field(default_factory=dict)

    async def run(self, program: Callable[[], Program[T]]) -> T:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._writer, self._run, program)

    async def fetch(self, statement: Statement) -> Rows:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._reader, self._fetch, statement)

    async def make(self, statements: tuple[str, ...]) -> None:
        """Run statements that change the form of tables, all or none."""

        def program() -> Program[None]:
            for sql in statements:
                yield Statement(sql)

        await self.run(program)

    async def sweep(self) -> None:
        """Leave nothing of what was deleted in the file or beside it."""
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._reader, self._let_go)
        await loop.run_in_executor(self._writer, self._checkpoint)

    async def close(self) -> None:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._writer, self._close, "writer")
        await loop.run_in_executor(self._reader, self._close, "reader")
        self._writer.shutdown()
        self._reader.shutdown()

    def size(self) -> int:
        """Return how many bytes it takes on disk."""
        beside = (self.path, self.path.with_name(f"{self.path.name}-wal"))
        return sum(each.stat().st_size for each in beside if each.exists())

    def _run(self, program: Callable[[], Program[T]]) -> T:
        try:
            connection = self._connection("writer")
            connection.execute("BEGIN IMMEDIATE")
            try:
                result = _drive(connection, program())
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
        except apsw.Error as error:
            self._forsake("writer", error)
            raise StoreUnavailable("the search file cannot be written now") from error
        return result

    def _fetch(self, statement: Statement) -> Rows:
        try:
            connection = self._connection("reader")
            found = connection.execute(statement.sql, dict(statement.parameters))
            return found.fetchall()
        except apsw.Error as error:
            self._forsake("reader", error)
            raise StoreUnavailable("the search file cannot be read now") from error

    def _connection(self, name: str) -> apsw.Connection:
        if name in self._open:
            connection, file = self._open[name]
            if self.path.exists() and self.path.stat().st_ino == file:
                return connection
            # Somebody removed the file: what is open is no file any more.
            self._close(name)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        connection = apsw.Connection(str(self.path))
        self.path.chmod(0o600)
        for pragma in _PRAGMAS:
            connection.execute(pragma)
        self._open[name] = (connection, self.path.stat().st_ino)
        return connection

    def _forsake(self, name: str, error: apsw.Error) -> None:
        """Begin the file anew if it is broken: everything in it is in the log."""
        if isinstance(error, apsw.NotADBError | apsw.CorruptError):
            self._close(name)
            for each in (self.path, *self.path.parent.glob(f"{self.path.name}-*")):
                each.unlink(missing_ok=True)

    def _checkpoint(self) -> None:
        connection = self._connection("writer")
        connection.execute("PRAGMA incremental_vacuum")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()

    def _let_go(self) -> None:
        """A reader that is open keeps the write-ahead log from being cut."""
        self._close("reader")

    def _close(self, name: str) -> None:
        if opened := self._open.pop(name, None):
            opened[0].close()


def _drive(connection: apsw.Connection, program: Program[T]) -> T:
    rows: Rows = ()
    try:
        step = next(program)
        while True:
            if not isinstance(step, Statement):
                raise TypeError("the search file runs plain statements")
            rows = connection.execute(step.sql, dict(step.parameters)).fetchall()
            step = program.send(rows)
    except StopIteration as done:
        result: T = done.value
        return result
