"""Whether the process lives, whether it can work, and its figures."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from bridge.errors import AtomError


@dataclass(frozen=True, slots=True)
class HealthPages:
    """
    Serves `/healthz`, `/readyz` and `/metrics`.

    `ready` raises what is amiss; `refresh` brings the figures up to date.
    """

    ready: Callable[[], Awaitable[None]]
    refresh: Callable[[], Awaitable[None]]

    def add_routes(self, app: web.Application) -> None:
        app.router.add_get("/healthz", self.healthz)
        app.router.add_get("/readyz", self.readyz)
        app.router.add_get("/metrics", self.metrics)

    async def healthz(self, _request: web.Request) -> web.Response:
        """Answer without touching anything: a dead database is no reason to restart."""
        return web.Response(text="alive\n")

    async def readyz(self, _request: web.Request) -> web.Response:
        try:
            await self.ready()
        except AtomError as error:
            return web.Response(status=503, text=f"not ready: {error}\n")
        return web.Response(text="ready\n")

    async def metrics(self, _request: web.Request) -> web.Response:
        await self.refresh()
        return web.Response(
            body=generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST}
        )
