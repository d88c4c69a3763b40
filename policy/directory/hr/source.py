"""
An HR system as a source: who works here now, followed through the days that it names.

What changes is not only what HR writes: a first day and a last day come by themselves.
So a follower wakes at the next moment at which a worker stands otherwise, and says so,
whether or not HR has been heard of.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Protocol

import structlog

from bridge.directory.model import Entry, Gone, Reading
from bridge.errors import AtomError
from policy.directory.hr.checks import conversions, without_circles
from policy.directory.hr.effective import effect
from policy.directory.hr.workers import Worker
from policy.directory.rest import mapping

log = structlog.get_logger()

Mark = Mapping[str, Any]

_FIRST_PAUSE = 5.0  # seconds after a reading that failed, doubled up to `poll`
_LEAST_AHEAD = timedelta(days=7)
_MOST_AHEAD = timedelta(days=14)
USUAL_AHEAD = timedelta(days=10)
_SHOWN = 3  # lines of what is wrong that are told at once


@dataclass(frozen=True, slots=True)
class Told:
    """
    What a feed told: every worker if it is `whole`, else those that changed.

    `problems` are what could not be understood, a line each: with any of them nobody
    counts as gone. `mark` is what the feed wants to be reminded of next time.
    """

    workers: tuple[Worker, ...]
    mark: Mark
    whole: bool = True
    problems: tuple[str, ...] = ()
    gone: tuple[str, ...] = ()


class Feed(Protocol):
    """One HR system."""

    async def everything(self, mark: Mark) -> Told:
        """Read all workers. Raises `AtomError` if there is no answer to be used."""
        ...

    async def changed(self, mark: Mark) -> Told | None:
        """Read what changed since, None if nothing did. Raises `AtomError`."""
        ...


@dataclass(slots=True)
class HrSource:
    """
    Implements `bridge.directory.ports.Source`.

    `ahead` is how long before their first day new workers are known, 7 to 14 days.
    `poll` are the seconds between two looks at the feed; `wake` has it look at once, as
    a push of the HR system does. `clock` tells the time.
    """

    name: str
    feed: Feed
    clock: Callable[[], datetime]
    ahead: timedelta = USUAL_AHEAD
    poll: float = 900.0
    _workers: dict[str, Worker] | None = None
    _told: dict[str, Entry] = field(default_factory=dict)
    _last: bytes = b""
    _woken: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.ahead = min(max(self.ahead, _LEAST_AHEAD), _MOST_AHEAD)

    def wake(self) -> None:
        """The HR system says that something changed: look at once."""
        self._woken.set()

    def remind(self, cursor: bytes) -> None:
        """Implements `bridge.directory.ports.Remembering`."""
        self._last = cursor

    async def read(self, cursor: bytes) -> AsyncIterator[Reading]:
        """Read everything: HR systems are small, and who asks may have lost track."""
        yield await self._everything(_mark_in(cursor or self._last))

    async def follow(self, cursor: bytes) -> AsyncIterator[Reading]:
        mark, failures = _mark_in(cursor), 0
        # If another process read it, nothing is known here: look at once.
        look_at = self._after(0.0 if self._workers is None else self.poll)
        while True:
            if not await self._wait(look_at):
                if (due := self._due(mark)) is not None:
                    yield due
                continue
            known = self._workers is not None
            reading = await (self._look(mark) if known else self._everything(mark))
            yield reading
            if reading.complete:
                mark, failures = _mark_in(reading.cursor), 0
                look_at = self._after(self.poll)
            else:
                quick = _FIRST_PAUSE * 2 ** min(failures, 10)
                failures += 1
                look_at = self._after(min(quick, self.poll))

    async def _wait(self, look_at: datetime) -> bool:
        """Wait until the feed is to be looked at; False if a worker's day came first."""
        until = self._next_moment()
        first = min(look_at, until) if until is not None else look_at
        try:
            async with asyncio.timeout(max(0.0, self._seconds_to(first))):
                await self._woken.wait()
        except TimeoutError:
            return self._seconds_to(look_at) <= 0
        self._woken.clear()
        return True

    def _after(self, seconds: float) -> datetime:
        return self.clock() + timedelta(seconds=seconds)

    def _seconds_to(self, moment: datetime) -> float:
        return (moment - self.clock()).total_seconds()

    def _next_moment(self) -> datetime | None:
        now = self.clock()
        moments = [
            until
            for worker in (self._workers or {}).values()
            if (until := effect(worker, now, self.ahead).until) is not None
        ]
        due = [now] if self._workers is not None and self._is_due(now) else []
        return min([*moments, *due], default=None)

    def _is_due(self, now: datetime) -> bool:
        return self._entries(now)[0] != self._told

    async def _everything(self, mark: Mark) -> Reading:
        try:
            told = await self.feed.everything(mark)
        except AtomError as error:
            return self._unread(mark, str(error), whole=True)
        return self._taken(told, mark)

    async def _look(self, mark: Mark) -> Reading:
        """Ask what changed; whatever HR says, the days that came are told with it."""
        try:
            told = await self.feed.changed(mark)
        except AtomError as error:
            return self._unread(mark, str(error), whole=False)
        if told is None:
            due = self._due(mark)
            return due or Reading(self.name, whole=False, cursor=_cursor(mark))
        return self._taken(told, mark)

    def _taken(self, told: Told, mark: Mark) -> Reading:
        """Turn what was told into a reading, and remember it."""
        complete = not told.problems
        workers = {worker.id: worker for worker in told.workers}
        if not (told.whole and complete):
            # Who was not understood is still who they were.
            workers = {**(self._workers or {}), **workers}
        for one in told.gone:
            workers.pop(one, None)
        self._workers = workers
        entries, odd = self._entries(self.clock())
        changed = tuple(e for e in entries.values() if self._told.get(e.id) != e)
        self._told = entries
        return Reading(
            self.name,
            whole=told.whole,
            complete=complete,
            why=_why(told.problems) or _why(odd),
            entries=tuple(entries.values()) if told.whole else changed,
            gone=tuple(Gone(one) for one in told.gone) if complete else (),
            cursor=_cursor(told.mark if complete else mark),
        )

    def _due(self, mark: Mark) -> Reading | None:
        """Return what the calendar changed since it was told last, if anything."""
        entries, _ = self._entries(self.clock())
        changed = tuple(e for e in entries.values() if self._told.get(e.id) != e)
        self._told = entries
        if not changed:
            return None
        log.info("days came", source=self.name, workers=len(changed))
        return Reading(self.name, whole=False, entries=changed, cursor=_cursor(mark))

    def _entries(self, now: datetime) -> tuple[dict[str, Entry], list[str]]:
        known = (self._workers or {}).values()
        effects = [effect(worker, now, self.ahead).entry for worker in known]
        entries, odd = without_circles([one for one in effects if one is not None])
        odd += [
            f"workers {', '.join(many)} are one person ({person}): approve what passes on"
            for person, many in conversions(entries)
        ]
        return {one.id: one for one in entries}, odd

    def _unread(self, mark: Mark, why: str, *, whole: bool) -> Reading:
        """Nobody is removed; who has left by the calendar has left all the same."""
        entries, _ = self._entries(self.clock())
        changed = tuple(e for e in entries.values() if self._told.get(e.id) != e)
        self._told = entries
        return Reading(
            self.name,
            whole=whole,
            complete=False,
            why=f"{self.name}: {why}",
            entries=changed,
            cursor=_cursor(mark),
        )


def _why(problems: list[str] | tuple[str, ...]) -> str:
    shown = "; ".join(problems[:_SHOWN])
    more = len(problems) - _SHOWN
    return f"{shown}; and {more} more" if more > 0 else shown


def _cursor(mark: Mark) -> bytes:
    return json.dumps({"mark": dict(mark)}).encode()


def _mark_in(cursor: bytes) -> Mark:
    try:
        return mapping(mapping(json.loads(cursor or b"{}")).get("mark"))
    except ValueError:
        return {}
