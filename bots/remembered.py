"""Remember answers for a while, and ask only once however many want to know."""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from contextvars import Context
from dataclasses import dataclass, field
from time import monotonic
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


@dataclass(slots=True)
class Remembered(Generic[Key, Value]):
    """
    What `load` answered, for `seconds`, and no more than `most` answers.

    That there is no answer, which is None, is remembered for `absent` seconds, if it
    is set: what is missing today may be there soon.

    Errors reach everybody who waited and are not remembered. A waiter that gives up
    does not stop the others' question.
    """

    load: Callable[[Key], Awaitable[Value]]
    seconds: float
    most: int = 10_000
    now: Callable[[], float] = monotonic
    absent: float | None = None
    _known: OrderedDict[Key, tuple[float, Value]] = field(default_factory=OrderedDict)
    _asked: dict[Key, asyncio.Task[Value]] = field(default_factory=dict)

    def __contains__(self, key: Key) -> bool:
        """Whether `get` answers at once."""
        known = self._known.get(key)
        return known is not None and known[0] > self.now()

    async def get(self, key: Key) -> Value:
        known = self._known.get(key)
        if known and known[0] > self.now():
            return known[1]
        asked = self._asked.get(key)
        if asked is None:
            # In a context of its own: others wait for it as well as who asks first.
            asked = asyncio.create_task(self._ask(key), context=Context())
            self._asked[key] = asked
            asked.add_done_callback(lambda task: self._answered(key, task))
        return await asyncio.shield(asked)

    def put(self, key: Key, value: Value) -> None:
        """Remember what was learned on the way."""
        seconds = self.seconds
        if value is None and self.absent is not None:
            seconds = self.absent
        self._known[key] = (self.now() + seconds, value)
        self._known.move_to_end(key)
        while len(self._known) > self.most:
            self._known.popitem(last=False)

    def forget(self, key: Key) -> None:
        self._known.pop(key, None)
        self._asked.pop(key, None)

    def clear(self) -> None:
        self._known.clear()
        self._asked.clear()

    async def aclose(self) -> None:
        """Stop asking."""
        asked = list(self._asked.values())
        for task in asked:
            task.cancel()
        await asyncio.gather(*asked, return_exceptions=True)

    async def _ask(self, key: Key) -> Value:
        return await self.load(key)

    def _answered(self, key: Key, task: asyncio.Task[Value]) -> None:
        current = self._asked.get(key) is task
        if current:
            del self._asked[key]
        # Asking for the exception also marks it as seen, when nobody waits any more.
        if not task.cancelled() and task.exception() is None and current:
            self.put(key, task.result())
