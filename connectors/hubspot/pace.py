"""A search waits for its turn here: one that HubSpot refuses costs a whole second."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from heapq import heappop, heappush

_MOST = 5  # searches a second that a portal takes, as HubSpot documents it


@dataclass(slots=True)
class Pace:
    """
    Lets `most` calls begin in each `window` of seconds, within this process. All
    processes together are counted by the budget (`bridge.records.ports.Budget.search`),
    which does not know when an answer came.

    A place is free again a window after its answer came: by then HubSpot has forgotten
    the call, however long that was on its way. Who is not `urgent` has one place among
    all, so that whoever waits for an answer finds the others free.
    """

    clock: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]
    most: int = _MOST
    window: float = 1.0
    _free: list[float] = field(init=False)
    _room: asyncio.Semaphore = field(init=False)
    _patient: asyncio.Lock = field(default_factory=asyncio.Lock)
    _patient_again: float = 0.0

    def __post_init__(self) -> None:
        self._free = [0.0] * self.most
        self._room = asyncio.Semaphore(self.most)

    @asynccontextmanager
    async def turn(self, *, urgent: bool = True) -> AsyncIterator[None]:
        """Hold a place for as long as the block lasts."""
        if urgent:
            async with self._place():
                yield
            return
        async with self._patient:
            await self._until(self._patient_again)
            async with self._place():
                try:
                    yield
                finally:
                    self._patient_again = self.clock() + self.window

    @asynccontextmanager
    async def _place(self) -> AsyncIterator[None]:
        async with self._room:
            free = heappop(self._free)
            try:
                await self._until(free)
                yield
            finally:
                heappush(self._free, self.clock() + self.window)

    async def _until(self, moment: float) -> None:
        wait = moment - self.clock()
        if wait > 0:
            # A clock that was set back is not waited for.
            await self.sleep(min(wait, self.window))
