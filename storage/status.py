"""
How the links are doing.

What is open is read from the shards' low marks on, what died from the list of dead
letters, and what was delivered from the log's end. So the work depends on what goes
on, not on how long the history is.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bridge.echo_alarm import EchoAlarm
from bridge.links import Link
from bridge.ports import LinkBook, LinkStatus
from storage.hot import HotStore, Row, Statement

_DAY_US = 24 * 3600 * 1_000_000

# What is open of every shard, from its low mark on: the delivery and its newest attempt.
_OPEN_COLUMNS = (
    "SELECT o.link, o.created_us, "
    "CASE WHEN a.state = 'throttled' THEN a.until_us ELSE 0 END AS until_us, "
    "coalesce(a.reason, '') AS reason, coalesce(a.at_us, 0) AS at_us "
    "FROM shard_owner s "
    "LEFT JOIN shard_low w ON w.tenant = :tenant AND w.shard = s.shard "
)
_ROWS = "{0}.shard = s.shard AND {0}.tenant = :tenant AND {0}.seq > coalesce(w.low, -1)"
_UNDONE = "(a.state IS NULL OR a.state IN ('intent', 'retry', 'throttled', 'step'))"
# One row a link: how many wait, since when, until when, and what went wrong last.
_SUMMED = (
    "SELECT link, total, oldest, until, reason FROM (SELECT q.link, q.reason, "
    "count(*) OVER (PARTITION BY q.link) AS total, "
    "min(q.created_us) OVER (PARTITION BY q.link) AS oldest, "
    "max(q.until_us) OVER (PARTITION BY q.link) AS until, "
    "row_number() OVER (PARTITION BY q.link ORDER BY q.at_us DESC) AS place "
    "FROM ({0}) q) r WHERE place = 1"
)
_OPEN = Statement(
    # CROSS JOIN keeps SQLite from starting anywhere but at the shards.
    _SUMMED.format(
        f"{_OPEN_COLUMNS} CROSS JOIN outbox o "
        "LEFT JOIN attempt a ON a.tenant = o.tenant AND a.seq = o.seq AND a.n = o.n "
        "AND a.attempt = (SELECT max(b.attempt) FROM attempt b "
        "WHERE b.tenant = o.tenant AND b.seq = o.seq AND b.n = o.n) "
        f"WHERE {_ROWS.format('o')} AND {_UNDONE}"
    ),
    # OFFSET and LIMIT keep PostgreSQL from it, which would rather read all there is
    # of a table that it has no statistics of yet.
    postgres=_SUMMED.format(
        f"{_OPEN_COLUMNS} CROSS JOIN LATERAL "
        f"(SELECT * FROM outbox x WHERE {_ROWS.format('x')} OFFSET 0) o "
        "LEFT JOIN LATERAL (SELECT * FROM attempt b WHERE b.tenant = o.tenant "
        "AND b.seq = o.seq AND b.n = o.n ORDER BY b.attempt DESC LIMIT 1) a ON true "
        f"WHERE {_UNDONE}"
    ),
)
_LETTERS = Statement(
    "SELECT link, dead, parked, reason FROM (SELECT link, reason, "
    "sum(CASE WHEN state = 'dead' THEN 1 ELSE 0 END) OVER (PARTITION BY link) AS dead, "
    "sum(CASE WHEN state = 'parked' THEN 1 ELSE 0 END) OVER (PARTITION BY link) "
    "AS parked, row_number() OVER (PARTITION BY link ORDER BY at_us DESC) AS place "
    "FROM dead_letter WHERE tenant = :tenant) r WHERE place = 1"
)
# How the deliveries queued lately went: the newest of each kind, and how many.
_ENDED = (
    "SELECT b.* FROM attempt b WHERE b.tenant = :tenant AND b.seq >= :first "
    "AND b.at_us >= :since AND b.state IN "
    "('delivered', 'retry', 'throttled', 'dead', 'parked')"
)
_ORIGIN = "o.tenant = a.tenant AND o.seq = a.seq AND o.n = a.n"
_COUNTED = (
    "SELECT link, failed, total, lag_us, reason FROM ("
    "SELECT q.*, count(*) OVER (PARTITION BY link, failed) AS total, "
    "row_number() OVER (PARTITION BY link, failed ORDER BY at_us DESC) AS place "
    "FROM (SELECT a.link, CASE WHEN a.state = 'delivered' THEN 0 ELSE 1 END AS failed, "
    "a.at_us, a.reason, a.at_us - o.created_us AS lag_us FROM {0}) q) r WHERE place = 1"
)
_RECENTLY = Statement(
    _COUNTED.format(f"({_ENDED}) a JOIN outbox o ON {_ORIGIN}"),
    postgres=_COUNTED.format(
        f"({_ENDED} OFFSET 0) a CROSS JOIN LATERAL "
        f"(SELECT o.created_us FROM outbox o WHERE {_ORIGIN} LIMIT 1) o"
    ),
)
_SIZE = Statement("SELECT size FROM head WHERE tenant = :tenant")
_EDGE = Statement(
    "SELECT cap_us FROM log WHERE tenant = :tenant AND seq <= :first "
    "ORDER BY seq DESC LIMIT 1"
)


async def waiting(store: HotStore, tenant: str, link: str) -> bool:
    """Say whether anything of a link is still to be delivered."""
    open_ = Statement(_OPEN.sql, {"tenant": tenant}, postgres=_OPEN.postgres)
    return any(row[0] == link for row in await store.fetch(open_))


@dataclass(frozen=True, slots=True)
class StoredHealth:
    """
    Implements `bridge.ports.Health`.

    Deliveries are counted that were queued in the `recent` last log positions, and
    echoes as long as `echoes` says.
    """

    store: HotStore
    links: LinkBook
    clock: Callable[[], int]
    recent: int = 10_000
    echoes: EchoAlarm | None = None

    async def status(self, tenant: str) -> Sequence[LinkStatus]:
        links = await self.links.all(tenant)
        if not links:
            return []
        window = await self._window(tenant)
        open_ = {row[0]: row for row in await self._ask(_OPEN, tenant)}
        letters = {row[0]: row for row in await self._ask(_LETTERS, tenant)}
        rows = await self._ask(_RECENTLY, tenant, window)
        recent = {(row[0], row[1]): row for row in rows}
        since = window["since"]
        shown = [self._one(link, since, open_, letters, recent) for link in links]
        return await self._with_echoes(tenant, shown)

    async def _with_echoes(
        self, tenant: str, rows: Sequence[LinkStatus]
    ) -> Sequence[LinkStatus]:
        if self.echoes is None:
            return rows
        channels = {channel for row in rows for channel in row.link.channels}
        cut = await self.echoes.lately(tenant, list(channels))
        counts = [[cut.get(c, 0) for c in row.link.channels] for row in rows]
        too_many = self.echoes.too_many
        return [
            replace(row, echoes=sum(each), echoing=any(map(too_many, each)))
            for row, each in zip(rows, counts, strict=True)
        ]

    async def _window(self, tenant: str) -> dict[str, int]:
        """Return from which position, and since when, the log's end is looked at."""
        sizes = await self._ask(_SIZE, tenant)
        first = (sizes[0][0] if sizes else 0) - self.recent
        edge = await self._ask(_EDGE, tenant, {"first": first})
        since = self.clock() - _DAY_US
        return {"first": first, "since": max(since, edge[0][0] if edge else 0)}

    async def _ask(
        self, statement: Statement, tenant: str, more: Mapping[str, Any] | None = None
    ) -> Sequence[Row]:
        parameters = {"tenant": tenant, **(more or {})}
        return await self.store.fetch(
            Statement(statement.sql, parameters, postgres=statement.postgres)
        )

    def _one(
        self,
        link: Link,
        since: int,
        open_: Mapping[str, Row],
        letters: Mapping[str, Row],
        recent: Mapping[tuple[str, int], Row],
    ) -> LinkStatus:
        now, key = self.clock(), link.id
        _, queued, oldest, until, waiting = open_.get(key, (key, 0, 0, 0, ""))
        _, dead, parked, died = letters.get(key, (key, 0, 0, ""))
        _, _, delivered, lag, _ = recent.get((key, 0), (key, 0, 0, 0, ""))
        _, _, _, _, error = recent.get((key, 1), (key, 1, 0, 0, ""))
        return LinkStatus(
            link=link,
            queued=queued,
            oldest_us=oldest,
            delivered=delivered,
            dead=int(dead),
            parked=int(parked),
            throttled_until_us=until if until > now else 0,
            last_error=error or waiting or died,
            lag_us=now - oldest if queued else lag,
            delivered_since_us=since,
        )
