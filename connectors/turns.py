"""One writer at a time, for systems that know no conditions for writes."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from weakref import WeakValueDictionary


@dataclass(frozen=True, slots=True)
class OwnTurns:
    """
    Turns within this process. Who writes from several processes takes a turn of
    `bridge.records.ports.Turns` around the whole deed.
    """

    _locks: WeakValueDictionary[str, asyncio.Lock] = field(
        default_factory=WeakValueDictionary
    )

    @asynccontextmanager
    async def turn(self, name: str) -> AsyncIterator[None]:
        """Be alone with what is named, for as long as the block lasts."""
        lock = self._locks.setdefault(name, asyncio.Lock())
        async with lock:
            yield
