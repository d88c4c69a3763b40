"""
The compliance log over HTTP, for a page that shows it as it grows.

Off unless a console token is set, because it tells what people said. The token is
compared in constant time and travels in the Authorization header alone.
"""

import asyncio
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import orjson
from aiohttp import web

from bridge.errors import AtomError, BadInput, StoreUnavailable

_LIMIT = 500
_BEAT = 15.0  # seconds between signs of life on a quiet stream


class LogSource(Protocol):
    """Where the log is read."""

    async def page(self, tenant: str, after: int, limit: int) -> dict[str, Any]:
        """Return {"entries", "size", "root"} for the entries above `after`."""
        ...


@dataclass(slots=True)
class LogApi:
    """Serves `/api/v1/log` and `/api/v1/log/stream`."""

    source: LogSource
    token: str = field(repr=False)
    _readers: set[asyncio.Event] = field(default_factory=set)
    _closing: bool = False

    def add_routes(self, app: web.Application) -> None:
        app.on_shutdown.append(self._close)
        app.router.add_get("/api/v1/log", self.page)
        app.router.add_get("/api/v1/log/stream", self.stream)

    def committed(self) -> None:
        """Tell every stream that the log has grown."""
        for reader in self._readers:
            reader.set()

    async def _close(self, _app: web.Application) -> None:
        """End every stream, so that a stop does not wait for its readers."""
        self._closing = True
        self.committed()

    async def page(self, request: web.Request) -> web.Response:
        self._admit(request)
        try:
            tenant, after, limit = _wanted(request)
            found = await self.source.page(tenant, after, limit)
        except BadInput as error:
            raise web.HTTPBadRequest(text=str(error)) from error
        except StoreUnavailable as error:
            raise web.HTTPServiceUnavailable(text=str(error)) from error
        return web.json_response(body=orjson.dumps(found), headers=_PRIVATE)

    async def stream(self, request: web.Request) -> web.StreamResponse:
        self._admit(request)
        try:
            tenant, after, limit = _wanted(request)
        except BadInput as error:
            raise web.HTTPBadRequest(text=str(error)) from error
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", **_PRIVATE}
        )
        await response.prepare(request)
        news = asyncio.Event()
        news.set()
        self._readers.add(news)
        try:
            await self._follow(response, news, lambda n: (tenant, n, limit), after)
        except (ConnectionResetError, AtomError):
            return response
        finally:
            self._readers.discard(news)
        return response

    async def _follow(
        self,
        response: web.StreamResponse,
        news: asyncio.Event,
        wanted: Callable[[int], tuple[str, int, int]],
        after: int,
    ) -> None:
        while not self._closing:
            try:
                async with asyncio.timeout(_BEAT):
                    await news.wait()
            except TimeoutError:
                await response.write(b": still here\n\n")
            news.clear()
            while (found := await self.source.page(*wanted(after)))["entries"]:
                after = found["entries"][-1]["seq"]
                await response.write(b"data: " + orjson.dumps(found) + b"\n\n")

    def _admit(self, request: web.Request) -> None:
        if not self.token:
            raise web.HTTPNotFound(text="the log API is off: set ATOM_CONSOLE_TOKEN")
        given = request.headers.get("Authorization", "")
        wanted = f"Bearer {self.token}"
        same = hmac.compare_digest(
            given.encode("utf-8", "surrogateescape"), wanted.encode()
        )
        if not same:
            raise web.HTTPUnauthorized(text="a valid bearer token is needed")


_PRIVATE = {"Cache-Control": "no-store"}


def _wanted(request: web.Request) -> tuple[str, int, int]:
    tenant = request.query.get("tenant", "")
    if not tenant:
        raise BadInput("name the company: ?tenant=COMPANY-ID")
    try:
        after = int(request.query.get("after", "-1"))
        limit = int(request.query.get("limit", "200"))
    except ValueError as error:
        raise BadInput("after and limit are whole numbers") from error
    return tenant, after, max(1, min(limit, _LIMIT))
