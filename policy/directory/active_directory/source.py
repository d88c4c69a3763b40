"""Active Directory as a source of people, groups and units."""

import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import replace

from bridge.directory.model import Reading
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
        self._roll: Roll | None = None

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
        blind = not await sees_deleted(lookup)
        try:
            since = usable(cursor(stored), lookup)
            roll = self._required(blind=blind)
            async for reading, after in changes(lookup, since, lookup.controller.usn):
                roll.note(reading)
                since = after
                yield reading
            if blind:
                yield await self._missing(roll, lookup, since, lookup.controller.usn)
        except StartOver:
            self._roll, fresh = None, Roll()
            async for reading in everything(lookup):
                fresh.note(reading)
                if blind and reading.whole and reading.complete:
                    self._roll = fresh
                yield reading

    def _required(self, *, blind: bool) -> Roll:
        """Return whom this process knows of. Raises StartOver if it has to and none."""
        if blind and self._roll is None:
            raise StartOver("what was deleted meanwhile cannot be seen")
        return self._roll or Roll()

    async def _missing(
        self, roll: Roll, lookup: Lookup, since: Cursor, number: int
    ) -> Reading:
        gone = await roll.vanished(lookup, number)
        reading = replace(self._nothing(since), gone=tuple(gone))
        roll.note(reading)
        return reading

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
        blind = not await sees_deleted(lookup)
        since, roll = usable(cursor(stored), lookup), self._required(blind=blind)
        waking.watch(lookup.controller.root)
        told = self._clock()
        number, seen = lookup.controller.usn, -1
        while True:
            news: list[Reading] = []
            if number != seen or self._clock() - since.looked >= EXPIRIES_EVERY:
                async for reading, after in changes(lookup, since, number):
                    roll.note(reading)
                    news.append(reading)
                    since = after
                seen = number
            if blind and self._may_lack(roll, number):
                news.append(await self._missing(roll, lookup, since, number))
            if self._clock() - told >= self._settings.sign_of_life_seconds:
                told = 0.0
            for reading in news or [self._nothing(since)]:
                if _says_something(reading) or not told:
                    yield reading
                    told = self._clock()
                if not reading.complete:
                    return
            await waking.wait(self._settings.poll_seconds)
            number = await usn(lookup.controller.connection)

    def _may_lack(self, roll: Roll, number: int) -> bool:
        """Whether something can have been deleted, and it is time to look."""
        due = self._clock() - roll.at >= self._settings.vanished_seconds
        return due and number != roll.number

    async def _lookup(self, connection: LdapConnection) -> Lookup:
        return Lookup(await met(connection), self._settings, self._clock)

    def _nothing(self, since: Cursor) -> Reading:
        """Say that nothing changed, which is news too: what is known is of now."""
        return Reading(self.name, whole=False, cursor=since.encode())

    def _broken(self, problem: Exception) -> Reading:
        return Reading(self.name, whole=False, complete=False, why=str(problem))


def _says_something(reading: Reading) -> bool:
    changed = reading.entries or reading.joined or reading.left or reading.gone
    return bool(changed) or not reading.complete
