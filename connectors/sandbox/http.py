"""HTTP as all stand-ins need it: answers, cut connections, truncated bodies."""

import json
import socket
import struct
from typing import Any

from aiohttp import web

_RESET_ON_CLOSE = struct.pack("ii", 1, 0)
PAGE = "<!DOCTYPE html><html><body><h1>We are down for maintenance</h1></body></html>"


def answer(
    value: Any, status: int = 200, headers: dict[str, str] | None = None
) -> web.Response:
    return web.json_response(value, status=status, headers=headers)


async def body_of(request: web.Request) -> Any:
    """Return the request's JSON, or what its form holds. Raises ValueError."""
    if request.content_type == "application/x-www-form-urlencoded":
        return dict(await request.post())
    text = await request.text()
    return json.loads(text) if text.strip() else {}


def cut(request: web.Request) -> web.Response:
    """Reset the connection; what is returned goes nowhere."""
    if request.transport is not None:
        peer = request.transport.get_extra_info("socket")
        if peer is not None:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        request.transport.abort()
    return web.Response(status=500)


async def truncated(request: web.Request, whole: web.Response) -> web.StreamResponse:
    """Begin an answer, and end the connection in the middle of its body."""
    body = whole.body if isinstance(whole.body, bytes) else b""
    begun = web.StreamResponse(status=whole.status, headers=whole.headers.copy())
    begun.content_length = max(len(body), 2)
    await begun.prepare(request)
    await begun.write(body[: len(body) // 2] or b"{")
    if request.transport is not None:
        request.transport.close()
    return begun
