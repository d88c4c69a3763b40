"""Socket Mode: WebSockets that the app opened, and envelopes sent over them."""

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any
from uuid import uuid4

from aiohttp import WSMsgType, web

from bots.sandbox.journal import Journal
from bots.sandbox.settings import Settings
from bots.sandbox.slack import seed
from bots.sandbox.slack.outbound import Outcome

_DEBUG_SECONDS = 360.0


class Sockets:
    """The open sockets. Each envelope goes to one of them, in turn."""

    def __init__(self, settings: Settings, journal: Journal) -> None:
        self._settings = settings
        self._journal = journal
        self._open: list[web.WebSocketResponse] = []
        self._waiting: dict[str, asyncio.Future[dict[str, Any]]] = {}

    @property
    def connected(self) -> bool:
        return bool(self._open)

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        """Keep one socket until either side ends it."""
        socket = web.WebSocketResponse(heartbeat=30.0)
        await socket.prepare(request)
        if len(self._open) >= self._settings.get("slack.sockets"):
            await socket.close(code=4000, message=b"too_many_websockets")
            return socket
        self._open.append(socket)
        life = self._life(debug=request.query.get("debug_reconnects") == "true")
        try:
            await socket.send_json(self._hello(life))
            await self._live(socket, life)
        finally:
            if socket in self._open:
                self._open.remove(socket)
        return socket

    async def send(
        self, call: str, kind: str, payload: Mapping[str, Any], attempt: int, why: str
    ) -> Outcome:
        """Send one envelope and wait for its acknowledgement."""
        envelope_id = str(uuid4())
        envelope: dict[str, Any] = {
            "envelope_id": envelope_id,
            "type": kind,
            "accepts_response_payload": _answerable(kind, payload),
            "payload": payload,
        }
        if kind == "events_api":
            envelope |= {"retry_attempt": attempt, "retry_reason": why}
        outcome = await self._exchange(envelope_id, envelope)
        answer = outcome.body.decode() or outcome.reason
        request = {"headers": {}, "body": payload, "retry_attempt": attempt}
        self._journal.note("slack", "out", call, outcome.status, request, answer)
        return outcome

    async def disconnect(self, reason: str) -> int:
        """Tell every socket to go, or, for "drop", cut them; returns how many."""
        sockets = list(self._open)
        for socket in sockets:
            if reason != "drop":
                await socket.send_json({"type": "disconnect", "reason": reason})
            if reason != "warning":
                await socket.close()
        return len(sockets)

    async def close(self) -> None:
        await self.disconnect("drop")

    async def _live(self, socket: web.WebSocketResponse, life: float) -> None:
        """Read until the client goes, or its time is up."""
        clock = asyncio.ensure_future(self._count_down(socket, life))
        try:
            await self._until_closed(socket)
        finally:
            clock.cancel()

    async def _count_down(self, socket: web.WebSocketResponse, life: float) -> None:
        warning = min(life, self._settings.get("slack.socket_warning_seconds"))
        with suppress(ConnectionError):
            await asyncio.sleep(life - warning)
            await socket.send_json({"type": "disconnect", "reason": "warning"})
            await asyncio.sleep(warning)
            await socket.send_json(
                {"type": "disconnect", "reason": "refresh_requested"}
            )
            await socket.close()

    async def _until_closed(self, socket: web.WebSocketResponse) -> None:
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                self._acknowledged(message.data)

    def _acknowledged(self, text: str) -> None:
        try:
            ack = json.loads(text)
        except ValueError:
            return
        named = ack.get("envelope_id") if isinstance(ack, dict) else None
        waiting = self._waiting.get(str(named))
        if waiting is not None and not waiting.done():
            waiting.set_result(ack)

    async def _exchange(self, envelope_id: str, envelope: Mapping[str, Any]) -> Outcome:
        if not self._open:
            return Outcome(0, reason="connection_failed")
        socket = self._open.pop(0)
        self._open.append(socket)
        waiting = asyncio.get_running_loop().create_future()
        self._waiting[envelope_id] = waiting
        try:
            async with asyncio.timeout(self._settings.get("slack.answer_timeout")):
                await socket.send_json(envelope)
                ack = await waiting
        except TimeoutError:
            return Outcome(0, reason="timeout")
        except ConnectionError:
            return Outcome(0, reason="connection_failed")
        finally:
            del self._waiting[envelope_id]
        return Outcome(200, json.dumps(ack.get("payload") or {}).encode())

    def _life(self, *, debug: bool) -> float:
        if debug:
            return _DEBUG_SECONDS
        return float(self._settings.get("slack.socket_seconds"))

    def _hello(self, life: float) -> dict[str, Any]:
        return {
            "type": "hello",
            "connection_info": {"app_id": seed.APP_ID},
            "num_connections": len(self._open),
            "debug_info": {
                "host": "applink-1",
                "build_number": 54,
                "approximate_connection_time": int(life),
            },
        }


def _answerable(kind: str, payload: Mapping[str, Any]) -> bool:
    forms = {"view_submission", "block_suggestion"}
    return kind == "slash_commands" or payload.get("type") in forms
