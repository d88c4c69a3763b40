"""Work that goes on whether somebody still waits for it or not, as tasks."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextvars import Context
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, TypeVar

import structlog

from bridge.errors import AtomError
from bridge.records.errands import Ended

log = structlog.get_logger()
T = TypeVar("T")

_KEPT = 60.0  # seconds in which asking the same again is answered from memory
_MOST = 1_000


@dataclass(slots=True)
class TaskErrands:
    """
    Implements `bridge.records.errands.Errands`.

    `longest` ends what nobody ended, in seconds. At most `most` pieces of work are under
    way or remembered; the oldest that ended are forgotten first.
    """

    longest: float = 60.0
    most: int = _MOST
    kept: float = _KEPT
    steady: Callable[[], float] = monotonic
    _tasks: dict[str, asyncio.Task[Ended[Any]]] = field(default_factory=dict)
    _ended: dict[str, tuple[float, Ended[Any]]] = field(default_factory=dict)

    async def all(
        self,
        works: Mapping[str, Callable[[], Awaitable[T]]],
        within: float,
        *,
        some: bool = False,
    ) -> Mapping[str, Ended[T]]:
        now = self.steady()
        found: dict[str, Ended[T]] = {}
        waiting: dict[str, asyncio.Task[Ended[Any]]] = {}
        for key, work in works.items():
            until, ended = self._ended.get(key, (0.0, None))
            if ended is not None and until > now:
                found[key] = ended
            else:
                waiting[key] = self._begun(key, work)
        if waiting and not (some and found):
            enough = asyncio.FIRST_COMPLETED if some else asyncio.ALL_COMPLETED
            await asyncio.wait(
                waiting.values(), timeout=max(0.0, within), return_when=enough
            )
        for key, task in waiting.items():
            if task.done() and not task.cancelled():
                found[key] = task.result()
        return found

    def forget(self, key: str) -> None:
        self._ended.pop(key, None)

    async def aclose(self) -> None:
        """End everything that is under way."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _begun(
        self, key: str, work: Callable[[], Awaitable[Any]]
    ) -> asyncio.Task[Ended[Any]]:
        task = self._tasks.get(key)
        if task is None:
            # In a context of its own: others wait for it as well as who asks first.
            task = asyncio.create_task(self._run(work), context=Context())
            self._tasks[key] = task
            task.add_done_callback(lambda ended: self._over(key, ended))
        return task

    async def _run(self, work: Callable[[], Awaitable[Any]]) -> Ended[Any]:
        try:
            async with asyncio.timeout(self.longest):
                return Ended(await work())
        except AtomError as error:
            return Ended(error=error)
        except TimeoutError:
            return Ended(error=AtomError("it took too long"))
        except Exception as error:  # the outermost frame of this task
            log.exception("an errand broke")
            return Ended(error=AtomError(type(error).__name__))

    def _over(self, key: str, task: asyncio.Task[Ended[Any]]) -> None:
        self._tasks.pop(key, None)
        if task.cancelled():
            return
        ended = task.result()
        if ended.error is not None:
            return  # whoever asks again gets another try
        now = self.steady()
        self._ended[key] = (now + self.kept, ended)
        for old in [k for k, (until, _) in self._ended.items() if until <= now]:
            del self._ended[old]
        while len(self._ended) > self.most:
            del self._ended[next(iter(self._ended))]
