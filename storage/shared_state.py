"""
What processes tell each other through Redis.

Nothing here is needed for correctness: without Redis, or while it is away, the
database is polled, and ATOM is slower by that.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog
from redis.exceptions import RedisError

from storage.redis_client import Client, redis_at

log = structlog.get_logger()

_CHANNEL = "atom:wake"
_GIVE_UP = 0.25  # seconds
_PAUSE = 1.0


@dataclass(slots=True)
class Wakes:
    """Tells the other processes that there is something in the outbox."""

    redis: Client
    listeners: list[Callable[[], None]] = field(default_factory=list)
    _pending: asyncio.Event = field(default_factory=asyncio.Event)

    @classmethod
    def at(cls, url: str) -> "Wakes":
        """Use the Redis at a URL. Raises `BadInput` if it is none."""
        return cls(
            redis_at(url, socket_timeout=_GIVE_UP, socket_connect_timeout=_GIVE_UP)
        )

    def announce(self) -> None:
        """Wake the others soon. Many calls in a row cost one message."""
        self._pending.set()

    async def run(self) -> None:
        """Publish and listen until cancelled; a lost Redis is tried again."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._publish())
            group.create_task(self._listen())

    async def ping(self) -> None:
        """Raise `RedisError` or `OSError` if Redis does not answer."""
        await self.redis.ping()

    async def close(self) -> None:
        await self.redis.aclose()

    async def _publish(self) -> None:
        while True:
            await self._pending.wait()
            self._pending.clear()
            try:
                await self.redis.publish(_CHANNEL, b"1")
            except (RedisError, OSError, TimeoutError):
                await asyncio.sleep(_PAUSE)
            await asyncio.sleep(0.002)  # let a burst share one message

    async def _listen(self) -> None:
        while True:
            try:
                await self._heed()
            except (RedisError, OSError, TimeoutError) as error:
                log.warning("redis is away", error=type(error).__name__)
                await asyncio.sleep(_PAUSE)

    async def _heed(self) -> None:
        await self.redis.initialize()  # a cluster has to be known before it is heard
        async with self.redis.pubsub() as channel:
            await channel.subscribe(_CHANNEL)
            while True:
                message = await channel.get_message(
                    ignore_subscribe_messages=True, timeout=5.0
                )
                if message is not None:
                    for listener in self.listeners:
                        listener()
