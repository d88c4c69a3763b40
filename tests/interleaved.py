"""
A SQLite file under several actors, whose statements are interleaved as a seed says.

Every statement, and every begin and end of a transaction, waits for its actor's turn.
Nothing runs in threads and nothing waits for time, so a seed repeats a run exactly.
"""
# ruff: noqa: S608 - the tables' names are the file's own

import asyncio
import shutil
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import TypeVar

from storage.hot import Address, Program, Rows, Statement
from storage.hot_sqlite import SqliteFile, _execute

T = TypeVar("T")


@dataclass
class Turns:
    """Lets one actor at a time take one step."""

    random: Random
    waiting: dict[str, asyncio.Future[None]] = field(default_factory=dict)
    writer: str = ""
    steps: int = 0
    asked: int = 0

    async def turn(self, actor: str) -> None:
        # An actor may be at several things at once, and each waits by itself.
        self.asked += 1
        key = f"{actor} {self.asked:06}"
        self.waiting[key] = asyncio.get_running_loop().create_future()
        await self.waiting[key]

    async def play(
        self, actors: dict[str, Callable[[], Awaitable[object]]], late: str, after: int
    ) -> None:
        """Run all actors to their ends; one begins so many steps after the others."""
        acts = dict(actors)
        waits = acts.pop(late)
        tasks = [asyncio.ensure_future(act()) for act in acts.values()]
        begun = False
        while not (begun and all(task.done() for task in tasks)):
            await asyncio.sleep(0)
            if self.waiting:
                chosen = self.random.choice(sorted(self.waiting))
                self.waiting.pop(chosen).set_result(None)
                self.steps += 1
            if not begun and (self.steps >= after or all(t.done() for t in tasks)):
                begun = True
                tasks.append(asyncio.ensure_future(waits()))
        for task in tasks:
            task.result()


@dataclass
class InterleavedStore:
    """Implements `storage.hot.HotStore` for one actor, with a connection of its own."""

    connection: sqlite3.Connection
    turns: Turns
    actor: str

    @property
    def address(self) -> Address:
        listed = self.connection.execute("PRAGMA database_list").fetchone()
        return SqliteFile(Path(listed[2]))

    async def run(self, program: Callable[[], Program[T]]) -> T:
        await self.turns.turn(self.actor)
        while self.turns.writer:  # as BEGIN IMMEDIATE waits for the file's lock
            await self.turns.turn(self.actor)
        self.turns.writer = self.actor
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            result = await self._drive(program())
            await self.turns.turn(self.actor)
            self.connection.execute("COMMIT")
        except BaseException:
            self.connection.execute("ROLLBACK")
            raise
        finally:
            self.turns.writer = ""
        return result

    async def _drive(self, program: Program[T]) -> T:
        rows: Rows = ()
        try:
            step = next(program)
            while True:
                await self.turns.turn(self.actor)
                rows = _execute(self.connection, step)
                step = program.send(rows)
        except StopIteration as done:
            result: T = done.value
            return result

    async def fetch(self, statement: Statement) -> Rows:
        await self.turns.turn(self.actor)
        return self.connection.execute(statement.sql, statement.parameters).fetchall()

    async def close(self) -> None:
        """Leave the connection open: the next run uses it, too."""


class Freely(Turns):
    """No turns: whoever looks at what came out waits for nobody."""

    async def turn(self, actor: str) -> None:
        del actor


@dataclass
class Arena:
    """A file that is put back to what it was, with connections that stay open."""

    path: Path
    connections: dict[str, sqlite3.Connection] = field(default_factory=dict)

    def __post_init__(self) -> None:
        pristine = self.path.with_suffix(".pristine")
        shutil.copy(self.path, pristine)
        self._keeper = self._open()
        self._keeper.execute("ATTACH ? AS pristine", (str(pristine),))
        tables = self._keeper.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table'"
        )
        self.tables = [name for (name,) in tables]

    def reset(self) -> None:
        """Put every row back."""
        self._keeper.execute("BEGIN IMMEDIATE")
        for table in self.tables:
            same = f"SELECT * FROM pristine.{table} EXCEPT SELECT * FROM main.{table}"
            more = f"SELECT * FROM main.{table} EXCEPT SELECT * FROM pristine.{table}"
            if any(
                self._keeper.execute(f"{q} LIMIT 1").fetchone() for q in (same, more)
            ):
                self._keeper.execute(f"DELETE FROM main.{table}")
                self._keeper.execute(
                    f"INSERT INTO main.{table} SELECT * FROM pristine.{table}"
                )
        self._keeper.execute("COMMIT")

    def connection(self, name: str) -> sqlite3.Connection:
        if name not in self.connections:
            self.connections[name] = self._open()
        return self.connections[name]

    def close(self) -> None:
        for each in (self._keeper, *self.connections.values()):
            each.close()

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, isolation_level=None)
        connection.execute("PRAGMA synchronous = OFF")
        return connection
