"""
Take in what Slack sends: signed, captured, and only then acknowledged.

Bolt acknowledges events before its listeners have finished, and it lets its own
authorisation answer 200 for an event that nobody has seen. So everything is captured
in a middleware that runs before both, over HTTP and over sockets alike. Events over
HTTP have no listener that Bolt could find for them, and are captured without asking
it: that is most of what Slack sends (docs/adr/0013).
"""

import asyncio
import hmac
import json
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import orjson
import structlog
from aiohttp import ClientError, web
from slack_bolt.adapter.aiohttp import to_aiohttp_response
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncBoltContext, AsyncRespond
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient

from bots.logs import where
from bots.metrics import IGNORED, REFUSED
from bots.slack.answers import Answers
from bots.slack.clients import Clients, quiet
from bots.slack.echo import by_a_bot
from bots.slack.envelope import Ignored, account_of, organisation_of
from bots.slack.flexpane import Flexpane
from bots.slack.interactions import (
    ACTION_PREFIX,
    REACTIONS,
    RECORD,
    interaction,
    is_interaction,
    is_whole,
)
from bots.slack.payload import mapping, string
from bots.slack.previews import Previews
from bots.slack.records import SlackRecords, listen
from bots.slack.translate import OPENED, SHARED, translate, unknown_in
from bots.unknown import note_unknown
from bridge.errors import AtomError, StoreUnavailable
from bridge.lifecycle import Change, change_of
from bridge.messages import Event, EventKind, Platform
from bridge.ports import Intake
from bridge.spooled import VIA as SPOOLED
from bridge.spooled import Keeps, Kept

log = structlog.get_logger()

_FRESH = 300  # seconds
_PROFILE = "user_change"
_HANDSHAKES = frozenset({"ssl_check", "url_verification"})
_SAID = "event_callback"
_EVENT = "atom_event"
_STARTED = "atom_started"

Next = Callable[[], Awaitable[Any]]


async def as_it_came(event: Event, _organisation: str) -> Event:
    """The default: channels have one address only."""
    return event


async def unnoticed(_workspace: str, _user: Mapping[str, Any]) -> None:
    """The default: nobody hangs anything on profiles."""


async def nobody(_organisation: str) -> None:
    """The default: nobody remembers what organisations allow."""


