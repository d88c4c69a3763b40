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
    Lets `most` calls begin in each `window` of seconds, within this process.

    A place is free again a window after its answer came: by then HubSpot has forgotten
    the call, however long that was on its way.
    """

    clock: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]
    most: int = _MOST
    window: float = 1.0
    _free: list[float] = field(init=False)
    _room: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self._free = [0.0] * self.most
        self._room = asyncio.Semaphore(self.most)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Hold a place for as long as the block lasts."""
        async with self._room:
            wait = heappop(self._free) - self.clock()
            try:
                if wait > 0:
                    # A clock that was set back is not waited for.
                    await self.sleep(min(wait, self.window))
                yield
            finally:
                heappush(self._free, self.clock() + self.window)
