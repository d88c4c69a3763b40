"""The lines of a digest wait in the outbox, and end with it in one transaction."""

from dataclasses import replace

from bridge.delivery import Again, AttemptState, Delivery, Operation
from bridge.ports import Commitment, Lease, Outcome
from storage.bot_digests import StoredDigests
from tests.contract.conftest import TENANT, Store
from tests.events import FALCON, PROJECT, message


async def queued(store: Store, *messages: str) -> list[Delivery]:
    for name in messages:
        line = Delivery(
            TENANT, -1, -1, "L1", Operation.DIGEST, FALCON, PROJECT, name, "", 0, 0
        )
        await store.journal.append(Commitment(TENANT, message(name), (), (line,)))
    size = (await store.queue.sizes())[TENANT]
    found = await store.queue.newer(TENANT, 0, size, range(256))
    return sorted(found, key=lambda d: d.seq)


async def told(store: Store, lines: list[Delivery]) -> Lease:
    """Deliver the lines in one digest."""
    leases = {lease.shard: lease for lease in await store.shards.claim(256)}
    head, lease = lines[0], leases[lines[0].shard]
    history = await store.ledger.history(head)
    noted = await store.ledger.intend(head, lease)
    outcome = Outcome(AttemptState.DELIVERED, folded=tuple(lines[1:]))
    await store.ledger.conclude(noted, lease, outcome, history)
    return lease


async def test_lines_wait_in_their_order_and_no_more_than_wanted(store: Store) -> None:
    lines = await queued(store, "1.0", "2.0", "3.0")
    digests = StoredDigests(store.queue)

    waiting = await digests.waiting(lines[0], 2)

    assert [line.message for line in waiting] == ["1.0", "2.0"]


async def test_all_lines_end_with_their_digest_for_every_process(store: Store) -> None:
    lines = await queued(store, "1.0", "2.0", "3.0")
    await told(store, lines[:2])
    other = store.another_process("two")

    waiting = await StoredDigests(other.queue).waiting(lines[2], 10)

    assert [line.message for line in waiting] == ["3.0"]
    size = await other.queue.sizes()
    undone = await other.queue.unfinished(range(256), size)
    assert [line.message for line in undone] == ["3.0"]


async def test_what_was_told_in_a_digest_is_known_to_who_sends_it_again(
    store: Store,
) -> None:
    lines = await queued(store, "1.0", "2.0", "3.0")
    await told(store, lines[:2])
    again = replace(lines[0], seq=99, again=Again(lines[0].seq))

    folded = await StoredDigests(store.queue).folded(again)

    assert [line.message for line in folded] == ["2.0"]