@dataclass(slots=True)
class SlackIntake:
    """
    Slack's listener. `app` is what Socket Mode runs; `handle` serves HTTP.

    `uninstalled` is told the workspace that took ATOM away, after it is on record.
    `at_home` gives an event the address under which ATOM knows its channel.
    `access_changed` is told the organisation that lets its app into workspaces, or
    takes it out of some. `profile_changed` is told the workspace and the `user` object
    of a profile that changed. `records` answers what is asked of records, `previews`
    links to them, and `flexpane` whoever opens one at the side; without these they are
    kept, and nothing follows. `spooling` keeps what cannot be taken in now.
    """

    intake: Intake
    answers: Answers
    clients: Clients
    signing_secret: str = ""
    body_limit: int = 1024 * 1024
    read_within: float = 10.0
    capture_within: float = 10.0
    clock: Callable[[], float] = time.time
    uninstalled: Callable[[str], Awaitable[None]] | None = None
    at_home: Callable[[Event, str], Awaitable[Event]] = as_it_came
    access_changed: Callable[[str], Awaitable[object]] = nobody
    profile_changed: Callable[[str, Mapping[str, Any]], Awaitable[None]] = unnoticed
    records: SlackRecords | None = None
    previews: Previews | None = None
    flexpane: Flexpane | None = None
    spooling: Keeps | None = None
    app: AsyncApp = field(init=False)
    _verifier: SignatureVerifier | None = field(init=False, repr=False, default=None)

    def __post_init__(self) -> None:
        if self.signing_secret:  # a socket needs none
            self._verifier = SignatureVerifier(self.signing_secret)
        self.app = AsyncApp(
            name="atom",
            logger=quiet(),
            client=AsyncWebClient(
                base_url=self.clients.api_url, logger=quiet(), retry_handlers=[]
            ),
            signing_secret=self.signing_secret,
            # `handle` verifies by itself: Bolt would write refused bodies to the log,
            # and stumble over a timestamp that is no number.
            request_verification_enabled=False,
            # Bolt's filter misses edits of copies; ours is in `bots.slack.echo`.
            ignoring_self_events_enabled=False,
            before_authorize=self._capture,
            authorize=_authorize,
        )
        # Bolt would answer its own error in the place of ATOM's, and write its text.
        self.app.error(_broke)
        # Whatever it is called in the app's settings: the signature says whose it is.
        self.app.command(re.compile(""))(self._on_command)
        self.app.action(re.compile(f"^{ACTION_PREFIX}"))(self._on_click)
        self.app.shortcut(REACTIONS)(self._on_click)
        listen(self.app, self._on_record)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Serve `/slack/events`: events, slash commands and clicks."""
        try:
            return await self._handle(request)
        except Exception as error:  # noqa: BLE001  # the request's outermost frame
            return refused("failed", 500, error)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        try:
            body = await self._body(request)
        except TimeoutError:
            return refused("too slow", 408)
        except (ClientError, OSError):
            return refused("broken off", 400)
        if body is None:
            return refused("too large", 413)
        if reason := self._forged(request.headers, body):
            return refused(reason, 401)
        said = _event_in(body)
        if said is not None:
            return web.Response(status=(await self._recorded(said, body))[0])
        try:
            opened = AsyncBoltRequest(
                body=body.decode(),
                headers=dict(request.headers.items()),
            )
        except (AttributeError, LookupError, RecursionError, TypeError, ValueError):
            # Bolt reads into the body's depths before anybody has looked at it.
            return refused("malformed", 400)
        read = opened.body
        if not (isinstance(read, dict) and read and is_whole(read)):
            return refused("malformed", 400)
        return await to_aiohttp_response(await self.app.async_dispatch(opened))

    async def _body(self, request: web.Request) -> bytes | None:
        """Return the body as it came, or None if it is longer than allowed."""
        if (request.content_length or 0) > self.body_limit:
            return None
        if request.content.is_eof():
            return request.content.read_nowait()  # it came together with its head
        body = bytearray()
        async with asyncio.timeout(self.read_within):
            async for chunk in request.content.iter_any():
                body += chunk
                if len(body) > self.body_limit:
                    return None
        return bytes(body)

    def _forged(self, headers: Mapping[str, str], body: bytes) -> str:
        """Return why a request cannot be Slack's, or nothing if it can."""
        sent = headers.get("X-Slack-Request-Timestamp", "")
        signature = headers.get("X-Slack-Signature", "")
        if not (self._verifier and sent and signature):
            return "unsigned"
        try:
            if all(abs(now - int(sent)) > _FRESH for now in self._times()):
                return "stale"
            # Its own look at the clock would be at ours alone.
            expected = self._verifier.generate_signature(timestamp=sent, body=body)
            genuine = hmac.compare_digest(expected or "", signature)
        except (TypeError, ValueError):
            return "signature"
        return "" if genuine else "signature"

    def _times(self) -> tuple[float, float]:
        """Return what may be now: by our clock, or by Slack's if ours is wrong."""
        return self.clock(), self.clients.clock.now()

    async def _capture(
        self, req: AsyncBoltRequest, resp: BoltResponse, next_: Next
    ) -> BoltResponse | None:
        """Let Bolt go on only with commands and clicks, and only once on record."""
        started = time.monotonic()
        if string(req.body, "type") in _HANDSHAKES:
            return await _go_on(resp, next_)
        raw = req.raw_body.encode() or json.dumps(req.body).encode()
        status, event = await self._recorded(req.body, raw)
        if event is None or not self._has_listener(event):
            return BoltResponse(status=status)
        req.context[_EVENT], req.context[_STARTED] = event, started
        return await _go_on(resp, next_)

    async def _recorded(
        self, body: Mapping[str, Any], raw: bytes
    ) -> tuple[int, Event | None]:
        """Capture what came; return the status for Slack, and the event if it is new."""
        try:
            if self._waits_behind_others(body):
                raise StoreUnavailable("others wait already")
            async with asyncio.timeout(self.capture_within):
                event = await self._taken(body, raw)
        except (AtomError, TimeoutError) as error:
            if await self._spooled(error, body, raw):
                return 200, None
            REFUSED.labels("slack", "unavailable").inc()
            kind = type(error).__name__
            log.warning("event not taken", platform="slack", reason=kind)
            return 503, None
        if event is None:
            return 200, None
        if change_of(event) is Change.UNINSTALLED:
            await self._forget(event.account)
        if event.kind is EventKind.COMMAND and not self._has_listener(event):
            self.answers.to_mention(event)
        told = dict(event.detail).get("type")
        if self.previews and told == SHARED:
            self.previews.begin(event, body)
        if self.flexpane and told == OPENED:
            self.flexpane.begin(event, body)
        return 200, event

    def _waits_behind_others(self, body: Mapping[str, Any]) -> bool:
        """Whether it would overtake what is in the spool; commands may do that."""
        waits = self.spooling is not None and self.spooling.waits
        return waits and string(body, "type") == _SAID

    async def _spooled(
        self, error: Exception, body: Mapping[str, Any], raw: bytes
    ) -> bool:
        """Keep what could not be captured, if that may help; returns whether it did."""
        if self.spooling is None or string(body, "type") != _SAID:
            return False
        if not isinstance(error, StoreUnavailable | TimeoutError):
            return False
        found = translate(body, raw)
        kind = EventKind.OTHER if isinstance(found, Ignored) else found.kind
        kept = Kept(Platform.SLACK, int(self.clock() * 1_000_000), raw)
        return await self.spooling.keep(kept, kind)

    async def take_in(self, kept: Kept) -> None:
        """Capture what was kept in the spool. Raises as long as it cannot be."""
        async with asyncio.timeout(self.capture_within):
            event = await self._taken(json.loads(kept.raw), kept.raw, via=SPOOLED)
        if event is not None and change_of(event) is Change.UNINSTALLED:
            await self._forget(event.account)

    async def _taken(
        self, body: Mapping[str, Any], raw: bytes, via: str = ""
    ) -> Event | None:
        """Return the event if it is new and on record, None if there is nothing to do."""
        found = await self._translated(body, raw)
        if isinstance(found, Ignored):
            IGNORED.labels("slack", found.reason).inc()
            return None
        if via:
            found = replace(found, via=via)
        if change_of(found) in {Change.GRANTED, Change.WITHDRAWN}:
            # Whoever asks from here on must not be told what was so before.
            await self.access_changed(found.account)
        found = await self.at_home(found, organisation_of(body))
        receipt = await self.intake.receive(found)
        if receipt.duplicate:
            IGNORED.labels("slack", "duplicate").inc()
            return None
        if receipt.seq < 0 and found.message:
            IGNORED.labels("slack", "no company").inc()
            return None
        if found.kind is EventKind.OTHER:
            note_unknown("slack", unknown_in(body))
        told = mapping(body, "event")
        if string(told, "type") == _PROFILE and receipt.seq >= 0:
            await self.profile_changed(found.account, mapping(told, "user"))
        return found

    async def _translated(self, body: Mapping[str, Any], raw: bytes) -> Event | Ignored:
        if is_interaction(body):
            return interaction(body, raw, int(self.clock() * 1_000_000))
        if not by_a_bot(mapping(body, "event")):
            return translate(body, raw)
        # Without our own bot id an echo would pass for another bot's message.
        identity = await self.clients.identity(account_of(body))
        return translate(body, raw, identity.bot)

    async def _forget(self, team: str) -> None:
        self.clients.forget(team)
        if self.uninstalled is not None:
            await self.uninstalled(team)

    async def _on_command(
        self, ack: AsyncAck, respond: AsyncRespond, context: AsyncBoltContext
    ) -> None:
        spent = time.monotonic() - context[_STARTED]
        left = self.answers.ack_within - spent
        await self.answers.to_command(context[_EVENT], ack, respond, left=left)

    async def _on_click(
        self, ack: AsyncAck, respond: AsyncRespond, context: AsyncBoltContext
    ) -> None:
        await self.answers.to_click(context[_EVENT], ack, respond)

    async def _on_record(
        self,
        ack: AsyncAck,
        respond: AsyncRespond,
        context: AsyncBoltContext,
        body: dict[str, Any],
    ) -> None:
        if self.records is None:
            await ack()
            return
        await self.records.answer(context[_EVENT], body, ack, respond)

    def _has_listener(self, event: Event) -> bool:
        """Whether Bolt answers it: a slash command or a click, but no mention."""
        if event.kind is EventKind.COMMAND:
            return not event.message
        if RECORD in dict(event.detail):
            return event.kind is EventKind.ACTION and self.records is not None
        return event.kind is EventKind.ACTION


