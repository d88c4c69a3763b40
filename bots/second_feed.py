"""
Notice what was not heard: a message that Graph tells of has to be on record soon.

If it is not, its channel catches up. The bot's own feed stays the one that counts.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field

import structlog

from bots.catching_up import CatchingUp, Place
from bridge.errors import AtomError
from bridge.messages import Channel, Platform
from bridge.ports import Copies
from bridge.recent import Record

log = structlog.get_logger()

_MOST = 20_000  # notices that wait; more say no more than these
_MISSED_US = 4 * 3600 * 1_000_000  # for so long Graph tries to tell of something
_MILLI = 1_000


@dataclass(slots=True)
class SecondFeed:
    """
    Runs until cancelled.

    `keep` looks after the subscriptions of the channels it is given, every `beat`
    seconds. A message may take `grace` seconds to come in by the first feed.
    """

    catching_up: CatchingUp
    record: Record
    copies: Copies
    keep: Callable[[Collection[Channel]], Awaitable[None]]
    clock: Callable[[], int]
    grace: float = 60.0
    beat: float = 300.0
    _due: dict[tuple[str, str], int] = field(default_factory=dict)

    def noticed(self, channel: str, message: str) -> None:
        """Graph tells of a message."""
        if len(self._due) < _MOST:
            due = self.clock() + int(self.grace * 1_000_000)
            self._due.setdefault((channel, message), due)

    def missed(self, channel: str) -> None:
        """Graph says that it could not tell everything of a channel."""
        for place in self._places(channel):
            self.catching_up.missed_in(place, self.clock() - _MISSED_US)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._subscribe())
            group.create_task(self._compare())

    async def _subscribe(self) -> None:
        while True:
            linked = {c for _, c in self.catching_up.linked}
            await self.keep([c for c in linked if c.platform is Platform.TEAMS])
            # New links should not wait for the next look at old ones.
            for _ in range(max(1, int(self.beat))):
                await asyncio.sleep(min(self.beat, 1.0))
                if {c for _, c in self.catching_up.linked} != linked:
                    break

    async def _compare(self) -> None:
        while True:
            await asyncio.sleep(min(self.grace, 1.0) / 2)
            now = self.clock()
            for noticed in [n for n, due in self._due.items() if due <= now]:
                try:
                    await self._check(*noticed)
                except AtomError as error:
                    log.warning("notice not compared", reason=str(error))
                    break
                del self._due[noticed]

    async def _check(self, channel: str, message: str) -> None:
        for place in self._places(channel):
            if not await self._is_known(place, message):
                log.info("a message was not heard", channel=channel)
                self.catching_up.missed_in(place, int(message) * _MILLI)

    async def _is_known(self, place: Place, message: str) -> bool:
        tenant, channel = place
        if await self.record.author(tenant, channel, message) is not None:
            return True
        # Graph tells of ATOM's own copies as well.
        return await self.copies.origin_of(tenant, channel, message) is not None

    def _places(self, channel: str) -> list[Place]:
        return [place for place in self.catching_up.linked if place[1].id == channel]
