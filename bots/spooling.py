"""
What is done while the database is away: keep what people say, and take it in later.

Nothing crosses that is not on record. Without a spool the platforms are told to come
again; Slack does so for some minutes, and Teams may not. With one, what they bring is
kept on the disk and acknowledged, and taken in, in order, as soon as it can be.
Commands and clicks are not kept: whoever gave them is told at once that it did not work.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import structlog

from bots.metrics import SPOOL_DAMAGED, SPOOLED, SPOOLED_BYTES
from bridge.errors import AtomError, StoreUnavailable
from bridge.messages import EventKind
from bridge.spooled import Kept
from storage.spool import Spool, SpoolFolder

log = structlog.get_logger()

_AGAIN = 1.0  # seconds between two tries of what is first in the spool
_NEVER = frozenset({EventKind.COMMAND, EventKind.ACTION})

TakeIn = Callable[[Kept], Awaitable[None]]
"""Take a request in that was kept. Raises `StoreUnavailable` if it cannot be yet."""


@dataclass(slots=True)
class Spooling:
    """
    Implements `bridge.spooled.Keeps`; `run` takes in what was kept, until cancelled.

    `readers` take in what was kept of each platform. As long as anything waits, what
    comes is kept behind it, so that nothing overtakes.
    """

    folder: SpoolFolder
    readers: dict[str, TakeIn] = field(default_factory=dict)
    again: float = _AGAIN
    _own: Spool | None = None
    _behind: bool = False
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def waits(self) -> bool:
        """Say whether something is to be taken in before what comes now."""
        return self._behind or (self._own is not None and self._own.size > 0)

    async def keep(self, kept: Kept, kind: EventKind) -> bool:
        """Keep a request on the disk; returns whether it is there."""
        if not self.folder.most or kind in _NEVER:
            return False
        try:
            if self._own is None:
                self._own = self.folder.own()
            began = not self._own.size
            await self._own.keep(kept)
        except (StoreUnavailable, OSError) as error:
            log.warning("not kept on the disk", reason=str(error))
            return False
        if began:
            log.error("the database is away: events are kept on the disk")
        SPOOLED.labels(kept.source).inc()
        SPOOLED_BYTES.set(self.folder.waiting())
        self._news.set()
        return True

    async def run(self) -> None:
        """Take in what others left behind, and then what is kept here."""
        SPOOLED_BYTES.set(self.folder.waiting())
        SPOOL_DAMAGED.set(len(self.folder.damaged()))
        try:
            for left in self.folder.left():
                self._behind = True
                await self._empty(left)
                left.close()
            self._behind = False
            while True:
                await self._news.wait()
                self._news.clear()
                if self._own is not None:
                    await self._empty(self._own)
        finally:
            if self._own is not None:
                self._own.close()
                self._own = None

    async def _empty(self, spool: Spool) -> None:
        place = count = 0
        while True:
            for kept, behind in spool.records(place):
                await self._take_in(kept)
                place, count = behind, count + 1
            if await spool.clear(place):
                break
            if spool is not self._own:
                # It was never acknowledged if its process died on it; else, damage.
                log.error("the end of a spool file is not whole", aside=spool.aside())
                break
        SPOOLED_BYTES.set(self.folder.waiting())
        SPOOL_DAMAGED.set(len(self.folder.damaged()))
        if count:
            log.warning("taken in from the disk", count=count)

    async def _take_in(self, kept: Kept) -> None:
        take_in = self.readers.get(kept.source)
        if take_in is None:
            log.error("kept for a platform that is not set up", platform=kept.source)
            return
        while True:
            try:
                await take_in(kept)
            except (StoreUnavailable, TimeoutError):
                await asyncio.sleep(self.again)
            except AtomError as error:
                # It was refused, as it would have been when it came.
                kind = type(error).__name__
                log.warning("kept event not taken", platform=kept.source, reason=kind)
                return
            except Exception:
                log.exception("kept event not taken", platform=kept.source)
                return
            else:
                return
