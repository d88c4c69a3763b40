"""
The few statements that every message pays for, on a driver without layers.

A *program* is a generator that yields statements and is sent their rows; a driver
runs it in one transaction. So the logic is written once, and knows neither which
database it is on nor whether that database is asked with `await`.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

Row = Any  # a tuple, or what reads like one
Rows = Sequence[Row]


@dataclass(frozen=True, slots=True)
class Statement:
    """
    SQL with `:name` parameters. `postgres` replaces `sql` there, if given.

    `brief` says that it reads a handful of rows by an index, in microseconds.
    """

    sql: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    postgres: str = ""
    brief: bool = False


@dataclass(frozen=True, slots=True)
class Insert:
    """
    Rows for a table of `storage.schema`, each a mapping of all its columns.

    `conflict` is an ON CONFLICT clause; no two rows may then be the same one.
    """

    table: str
    rows: Sequence[Mapping[str, Any]]
    conflict: str = ""


@dataclass(frozen=True, slots=True)
class Together:
    """
    Reads of which none waits for another; each is answered with its own rows.

    Parameters of one name mean the same in all of them.
    """

    statements: Sequence[Statement]


@dataclass(frozen=True, slots=True)
class Guarded:
    """
    Rows that are inserted if `guard` returns any, which are the answer; or anyway, if
    there is no guard. No two of `inserts` go to the same table.

    A round trip costs as much as inserting dozens of rows: these take one for all.
    """

    inserts: Sequence[Insert]
    guard: Statement | None = None


Step = Statement | Insert | Together | Guarded
T = TypeVar("T")
Program = Generator[Step, Rows, T]


class Lines(Protocol):
    """A connection that reads, and waits where it stands: for other processes."""

    def fetch(self, statement: Statement) -> Rows:
        """Read. Raises `StoreUnavailable`."""
        ...

    def close(self) -> None: ...


class Address(Protocol):
    """Where a database is. It can be handed to another process."""

    def connect(self) -> Lines:
        """Connect to read. Raises `StoreUnavailable`."""
        ...


class HotStore(Protocol):
    """A database as the hot path sees it."""

    @property
    def address(self) -> Address:
        """Where other processes find it."""
        ...

    async def run(self, program: Callable[[], Program[T]]) -> T:
        """
        Run a program in one transaction and return its result after the commit.

        Whatever the program raises rolls back and is raised here. A database that
        does not answer raises `StoreUnavailable`; the commit may then have happened.
        """
        ...

    async def fetch(self, statement: Statement) -> Rows:
        """Read outside a transaction. Raises `StoreUnavailable`."""
        ...

    async def close(self) -> None:
        """Finish what was begun and let go of the database."""
        ...


async def run_one(store: HotStore, step: Step) -> Rows:
    """Run a step in a transaction of its own, as `HotStore.run` does; returns its rows."""

    def program() -> Program[Rows]:
        return (yield step)

    return await store.run(program)
