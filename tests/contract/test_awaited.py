"""A copy is awaited from when it is queued until its delivery has ended."""

import pytest

from bridge.delivery import AttemptState, Operation
from bridge.links import Link
from bridge.messages import Channel, Platform
from bridge.ports import Commitment, Outcome
from bridge.relay import planned
from tests.contract.conftest import TENANT, Store
from tests.events import FALCON, PROJECT, message

THIRD = Channel(Platform.TEAMS, "19:globex@thread.tacv2", "19:globex@thread.tacv2")
LINK = Link(TENANT, "L1", (FALCON, PROJECT, THIRD))
SAID = message()


async def awaited(store: Store, target: Channel, link: str = "L1") -> bool:
    return await store.copies.awaited(TENANT, link, FALCON, SAID.message, target)


async def queued(store: Store) -> None:
    deliveries = planned(TENANT, SAID, Operation.POST, FALCON, [LINK])
    await store.journal.append(Commitment(TENANT, SAID, (), tuple(deliveries)))


@pytest.mark.parametrize(
    "state", [AttemptState.DELIVERED, AttemptState.DEAD, AttemptState.DROPPED]
)
async def test_it_is_awaited_until_it_has_ended(
    store: Store, state: AttemptState
) -> None:
    assert not await awaited(store, PROJECT)
    await queued(store)
    assert await awaited(store, PROJECT)
    assert await awaited(store, THIRD)
    assert not await awaited(store, PROJECT, "L2")
    assert not await awaited(store, FALCON)

    leases = {lease.shard: lease for lease in await store.shards.claim(256)}
    [delivery] = [
        d
        for d in await store.queue.newer(TENANT, 0, 1, range(256))
        if d.target == PROJECT
    ]
    lease = leases[delivery.shard]
    history = await store.ledger.history(delivery)
    noted = await store.ledger.intend(delivery, lease)
    assert await awaited(store, PROJECT)
    await store.ledger.conclude(noted, lease, Outcome(state), history)

    assert not await awaited(store, PROJECT)
    assert await awaited(store, THIRD)
