"""
Notice what was not heard: a message that Graph tells of has to be on record soon.

If it is not, its channel catches up. The bot's own feed stays the one that counts, but
for what Teams tells no bot: changes that were not heard, and all that happens in private
and shared channels. Of those the message that Graph names is read, and no more.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field

import structlog

from bots.catching_up import CatchingUp, Place
from bots.teams.notices import Noticed
from bridge.errors import AtomError, CannotTell
from bridge.messages import Channel, Platform
from bridge.ports import Copies
from bridge.recent import Record

log = structlog.get_logger()

_MOST = 20_000  # notices that wait; more say no more than these
_MISSED_US = 4 * 3600 * 1_000_000  # for so long Graph tries to tell of something
_MILLI = 1_000
_SECOND = 1_000_000
_AT_ONCE = 4  # channels
_SHORTLY = 0.5  # seconds that the bot's feed has where it is said to be silent
_AGAIN_US = 5 * _SECOND


@dataclass(slots=True)
class SecondFeed:
    """
    Runs until cancelled.

    `keep` looks after the subscriptions of the channels it is given, every `beat`
    seconds, and returns those of which Teams tells bots nothing. A message may take
    `grace` seconds to come in by the first feed. A notice may be lost without a word:
    where there is no other feed, channels are read again every `sweep` seconds.
    """

    catching_up: CatchingUp
    record: Record
    copies: Copies
    keep: Callable[[Collection[Channel]], Awaitable[Collection[Channel]]]
    clock: Callable[[], int]
    grace: float = 60.0
    beat: float = 300.0
    sweep: float = 900.0
    _due: dict[Noticed, int] = field(default_factory=dict)
    _silent: set[str] = field(default_factory=set)

    def noticed(self, notice: Noticed) -> None:
        """Graph tells of a message."""
        grace = self.grace
        if notice.channel in self._silent:
            grace = min(grace, _SHORTLY)
        self._wait(notice, int(grace * _SECOND))

    def missed(self, channel: str) -> None:
        """Graph says that it could not tell everything of a channel."""
        for place in self._places(channel):
            self.catching_up.missed_in(place, self.clock() - _MISSED_US)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._subscribe())
            group.create_task(self._compare())
            group.create_task(self._sweep())

    async def _subscribe(self) -> None:
        while True:
            linked = {c for _, c in self.catching_up.linked}
            silent = await self.keep(
                [c for c in linked if c.platform is Platform.TEAMS]
            )
            self._silent = {channel.id for channel in silent}
            # New links should not wait for the next look at old ones.
            for _ in range(max(1, int(self.beat))):
                await asyncio.sleep(min(self.beat, 1.0))
                if {c for _, c in self.catching_up.linked} != linked:
                    break

    async def _sweep(self) -> None:
        while True:
            await asyncio.sleep(self.sweep)
            for place in [p for c in self._silent for p in self._places(c)]:
                self.catching_up.missed_in(place, 0)

    async def _compare(self) -> None:
        slots, busy = asyncio.Semaphore(_AT_ONCE), set[str]()

        async def in_turn(channel: str, notices: Collection[Noticed]) -> None:
            async with slots:
                for notice in sorted(notices, key=_age):
                    await self._see_to(notice)
            busy.discard(channel)

        async with asyncio.TaskGroup() as group:
            while True:
                await asyncio.sleep(min(self.grace, 1.0) / 2)
                now = self.clock()
                channels: dict[str, list[Noticed]] = {}
                for notice, us in self._due.items():
                    if us <= now and notice.channel not in busy:
                        channels.setdefault(notice.channel, []).append(notice)
                for channel, notices in channels.items():
                    busy.add(channel)
                    group.create_task(in_turn(channel, notices))

    async def _see_to(self, notice: Noticed) -> None:
        # What happens from here on is another notice.
        del self._due[notice]
        try:
            await self._check(notice)
        except CannotTell as error:
            log.warning("message not read", channel=notice.channel, reason=str(error))
        except AtomError as error:
            log.warning("notice not compared", reason=str(error))
            self._wait(notice, _AGAIN_US)

    async def _check(self, notice: Noticed) -> None:
        channel, message = notice.channel, notice.message
        for tenant, place in self._places(channel):
            # Graph tells of ATOM's own copies as well.
            if await self.copies.origin_of(tenant, place, message) is not None:
                continue
            known = await self.record.author(tenant, place, message) is not None
            if known and not notice.changed:
                continue
            if known or channel in self._silent:
                catch_up = self.catching_up.catch_up
                await catch_up.message(tenant, place, notice.root, message)
            else:
                log.info("a message was not heard", channel=channel)
                self.catching_up.missed_in((tenant, place), int(message) * _MILLI)

    def _wait(self, notice: Noticed, us: int) -> None:
        if len(self._due) < _MOST:
            self._due.setdefault(notice, self.clock() + us)

    def _places(self, channel: str) -> list[Place]:
        return [place for place in self.catching_up.linked if place[1].id == channel]


def _age(notice: Noticed) -> tuple[int, bool]:
    """Return what orders notices: messages as they were said, then their changes."""
    return int(notice.message), notice.changed
