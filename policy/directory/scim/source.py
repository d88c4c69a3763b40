"""What identity providers pushed, as one of the company's sources."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from bridge.directory.model import Reading
from bridge.directory.scim import Kept, ScimKind, ScimStore
from bridge.errors import AtomError
from policy.directory.scim.mapping import SOURCE, Translation

_AT_ONCE = 500  # resources in one reading
_LOOK = 2.0  # seconds; another process may have written


@dataclass(frozen=True, slots=True)
class ScimSource:
    """
    Implements `bridge.directory.ports.Source` for a company.

    A cursor is the number of the newest change that was read.
    """

    tenant: str
    store: ScimStore
    translation: Translation = field(default_factory=Translation)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def name(self) -> str:
        return SOURCE

    async def read(self, cursor: bytes) -> AsyncIterator[Reading]:
        after, whole = _number(cursor), not _number(cursor)
        more = True
        while more:
            try:
                some, newest = await self.store.changes(self.tenant, after, _AT_ONCE)
                more = len(some) == _AT_ONCE
                after = some[-1].change if some else max(after, newest)
                yield await self._told(some, after, whole=whole, complete=not more)
            except AtomError as error:
                yield Reading(
                    SOURCE, whole=whole, complete=False, why=str(error), cursor=cursor
                )
                return

    async def follow(self, cursor: bytes) -> AsyncIterator[Reading]:
        after = _number(cursor)
        while True:
            self.changed.clear()
            some, _ = await self.store.changes(self.tenant, after, _AT_ONCE)
            if some:
                after = some[-1].change
                yield await self._told(some, after, whole=False, complete=True)
                continue
            try:
                async with asyncio.timeout(_LOOK):
                    await self.changed.wait()
            except TimeoutError:
                continue

    async def _told(
        self, some: Sequence[Kept], after: int, *, whole: bool, complete: bool
    ) -> Reading:
        groups = [
            kept.id for kept in some if kept.kind is ScimKind.GROUP and not kept.deleted
        ]
        members = await self.store.members(self.tenant, groups) if groups else {}
        reading = self.translation.reading(some, members, whole=whole, cursor=after)
        if complete or not whole:
            return reading
        return Reading(
            reading.source,
            whole=True,
            complete=False,
            why="there is more to read",
            entries=reading.entries,
            gone=reading.gone,
            cursor=reading.cursor,
        )


def _number(cursor: bytes) -> int:
    return int(cursor) if cursor.isdigit() else 0
