"""
The one door that Teams knocks on: POST /api/messages.

Check the token, read the activity, make it durable; only then say 200.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

import structlog
from aiohttp import ClientError
from aiohttp.web import Request, Response, json_response
from botbuilder.core import InvokeResponse

from bots.logs import where
from bots.metrics import IGNORED, REFUSED
from bots.teams.adapter import AtomAdapter, Heard
from bots.teams.auth import TokenCheck, Unauthorised
from bots.teams.bot import AtomBot
from bots.teams.invokes import Invokes, click_key
from bots.teams.places import tenant_of
from bots.teams.translate import Ignored, translate
from bridge.errors import AtomError, BadInput, ServiceUnavailable, StoreUnavailable
from bridge.messages import EventKind, Platform
from bridge.spooled import VIA as SPOOLED
from bridge.spooled import Keeps, Kept

log = structlog.get_logger()

_READING = 15.0  # seconds that a body may take to arrive
_CHUNK = 64 * 1024
_CLICK = "adaptiveCard/action"
_WAITED_FOR = frozenset({EventKind.COMMAND, EventKind.ACTION})
# A click that was answered already, and whose answer is not at hand any more.
_DONE_BEFORE: Mapping[str, Any] = {
    "statusCode": int(HTTPStatus.OK),
    "type": "application/vnd.microsoft.activity.message",
    "value": "This was done already.",
}


class TurnedAway(AtomError):
    """A request that is not taken in. `reason` is fit for a label."""

    def __init__(self, status: HTTPStatus, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


@dataclass(frozen=True, slots=True)
class TeamsIntake:
    """
    Answers requests that claim to be Teams.

    `tenants`, if given, are the only ones that are served. `clock_us` gives the
    time in microseconds since 1970. Longer bodies than `body_limit` bytes are refused.
    `spooling` keeps what cannot be taken in now.
    """

    check: TokenCheck
    adapter: AtomAdapter
    bot: AtomBot
    invokes: Invokes[InvokeResponse | None]
    clock_us: Callable[[], int]
    tenants: frozenset[str] = frozenset()
    body_limit: int = 1024 * 1024
    spooling: Keeps | None = None

    async def handle(self, request: Request) -> Response:
        """Answer one request: 200 only after what it says is durable."""
        try:
            return await self._handle(request)
        except TurnedAway as away:
            return _refusal(away.status, away.reason)
        except Unauthorised as error:
            return _refusal(HTTPStatus.UNAUTHORIZED, str(error))
        except StoreUnavailable:
            return _refusal(HTTPStatus.SERVICE_UNAVAILABLE, "store")
        except ServiceUnavailable:
            return _refusal(HTTPStatus.SERVICE_UNAVAILABLE, "signing_keys")
        except Exception as error:  # noqa: BLE001  # the request's outermost frame
            # No traceback: the error's own text might quote the message.
            return _refusal(HTTPStatus.INTERNAL_SERVER_ERROR, "failed", **where(error))

    async def _handle(self, request: Request) -> Response:
        claims = await self.check.claims(request.headers.get("Authorization"))
        raw = await self._body(request)
        activity = _activity(raw)
        claims.cover(activity)
        self._check_tenant(activity)
        try:
            event = translate(
                activity, raw, app_id=self.check.app_id, now_us=self.clock_us()
            )
        except BadInput as error:
            raise TurnedAway(HTTPStatus.BAD_REQUEST, "no_activity") from error
        if isinstance(event, Ignored):
            IGNORED.labels("teams", event.reason).inc()
            return Response()
        spooling, waited_for = self.spooling, event.kind in _WAITED_FOR
        if spooling is None or waited_for or activity.get("type") == "invoke":
            return await self._turn(Heard(activity, event))
        if not spooling.waits:
            with suppress(StoreUnavailable):
                return await self._turn(Heard(activity, event))
        kept = Kept(Platform.TEAMS, self.clock_us(), raw)
        if not await spooling.keep(kept, event.kind):
            raise StoreUnavailable("neither the database nor the spool takes it")
        return Response()

    async def take_in(self, kept: Kept) -> None:
        """Capture what was kept in the spool. Raises as long as it cannot be."""
        activity = _activity(kept.raw)
        event = translate(
            activity, kept.raw, app_id=self.check.app_id, now_us=kept.at_us
        )
        if not isinstance(event, Ignored):
            late = replace(event, via=SPOOLED)
            await self.adapter.process(Heard(activity, late), self.bot)

    async def _turn(self, heard: Heard) -> Response:
        async def turn() -> InvokeResponse | None:
            return await self.adapter.process(heard, self.bot)

        if heard.activity.get("type") != "invoke":
            await turn()
            return Response()
        answer = await self.invokes.once(click_key(heard.activity), turn)
        if answer is None:
            click = heard.activity.get("name") == _CLICK
            return json_response(_DONE_BEFORE if click else {})
        return json_response(answer.body, status=answer.status)

    async def _body(self, request: Request) -> bytes:
        if (request.content_length or 0) > self.body_limit:
            raise TurnedAway(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large")
        body = bytearray()
        try:
            async with asyncio.timeout(_READING):
                async for chunk in request.content.iter_chunked(_CHUNK):
                    body += chunk
                    if len(body) > self.body_limit:
                        too_large = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
                        raise TurnedAway(too_large, "too_large")
        except TimeoutError as error:
            raise TurnedAway(HTTPStatus.REQUEST_TIMEOUT, "too_slow") from error
        except (ClientError, OSError) as error:
            raise TurnedAway(HTTPStatus.BAD_REQUEST, "broken_off") from error
        return bytes(body)

    def _check_tenant(self, activity: Mapping[str, Any]) -> None:
        if self.tenants and tenant_of(activity).lower() not in self.tenants:
            raise TurnedAway(HTTPStatus.FORBIDDEN, "tenant")


def _activity(raw: bytes) -> Mapping[str, Any]:
    try:
        activity = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise TurnedAway(HTTPStatus.BAD_REQUEST, "malformed") from error
    if not isinstance(activity, dict):
        raise TurnedAway(HTTPStatus.BAD_REQUEST, "malformed")
    return activity


def _refusal(status: HTTPStatus, reason: str, **broke: str) -> Response:
    REFUSED.labels("teams", reason).inc()
    log.warning(
        "request refused", platform="teams", status=int(status), reason=reason, **broke
    )
    headers = {"Retry-After": "5"} if status >= HTTPStatus.INTERNAL_SERVER_ERROR else {}
    return Response(status=status, headers=headers)
