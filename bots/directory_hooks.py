"""
Where directories call when something changed in them: `/hooks/directory/SOURCE`.

A call says that it is worth looking, and nothing that it says is believed. Who may call
is known by a secret: Graph repeats it, BambooHR signs with it, and whoever else pushes
shows it as a bearer token.
"""

import asyncio
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Protocol, runtime_checkable

from aiohttp import ClientError, web

from bots.metrics import REFUSED
from bots.teams.notices import DirectoryNotices
from policy.directory.entra.source import EntraSource

_READING = 5.0  # seconds that a body may take to arrive
_LARGEST = 1024 * 1024
_OLDEST = 300.0  # seconds that a signed call may have been on its way


@runtime_checkable
class Wakeful(Protocol):
    """A source that can be told to look at once."""

    def wake(self) -> None: ...


@dataclass(frozen=True, slots=True)
class DirectoryHooks:
    """
    Lets sources be woken. `sources` are those that this process reads, by name.

    `secrets` are the sources' own, by name: one without takes no calls. `clock` gives
    seconds since 1970.
    """

    sources: Mapping[str, object]
    secrets: Mapping[str, str]
    clock: Callable[[], float]

    def add_routes(self, app: web.Application) -> None:
        app.router.add_post("/hooks/directory/{source}", self.handle)

    async def handle(self, request: web.Request) -> web.Response:
        """Answer a call. One for another source is refused like a wrong secret."""
        name = request.match_info["source"]
        source, secret = self.sources.get(name), self.secrets.get(name, "")
        if not secret or not isinstance(source, Wakeful):
            return _refused(HTTPStatus.FORBIDDEN, "source")
        if isinstance(source, EntraSource):
            door = DirectoryNotices(secret, source.wake, source.subscribe_again)
            return await door.handle(request)
        try:
            async with asyncio.timeout(_READING):
                body = await request.content.read(_LARGEST + 1)
        except (ClientError, OSError):
            return _refused(HTTPStatus.BAD_REQUEST, "malformed")
        if not self._knows(request, body, secret):
            return _refused(HTTPStatus.FORBIDDEN, "secret")
        source.wake()
        return web.Response(status=HTTPStatus.ACCEPTED)

    def _knows(self, request: web.Request, body: bytes, secret: str) -> bool:
        signature = request.headers.get("X-BambooHR-Signature", "")
        if not signature:
            given = request.headers.get("Authorization", "")
            return hmac.compare_digest(given.encode(), f"Bearer {secret}".encode())
        at = request.headers.get("X-BambooHR-Timestamp", "")
        if not (at.isascii() and at.isdecimal()):
            return False
        # A call that somebody kept and sends again is old by its own time.
        if abs(self.clock() - int(at[:12])) > _OLDEST:
            return False
        wanted = hmac.digest(secret.encode(), body + at.encode(), "sha256").hex()
        return hmac.compare_digest(signature.lower().encode(), wanted.encode())


def _refused(status: HTTPStatus, reason: str) -> web.Response:
    REFUSED.labels("directory", reason).inc()
    return web.Response(status=status)
