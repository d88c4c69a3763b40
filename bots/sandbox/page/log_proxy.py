"""The page's way to ATOM's log: the browser holds no token, so the sandbox asks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout, web

from bots.sandbox.settings import Settings

_ANSWER_WITHIN = 5.0  # seconds for a page of the log
_SILENCE_AT_MOST = 40.0  # seconds; ATOM's stream shows a sign of life more often
_TENANT = "demo"
_LIMIT = 200


class Away(Exception):
    """ATOM does not answer now; it may be starting."""


@dataclass(frozen=True, slots=True)
class LogProxy:
    """Serves `/sandbox/log` and its stream. One session serves every reader."""

    settings: Settings
    session: ClientSession

    async def page(self, request: web.Request) -> web.StreamResponse:
        """Forward one page. 502 says that ATOM is away, 503 that none is configured."""
        try:
            async with self._answer(request, "", _ANSWER_WITHIN) as answer:
                body = await answer.read()
        except Away:
            return _away()
        return web.Response(body=body, content_type="application/json", headers=_FRESH)

    async def stream(self, request: web.Request) -> web.StreamResponse:
        """Forward the stream until either end closes."""
        try:
            async with self._answer(request, "/stream", None) as answer:
                return await _piped(request, answer)
        except Away:
            return _away()

    @asynccontextmanager
    async def _answer(
        self, request: web.Request, path: str, total: float | None
    ) -> AsyncIterator[ClientResponse]:
        atom = str(self.settings.get("atom_url")).rstrip("/")
        if not atom:
            raise web.HTTPServiceUnavailable(text="no ATOM is configured")
        query = {
            "tenant": _TENANT,
            "after": str(_position(request)),
            "limit": str(_LIMIT),
        }
        token = self.settings.get("console_token")
        try:
            async with self.session.get(
                f"{atom}/api/v1/log{path}",
                params=query,
                headers={"Authorization": f"Bearer {token}"},
                timeout=ClientTimeout(
                    total=total,
                    sock_connect=_ANSWER_WITHIN,
                    sock_read=_SILENCE_AT_MOST,
                ),
            ) as answer:
                if answer.status != web.HTTPOk.status_code:
                    raise Away
                yield answer
        except (ClientError, TimeoutError) as error:
            raise Away from error


async def _piped(request: web.Request, answer: ClientResponse) -> web.StreamResponse:
    stream = web.StreamResponse(headers={"Content-Type": "text/event-stream", **_FRESH})
    try:
        await stream.prepare(request)
        async for chunk in answer.content.iter_any():
            await stream.write(chunk)
    except (ClientError, TimeoutError, ConnectionError, asyncio.IncompleteReadError):
        # Headers are out already: an early end tells the browser to come again.
        return stream
    return stream


def _position(request: web.Request) -> int:
    after = request.query.get("after", "-1")
    try:
        return int(after)
    except ValueError:
        raise web.HTTPBadRequest(text="'after' takes a number") from None


def _away() -> web.Response:
    return web.json_response(
        {"ok": False, "error": "ATOM does not answer"}, status=502, headers=_FRESH
    )


_FRESH = {"Cache-Control": "no-store"}
