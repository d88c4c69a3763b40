"""
A directory that speaks LDAP as a source of people, groups and units.

A server with content synchronization (OpenLDAP's syncprov) tells changes as they happen;
any other is read whole, again and again.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from bridge.directory.model import Reading
from bridge.errors import BadInput, ServiceUnavailable
from policy.directory.ldap import ber
from policy.directory.ldap.answers import Answer
from policy.directory.ldap.connection import LdapConnection, connected
from policy.directory.ldap.content import Content, StartOver
from policy.directory.ldap.index import Index
from policy.directory.ldap.refresh import Refresh
from policy.directory.ldap.results import incomplete_because
from policy.directory.ldap.source_settings import LdapSourceSettings
from policy.directory.ldap.sync_codec import SYNC_REQUEST, Mode, sync_control


@dataclass
class LdapSource:
    """
    Implements `bridge.directory.ports.Source`. `now` is the time in seconds.

    `pages_only` says not to try synchronization.
    """

    settings: LdapSourceSettings
    now: Callable[[], float] = time.time
    pages_only: bool = False
    _no_sync: bool = False
    _index: Index = field(default_factory=Index)

    @property
    def name(self) -> str:
        return self.settings.name

    async def read(self, cursor: bytes) -> AsyncGenerator[Reading, None]:
        """Read what changed since `cursor`, or everything in one reading."""
        try:
            self.settings.checked()
            async with connected(self.settings.ldap) as connection:
                reading = await self._read(connection, cursor)
        except (ServiceUnavailable, BadInput) as problem:
            reading = self._incomplete(str(problem))
        yield reading

    async def follow(self, cursor: bytes) -> AsyncGenerator[Reading, None]:
        """
        Yield changes as they happen, and an empty reading now and then when none do.

        Ends when the line breaks or the server has forgotten what it told before.
        """
        try:
            self.settings.checked()
            async with connected(self.settings.ldap) as connection:
                live = await self._can_sync(connection)
                cookie = self.settings.cookie(cursor)
                if live and not cookie:
                    return  # there is nothing to go on from: read first
                if live:
                    async with aclosing(self._live(connection, cookie)) as readings:
                        async for reading in readings:
                            yield reading
                    return
            async with aclosing(self._polled()) as polled:
                async for reading in polled:
                    yield reading
        except (ServiceUnavailable, BadInput) as problem:
            yield self._incomplete(str(problem))

    async def _read(self, connection: LdapConnection, cursor: bytes) -> Reading:
        content = self._content(connection)
        sync = not self.pages_only and await _knows_sync(connection)
        cookie = self.settings.cookie(cursor) if sync else b""
        try:
            if cookie:
                return await self._since(connection, content, cookie)
            return await content.everything(sync=sync)
        except StartOver:
            return await content.everything(sync=sync)
        finally:
            self._index, self._no_sync = content.index, content.pages_only

    async def _since(
        self, connection: LdapConnection, content: Content, cookie: bytes
    ) -> Reading:
        """Read what changed since a cookie. Raises StartOver if that cannot be told."""
        trusted = self._index.cookie == cookie
        if not trusted:
            await content.load_index()
        refresh = Refresh(cookie)
        asked = (sync_control(Mode.REFRESH_ONLY, cookie), *content.controls)
        async with aclosing(connection.answers(content.search, asked)) as answers:
            async for heard in answers:
                _hear(refresh, heard, connection)
        if refresh.restart:
            raise StartOver
        _judge(refresh, connection)
        return await content.changes(refresh, trusted=trusted)

    async def _live(
        self, connection: LdapConnection, cookie: bytes
    ) -> AsyncGenerator[Reading, None]:
        """Catch up, then tell of every change."""
        content = self._content(connection)
        trusted = self._index.cookie == cookie
        if not trusted:
            await content.load_index()
            self._index = content.index
        refresh = Refresh(cookie)
        asked = (sync_control(Mode.REFRESH_AND_PERSIST, cookie), *content.controls)
        beat = self.settings.beat_seconds
        told = connection.answers(content.search, asked, silence=beat)
        async with aclosing(told) as answers:
            async for heard in answers:
                _hear(refresh, heard, connection)
                if refresh.restart:
                    return
                if refresh.end is not None:
                    _judge(refresh, connection)
                    return
                if not refresh.through:
                    continue
                try:
                    reading = await content.changes(refresh.taken(), trusted=trusted)
                except StartOver:
                    return
                trusted = True
                yield reading
                if not reading.complete:
                    return
                if not heard and (expired := await content.expired()):
                    yield expired

    async def _polled(self) -> AsyncGenerator[Reading, None]:
        """Look for what was modified, and read everything every so often."""
        whole_in = self.settings.poll_seconds
        while True:
            pause = min(self.settings.look_seconds, whole_in)
            await asyncio.sleep(pause)
            whole_in -= pause
            reading = None if whole_in <= 0 else await self._looked()
            if reading is None and whole_in <= 0:
                whole_in = self.settings.poll_seconds
                async for reading in self.read(b""):
                    yield reading
            elif reading is not None:
                yield reading
            if reading is not None and not reading.complete:
                return

    async def _looked(self) -> Reading | None:
        """Read what was modified. A connection that is kept would be idle for long."""
        async with connected(self.settings.ldap) as connection:
            content = self._content(connection)
            reading = await content.modified()
            due = await content.expired() if reading and reading.complete else None
            if reading and due:
                return replace(reading, entries=(*reading.entries, *due.entries))
            return reading

    async def _can_sync(self, connection: LdapConnection) -> bool:
        return not (self.pages_only or self._no_sync) and await _knows_sync(connection)

    def _content(self, connection: LdapConnection) -> Content:
        return Content(self.settings, connection, self._index, self.now)

    def _incomplete(self, why: str) -> Reading:
        return Reading(self.name, whole=False, complete=False, why=why)


async def _knows_sync(connection: LdapConnection) -> bool:
    """
    Ask the server itself whether it knows content synchronization.

    A server that does not know a control that is not critical ignores it, and a plain
    search's answers would look like changes.
    """
    root = await connection.root()
    return SYNC_REQUEST in root.texts("supportedControl")


def _hear(refresh: Refresh, heard: list[Answer], connection: LdapConnection) -> None:
    try:
        refresh.hear(heard)
    except ber.NotBer as error:
        where = connection.where
        raise ServiceUnavailable(f"{where} does not speak RFC 4533") from error


def _judge(refresh: Refresh, connection: LdapConnection) -> None:
    """Raise ServiceUnavailable unless the server came to an end in good order."""
    if refresh.end is not None and (why := incomplete_because(refresh.end)):
        raise ServiceUnavailable(f"{connection.where}: {why}")
