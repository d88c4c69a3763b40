"""
What ATOM is measured beside: the same door with nothing behind it.

    python -m tests.load.bare slack-bolt|aiohttp PORT

Both check Slack's signature and answer 200; neither keeps anything.
"""

import hashlib
import hmac
import sys
import time
from typing import Any

import orjson
import uvloop
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult

from tests.load.traffic import SECRET, WORKSPACE

_FRESH = 300


async def slack_bolt() -> web.Application:
    """Serve a Bolt app with one listener, authorised without a look-up."""

    async def authorize(**_given: Any) -> AuthorizeResult:
        return AuthorizeResult(
            enterprise_id=None,
            team_id=WORKSPACE,
            bot_user_id="UATOM",
            bot_id="BATOM",
            bot_token="xoxb-sandbox",
        )

    bolt = AsyncApp(name="bare", signing_secret=SECRET, authorize=authorize)

    async def on_message(event: dict[str, Any]) -> None:
        assert event["ts"]

    bolt.event("message")(on_message)

    async def handle(request: web.Request) -> web.Response:
        opened = await to_bolt_request(request)
        return await to_aiohttp_response(await bolt.async_dispatch(opened))

    return _app(handle)


async def aiohttp() -> web.Application:
    """Serve what no server can do without: the signature, and a look at the JSON."""
    secret = SECRET.encode()

    async def handle(request: web.Request) -> web.Response:
        body = await request.read()
        sent = request.headers.get("X-Slack-Request-Timestamp", "0")
        base = b"v0:%s:%s" % (sent.encode(), body)
        own = "v0=" + hmac.digest(secret, base, hashlib.sha256).hex()
        given = request.headers.get("X-Slack-Signature", "")
        fresh = abs(time.time() - int(sent)) < _FRESH
        if not (fresh and hmac.compare_digest(own, given)):
            return web.Response(status=401)
        assert orjson.loads(body)["event"]["ts"]
        return web.Response()

    return _app(handle)


def _app(handle: Any) -> web.Application:
    async def ready(_request: web.Request) -> web.Response:
        return web.Response()

    app = web.Application()
    app.add_routes([web.post("/slack/events", handle), web.get("/readyz", ready)])
    return app


SERVERS = {"slack-bolt": slack_bolt, "aiohttp": aiohttp}


def main() -> None:
    uvloop.install()
    made, port = SERVERS[sys.argv[1]](), int(sys.argv[2])
    web.run_app(made, host="127.0.0.1", port=port, access_log=None, print=None)


if __name__ == "__main__":
    main()
