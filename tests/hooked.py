"""Somebody who listens to webhooks and keeps what is told."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web


@dataclass(frozen=True)
class Heard:
    """One call, as it came."""

    url: str
    headers: Mapping[str, str]
    body: bytes


@dataclass
class Ear:
    """Listens at `url`."""

    url: str = ""
    heard: list[Heard] = field(default_factory=list)

    async def take(self, request: web.Request) -> web.Response:
        body = await request.read()
        self.heard.append(Heard(str(request.url), dict(request.headers), body))
        return web.Response()


@asynccontextmanager
async def listening() -> AsyncIterator[Ear]:
    """Listen on loopback for as long as the block lasts."""
    ear = Ear()
    app = web.Application()
    app.router.add_post("/{path:.*}", ear.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    ear.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hooks"
    try:
        yield ear
    finally:
        await runner.cleanup()
