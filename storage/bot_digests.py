"""What waits to be told in a digest, and what was told in one."""

from dataclasses import dataclass

from bridge.delivery import Delivery, Operation
from storage.hot import Statement
from storage.ledger import folded_into
from storage.outbox import COLUMNS, Outbox, queued_row


@dataclass(frozen=True, slots=True)
class StoredDigests:
    """Implements `bridge.bot_digests.Digests`."""

    queue: Outbox

    async def waiting(self, delivery: Delivery, most: int) -> list[Delivery]:
        sizes = await self.queue.sizes()
        size = {delivery.tenant: sizes.get(delivery.tenant, 0)}
        undone = await self.queue.unfinished([delivery.shard], size)
        lane = [d for d in undone if d.lane == delivery.lane and not d.again]
        return [d for d in lane if d.operation is Operation.DIGEST][:most]

    async def folded(self, delivery: Delivery) -> list[Delivery]:
        rows = await self.queue.store.fetch(
            Statement(
                f"SELECT {COLUMNS} FROM outbox o WHERE o.shard = :shard "
                "AND o.tenant = :tenant AND o.seq > :entry AND o.link = :link "
                "AND o.source = :source AND o.target = :target "
                "AND o.operation = :digest AND EXISTS (SELECT 1 FROM attempt a "
                "WHERE a.tenant = o.tenant AND a.seq = o.seq AND a.n = o.n "
                "AND a.reason = :reason) ORDER BY o.seq, o.n",
                {
                    "shard": delivery.shard,
                    "tenant": delivery.tenant,
                    "entry": delivery.entry,
                    "link": delivery.link,
                    "source": str(delivery.source),
                    "target": str(delivery.target),
                    "digest": Operation.DIGEST,
                    "reason": folded_into(delivery.entry),
                },
            )
        )
        return [queued_row(row) for row in rows]
