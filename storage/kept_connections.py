"""
Connections that are taken from asyncpg's pool once, and not for every statement.

Taking one and giving it back takes timers and a task of its own, as long as reading a
row does. What broke, or was left in the middle of something, goes back to the pool,
which knows what to do with it.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import asyncpg


@dataclass(slots=True)
class KeptConnections:
    """Lends a pool's connections, as many at once as the pool has."""

    pool: asyncpg.Pool
    _free: list[asyncpg.pool.PoolConnectionProxy] = field(default_factory=list)
    _room: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self._room = asyncio.Semaphore(self.pool.get_max_size())

    @asynccontextmanager
    async def one(
        self, patience: float | None = None
    ) -> AsyncIterator[asyncpg.pool.PoolConnectionProxy]:
        """
        Lend a connection. Raises `TimeoutError` if none is free within `patience`
        seconds, and whatever connecting raises.
        """
        connection = await self._taken(patience)
        try:
            try:
                yield connection
            except BaseException:
                await self.pool.release(connection)
                raise
            if self.pool.is_closing():
                await self.pool.release(connection)  # which it waits for
            else:
                self._free.append(connection)
        finally:
            self._room.release()

    async def give_back(self) -> None:
        """Let the pool decide about all that nobody uses."""
        free, self._free = self._free, []
        for connection in free:
            await self.pool.release(connection)

    async def _taken(self, patience: float | None) -> asyncpg.pool.PoolConnectionProxy:
        if self._free and not self._room.locked():
            patience = None  # it takes no time
        async with asyncio.timeout(patience):
            await self._room.acquire()
            try:
                while self._free:
                    connection = self._free.pop()
                    if _works(connection):
                        return connection
                    await self.pool.release(connection)
                return await self.pool.acquire()
            except BaseException:
                self._room.release()
                raise


def _works(connection: asyncpg.pool.PoolConnectionProxy) -> bool:
    try:
        return not connection.is_closed()
    except asyncpg.InterfaceError:
        return False  # it ended meanwhile, and the pool has it back
