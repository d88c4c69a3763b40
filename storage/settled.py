"""
What the queue still has of deliveries that ended long ago.

Log and queue are appended to only, so the queue has to be cut off at its old end. In
PostgreSQL a month of it is let go of as a whole, once nothing in it is open; what was
noted of attempts goes after everything that they were attempts at. In SQLite rows are
deleted, a few at a time. The log is never touched: what became of each delivery stands
there, and so does that the queue was cut.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from bridge.delivery import AttemptState
from storage.compliance.acts import Act, Acts
from storage.database import Database
from storage.hot import Program, Statement
from storage.partitions import attach, detach, month_after, month_of

log = structlog.get_logger()

ETYPE = "admin.housekeeping"
_DAY = 24 * 3600 * 1_000_000
_AT_ONCE = 500
_ALL = 2**62
_BREATH = 0.02  # seconds, in which messages pass
_FINAL = ", ".join(f"'{state}'" for state in AttemptState if state.final)
# A letter that waits for a person is open, however it ended.
_OPEN = (
    "(NOT EXISTS (SELECT 1 FROM attempt a WHERE a.tenant = o.tenant AND a.seq = o.seq "
    f"AND a.n = o.n AND a.state IN ({_FINAL})) "
    "OR EXISTS (SELECT 1 FROM dead_letter d WHERE d.tenant = o.tenant "
    "AND d.seq = o.seq AND d.n = o.n))"
)
_MARK = "to be dropped by ATOM"


@dataclass(frozen=True, slots=True)
class Settled:
    """Forgets deliveries that ended more than `days` ago; 0 keeps them for ever."""

    database: Database
    acts: Acts
    clock: Callable[[], int]
    days: int

    async def forget(self) -> list[str]:
        """Do what can be done now, and return which partitions, or tables, were cut."""
        if not self.days:
            return []
        before = self.clock() - self.days * _DAY
        if self.database.embedded:
            return await self._deleted(before)
        return await self._dropped(before)

    async def _deleted(self, before: int) -> list[str]:
        rows = await self.database.hot.fetch(Statement("SELECT tenant FROM head"))
        gone = {tenant: await self._deleted_of(tenant, before) for (tenant,) in rows}
        for tenant, count in gone.items():
            if count:
                await self._note(tenant, "outbox", count, f"{before}")
        return ["outbox"] if any(gone.values()) else []

    async def _deleted_of(self, tenant: str, before: int) -> int:
        young = await self.database.hot.fetch(_first_since(tenant, before))
        upto = young[0][0] if young else _ALL
        count, after = 0, -1
        while True:
            found, after = await self.database.hot.run(
                partial(_delete_some, tenant, upto, after)
            )
            if after < 0:
                return count
            count += found
            await asyncio.sleep(_BREATH)

    async def _dropped(self, before: int) -> list[str]:
        old = [name for name in await self._names("outbox") if _ended(name, before)]
        dropped = [name for name in old if await self._let_go(name)]
        left = await self._names("outbox")
        oldest = min((_month(name) for name in left), default="")
        for name in await self._names("attempt"):
            # Of a delivery that is gone nobody asks how it went.
            if _ended(name, before) and (not oldest or _month(name) < oldest):
                await self._drop(name)
                dropped.append(name)
        return dropped

    async def _let_go(self, name: str) -> bool:
        """Drop a month of the queue; returns whether nothing of it was open."""
        if await self._open(name):
            log.warning(
                "an old month of the queue is kept: not all of it ended", name=name
            )
            return False
        await self._drop(name)
        return True

    async def _drop(self, name: str) -> None:
        await self.mark(name)
        await detach(self.database.engine, name)
        if name.startswith("outbox") and await self._open(name):
            # Nothing opens what has ended; if it did, it is worth more than the room.
            await attach(self.database.engine, name)
            return
        for tenant, count in (await self._counts(name)).items():
            await self._note(tenant, name, count, name)
        async with self.database.engine.begin() as connection:
            await connection.execute(text("SET LOCAL lock_timeout = '200ms'"))
            await connection.execute(text(f"DROP TABLE {name}"))
        log.info("an old month was dropped", name=name)

    async def mark(self, name: str) -> None:
        """Say at a partition that it is to go, so that a crash leaves nothing behind."""
        async with self.database.engine.begin() as connection:
            await connection.execute(text("SET LOCAL lock_timeout = '200ms'"))
            await connection.execute(text(f"COMMENT ON TABLE {name} IS '{_MARK}'"))

    async def _open(self, name: str) -> bool:
        sql = f"SELECT EXISTS (SELECT 1 FROM {name} o WHERE {_OPEN})"
        async with self.database.engine.connect() as connection:
            return bool((await connection.execute(text(sql))).scalar())

    async def _counts(self, name: str) -> Mapping[str, int]:
        sql = f"SELECT tenant, count(*) FROM {name} GROUP BY tenant ORDER BY tenant"
        async with self.database.engine.connect() as connection:
            return {row[0]: row[1] for row in await connection.execute(text(sql))}

    async def _names(self, table: str) -> list[str]:
        """Return a table's partitions, and what was let go of and not dropped yet."""
        async with self.database.engine.connect() as connection:
            return [*await _named(connection, table)]

    async def _note(self, tenant: str, name: str, count: int, key: str) -> None:
        """Say what goes before it goes, once."""
        said = f"{count} rows of {name} went: what they were about ended long ago"
        detail = {"what": name, "rows": count, "days": self.days}
        act = Act(tenant, ETYPE, "atom", said, detail)
        await self.acts.note(act, key=f"{ETYPE}:{name}:{key}")


