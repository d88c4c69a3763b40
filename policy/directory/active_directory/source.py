"""Active Directory as a source of people, groups and units."""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace

from bridge.directory.model import Gone, Reading
from bridge.errors import BadInput, ServiceUnavailable
from policy.directory.active_directory.controller import met, usn
from policy.directory.active_directory.cursor import Cursor, cursor
from policy.directory.active_directory.delta import (
    EXPIRIES_EVERY,
    StartOver,
    changes,
    usable,
)
from policy.directory.active_directory.identifiers import NotAnIdentifier
from policy.directory.active_directory.lookup import Lookup
from policy.directory.active_directory.settings import ActiveDirectorySettings
from policy.directory.active_directory.translate import NotReadable
from policy.directory.active_directory.vanishing import Roll, sees_deleted
from policy.directory.active_directory.waking import Waking
from policy.directory.active_directory.whole import everything
from policy.directory.ldap.connection import LdapConnection, connected

_PROBLEMS = (ServiceUnavailable, BadInput, NotReadable, NotAnIdentifier)


class ActiveDirectory:
    """
    One domain, through one of its controllers.

    `clock` gives Unix seconds: accounts expire by it.
    """

    def __init__(
        self, settings: ActiveDirectorySettings, clock: Callable[[], float] = time.time
    ) -> None:
        self._settings = settings.checked()
        self._clock = clock

    @property
    def name(self) -> str:
        return self._settings.name

    async def read(self, cursor: bytes) -> AsyncGenerator[Reading]:
        """Read what changed since `cursor`, or everything where that is not possible."""
        try:
            async with connected(self._settings.ldap) as connection:
                lookup = await self._lookup(connection)
                async with aclosing(self._read(lookup, cursor)) as readings:
                    async for reading in readings:
                        yield reading
        except _PROBLEMS as problem:
            yield self._broken(problem)

    async def _read(self, lookup: Lookup, stored: bytes) -> AsyncGenerator[Reading]:
        try:
            since = usable(cursor(stored), lookup)
            async for reading, _ in changes(lookup, since, lookup.controller.usn):
                yield reading
        except StartOver:
            async for reading in everything(lookup):
                yield reading

    async def follow(self, cursor: bytes) -> AsyncGenerator[Reading]:
        """
        Yield changes as the controller tells of them.

        Ends when everything has to be read again, and after a reading that says what
        went wrong.
        """
        try:
            async with (
                connected(self._settings.ldap) as connection,
                Waking(self._settings.ldap) as waking,
            ):
                lookup = await self._lookup(connection)
                async with aclosing(self._follow(lookup, waking, cursor)) as readings:
                    async for reading in readings:
                        yield reading
        except StartOver:
            return
        except _PROBLEMS as problem:
            yield self._broken(problem)

    async def _follow(
        self, lookup: Lookup, waking: Waking, stored: bytes
    ) -> AsyncGenerator[Reading]:
        since = usable(cursor(stored), lookup)
        waking.watch(lookup.controller.root)
        roll = None if await sees_deleted(lookup) else Roll()
        told = self._clock()
        number, seen = lookup.controller.usn, -1
        while True:
            due = self._clock() - since.looked >= EXPIRIES_EVERY
            if number != seen or due:
                async for reading, after in changes(lookup, since, number):
                    if _says_something(reading) or not reading.complete:
                        yield reading
                        told = self._clock()
                    if not reading.complete:
                        return
                    since = after
                seen = number
            if roll and (gone := await self._vanished(roll, lookup, number)):
                yield replace(self._nothing(since), gone=tuple(gone))
                told = self._clock()
            if self._clock() - told >= self._settings.sign_of_life_seconds:
                yield self._nothing(since)
                told = self._clock()
            await waking.wait(self._settings.poll_seconds)
            number = await usn(lookup.controller.connection)

    async def _vanished(self, roll: Roll, lookup: Lookup, number: int) -> list[Gone]:
        """Look for what is not there any more, if anything can have changed."""
        now = self._clock()
        if number == roll.number or now - roll.at < self._settings.vanished_seconds:
            return []
        roll.number = number
        return await roll.vanished(lookup)

    async def _lookup(self, connection: LdapConnection) -> Lookup:
        return Lookup(await met(connection), self._settings, self._clock)

    def _nothing(self, since: Cursor) -> Reading:
        """Say that nothing changed, which is news too: what is known is of now."""
        return Reading(self.name, whole=False, cursor=since.encode())

    def _broken(self, problem: Exception) -> Reading:
        return Reading(self.name, whole=False, complete=False, why=str(problem))


async def tried(settings: ActiveDirectorySettings) -> str:
    """Reach a controller and return its domain's name. Raises with what is wrong."""
    async with asyncio.timeout(settings.ldap.answer_seconds * 4):
        async with connected(settings.checked().ldap) as connection:
            return (await met(connection)).root


def _says_something(reading: Reading) -> bool:
    return bool(reading.entries or reading.joined or reading.left or reading.gone)
