"""How the page sees the company's people and groups, and changes them."""

from aiohttp import web

from bots.sandbox.http import json_object
from bots.sandbox.world import World


def add_routes(app: web.Application, world: World) -> None:
    """
    Serve `/sandbox/company`: GET tells people and groups, POST changes one thing.

    POST takes {"person", "group", "in"} or {"person", "disabled"}. Unless somebody gave
    the sandbox a company it tells null, and nothing can be changed (404).
    """

    async def show(_request: web.Request) -> web.Response:
        told = world.company.as_json() if world.company else None
        return web.json_response(told, headers={"Cache-Control": "no-store"})

    async def change(request: web.Request) -> web.Response:
        if world.company is None:
            return _refused("there is no company here", web.HTTPNotFound.status_code)
        wanted = await json_object(request)
        try:
            world.company.change(wanted)
        except ValueError as error:
            return _refused(str(error), web.HTTPBadRequest.status_code)
        world.changes.publish({"side": "all", "kind": "company"})
        return web.json_response({"ok": True})

    app.router.add_get("/sandbox/company", show)
    app.router.add_post("/sandbox/company", change)


def _refused(reason: str, status: int) -> web.Response:
    return web.json_response({"ok": False, "error": reason}, status=status)
