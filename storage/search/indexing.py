"""Keeps the index up with the log, off the way of everything that waits for an answer."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import structlog

from bridge.errors import AtomError
from storage.courtesy import Courtesy
from storage.log_reader import LogEntry, LogReader
from storage.search.facts import CONTENT, MARKING, Facts, facts_of
from storage.search.index import SearchIndex

log = structlog.get_logger()

_AT_ONCE = 400
_FEW = 40  # as many as nobody feels who waits
_PATIENCE = 0.2  # seconds
_KINDS = CONTENT | MARKING
_REST = 5.0  # seconds after which it looks at the log unasked

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class IndexState:
    """How far a company's index is: `indexed` of `size` entries, in `bytes`."""

    tenant: str
    indexed: int
    size: int
    bytes: int


@dataclass(slots=True)
class Indexing:
    """
    Runs until cancelled, and wakes at every commit that it is told of.

    Several processes may run it: a stretch of the log is taken in by one of them.
    """

    index: SearchIndex
    reader: LogReader
    tenants: Callable[[], Awaitable[list[str]]]
    courtesy: Courtesy = field(default_factory=Courtesy)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def committed(self, *_: object) -> None:
        """Somebody wrote to the log."""
        self._news.set()

    async def run(self) -> None:
        while True:
            self._news.clear()
            for tenant in await self._all():
                try:
                    await self.catch_up(tenant)
                except AtomError as error:
                    log.warning("search index waits", reason=str(error))
                    await asyncio.sleep(1)
            try:
                async with asyncio.timeout(_REST):
                    await self._news.wait()
            except TimeoutError:
                continue
            await asyncio.sleep(0.05)  # what comes together is taken in together

    async def catch_up(
        self, tenant: str, progress: Progress = lambda _done, _size: None
    ) -> int:
        """Take in what the log has by now; returns how far the index is."""
        after = await self.index.upto(tenant)
        size, begun = (await self.reader.head(tenant)).size, after
        while after < size:
            quiet = await self.courtesy.turn(_PATIENCE)
            upto = min(after + (_AT_ONCE if quiet else _FEW), size)
            entries = await self.reader.between(tenant, after, upto, _KINDS)
            batch = await asyncio.to_thread(_taken_apart, entries)
            if await self.index.add(tenant, batch, after, upto):
                after = upto
            else:
                after = await self.index.upto(tenant)
            progress(after, size)
        if after > begun:
            await self.index.settle()
        return after

    async def rebuild(self, tenant: str, progress: Progress) -> int:
        """Make the company's index anew from the log."""
        await self.index.drop(tenant)
        return await self.catch_up(tenant, progress)

    async def state(self, tenant: str) -> IndexState:
        indexed = await self.index.upto(tenant)
        size = (await self.reader.head(tenant)).size
        return IndexState(tenant, indexed, size, await self.index.keeper.size())

    async def _all(self) -> list[str]:
        try:
            return await self.tenants()
        except AtomError as error:
            log.warning("search index waits", reason=str(error))
            return []


def _taken_apart(entries: list[LogEntry]) -> list[Facts]:
    return [facts_of(entry.row, entry.body) for entry in entries if not entry.erased]
