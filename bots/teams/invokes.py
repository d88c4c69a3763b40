"""Clicks that Teams sends again while, or shortly after, the first is answered."""

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from bots.teams.wire import mapping, text_of

Answer = TypeVar("Answer")

_SLOW = 10.0  # seconds; Teams repeats what is not answered within 15
_REPEATED_WITHIN = 60.0


@dataclass(slots=True)
class Invokes(Generic[Answer]):
    """
    Gives a repeated click the first one's answer.

    A second layer of Teams repeats with a new id and a new time, so the content has
    to tell. Only slow answers are kept: after a quick one nothing is repeated, and
    the same click again is meant. `clock` gives monotonic seconds.
    """

    clock: Callable[[], float]
    _running: dict[str, asyncio.Future[Answer]] = field(default_factory=dict)
    _slow: dict[str, tuple[float, Answer]] = field(default_factory=dict)

    async def once(self, key: str, work: Callable[[], Awaitable[Answer]]) -> Answer:
        self._slow = {k: v for k, v in self._slow.items() if v[0] > self.clock()}
        if key in self._slow:
            return self._slow[key][1]
        if key in self._running:
            return await asyncio.shield(self._running[key])
        return await self._first(key, work)

    async def _first(self, key: str, work: Callable[[], Awaitable[Answer]]) -> Answer:
        began = self.clock()
        # Held by `_running`, so that a caller who hangs up does not stop it half way.
        task = asyncio.ensure_future(work())
        self._running[key] = task
        task.add_done_callback(lambda done: self._finished(key, began, done))
        return await asyncio.shield(task)

    def _finished(self, key: str, began: float, task: "asyncio.Future[Answer]") -> None:
        del self._running[key]
        if task.cancelled() or task.exception() is not None:
            return
        if self.clock() - began >= _SLOW:
            self._slow[key] = (self.clock() + _REPEATED_WITHIN, task.result())


def click_key(activity: Mapping[str, Any]) -> str:
    """Return what is equal for every copy of one click."""
    said = (
        mapping(activity.get("conversation")).get("id"),
        mapping(activity.get("from")).get("id"),
        text_of(activity.get("replyToId")),
        text_of(activity.get("name")),
        activity.get("value"),
    )
    text = json.dumps(said, sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