def _event_in(body: bytes) -> Mapping[str, Any] | None:
    """Return what Slack's Events API says, None for a body that is Bolt's to read."""
    if not body.startswith(b"{"):
        return None
    try:
        said = orjson.loads(body)
    except ValueError:
        return None  # half a surrogate pair, or no JSON at all
    if not isinstance(said, dict) or said.get("type") != _SAID:
        return None
    whole = isinstance(said.get("event"), dict) and not is_interaction(said)
    return said if whole else None


def refused(
    reason: str, status: int, error: BaseException | None = None
) -> web.Response:
    """Turn a request away, with one line and a count, and without its content."""
    REFUSED.labels("slack", reason).inc()
    broke = {} if error is None else where(error)
    log.warning(
        "request refused", platform="slack", reason=reason, status=status, **broke
    )
    return web.json_response({"error": reason}, status=status)


async def _broke(error: Exception) -> BoltResponse:
    """Answer for what broke inside Bolt, as for anything else that breaks."""
    return BoltResponse(status=refused("failed", 500, error).status)


async def _go_on(resp: BoltResponse, next_step: Next) -> BoltResponse:
    await next_step()
    return resp


async def _authorize(enterprise_id: str | None, team_id: str | None) -> AuthorizeResult:
    """Nothing is to be authorised: who sent the request is proved by its signature."""
    return AuthorizeResult(enterprise_id=enterprise_id, team_id=team_id)
