"""Messages that are said, and deliveries that end as a test wants them to."""

from typing import Any

from bridge.access import Decision
from bridge.delivery import AttemptState, Copy, Delivery, Operation
from bridge.links import Link
from bridge.messages import EventKind
from bridge.ports import Commitment, Lease, Outcome
from bridge.relay import planned
from tests.contract.conftest import TENANT, Store
from tests.events import FALCON, message

YES = Decision(allowed=True, rule="default", policy="p1", directory="none")
OPERATIONS = {
    EventKind.MESSAGE_CREATE: Operation.POST,
    EventKind.MESSAGE_EDIT: Operation.EDIT,
    EventKind.MESSAGE_DELETE: Operation.DELETE,
    EventKind.REACTION_ADD: Operation.REACT,
}


async def said(
    store: Store, link: Link, ts: str, *, unheard: bool = False, **more: Any
) -> int:
    """Let something be captured and queued, or captured only; returns its position."""
    event = message(ts=ts, **more)
    wanted = planned(TENANT, event, OPERATIONS[event.kind], FALCON, [link])
    deliveries = () if unheard else tuple(wanted)
    receipt = await store.journal.append(Commitment(TENANT, event, (YES,), deliveries))
    return receipt.seq


async def open_now(store: Store) -> list[Delivery]:
    """Return what is still to be delivered, lowest first."""
    sizes = await store.queue.sizes()
    found = await store.queue.unfinished(range(256), sizes)
    return sorted(found, key=lambda delivery: delivery.key)


async def lease_of(store: Store, delivery: Delivery) -> Lease:
    held = await store.shards.renew([delivery.shard]) or await store.shards.claim(256)
    return next(lease for lease in held if lease.shard == delivery.shard)


async def ended(
    store: Store,
    state: AttemptState,
    reason: str = "",
    *,
    until_us: int = 0,
    lost: bool = False,
    text: str = "",
    remote: str = "",
) -> Delivery:
    """
    Let the first open delivery end; `lost` says that its call got no answer.

    `text` is what was brought, and `remote` where that stands, if it stood there before.
    """
    delivery = (await open_now(store))[0]
    lease = await lease_of(store, delivery)
    history = await store.ledger.history(delivery)
    if lost or state is AttemptState.PARKED:
        delivery = await store.ledger.intend(delivery, lease)
    made = state is AttemptState.DELIVERED
    copy = Copy(
        TENANT,
        delivery.link,
        delivery.source,
        delivery.message,
        delivery.target,
        remote or f"r{delivery.seq}.{delivery.n}",
        "",
        history.version_us,
        deleted=delivery.operation is Operation.DELETE,
    )
    outcome = Outcome(state, reason, until_us, copy if made else None, text=text)
    await store.ledger.conclude(delivery, lease, outcome, history)
    return delivery
