"""Who is in a channel, for whoever writes there: what the page's lists of names need."""

from typing import Any

from aiohttp import web

from bots.sandbox.teams.errors import Refusal
from bots.sandbox.world import World

Members = list[dict[str, Any]]


def add_routes(app: web.Application, world: World) -> None:
    """
    Serve `/sandbox/slack/members?channel=` and `/sandbox/teams/members?channel=`.

    Both answer {"members": [{"id", "name", "avatar", "bot"}]} in the order of their
    names. `avatar` is an address, or empty where there is no picture.
    """

    async def slack(request: web.Request) -> web.Response:
        return _answer(_in_slack(world, request.query.get("channel", "")))

    async def teams(request: web.Request) -> web.Response:
        return _answer(_in_teams(world, request.query.get("channel", "")))

    app.router.add_get("/sandbox/slack/members", slack)
    app.router.add_get("/sandbox/teams/members", teams)


def _in_slack(world: World, named: str) -> Members | None:
    channel = world.slack.channels.get(named)
    if channel is None:
        return None
    people = [world.slack.users[i] for i in channel.members if i in world.slack.users]
    return [
        {
            "id": one.id,
            "name": one.real_name,
            "avatar": f"{world.base_url}/slack/avatars/{one.id}.svg?size=48",
            "bot": one.is_bot,
        }
        for one in people
        if not one.deleted
    ]


def _in_teams(world: World, named: str) -> Members | None:
    try:
        channel = world.teams.channel(named)
    except Refusal:
        return None
    return [
        {"id": one.id, "name": one.name, "avatar": "", "bot": False}
        for one in world.teams.members(channel)
    ]


def _answer(members: Members | None) -> web.Response:
    if members is None:
        wrong = {"ok": False, "error": "there is no such channel"}
        return web.json_response(wrong, status=404)
    ordered = sorted(members, key=lambda one: str(one["name"]).casefold())
    return web.json_response({"members": ordered})
