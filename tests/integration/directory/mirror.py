"""What somebody who follows a source knows, as simply as it can be kept."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from bridge.directory.model import Entry, Gone, Reading
from bridge.directory.ports import Source


@dataclass
class Mirror:
    """Everything a source told, applied at once; `gone` is why something is not."""

    source: Source
    cursor: bytes = b""
    entries: dict[str, Entry] = field(default_factory=dict)
    gone: dict[str, Gone] = field(default_factory=dict)
    readings: list[Reading] = field(default_factory=list)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def read(self) -> Reading:
        """Read once and return the last reading."""
        async for reading in self.source.read(self.cursor):
            self.take(reading)
        return self.readings[-1]

    @asynccontextmanager
    async def following(self) -> AsyncIterator[None]:
        """Follow as ATOM does: read, follow until that ends, and again."""
        task = asyncio.create_task(self._follow())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait([task])

    async def until(self, true: Callable[[], object]) -> None:
        """Wait until something is so."""
        async with asyncio.timeout(60):
            while not true():
                self._changed.clear()
                await self._changed.wait()

    def at(self, path: str) -> Entry:
        """Return the entry of this DN."""
        (found,) = [e for e in self.entries.values() if e.path == path]
        return found

    def has(self, path: str) -> bool:
        return any(entry.path == path for entry in self.entries.values())

    def names(self, path: str) -> set[str]:
        """Return the DNs of those directly in a group."""
        members = self.at(path).members or frozenset()
        return {self.entries[each].path for each in members if each in self.entries}

    def take(self, reading: Reading) -> None:
        self.readings.append(reading)
        if reading.whole and reading.complete:
            self.entries = {}
        for entry in reading.entries:
            self.entries[entry.id] = entry
            self.gone.pop(entry.id, None)
        for each in reading.gone if reading.complete else ():
            self.gone[each.id] = each
            self.entries.pop(each.id, None)
        self.cursor = reading.cursor or self.cursor
        self._changed.set()

    async def _follow(self) -> None:
        while True:
            await self.read()
            async for reading in self.source.follow(self.cursor):
                self.take(reading)
            await asyncio.sleep(0.05)
