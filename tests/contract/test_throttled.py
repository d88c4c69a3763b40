"""What a platform asked for is known to the next owner, and to whoever asks."""

from bridge.access import Decision
from bridge.delivery import AttemptState, Operation
from bridge.ports import Commitment, Outcome
from bridge.relay import planned
from tests.contract.conftest import TENANT, Store
from tests.events import FALCON, PROJECT, message

FAR = 1 << 60


async def throttled(store: Store) -> None:
    """Let one delivery be turned away by the platform."""
    link = await store.links.add(TENANT, (FALCON, PROJECT), "test")
    event = message()
    deliveries = planned(TENANT, event, Operation.POST, FALCON, [link])
    decision = Decision(allowed=True, rule="default", policy="p1", directory="none")
    await store.journal.append(
        Commitment(TENANT, event, (decision,), tuple(deliveries))
    )
    leases = {lease.shard: lease for lease in await store.shards.claim(256)}
    [delivery] = await store.queue.unfinished(range(256), {TENANT: 9})
    history = await store.ledger.history(delivery)
    lease = leases[delivery.shard]
    noted = await store.ledger.intend(delivery, lease)
    outcome = Outcome(AttemptState.THROTTLED, "Teams said 429", FAR)
    await store.ledger.conclude(noted, lease, outcome, history)


async def test_the_next_owner_knows_that_the_channel_is_to_be_left_alone(
    store: Store,
) -> None:
    await throttled(store)

    [delivery] = await store.queue.unfinished(range(256), {TENANT: 9})

    assert delivery.throttled
    assert delivery.not_before_us == FAR
    assert delivery.unknown_since_us == delivery.tries == 0


async def test_status_shows_the_pause_and_who_asked_for_it(store: Store) -> None:
    await throttled(store)

    [status] = await store.health.status(TENANT)

    assert status.queued == 1
    assert status.throttled_until_us == FAR
    assert status.last_error == "Teams said 429"
