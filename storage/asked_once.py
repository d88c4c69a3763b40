"""Let everybody who asks the same at the same time share one answer."""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from contextvars import Context
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


@dataclass(slots=True)
class AskedOnce(Generic[Key, Value]):
    """
    Nothing is remembered: who asks after the answer came makes `ask` ask again.

    What many messages need at once goes stale for all of them at the same moment, and
    each would ask the database. An error reaches everybody who waited for it.
    """

    ask: Callable[[Key], Awaitable[Value]]
    _asked: dict[Key, asyncio.Task[Value]] = field(default_factory=dict)

    async def get(self, key: Key) -> Value:
        asked = self._asked.get(key)
        if asked is None:
            # In a context of its own: others wait for it as well as who asks first.
            asked = asyncio.create_task(self._answer(key), context=Context())
            self._asked[key] = asked
            asked.add_done_callback(lambda task: self._over(key, task))
        return await asyncio.shield(asked)

    def forget(self, key: Key) -> None:
        """What is being asked is out of date: whoever comes now asks anew."""
        self._asked.pop(key, None)

    async def _answer(self, key: Key) -> Value:
        return await self.ask(key)

    def _over(self, key: Key, task: asyncio.Task[Value]) -> None:
        if self._asked.get(key) is task:
            del self._asked[key]
        if not task.cancelled():
            task.exception()  # seen, even if nobody waits any more
