"""What is still to be delivered, and which process may deliver it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

import orjson

from bridge.delivery import SHARDS, Again, AttemptState, Delivery, Operation
from bridge.messages import Channel
from bridge.ports import Lease
from storage.hot import HotStore, Insert, Program, Row, Statement
from storage.rows import joined_of

COLUMNS = (
    "o.tenant, o.seq, o.n, o.link, o.operation, o.source, o.target, o.message, "
    "o.thread, o.version_us, o.created_us, o.file"
)
_PG_SHARDS = "SELECT jsonb_array_elements_text(:shards::text::jsonb)::smallint"
_FINAL = ", ".join(f"'{state}'" for state in AttemptState if state.final)


@dataclass(frozen=True, slots=True)
class StoredShards:
    """
    Implements `bridge.ports.Shards`.

    Only the database's clock is compared. An owner that cannot renew in time has to
    stop by itself; whatever it still writes is fenced off by the epoch.
    """

    store: HotStore
    owner: str
    lease_us: int

    async def renew(self, wanted: Collection[int]) -> list[Lease]:
        return await self.store.run(lambda: self._renew(wanted))

    async def claim(self, most: int) -> list[Lease]:
        return await self.store.run(lambda: self._claim(most))

    async def release(self, shards: Collection[int]) -> None:
        await self.store.run(lambda: self._release(shards))

    async def fair_share(self) -> int:
        return await self.store.run(self._fair_share)

    async def leave(self) -> None:
        await self.store.run(self._leave)

    async def seize(self) -> None:
        """End every lease. Only for a process that knows itself alone."""
        await self.store.run(_end_leases)

    def _renew(self, wanted: Collection[int]) -> Program[list[Lease]]:
        now = yield from database_clock()
        rows = yield Statement(
            "UPDATE shard_owner SET lease_until_us = :until WHERE owner = :owner "
            "AND lease_until_us > :now "
            "AND shard IN (SELECT value FROM json_each(:shards)) "
            "RETURNING shard, epoch",
            {
                "until": now + self.lease_us,
                "owner": self.owner,
                "now": now,
                "shards": orjson.dumps([*wanted]).decode(),
            },
            # Group commits lock the shards they write for, lowest first; whoever
            # locks them in another order would wait for them in a circle.
            postgres="UPDATE shard_owner SET lease_until_us = :until "
            "WHERE shard IN (SELECT shard FROM shard_owner WHERE owner = :owner "
            f"AND lease_until_us > :now AND shard = ANY({_PG_SHARDS}) "
            "ORDER BY shard FOR UPDATE) RETURNING shard, epoch",
        )
        return [Lease(shard, epoch) for shard, epoch in rows]

    def _claim(self, most: int) -> Program[list[Lease]]:
        now = yield from database_clock()
        free = "SELECT shard FROM shard_owner WHERE lease_until_us <= :now LIMIT :most"
        update = (
            "UPDATE shard_owner SET owner = :owner, epoch = epoch + 1, "
            "lease_until_us = :until WHERE shard IN ({}) RETURNING shard, epoch"
        )
        rows = yield Statement(
            update.format(free),
            {
                "owner": self.owner,
                "until": now + self.lease_us,
                "now": now,
                "most": most,
            },
            postgres=update.format(f"{free} FOR UPDATE SKIP LOCKED"),
        )
        return [Lease(shard, epoch) for shard, epoch in rows]

    def _release(self, shards: Collection[int]) -> Program[None]:
        yield Statement(
            "UPDATE shard_owner SET lease_until_us = 0 WHERE owner = :owner "
            "AND shard IN (SELECT value FROM json_each(:shards))",
            {"owner": self.owner, "shards": orjson.dumps([*shards]).decode()},
            # Lowest first, as in _renew.
            postgres="UPDATE shard_owner SET lease_until_us = 0 "
            "WHERE shard IN (SELECT shard FROM shard_owner WHERE owner = :owner "
            f"AND shard = ANY({_PG_SHARDS}) ORDER BY shard FOR UPDATE)",
        )

    def _leave(self) -> Program[None]:
        yield Statement("DELETE FROM worker WHERE id = :id", {"id": self.owner})

    def _fair_share(self) -> Program[int]:
        now = yield from database_clock()
        yield Statement(
            "INSERT INTO worker (id, until_us) VALUES (:id, :until) "
            "ON CONFLICT (id) DO UPDATE SET until_us = excluded.until_us",
            {"id": self.owner, "until": now + self.lease_us},
        )
        yield Statement(
            "DELETE FROM worker WHERE until_us < :before",
            {"before": now - 10 * self.lease_us},
        )
        rows = yield Statement(
            "SELECT count(*) FROM worker WHERE until_us > :now", {"now": now}
        )
        alive: int = rows[0][0]
        return -(-SHARDS // max(1, alive))


def _end_leases() -> Program[None]:
    yield Statement("UPDATE shard_owner SET lease_until_us = 0")
    yield Statement("UPDATE worker SET until_us = 0")


def database_clock() -> Program[int]:
    """Read the one clock that every process shares, in microseconds."""
    rows = yield Statement(
        # SQLite has a sub-second unixepoch() only since 3.42.
        "SELECT CAST((julianday('now') - 2440587.5) * 86400000000 AS INTEGER)",
        postgres="SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint",
    )
    now: int = rows[0][0]
    return now


@dataclass(frozen=True, slots=True)
class _End:
    """Where a log ended at some moment, and the time of its last entry then."""

    size: int = 0
    last_us: int = -1


@dataclass(frozen=True, slots=True)
class Outbox:
    """Implements `bridge.ports.Queue`. The journal writes it, with the log."""

    store: HotStore
    _read: dict[str, _End] = field(default_factory=dict, compare=False)
    _seen: dict[str, _End] = field(default_factory=dict, compare=False)

    async def sizes(self) -> Mapping[str, int]:
        rows = await self.store.fetch(
            Statement("SELECT tenant, size, last_us FROM head")
        )
        self._seen.update({tenant: _End(size, last) for tenant, size, last in rows})
        return {tenant: size for tenant, size, _ in rows}

    async def unfinished(
        self, shards: Collection[int], upto: Mapping[str, int]
    ) -> list[Delivery]:
        found: list[Delivery] = []
        for tenant, size in upto.items():
            rows = await self.store.fetch(_unfinished(tenant, 0, size, shards))
            found += [_delivery(row) for row in rows]
        return found

    async def newer(
        self, tenant: str, first: int, upto: int, shards: Collection[int]
    ) -> list[Delivery]:
        before = self._read.get(tenant, _End())
        # Times in a log only rise: what was queued after an end is younger than that.
        since = before.last_us + 1 if before.size <= first else 0
        rows = await self.store.fetch(_unfinished(tenant, first, upto, shards, since))
        seen = self._seen.get(tenant, _End())
        if seen.size <= upto:
            self._read[tenant] = seen
        return [_delivery(row) for row in rows]

    async def raise_low(self, low: Mapping[tuple[str, int], int]) -> None:
        await self.store.run(lambda: _raise_low(low))


def _shard_parameters(shards: Collection[int]) -> dict[str, object]:
    return {"shards": orjson.dumps([*shards]).decode()}


def _unfinished(
    tenant: str, first: int, size: int, shards: Collection[int], since_us: int = 0
) -> Statement:
    """
    Read from the shards outwards, each from its own low mark on.

    Asked the other way round, both databases read everything ever queued. Nothing of
    it was queued before `since_us`, which spares PostgreSQL the months before that.
    """
    head = (
        f"SELECT {COLUMNS}, coalesce(a.attempt, 0), coalesce(a.state, ''), "
        "coalesce(a.until_us, 0), coalesce(a.at_us, 0), coalesce(a.tries, 0), "
        "coalesce(a.part, 0), coalesce(a.budget, 0), coalesce(a.joined, ''), "
        "g.entry, g.marker, g.unknown_us, g.joined FROM "
    )
    low = "LEFT JOIN shard_low w ON w.tenant = :tenant AND w.shard = s.value "
    # One lower bound, or SQLite takes another index than that of the shards.
    rows = (
        "{0}.shard = s.value AND {0}.tenant = :tenant AND {0}.seq >= "
        "CASE WHEN w.low >= CAST(:first AS BIGINT) THEN w.low + 1 "
        "ELSE CAST(:first AS BIGINT) END AND {0}.seq < CAST(:size AS BIGINT)"
    )
    attempts = (
        "LEFT JOIN attempt a ON a.tenant = o.tenant AND a.seq = o.seq AND a.n = o.n "
        "AND a.attempt = (SELECT max(b.attempt) FROM attempt b "
        "WHERE b.tenant = o.tenant AND b.seq = o.seq AND b.n = o.n) "
    )
    again = (
        "LEFT JOIN requeued g ON g.tenant = o.tenant AND g.seq = o.seq AND g.n = o.n "
    )
    undone = f"(a.state IS NULL OR a.state NOT IN ({_FINAL})) ORDER BY o.seq, o.n"
    return Statement(
        f"{head} json_each(:shards) s {low} CROSS JOIN outbox o {attempts} {again} "
        f"WHERE {rows.format('o')} AND {undone}",
        _shard_parameters(shards)
        | {"tenant": tenant, "first": first, "size": size, "since": since_us},
        # OFFSET and LIMIT hold PostgreSQL to that order, which would rather read all
        # there is of a table that it has no statistics of yet.
        postgres=f"{head} ({_PG_SHARDS} AS value) s {low} CROSS JOIN LATERAL "
        f"(SELECT * FROM outbox x WHERE {rows.format('x')} "
        "AND x.created_us >= :since OFFSET 0) o "
        "LEFT JOIN LATERAL (SELECT * FROM attempt b WHERE b.tenant = o.tenant "
        "AND b.seq = o.seq AND b.n = o.n AND b.at_us >= :since "
        "ORDER BY b.attempt DESC LIMIT 1) a ON true "
        f"{again} WHERE {undone}",
    )


def _raise_low(low: Mapping[tuple[str, int], int]) -> Program[None]:
    # In one order everywhere, or two processes could wait for each other.
    yield Insert(
        "shard_low",
        [
            {"tenant": tenant, "shard": shard, "low": seq}
            for (tenant, shard), seq in sorted(low.items())
        ],
        "ON CONFLICT (tenant, shard) DO UPDATE SET low = excluded.low "
        "WHERE excluded.low > shard_low.low",
    )


def _delivery(row: Row) -> Delivery:
    number, state, until, at, tries, part, budget, joined = row[12:20]
    entry, marker, unknown, looked_up = row[20:]
    again = None if entry is None else Again(entry, marker)
    # A lost answer of an earlier delivery stays lost until this one notes something.
    before = unknown if again and not number else 0
    return replace(
        queued_row(row[:12]),
        attempts=number,
        tries=tries,
        not_before_us=until,
        unknown_since_us=at if state == AttemptState.INTENT else before,
        throttled=state == AttemptState.THROTTLED,
        again=again,
        part=1 if before else part,
        budget=budget,
        joined=joined_of(looked_up if before else joined)
        if before or state == AttemptState.INTENT
        else (),
    )


def queued_row(row: Row) -> Delivery:
    """Read a delivery as it was queued: the columns of `COLUMNS`."""
    (
        tenant,
        seq,
        n,
        link,
        operation,
        source,
        target,
        message,
        thread,
        version_us,
        created_us,
        file,
    ) = row
    return Delivery(
        tenant,
        seq,
        n,
        link,
        Operation(operation),
        Channel.parse(source),
        Channel.parse(target),
        message,
        thread,
        version_us,
        created_us,
        file,
    )
