"""Write outcomes down, however long the database takes."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bridge.delivery import Delivery
from bridge.errors import StoreUnavailable
from bridge.ports import History, Lease, Ledger, Outcome
from bridge.relay import unwatched


@dataclass(frozen=True, slots=True)
class Conclusions:
    """
    Keeps a lane from going on before it is known what has happened in it.

    Until an outcome is written the platform, which was asked already, must not be asked
    again. `sleep` waits seconds.
    """

    ledger: Ledger
    sleep: Callable[[float], Awaitable[None]]
    trace: Callable[[str], None] = unwatched

    async def write(
        self, delivery: Delivery, lease: Lease, outcome: Outcome, history: History
    ) -> Delivery:
        """Return the delivery as it is noted now. Raises `Fenced` if it is not ours."""
        self.trace("concluding")
        pause = 0.1
        while True:
            try:
                noted = await self.ledger.conclude(delivery, lease, outcome, history)
            except StoreUnavailable:
                await self.sleep(pause)
                pause = min(pause * 2, 2.0)
            else:
                self.trace("concluded")
                return noted
