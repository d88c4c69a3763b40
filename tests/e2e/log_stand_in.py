"""ATOM's log API without an ATOM: it tells what a test puts into it."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiohttp import web

from tests.servers import free_port

TOKEN = "console-token-of-a-test"


@dataclass(slots=True)
class LogStandIn:
    """Serves `/api/v1/log` and its stream. It may go away and come back."""

    port: int = field(default_factory=free_port)
    entries: list[dict[str, Any]] = field(default_factory=list)
    _grown: asyncio.Condition = field(default_factory=asyncio.Condition)
    _runner: web.AppRunner | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        app = web.Application()
        app.router.add_get("/api/v1/log", self._page)
        app.router.add_get("/api/v1/log/stream", self._stream)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port).start()

    async def stop(self) -> None:
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def append(self, **entry: Any) -> None:
        seq = len(self.entries)
        made = {
            "seq": seq,
            "type": "message.create",
            "at": "2026-11-24T17:00:00.123456+00:00",
            "platform": "slack",
            "channel": "slack:T01ACME/C02FALCON",
            "author": "Alice Wong",
            "text": "",
            "decision": None,
            "link": None,
            "copy": None,
            "origin": None,
            "leaf": f"{seq:064x}",
        }
        async with self._grown:
            self.entries.append(made | entry)
            self._grown.notify_all()

    async def _page(self, request: web.Request) -> web.Response:
        _admit(request)
        return web.json_response(self._after(int(request.query["after"])))

    async def _stream(self, request: web.Request) -> web.StreamResponse:
        _admit(request)
        after = int(request.query["after"])
        stream = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await stream.prepare(request)
        while True:
            page = self._after(after)
            if page["entries"]:
                await stream.write(b"data: " + orjson.dumps(page) + b"\n\n")
                after = page["entries"][-1]["seq"]
            async with self._grown, asyncio.timeout(60):
                while len(self.entries) <= after + 1:
                    await self._grown.wait()

    def _after(self, after: int) -> dict[str, Any]:
        newer = [entry for entry in self.entries if entry["seq"] > after]
        size = len(self.entries)
        return {"entries": newer[:200], "size": size, "root": f"{size:02x}" * 32}


def _admit(request: web.Request) -> None:
    if request.headers.get("Authorization") != f"Bearer {TOKEN}":
        raise web.HTTPUnauthorized
    if request.query["tenant"] != "demo":
        raise web.HTTPBadRequest
