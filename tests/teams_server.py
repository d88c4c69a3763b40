"""A Teams that answers as a test says, over real HTTP, and remembers what it heard."""

import asyncio
import json
import socket
import struct
from collections import deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp.test_utils import TestServer
from aiohttp.web import Application, Request, Response, json_response


@dataclass(frozen=True)
class Call:
    """One request, with its path as it came over the wire."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Said:
    """An answer. `cut` resets the connection and `hang` never answers."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: bool = False
    hang: bool = False


@dataclass
class ScriptedTeams:
    """Answers each path with what was said for it last, or in turn."""

    calls: list[Call] = field(default_factory=list)
    answers: dict[str, deque[Said]] = field(default_factory=dict)
    url: str = ""
    held: asyncio.Event = field(default_factory=asyncio.Event)
    called: asyncio.Event = field(default_factory=asyncio.Event)

    def answer(self, where: str, *said: Said) -> None:
        """Set what `METHOD path-end` is answered with; the last answer stays."""
        self.answers[where] = deque(said)

    def paths(self, method: str) -> list[str]:
        return [call.path for call in self.calls if call.method == method]

    async def handle(self, request: Request) -> Response:
        call = Call(
            request.method, request.raw_path, request.headers, await request.read()
        )
        self.calls.append(call)
        self.called.set()
        said = self._said(call)
        if said.cut:
            return _cut(request)
        if said.hang:
            await self.held.wait()
        if said.body is None:
            return Response(status=said.status, headers=said.headers)
        return json_response(said.body, status=said.status, headers=said.headers)

    def _said(self, call: Call) -> Said:
        for where, answers in self.answers.items():
            method, _, end = where.partition(" ")
            if method == call.method and end in call.path:
                return answers.popleft() if len(answers) > 1 else answers[0]
        return Said(404, {"error": {"code": "NotScripted", "message": "secret text"}})


@asynccontextmanager
async def scripted_teams() -> AsyncIterator[ScriptedTeams]:
    teams = ScriptedTeams()
    app = Application()
    app.router.add_route("*", "/{path:.*}", teams.handle)
    async with TestServer(app, host="127.0.0.1") as server:
        teams.url = str(server.make_url("/"))
        yield teams
        teams.held.set()


def _cut(request: Request) -> Response:
    if request.transport is not None:
        connection = request.transport.get_extra_info("socket")
        connection.setsockopt(
            socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
        )
        request.transport.abort()
    return Response()
