"""A source that nobody reads: it says by itself what changed (SCIM)."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

from bridge.directory.model import Reading


@dataclass(frozen=True, slots=True)
class PushSource:
    """
    Implements `bridge.directory.ports.Source` with nothing to say.

    What it is told comes in through `DirectorySide.push`. That it says nothing does not
    make the directory old.
    """

    name: str

    async def read(self, cursor: bytes) -> AsyncIterator[Reading]:
        yield Reading(self.name, whole=False, cursor=cursor)

    async def follow(self, cursor: bytes) -> AsyncIterator[Reading]:
        for reading in cursor[:0]:  # whoever pushes is not followed
            yield Reading(self.name, whole=False, cursor=bytes([reading]))
