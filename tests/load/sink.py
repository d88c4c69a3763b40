"""
The platforms that ATOM speaks to while it is measured: quick, and always content.

    python -m tests.load.sink PORT

It answers as Slack's Web API and Teams' connector do, and notes when each marked
message came in. Its clock is the machine's monotonic one, which the load generator
reads as well.
"""

import itertools
import re
import sys
import time
from typing import Any

import orjson
import uvloop
from aiohttp import web

from tests.load.traffic import MARK, WORKSPACE, number_in

_MARKED = re.compile(MARK.encode() + rb"([a-j]{10})")


class Sink:
    """What came in since the last reset: a message's number, and the nanosecond."""

    def __init__(self) -> None:
        self._arrived: dict[int, int] = {}
        self._ids = itertools.count(1_700_000_000_000)

    def routes(self) -> list[web.RouteDef]:
        activities = "/teams/connector/v3/conversations/{conversation}/activities"
        return [
            web.post("/slack/api/{method}", self.slack),
            web.get("/slack/api/{method}", self.slack),
            web.post("/teams/token", self.token),
            web.post(activities, self.post),
            web.put(activities + "/{activity}", self.change),
            web.delete(activities + "/{activity}", self.change),
            web.get("/readyz", self.ready),
            web.get("/bench/arrivals", self.arrivals),
            web.post("/bench/reset", self.reset),
        ]

    async def post(self, request: web.Request) -> web.Response:
        """Take a message in, as Teams does, and note when the call began."""
        await self._note(request)
        return _json({"id": str(next(self._ids))}, 201)

    async def change(self, request: web.Request) -> web.Response:
        await self._note(request)
        return _json({"id": request.match_info["activity"]})

    async def _note(self, request: web.Request) -> None:
        now = time.monotonic_ns()
        if found := _MARKED.search(await request.read()):
            self._arrived.setdefault(number_in(found[1]), now)

    async def token(self, request: web.Request) -> web.Response:
        await request.read()
        token = {"token_type": "Bearer", "expires_in": 3600, "access_token": "sink"}
        return _json(token)

    async def slack(self, request: web.Request) -> web.Response:
        if request.match_info["method"].startswith("conversations."):
            # It keeps no channels: an empty one would say that all was deleted.
            return _json({"ok": False, "error": "service_unavailable"}, 503)
        given = await request.post()
        asked = str(given.get("user") or request.query.get("user", ""))
        ts = f"{next(self._ids) / 1000:.6f}"
        return _json(
            {
                "ok": True,
                "team": "Acme",
                "team_id": WORKSPACE,
                "user_id": "UATOM",
                "bot_id": "BATOM",
                "ts": ts,
                "user": {
                    "id": asked,
                    "team_id": WORKSPACE,
                    "profile": {"display_name": f"Person {asked}"},
                },
            }
        )

    async def arrivals(self, _request: web.Request) -> web.Response:
        return _json([*self._arrived.items()])

    async def ready(self, _request: web.Request) -> web.Response:
        return web.Response()

    async def reset(self, _request: web.Request) -> web.Response:
        self._arrived.clear()
        return _json({})


def _json(value: Any, status: int = 200) -> web.Response:
    return web.Response(
        body=orjson.dumps(value), status=status, content_type="application/json"
    )


async def application() -> web.Application:
    app = web.Application()
    app.add_routes(Sink().routes())
    return app


def main() -> None:
    uvloop.install()
    port = int(sys.argv[1])
    web.run_app(application(), host="127.0.0.1", port=port, access_log=None, print=None)


if __name__ == "__main__":
    main()
