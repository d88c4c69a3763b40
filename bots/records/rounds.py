"""Go from company to company, again and again."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog

from bridge.errors import AtomError

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Rounds:
    """
    Runs until cancelled: takes a `turn` in each company, then rests `every` seconds.

    A turn that fails is told as its `fault` in the process's log, and comes again in the
    next round; it keeps no other company waiting.
    """

    tenants: Callable[[], Awaitable[Sequence[str]]]
    turn: Callable[[str], Awaitable[None]]
    every: float
    fault: str

    async def run(self) -> None:
        while True:
            await self.once()
            await asyncio.sleep(self.every)

    async def once(self) -> None:
        try:
            tenants = await self.tenants()
        except AtomError as error:
            self._failed(error)
            return
        for tenant in tenants:
            try:
                await self.turn(tenant)
            except (AtomError, TimeoutError) as error:
                self._failed(error)

    def _failed(self, error: Exception) -> None:
        log.warning(self.fault, reason=type(error).__name__)
