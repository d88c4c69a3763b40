"""Count how deliveries end, link by link."""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass

from bots.metrics import FAILED_AT, FAILURES, THROTTLES
from bridge.delivery import AttemptState, Delivery
from bridge.messages import Channel
from bridge.ports import History, Lease, Ledger, Outcome

# What `status` takes for an error, but for a platform that asks to wait.
_FAILED = frozenset({AttemptState.RETRY, AttemptState.DEAD, AttemptState.PARKED})


@dataclass(frozen=True, slots=True)
class CountingLedger:
    """A ledger that counts what went wrong. `clock` gives seconds since 1970."""

    ledger: Ledger
    clock: Callable[[], float] = time.time

    async def history(self, delivery: Delivery) -> History:
        return await self.ledger.history(delivery)

    async def intend(self, delivery: Delivery, lease: Lease) -> Delivery:
        return await self.ledger.intend(delivery, lease)

    async def conclude(
        self, delivery: Delivery, lease: Lease, outcome: Outcome, origin: History
    ) -> Delivery:
        noted = await self.ledger.conclude(delivery, lease, outcome, origin)
        if outcome.state is AttemptState.THROTTLED:
            THROTTLES.labels(delivery.link).inc()
        elif outcome.state in _FAILED:
            FAILURES.labels(delivery.link).inc()
            FAILED_AT.labels(delivery.link).set(self.clock())
        return noted

    async def known(
        self, tenant: str, target: Channel, since_us: int
    ) -> Collection[str]:
        return await self.ledger.known(tenant, target, since_us)
