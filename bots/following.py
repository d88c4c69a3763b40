"""
Keep up with one source: read what was missed, then listen, and read everything at times.

One process does it for a source, by a lease; another one takes over when it is gone.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from bots.syncing import Outcome, Sync
from bridge.directory.difference import folded
from bridge.directory.model import Reading
from bridge.directory.ports import Remembering, Source
from bridge.errors import StoreUnavailable

log = structlog.get_logger()

_FIRST_PAUSE = 0.5  # seconds

Seen = Callable[[Reading], None]


def _unseen(_reading: Reading) -> None:
    """Tell nobody."""


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds between readings of everything, after a failure, and of a lease."""

    whole: float = 86_400.0
    retry: float = 15.0
    lease: float = 15.0


class _LostLease(Exception):
    """Another process reads the source now."""


async def read_once(
    source: Source, cursor: bytes = b"", seen: Seen = _unseen, last: bytes = b""
) -> Reading | None:
    """
    Read a source from a cursor on, from the beginning without one.

    `last` is the cursor of the last reading, for sources that judge by it.
    """
    if isinstance(source, Remembering):
        source.remind(last or cursor)
    readings = []
    async for reading in source.read(cursor):
        readings.append(reading)
        seen(reading)
    return folded(readings) if readings else None


@dataclass(slots=True)
class Follower:
    """Reads and follows one source. `on_outcome` is told what it did."""

    sync: Sync
    source: Source
    owner: str
    pace: Pace
    on_outcome: Callable[[Outcome], None]
    _whole_us: int = 0  # when this process last read everything, or tried to

    async def run(self) -> None:
        """Go on for ever. Whatever breaks is begun again by whoever runs it."""
        while True:
            try:
                if await self._claim():
                    await self._while_held()
            except StoreUnavailable as error:
                log.warning("directory not kept", reason=str(error))
            await asyncio.sleep(self.pace.lease / 3)

    async def _claim(self) -> bool:
        lease_us = int(self.pace.lease * 1_000_000)
        sync = self.sync
        return await sync.store.claim(
            sync.tenant, self.source.name, self.owner, lease_us
        )

    async def _while_held(self) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._hold())
                group.create_task(self._follow())
        except* _LostLease:
            log.info("another process reads the directory", source=self.source.name)
        except* StoreUnavailable as errors:
            log.warning("directory not kept", reason=str(errors.exceptions[0]))

    async def _hold(self) -> None:
        while True:
            await asyncio.sleep(self.pace.lease / 3)
            if not await self._claim():
                raise _LostLease

    async def _follow(self) -> None:
        pause = _FIRST_PAUSE
        while True:
            complete = await self._catch_up()
            if complete:
                pause = _FIRST_PAUSE
                complete = await self._listen()
            if not complete:
                await asyncio.sleep(min(pause, self.pace.retry))
                pause *= 2

    async def _catch_up(self) -> bool:
        """Read what was missed; everything, if that is due."""
        if whole := await self._due() <= 0:
            self._whole_us = self.sync.clock()
        last = await self._cursor()
        cursor = b"" if whole else last
        reading = await read_once(self.source, cursor, last=last)
        return reading is None or await self._apply(reading)

    async def _listen(self) -> bool:
        """Follow until everything has to be read again, or the source ends it."""
        cursor = await self._cursor()
        try:
            async with asyncio.timeout(max(0.0, await self._due())):
                async for reading in self.source.follow(cursor):
                    if not await self._apply(folded([reading])):
                        return False
                # It cannot tell any more; it is asked again, not at once.
                return False
        except TimeoutError:
            return True

    async def _apply(self, reading: Reading) -> bool:
        outcome = await self.sync.apply(reading)
        self.on_outcome(outcome)
        return reading.complete

    async def _cursor(self) -> bytes:
        followed = await self.sync.store.followed(self.sync.tenant)
        mine = followed.get(self.source.name)
        return mine.cursor if mine else b""

    async def _due(self) -> float:
        """Return in how many seconds everything is to be read again."""
        followed = await self.sync.store.followed(self.sync.tenant)
        mine = followed.get(self.source.name)
        last = max(mine.whole_us if mine else 0, self._whole_us)
        if not last:
            return 0.0
        return self.pace.whole - (self.sync.clock() - last) / 1_000_000
