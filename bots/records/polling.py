"""
Ask business systems what changed, where they do not tell by themselves.

What they answer goes on record as a webhook's call does, and is followed from there, so
that it is taken up whatever happens to this process.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import structlog

from bots.records.log_follower import Holding
from bridge.errors import AtomError
from bridge.records.books import ChangesBook
from bridge.records.entries import RecordLog, heard
from bridge.records.model import RecordChange
from bridge.records.ports import Accesses, Records, Spent, Tends

log = structlog.get_logger()

_WITHIN = 120.0
_LONGEST = 900.0
_AT_ONCE = 200  # changes an entry

Pace = Callable[[Records], float]
"""Return the seconds between two questions to a system; 0 for never."""


@dataclass(frozen=True, slots=True)
class Told:
    """Puts on record what a system says, from wherever it came."""

    record: RecordLog

    async def keep(
        self, tenant: str, records: Records, changes: Sequence[RecordChange]
    ) -> None:
        """Returns once it is durable. Raises `StoreUnavailable`."""
        for first in range(0, len(changes), _AT_ONCE):
            part = changes[first : first + _AT_ONCE]
            entry = heard(
                tenant,
                records.system,
                records.instance,
                events=len(part),
                changes=part,
            )
            await self.record.note(entry)


@dataclass(slots=True)
class Polling:
    """
    Asks one system for as long as it runs. One process does it at a time.

    Systems are asked for a while that was asked for before, since their indexes are
    late; what they said the last time as well is no news.
    """

    tenant: str
    records: Records
    accesses: Accesses
    changes: ChangesBook
    following: Holding
    told: Told
    owner: str
    every: float
    _known: frozenset[str] = frozenset()

    async def run(self) -> None:
        if not self.every:
            await self._tend()
            return
        while True:
            wait = self.every
            try:
                async with asyncio.timeout(_WITHIN):
                    await self.ask()
            except Spent as error:
                wait = min(max(wait, error.retry_after), _LONGEST)
            except (AtomError, TimeoutError) as error:
                kind = type(error).__name__
                system = self.records.system
                log.warning("changes not asked for", system=system, reason=kind)
            await asyncio.sleep(wait)

    async def _tend(self) -> None:
        """Without questions, keep alive what lets the system tell."""
        if not isinstance(self.records, Tends):
            return
        system, instance = self.records.system, self.records.instance
        access = self.accesses.integration(self.tenant, system, instance)
        while True:
            wait = _LONGEST
            try:
                async with asyncio.timeout(_WITHIN):
                    if await self._held(_LONGEST + _WITHIN):
                        wait = await self.records.tend(access)
            except (AtomError, TimeoutError) as error:
                log.warning("not tended", system=system, reason=type(error).__name__)
            await asyncio.sleep(min(wait, _LONGEST))

    async def _held(self, lease: float) -> bool:
        name = f"poll:{self.records.system}:{self.records.instance}"
        return await self.following.hold(self.tenant, name, self.owner, lease)

    async def ask(self) -> int:
        """Ask once, if it is this process's turn; returns how many were news."""
        system, instance = self.records.system, self.records.instance
        if not await self._held(max(self.every * 3, 2 * _WITHIN)):
            return 0
        access = self.accesses.integration(self.tenant, system, instance)
        since = await self.changes.position(self.tenant, system, instance)
        found, then = await self.records.changed(access, since)
        news = [each for each in found if each.event not in self._known]
        await self.told.keep(self.tenant, self.records, news)
        self._known = frozenset(each.event for each in found)
        if then != since:
            await self.changes.reached(self.tenant, system, instance, then)
        return len(news)