def _first_since(tenant: str, moment: int) -> Statement:
    """Ask for the first that is not old: all before it are, and few are left."""
    return Statement(
        "SELECT seq FROM outbox WHERE tenant = :tenant AND created_us >= :moment "
        "ORDER BY seq LIMIT 1",
        {"tenant": tenant, "moment": moment},
    )


def _delete_some(tenant: str, upto: int, after: int) -> Program[tuple[int, int]]:
    """Delete some that ended, with their attempts; returns how many, and how far."""
    given = {"tenant": tenant, "upto": upto, "after": after, "most": _AT_ONCE}
    rows = yield Statement(
        f"SELECT o.seq, o.n, {_OPEN} FROM outbox o WHERE o.tenant = :tenant "
        "AND o.seq > :after AND o.seq < :upto ORDER BY o.seq, o.n LIMIT :most",
        given,
    )
    if not rows:
        return 0, -1
    last = rows[-1][0]
    if len(rows) == _AT_ONCE and rows[0][0] != last:
        rows = [row for row in rows if row[0] != last]  # the rest of it comes next
        last = rows[-1][0]
    ended = [(seq, n) for seq, n, is_open in rows if not is_open]
    for seq, n in ended:
        for table in ("attempt", "outbox"):
            yield Statement(
                f"DELETE FROM {table} WHERE tenant = :tenant AND seq = :seq AND n = :n",
                {"tenant": tenant, "seq": seq, "n": n},
            )
    return len(ended), last


async def _named(connection: AsyncConnection, table: str) -> Iterator[str]:
    found = await connection.execute(
        text(
            "SELECT c.relname FROM pg_class c LEFT JOIN pg_inherits i "
            "ON i.inhrelid = c.oid WHERE c.relkind = 'r' AND c.relname ~ :shape "
            "AND pg_table_is_visible(c.oid) AND (i.inhparent = to_regclass(:table) "
            "OR obj_description(c.oid, 'pg_class') = :mark) ORDER BY c.relname"
        ),
        {"shape": f"^{table}_[0-9]{{4}}_[0-9]{{2}}$", "table": table, "mark": _MARK},
    )
    return iter([name for (name,) in found])


def _month(name: str) -> str:
    return name.partition("_")[2]


def _ended(name: str, before: int) -> bool:
    """Whether everything in a partition is older than that."""
    end = month_after(month_of(name))
    return end <= datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=before)
