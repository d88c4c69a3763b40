"""
Being told at once that something changed, on a connection of its own.

Change notification ([MS-ADTS] 3.1.1.3.4.1.9) says that an object changed and not what,
so it only wakes whoever asks. Where it is refused or breaks off, they ask every second.
"""

import asyncio
from contextlib import aclosing, suppress
from dataclasses import replace
from types import TracebackType
from typing import Self

from bridge.errors import BadInput, ServiceUnavailable
from policy.directory.active_directory.controls import NOTIFICATION, SHOW_DELETED
from policy.directory.ldap.answers import Found
from policy.directory.ldap.connection import connected
from policy.directory.ldap.conversation import Search
from policy.directory.ldap.settings import LdapSettings

_SILENCE = 30.0  # seconds, until the line is tried


class Waking:
    """Wait for a change, or for a while. Use it as a context."""

    def __init__(self, settings: LdapSettings) -> None:
        self._settings = settings
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._task is None:
            return
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    def watch(self, root: str) -> None:
        """Begin to listen to everything in a domain."""
        self._task = asyncio.create_task(self._listen(root))

    async def wait(self, seconds: float) -> None:
        """Return as soon as something changed, and after so many seconds anyway."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._changed.wait()
        self._changed.clear()

    async def _listen(self, root: str) -> None:
        # The only filter that is taken.
        search = Search(root, "(objectClass=*)", ("objectGUID",))
        asked = (NOTIFICATION, replace(SHOW_DELETED, critical=False))
        # Whoever waits asks by the clock as well, and says what is wrong.
        with suppress(ServiceUnavailable, BadInput):
            async with connected(self._settings) as connection:
                answers = connection.answers(search, asked, silence=_SILENCE)
                async with aclosing(answers) as heard:
                    async for some in heard:
                        if any(isinstance(each, Found) for each in some):
                            self._changed.set()
