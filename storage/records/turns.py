"""
One writer to a record at a time, in all processes that share a Redis.

ServiceNow knows no condition on a write: who reads, compares and writes has to be
alone meanwhile. A turn ends by itself after a while, so a process that dies holds
nobody up for long; whoever takes longer than that may not be alone any more, which is
why connectors compare once more after they wrote.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import structlog
from redis.exceptions import RedisError

from bridge.errors import ServiceUnavailable
from bridge.records.model import RecordRef
from storage.redis_client import Client

log = structlog.get_logger()

_LEASE = 60.0  # seconds; longer than a write and its second try may take
_EVERY = 0.05
_RELEASE = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
"""


@dataclass(slots=True)
class RecordTurns:
    """
    Implements `bridge.records.ports.Turns`.

    Without Redis, and while it is away, writers of this process alone take turns.
    """

    redis: Client | None = None
    lease: float = _LEASE
    _here: dict[str, "_Queue"] = field(default_factory=dict)

    @asynccontextmanager
    async def turn(
        self, tenant: str, ref: RecordRef, within: float
    ) -> AsyncIterator[None]:
        name = f"atom:turn:{{{tenant}}}:{ref}"
        queue = self._here.setdefault(name, _Queue())
        queue.waiting += 1
        try:
            token = await self._begun(name, queue, within)
            try:
                yield
            finally:
                queue.lock.release()
                await self._given_back(name, token)
        finally:
            queue.waiting -= 1
            if not queue.waiting:
                self._here.pop(name, None)

    async def _begun(self, name: str, queue: "_Queue", within: float) -> str:
        try:
            async with asyncio.timeout(within):
                await queue.lock.acquire()
                try:
                    return await self._taken(name)
                except BaseException:
                    queue.lock.release()
                    raise
        except TimeoutError as error:
            raise ServiceUnavailable(
                "Somebody else is changing that right now: try again in a moment."
            ) from error

    async def _taken(self, name: str) -> str:
        """Wait for the turn among processes; empty if there is none to be had."""
        token, milliseconds = secrets.token_hex(16), int(self.lease * 1000)
        while self.redis is not None:
            try:
                if await self.redis.set(name, token, nx=True, px=milliseconds):
                    return token
            except (RedisError, OSError, TimeoutError) as error:
                log.warning("turns are not shared now", error=type(error).__name__)
                return ""
            await asyncio.sleep(_EVERY)
        return ""

    async def _given_back(self, name: str, token: str) -> None:
        if self.redis is None or not token:
            return
        try:
            await self.redis.eval(_RELEASE, 1, name, token)
        except (RedisError, OSError, TimeoutError) as error:
            log.warning("a turn ends by itself", error=type(error).__name__)


@dataclass(slots=True)
class _Queue:
    """Who waits for a record in this process."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    waiting: int = 0
