"""The sandbox's server: a local Slack, a local Teams and the page, on one port."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from email.utils import formatdate
from typing import Any

from aiohttp import web

from bots.sandbox import company_routes, members
from bots.sandbox.http import json_object
from bots.sandbox.page import routes as page
from bots.sandbox.slack import routes as slack
from bots.sandbox.teams import routes as teams
from bots.sandbox.world import World

WORLD = web.AppKey("world", World)

_BODY_LIMIT = 64 * 1024 * 1024
_KEEP_ALIVE = 15.0  # seconds between comments on a quiet event stream

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def create_app(world: World | None = None) -> web.Application:
    """Build the sandbox around a world, by default a freshly seeded one."""
    world = World() if world is None else world
    app = web.Application(
        client_max_size=_BODY_LIMIT, middlewares=[_remember_base, _date]
    )
    app[WORLD] = world
    app.cleanup_ctx.append(_background)
    app.on_shutdown.append(_end_streams)
    app.router.add_routes(
        [
            web.get("/sandbox/state", _state),
            web.post("/sandbox/reset", _reset),
            web.get("/sandbox/settings", _settings),
            web.post("/sandbox/settings", _set),
            web.get("/sandbox/faults", _faults),
            web.post("/sandbox/faults", _add_fault),
            web.delete("/sandbox/faults", _clear_faults),
            web.delete("/sandbox/faults/{number:[0-9]{1,9}}", _lift_fault),
            web.get("/sandbox/journal", _journal),
            web.get("/sandbox/changes", _changes),
        ]
    )
    slack.add_routes(app, world)
    teams.add_routes(app, world)
    members.add_routes(app, world)
    company_routes.add_routes(app, world)
    page.add_routes(app, world)
    return app


@web.middleware
async def _remember_base(request: web.Request, handler: Handler) -> web.StreamResponse:
    request.app[WORLD].base_url = str(request.url.origin())
    return await handler(request)


@web.middleware
async def _date(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let each platform's answers bear the time that its own clock has."""
    answer = await handler(request)
    world, path = request.app[WORLD], request.path
    if not answer.prepared and path.startswith(("/slack/", "/teams/")):
        platform = world.slack if path.startswith("/slack/") else world.teams
        answer.headers["Date"] = formatdate(platform.now(), usegmt=True)
    return answer


async def _background(app: web.Application) -> AsyncIterator[None]:
    yield
    await app[WORLD].tasks.close()


async def _state(request: web.Request) -> web.Response:
    world = request.app[WORLD]
    return web.json_response(
        {"slack": world.slack.as_json(), "teams": world.teams.as_json()}
    )


async def _reset(request: web.Request) -> web.Response:
    request.app[WORLD].reset()
    return _ok()


async def _settings(request: web.Request) -> web.Response:
    return web.json_response(request.app[WORLD].settings.as_json())


async def _set(request: web.Request) -> web.Response:
    values = await json_object(request)
    try:
        request.app[WORLD].settings.update(values)
    except ValueError as error:
        return _refused(error)
    return _ok()


async def _faults(request: web.Request) -> web.Response:
    return web.json_response(request.app[WORLD].faults.listing())


async def _add_fault(request: web.Request) -> web.Response:
    rule = await json_object(request)
    try:
        number = request.app[WORLD].faults.add(rule)
    except ValueError as error:
        return _refused(error)
    _tell_of_faults(request)
    return web.json_response({"id": number})


async def _lift_fault(request: web.Request) -> web.Response:
    if not request.app[WORLD].faults.lift(int(request.match_info["number"])):
        return _refused(ValueError("there is no such fault"))
    _tell_of_faults(request)
    return _ok()


async def _clear_faults(request: web.Request) -> web.Response:
    request.app[WORLD].faults.clear()
    _tell_of_faults(request)
    return _ok()


def _tell_of_faults(request: web.Request) -> None:
    request.app[WORLD].changes.publish({"side": "all", "kind": "faults"})


async def _journal(request: web.Request) -> web.Response:
    after = request.query.get("after", "0")
    if not after.isdecimal():
        return _refused(ValueError("'after' takes a number"))
    return web.json_response(request.app[WORLD].journal.since(int(after)))


async def _changes(request: web.Request) -> web.StreamResponse:
    stream = web.StreamResponse(
        headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
    )
    # A watcher that closes its window is gone; that is no error.
    with (
        suppress(ConnectionResetError),
        request.app[WORLD].changes.subscribe() as changes,
    ):
        await stream.prepare(request)
        await stream.write(b": open\n\n")
        while line := await _next_line(changes):
            await stream.write(line)
    return stream


async def _end_streams(app: web.Application) -> None:
    """Let nobody watch a world that ends."""
    app[WORLD].changes.publish(None)


async def _next_line(changes: "asyncio.Queue[Any]") -> bytes:
    try:
        async with asyncio.timeout(_KEEP_ALIVE):
            change = await changes.get()
    except TimeoutError:
        return b": still here\n\n"
    return f"data: {json.dumps(change)}\n\n".encode() if change else b""


def _ok() -> web.Response:
    return web.json_response({"ok": True})


def _refused(error: ValueError) -> web.Response:
    return web.json_response({"ok": False, "error": str(error)}, status=400)
