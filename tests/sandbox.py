"""A running sandbox for tests, and someone who listens where ATOM would."""

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import ClientSession, ClientTimeout, web

from bots.sandbox.app import create_app

_STARTING_TAKES_AT_MOST = 30.0
_PATIENCE = 60.0  # seconds; a busy machine, not a slow sandbox


@dataclass(frozen=True, slots=True)
class Sandbox:
    """The control side of a sandbox that listens at `base`."""

    base: str

    @property
    def slack_api(self) -> str:
        return f"{self.base}/slack/api/"

    async def act(self, **wish: Any) -> dict[str, Any]:
        """Let a person do something in Slack; it must work."""
        return await self._acted("/sandbox/slack/act", wish)

    async def act_in_teams(self, **wish: Any) -> dict[str, Any]:
        """Let a person do something in Teams; it must work."""
        return await self._acted("/sandbox/teams/act", wish)

    async def set(self, values: dict[str, Any]) -> None:
        status, answer = await self.call("POST", "/sandbox/settings", values)
        assert status == 200, answer

    async def fault(self, on: str, fault: str, **more: Any) -> None:
        rule = {"on": on, "fault": fault, **more}
        status, answer = await self.call("POST", "/sandbox/faults", rule)
        assert status == 200, answer

    async def state(self) -> dict[str, Any]:
        _status, answer = await self.call("GET", "/sandbox/state")
        everything: dict[str, Any] = answer
        return everything

    async def slack_channel(self, channel: str) -> dict[str, Any]:
        """One Slack channel with all its messages."""
        for workspace in (await self.state())["slack"]["workspaces"]:
            for one in workspace["channels"]:
                if one["id"] == channel:
                    found: dict[str, Any] = one
                    return found
        raise AssertionError(f"no channel {channel}")

    async def journal(self, call: str = "", after: int = 0) -> list[dict[str, Any]]:
        _status, entries = await self.call("GET", f"/sandbox/journal?after={after}")
        return [one for one in entries if not call or one["call"] == call]

    async def call(self, verb: str, path: str, body: Any = None) -> tuple[int, Any]:
        """Use the control API; returns the status and the JSON answer."""
        timeout = ClientTimeout(total=_PATIENCE)
        async with (
            ClientSession(timeout=timeout) as session,
            session.request(verb, self.base + path, json=body) as response,
        ):
            return response.status, await response.json()

    async def _acted(self, path: str, wish: dict[str, Any]) -> dict[str, Any]:
        status, answer = await self.call("POST", path, wish)
        assert status == 200, answer
        done: dict[str, Any] = answer
        return done


@contextmanager
def running_sandbox() -> Iterator[Sandbox]:
    """
    A sandbox on a free port of loopback, on a thread of its own: it answers
    clients that block as well as those that do not.
    """
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    starting = asyncio.run_coroutine_threadsafe(_start(create_app()), loop)
    runner, port = starting.result(_STARTING_TAKES_AT_MOST)
    try:
        yield Sandbox(f"http://127.0.0.1:{port}")
    finally:
        stopping = asyncio.run_coroutine_threadsafe(runner.cleanup(), loop)
        stopping.result(_STARTING_TAKES_AT_MOST)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(_STARTING_TAKES_AT_MOST)
        loop.close()


@dataclass(slots=True)
class Delivered:
    """One request that came to where ATOM would listen."""

    path: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> dict[str, Any]:
        parsed: dict[str, Any] = json.loads(self.body)
        return parsed


Answer = Callable[[Delivered], Awaitable[web.Response]]


@dataclass(slots=True)
class Listener:
    """What arrived, oldest first. `answer` may be set to answer otherwise."""

    url: str = ""
    got: list[Delivered] = field(default_factory=list)
    answer: Answer | None = None

    def events(self, kind: str = "") -> list[dict[str, Any]]:
        """The inner Slack events that arrived, perhaps of one type only."""
        inner = [one.json()["event"] for one in self.got if b'"event"' in one.body]
        return [event for event in inner if not kind or event["type"] == kind]

    async def handle(self, request: web.Request) -> web.Response:
        delivered = Delivered(request.path, dict(request.headers), await request.read())
        self.got.append(delivered)
        if self.answer is not None:
            return await self.answer(delivered)
        return web.Response()


@asynccontextmanager
async def listening() -> AsyncIterator[Listener]:
    """Listen on loopback as ATOM would, and answer 200."""
    listener = Listener()
    app = web.Application()
    app.router.add_post("/{path:.*}", listener.handle)
    runner, port = await _start(app)
    listener.url = f"http://127.0.0.1:{port}"
    try:
        yield listener
    finally:
        await runner.cleanup()


@asynccontextmanager
async def serving(app: web.Application) -> AsyncIterator[str]:
    """Serve an application on loopback, and give its address."""
    runner, port = await _start(app)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def serving_bytes(answer: bytes) -> AsyncIterator[int]:
    """Listen on loopback, answer whoever speaks with these bytes, and hang up."""

    async def answered(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        await reader.read(1)
        writer.write(answer)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answered, "127.0.0.1", 0)
    async with server:
        port: int = server.sockets[0].getsockname()[1]
        yield port


async def eventually(condition: Callable[[], object]) -> None:
    """Wait until a condition holds; fail when it does not in good time."""
    deadline = time.monotonic() + _PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        await asyncio.sleep(0.01)


async def settled(value: Callable[[], Awaitable[object]]) -> None:
    """Wait until an asynchronous condition holds."""
    deadline = time.monotonic() + _PATIENCE
    while not await value():
        assert time.monotonic() < deadline, "it did not happen"
        await asyncio.sleep(0.02)


async def _start(app: web.Application) -> tuple[web.AppRunner, int]:
    runner = web.AppRunner(app, shutdown_timeout=0.5)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port: int = runner.addresses[0][1]
    return runner, port
