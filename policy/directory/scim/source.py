"""What identity providers pushed, as one of the company's sources."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace

from bridge.directory.model import Reading
from bridge.directory.scim import Kept, ScimKind, ScimStore
from bridge.errors import AtomError
from policy.directory.scim.mapping import Translation

_AT_ONCE = 500  # resources in one reading
_LOOK = 2.0  # seconds between looks for what was stored and not handed over


@dataclass(frozen=True, slots=True)
class ScimSource:
    """
    Implements `bridge.directory.ports.Source` for a company.

    Usually every change is handed over as it is made (`Receives`), and this finds
    nothing new. It is for changes whose process died before, and for the first time. A
    cursor is the number of the newest change that was read.
    """

    tenant: str
    store: ScimStore
    translation: Translation = field(default_factory=Translation)

    @property
    def name(self) -> str:
        return self.translation.source

    async def read(self, cursor: bytes) -> AsyncIterator[Reading]:
        after, whole, more = _number(cursor), not _number(cursor), True
        while more:
            try:
                some, newest = await self.store.changes(self.tenant, after, _AT_ONCE)
                more = len(some) == _AT_ONCE
                after = some[-1].change if some else max(after, newest)
                reading = await self._told(some, after)
            except AtomError as error:
                why = str(error)
                yield Reading(
                    self.name, whole=whole, complete=False, why=why, cursor=cursor
                )
                return
            yield replace(reading, whole=whole and not more)

    async def follow(self, cursor: bytes) -> AsyncIterator[Reading]:
        after = _number(cursor)
        while True:
            some, _ = await self.store.changes(self.tenant, after, _AT_ONCE)
            if some:
                after = some[-1].change
            # Even nothing is news: the directory is as new as this.
            yield await self._told(some, after)
            if len(some) < _AT_ONCE:
                await asyncio.sleep(_LOOK)

    async def _told(self, some: Sequence[Kept], after: int) -> Reading:
        groups = [
            kept.id for kept in some if kept.kind is ScimKind.GROUP and not kept.deleted
        ]
        members = await self.store.members(self.tenant, groups) if groups else {}
        return self.translation.reading(some, members, cursor=after)


def _number(cursor: bytes) -> int:
    return int(cursor) if cursor.isdigit() else 0
