"""HTTP as both halves of the sandbox need it: faults, answers, background work."""

import asyncio
import json
import logging
import socket
import struct
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from aiohttp.web import HTTPBadRequest, Request, Response, StreamResponse

from bots.sandbox.faults import Fault

_LOG = logging.getLogger(__name__)
_PAGE = "<!DOCTYPE html><html><body><h1>Sign in</h1></body></html>"
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)


async def under_fault(
    request: Request,
    fault: Fault | None,
    effect: Callable[[], Awaitable[StreamResponse]],
    refusal: Callable[[Fault], StreamResponse],
) -> StreamResponse:
    """
    Answer a request, with what is ordered to go wrong going wrong.

    `effect` does the work and answers; `refusal` makes the answer for a fault that
    has one (a status, an error). Without a usable answer the connection is cut.
    """
    if fault is None:
        return await effect()
    if fault.kind == "delay":
        await asyncio.sleep(fault.seconds)
        return await effect()

    done = await effect() if fault.after else None
    if fault.what in {"delay", "timeout"}:
        await asyncio.sleep(fault.seconds)
    if done is not None and fault.what == "delay":
        return done
    if fault.what == "page":
        return Response(text=_PAGE, content_type="text/html")
    if fault.status is not None or fault.what == "error":
        return refusal(fault)
    return cut(request)


def cut(request: Request) -> Response:
    """Reset the connection; what is returned goes nowhere."""
    if request.transport is not None:
        peer = request.transport.get_extra_info("socket")
        if peer is not None:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        request.transport.abort()
    return Response(status=500)


async def json_object(request: Request) -> dict[str, Any]:
    """Return the request's JSON object; anything else is answered with 400."""
    try:
        body = json.loads(await request.text() or "{}")
    except ValueError:
        raise _bad("the body is not JSON") from None
    if not isinstance(body, dict):
        raise _bad("the body is not a JSON object")
    return body


def _bad(reason: str) -> HTTPBadRequest:
    return HTTPBadRequest(
        text=json.dumps({"ok": False, "error": reason}),
        content_type="application/json",
    )


class Tasks:
    """Background work of a server: each task is held, and ended with the server."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Let work go on by itself until the server ends."""
        self.begin(work).add_done_callback(_reported)

    def begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Start work that the caller waits for."""
        task = asyncio.ensure_future(work)
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def close(self) -> None:
        tasks = list(self._running)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _reported(task: asyncio.Task[None]) -> None:
    """Background work that fails is a fault of the sandbox: say so, loudly."""
    if not task.cancelled() and (error := task.exception()) is not None:
        _LOG.error("background work failed", exc_info=error)
