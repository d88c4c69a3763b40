"""What was copied lately is read from the log's end, and from nowhere else."""

from bridge.delivery import AttemptState, Copy, Delivery, Operation
from bridge.echoes import Copied
from bridge.messages import Channel
from bridge.ports import Commitment, Lease, Outcome
from storage.copied import CopiedInLog
from tests.contract.conftest import TENANT, Store
from tests.events import FALCON, PROJECT, message


async def copy(store: Store, text: str) -> None:
    """Capture a message and deliver it."""
    queued = Delivery(
        TENANT, -1, -1, "L1", Operation.POST, FALCON, PROJECT, text, "", 0, 0
    )
    event = message(text, text)
    await store.journal.append(Commitment(TENANT, event, (), (queued,)))
    size = (await store.queue.sizes())[TENANT]
    [delivery] = [
        d
        for d in await store.queue.newer(TENANT, 0, size, range(256))
        if d.message == text
    ]
    leases = {lease.shard: lease for lease in await store.shards.claim(256)}
    lease = leases.get(delivery.shard) or Lease(delivery.shard, 1)
    history = await store.ledger.history(delivery)
    noted = await store.ledger.intend(delivery, lease)
    made = Copy.of(delivery, f"r-{text}", "", 0)
    outcome = Outcome(AttemptState.DELIVERED, copy=made, text=text)
    await store.ledger.conclude(noted, lease, outcome, history)


async def test_copies_are_told_with_where_they_came_from(store: Store) -> None:
    await copy(store, "one")
    lately = CopiedInLog(store.reader)

    assert await lately.since(TENANT, [FALCON, PROJECT], 0) == [
        Copied(FALCON.id, FALCON.id, "one"),
        Copied(FALCON.id, PROJECT.id, "one"),
    ]


async def test_other_channels_times_and_companies_are_left_out(store: Store) -> None:
    await copy(store, "one")
    lately = CopiedInLog(store.reader)
    store.keys.create("globex")
    elsewhere = Channel(PROJECT.platform, PROJECT.team, "19:other@thread.tacv2")

    assert await lately.since(TENANT, [elsewhere], 0) == []
    assert await lately.since(TENANT, [PROJECT], 1 << 60) == []
    assert await lately.since("globex", [PROJECT], 0) == []
