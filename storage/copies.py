"""Which copy of a message stands where."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from bridge.delivery import AttemptState, Copy, Operation, shard_of
from bridge.messages import Channel
from storage.hot import HotStore, Row, Statement
from storage.rows import clean_id

_SELECT = (
    "SELECT tenant, link, source, message, target, remote, remote_thread, version_us, "
    "deleted, part, parts, budget, segment FROM copy WHERE tenant = :tenant"
)

_FINAL = ", ".join(f"'{state}'" for state in AttemptState if state.final)
# Below a shard's low mark nothing is unfinished.
_AWAITED = (
    "SELECT 1 FROM outbox o WHERE o.tenant = :tenant AND o.shard = :shard "
    "AND o.seq >= coalesce((SELECT w.low FROM shard_low w "
    "WHERE w.tenant = o.tenant AND w.shard = o.shard), 0) "
    f"AND o.operation = '{Operation.POST}' AND o.link = :link "
    "AND o.source = :source AND o.target = :target AND o.message = :message "
    "AND NOT EXISTS (SELECT 1 FROM attempt a WHERE a.tenant = o.tenant "
    f"AND a.seq = o.seq AND a.n = o.n AND a.state IN ({_FINAL})) LIMIT 1"
)

_MARKED = 2  # in `deleted`: gone, and a tombstone stands in its place


@dataclass(frozen=True, slots=True)
class StoredCopies:
    """Implements `bridge.ports.Copies`."""

    store: HotStore

    async def copy_of(
        self, tenant: str, link: str, source: Channel, message: str, target: Channel
    ) -> Copy | None:
        rows = await self.store.fetch(
            Statement(
                f"{_SELECT} AND source = :source AND message = :message "
                "AND target = :target AND link = :link AND part = 1 "
                "ORDER BY created_us DESC LIMIT 1",
                {
                    "tenant": tenant,
                    "source": str(source),
                    "message": clean_id(message),
                    "target": str(target),
                    "link": link,
                },
                brief=True,
            )
        )
        return _copy(rows[0]) if rows else None

    async def awaited(
        self, tenant: str, link: str, source: Channel, message: str, target: Channel
    ) -> bool:
        rows = await self.store.fetch(
            Statement(
                _AWAITED,
                {
                    "tenant": tenant,
                    "shard": shard_of(tenant, link, source, target),
                    "link": link,
                    "source": str(source),
                    "target": str(target),
                    "message": clean_id(message),
                },
                brief=True,
            )
        )
        return bool(rows)

    async def more_of(self, copy: Copy) -> Sequence[Copy]:
        rows = await self.store.fetch(
            Statement(
                f"{_SELECT} AND source = :source AND message = :message "
                "AND target = :target AND link = :link AND part > 1 AND deleted = 0 "
                "ORDER BY part",
                {
                    "tenant": copy.tenant,
                    "source": str(copy.source),
                    "message": clean_id(copy.message),
                    "target": str(copy.target),
                    "link": copy.link,
                },
                brief=True,
            )
        )
        return [_copy(row) for row in rows]

    async def segments_of(self, copy: Copy) -> Sequence[Copy]:
        rows = await self.store.fetch(
            Statement(
                f"{_SELECT} AND target = :target AND remote = :remote ORDER BY segment",
                {
                    "tenant": copy.tenant,
                    "target": str(copy.target),
                    "remote": clean_id(copy.remote),
                },
                brief=True,
            )
        )
        return [_copy(row) for row in rows]

    async def origin_of(self, tenant: str, target: Channel, remote: str) -> Copy | None:
        rows = await self.store.fetch(
            Statement(
                # Of several messages in one copy the first that stands speaks for it.
                f"{_SELECT} AND target = :target AND remote = :remote "
                "ORDER BY CASE WHEN deleted = 0 THEN 0 ELSE 1 END, segment LIMIT 1",
                {
                    "tenant": tenant,
                    "target": str(target),
                    "remote": clean_id(remote),
                },
                brief=True,
            )
        )
        return _copy(rows[0]) if rows else None

    async def copies_of(
        self, tenant: str, source: Channel, message: str
    ) -> Sequence[Copy]:
        rows = await self.store.fetch(
            Statement(
                f"{_SELECT} AND source = :source AND message = :message "
                "ORDER BY created_us, part",
                {
                    "tenant": tenant,
                    "source": str(source),
                    "message": clean_id(message),
                },
                brief=True,
            )
        )
        return [_copy(row) for row in rows]

    async def known(
        self, tenant: str, target: Channel, since_us: int
    ) -> Collection[str]:
        """Return the ids of copies made in a channel since a time."""
        rows = await self.store.fetch(
            Statement(
                "SELECT remote FROM copy WHERE tenant = :tenant AND target = :target "
                "AND created_us >= :since",
                {"tenant": tenant, "target": str(target), "since": since_us},
            )
        )
        return {remote for (remote,) in rows}


def _copy(row: Row) -> Copy:
    tenant, link, source, message, target, remote, thread, version_us, deleted = row[:9]
    part, parts, budget, segment = row[9:]
    return Copy(
        tenant,
        link,
        Channel.parse(source),
        message,
        Channel.parse(target),
        remote,
        thread,
        version_us,
        deleted=bool(deleted),
        marked=deleted == _MARKED,
        part=part,
        parts=parts,
        budget=budget,
        segment=segment,
    )
