"""One index on one database: making it, adding to it, forgetting, asking it."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeVar

from bridge.errors import StoreUnavailable
from storage.database import Database
from storage.hot import HotStore, Program, Rows, Statement
from storage.search.facts import Facts
from storage.search.sqlite_store import SearchFile
from storage.search.tables import FORM, Tables, postgres_tables, sqlite_tables
from storage.search.taking_in import forgotten, take_in

T = TypeVar("T")

FILE = "search.db"
_AT_ONCE = 500
_LOOK_AFTER = 300
_STATE = (
    "CREATE TABLE IF NOT EXISTS search_state (tenant TEXT PRIMARY KEY, "
    "upto BIGINT NOT NULL, form INTEGER NOT NULL)"
)


class Keeper(Protocol):
    """Where an index is kept."""

    async def run(self, program: Callable[[], Program[T]]) -> T: ...

    async def fetch(self, statement: Statement) -> Rows: ...

    def tables(self, tenant: str) -> Tables: ...

    async def ready(self, tenant: str) -> None:
        """Make the tables that are not there. Raises `StoreUnavailable`."""
        ...

    async def grown(self, by: int) -> None:
        """So many entries were added."""
        ...

    async def settle(self) -> None:
        """Nothing more is added for now: make what was added quick to ask."""
        ...

    async def sweep(self) -> None:
        """Leave nothing on disk of what was deleted."""
        ...

    async def size(self) -> int:
        """Return how many bytes the index takes on disk."""
        ...

    async def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class FileKeeper:
    """Keeps the index in a file of its own."""

    file: SearchFile

    async def run(self, program: Callable[[], Program[T]]) -> T:
        return await self.file.run(program)

    async def fetch(self, statement: Statement) -> Rows:
        return await self.file.fetch(statement)

    def tables(self, tenant: str) -> Tables:
        return Tables.own(tenant)

    async def ready(self, tenant: str) -> None:
        await self.file.make((_STATE, *sqlite_tables(self.tables(tenant))))

    async def grown(self, by: int) -> None:
        """FTS5 merges what was added by itself."""

    async def settle(self) -> None:
        """FTS5 asks what was just added as quickly."""

    async def sweep(self) -> None:
        await self.file.sweep()

    async def size(self) -> int:
        return self.file.size()

    async def close(self) -> None:
        await self.file.close()


@dataclass(frozen=True, slots=True)
class PostgresKeeper:
    """Keeps the index in unlogged tables beside the log."""

    store: HotStore
    _grown: list[int] = field(default_factory=lambda: [0, 0])

    async def run(self, program: Callable[[], Program[T]]) -> T:
        return await self.store.run(program)

    async def fetch(self, statement: Statement) -> Rows:
        return await self.store.fetch(statement)

    def tables(self, tenant: str) -> Tables:
        del tenant
        return Tables()

    async def ready(self, tenant: str) -> None:
        del tenant

        def made() -> Program[None]:
            # Two processes that make a table at once would be in each other's way.
            yield Statement("SELECT pg_advisory_xact_lock(7233172)")
            for sql in postgres_tables():
                yield Statement(sql)

        await self.store.run(made)

    async def grown(self, by: int) -> None:
        # A table that is filled is planned for as if it were empty until somebody
        # looks at it; autovacuum would in a minute, and each batch would take one.
        total, since = self._grown
        self._grown[:] = total, since + by
        if since + by >= max(_LOOK_AFTER, total):
            t = Tables()
            for table in (t.doc, t.value, t.mark, t.who, t.place):
                await self.store.fetch(Statement(f"ANALYZE {table}"))
            self._grown[:] = total + since + by, 0

    async def settle(self) -> None:
        # What was just added stands in a list that every search goes through, until
        # autovacuum, or too long a list, moves it where it is found.
        t = Tables()
        for column in ("words", "names"):
            await self.store.fetch(
                Statement(f"SELECT gin_clean_pending_list('ix_{t.doc}_{column}')")
            )

    async def sweep(self) -> None:
        # Deleted rows stay in their pages, and deleted words in their index, until
        # both are written anew.
        t = Tables()
        for table in (t.doc, t.word, t.who, t.value):
            await self.store.fetch(Statement(f"VACUUM FULL {table}"))

    async def size(self) -> int:
        t = Tables()
        names = (t.doc, t.value, t.mark, t.who, t.place, t.word)
        total = " + ".join(f"pg_total_relation_size('{name}')" for name in names)
        rows = await self.store.fetch(Statement(f"SELECT {total}"))
        return int(rows[0][0])

    async def close(self) -> None:
        """Nothing is open but the database, which is not its own."""


def keeper_for(database: Database, home: Path) -> Keeper:
    """Return where a database's index is kept."""
    if database.embedded:
        return FileKeeper(SearchFile(home / FILE))
    return PostgresKeeper(database.hot)


