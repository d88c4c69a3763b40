"""Runs what tells people of acts that were cut short: one process of all does it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from bots.records.log_follower import Holding
from bots.records.rounds import Rounds
from bridge.records.left import Unfinished

_EVERY = 10.0  # seconds
_LEASE = 25.0
_WITHIN = 60.0


@dataclass(frozen=True, slots=True)
class LeftLoop:
    """Runs until cancelled. `owner` names this process."""

    unfinished: Unfinished
    following: Holding
    tenants: Callable[[], Awaitable[Sequence[str]]]
    owner: str

    async def run(self) -> None:
        fault = "acts that were cut short are not told"
        await Rounds(self.tenants, self.turn, _EVERY, fault).run()

    async def turn(self, tenant: str) -> None:
        """Tell what is to be told in a company, if it is this process's to do."""
        if await self.following.hold(tenant, "left", self.owner, _LEASE):
            async with asyncio.timeout(_WITHIN):
                await self.unfinished.tell(tenant)
