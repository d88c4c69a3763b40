"""
`/scim/v2` over HTTP: RFC 7644 sections 2, 3.1 and 3.8.

Every request wants a company's bearer token, and reaches that company alone; for a
company that has none it is off. Whatever goes wrong is answered with the RFC's error
message, never with a page of text.
"""

import math
from dataclasses import dataclass

import orjson
import structlog
from aiohttp import web

from bridge.directory.scim import ScimTokens, Token
from bridge.directory.scim_server import (
    LARGEST,
    ScimAnswer,
    ScimRequest,
    ScimServer,
    refused,
)
from bridge.errors import StoreUnavailable
from bridge.limits import Bucket, Window
from bridge.ports import Limiter

log = structlog.get_logger()

ROOT = "/scim/v2"
MEDIA = "application/scim+json"

_TAKEN = frozenset({MEDIA, "application/json"})
_BEARER = "bearer "
_AWAY = 5  # seconds
_MINUTE_US = 60_000_000
_NO_TOKEN = ScimAnswer(
    401,
    refused(401, "a valid bearer token is needed").body,
    {"WWW-Authenticate": 'Bearer realm="scim"'},
)


@dataclass(frozen=True, slots=True)
class ScimPages:
    """
    Serves `/scim/v2`. `url` is how clients reach it, if it is not as they say.

    A token may ask `per_minute` times in any minute, whichever process it asks, and
    with 0 as often as it likes.
    """

    server: ScimServer
    tokens: ScimTokens
    limiter: Limiter
    per_minute: int = 3_000
    url: str = ""

    def add_routes(self, app: web.Application) -> None:
        for path in (ROOT, ROOT + "/{path:.*}"):
            app.router.add_route("*", path, self.serve)

    async def serve(self, request: web.Request) -> web.Response:
        try:
            answer = await self._answer(request)
        except StoreUnavailable as error:
            answer = refused(503, str(error), retry_after=_AWAY)
        except web.HTTPException:
            raise
        except Exception:  # the outermost frame: clients get an answer they can read
            log.exception("a SCIM request broke")
            answer = refused(500, "something went wrong: see ATOM's log")
        headers = {"Cache-Control": "no-store", **answer.headers}
        if answer.body is None:
            return web.Response(status=answer.status, headers=headers)
        return web.Response(
            status=answer.status,
            body=orjson.dumps(answer.body),
            content_type=MEDIA,
            headers=headers,
        )

    async def _answer(self, request: web.Request) -> ScimAnswer:
        given = request.headers.get("Authorization", "")
        known = given[: len(_BEARER)].lower() == _BEARER
        text = given[len(_BEARER) :].strip()
        token = await self.tokens.tenant_of(text) if known else None
        if token is None:
            return _NO_TOKEN
        if wait := await self._waits(token):
            return refused(429, "too many requests of this token", retry_after=wait)
        body = await _body(request)
        if body is None:
            return refused(413, f"the body has more than {LARGEST} bytes")
        kind = request.headers.get("Content-Type", "").partition(";")[0].strip()
        if body and kind and kind.lower() not in _TAKEN:
            return refused(415, f"the body has to be {MEDIA}")
        here = f"{request.scheme}://{request.host}{ROOT}"
        return await self.server.answer(
            ScimRequest(
                token.tenant,
                self.url.rstrip("/") or here,
                request.method,
                request.match_info.get("path", "").strip("/"),
                dict(request.query),
                body,
                request.headers.get("If-Match", ""),
                request.headers.get("If-None-Match", ""),
            )
        )

    async def _waits(self, token: Token) -> int:
        """Count a request; return 0, or after how many seconds there is room for it."""
        if not self.per_minute:
            return 0
        window = Window(self.per_minute, _MINUTE_US)
        bucket = Bucket(token.tenant, f"scim:{token.id}", (window,))
        wait = await self.limiter.reserve([bucket])
        return math.ceil(wait.us / 1_000_000) if wait else 0


async def _body(request: web.Request) -> bytes | None:
    """Read a request's body; None if there is too much of it."""
    if (request.content_length or 0) > LARGEST:
        return None
    read = bytearray()
    async for part in request.content.iter_chunked(1 << 16):
        read += part
        if len(read) > LARGEST:
            return None
    return bytes(read)