@dataclass(frozen=True, slots=True)
class SearchIndex:
    """Implements `bridge.compliance.Forgets`. An index that is lost begins anew."""

    keeper: Keeper
    _ready: set[str] = field(default_factory=set)
    _forgetting: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def upto(self, tenant: str) -> int:
        """Return how many entries of the log are in the index."""
        rows = await self._state(tenant)
        if rows and rows[0][1] != FORM:
            await self.drop(tenant)
            rows = await self._state(tenant)
        return int(rows[0][0]) if rows else 0

    async def add(
        self, tenant: str, batch: Sequence[Facts], after: int, upto: int
    ) -> bool:
        """Add a stretch of the log; False if another process was quicker."""
        tables = self.keeper.tables(tenant)
        taken = await self.keeper.run(
            lambda: take_in(tables, tenant, batch, after, upto)
        )
        if taken:
            await self.keeper.grown(len(batch))
        return taken

    async def settle(self) -> None:
        """Say that the index is up with the log, as far as it is known."""
        await self.keeper.settle()

    async def forget(self, tenant: str, seqs: Collection[int]) -> None:
        await self.upto(tenant)
        tables, numbers, gone = self.keeper.tables(tenant), sorted(seqs), 0
        async with self._forgetting:
            for first in range(0, len(numbers), _AT_ONCE):
                some = numbers[first : first + _AT_ONCE]
                gone += await self.keeper.run(
                    lambda some=some: forgotten(tables, tenant, some)  # type: ignore[misc]
                )
            if gone:
                await self.keeper.sweep()

    async def drop(self, tenant: str) -> None:
        """Throw the company's index away; it is made anew from the log."""
        tables = self.keeper.tables(tenant)

        def dropped() -> Program[None]:
            names = ["text", "words", "spots"] if tables.sqlite else ["word"]
            for name in (*names, "doc", "value", "mark", "gone", "who", "place"):
                table = getattr(tables, name)
                if tables.sqlite:
                    yield Statement(f"DROP TABLE IF EXISTS {table}")
                else:
                    yield Statement(
                        f"DELETE FROM {table} WHERE tenant = :tenant",
                        {"tenant": tenant},
                    )
            yield Statement(
                "DELETE FROM search_state WHERE tenant = :tenant", {"tenant": tenant}
            )

        await self._make(tenant)
        await self.keeper.run(dropped)
        await self.keeper.sweep()
        await self._make(tenant)

    async def ask(self, statement: Statement) -> Rows:
        return await self.keeper.fetch(statement)

    async def _make(self, tenant: str) -> None:
        await self.keeper.ready(tenant)
        self._ready.add(tenant)

    async def _state(self, tenant: str) -> Rows:
        if tenant not in self._ready:
            await self._make(tenant)
        statement = Statement(
            "SELECT upto, form FROM search_state WHERE tenant = :tenant",
            {"tenant": tenant},
        )
        try:
            return await self.keeper.fetch(statement)
        except StoreUnavailable:
            # The file was removed, or the tables were: they are made anew.
            await self._make(tenant)
            return await self.keeper.fetch(statement)
