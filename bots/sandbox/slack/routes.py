"""Where the local Slack listens."""

import html
import json
from collections.abc import AsyncIterator, Mapping
from urllib.parse import urlencode

from aiohttp import web

from bots.sandbox.faults import Fault
from bots.sandbox.http import json_object, under_fault
from bots.sandbox.slack import files, grid_seed, seed
from bots.sandbox.slack.acts import Acts
from bots.sandbox.slack.api import WebApi, bearer
from bots.sandbox.slack.audit import AuditApi
from bots.sandbox.slack.delivery import Delivery
from bots.sandbox.slack.errors import SlackRefusal
from bots.sandbox.slack.interact import Interactions
from bots.sandbox.slack.model import File
from bots.sandbox.slack.outbound import Outbound
from bots.sandbox.slack.scim import Scim
from bots.sandbox.slack.sockets import Sockets
from bots.sandbox.slack.tickets import NoSuchTicket, TicketExpired, TicketUsed
from bots.sandbox.world import World


def add_routes(app: web.Application, world: World) -> None:
    """Put Slack's addresses on the server."""
    outbound = Outbound(world.settings, world.journal)
    sockets = Sockets(world.settings, world.journal)
    delivery = Delivery(world, outbound, sockets)
    interactions = Interactions(world, outbound, sockets)
    doors = _Doors(
        world, Acts(world, interactions, delivery, sockets), interactions, sockets
    )
    api = WebApi(world)
    app.router.add_routes(
        [
            web.get("/slack/api/{method}", api.serve),
            web.post("/slack/api/{method}", api.serve),
            web.post("/slack/upload/{ticket}", doors.upload),
            web.put("/slack/upload/{ticket}", doors.upload),
            web.get("/slack/files/files-pri/{file}/{name:.+}", doors.download),
            web.get("/slack/avatars/{user}.svg", doors.avatar),
            web.get("/slack/oauth/authorize", doors.authorize),
            web.get("/slack/socket", doors.socket),
            web.post("/slack/hook/{ticket}", doors.hook),
            web.post("/sandbox/slack/act", doors.act),
            *Scim(world).routes(),
            *AuditApi(world).routes(),
        ]
    )

    async def running(_app: web.Application) -> AsyncIterator[None]:
        yield
        await outbound.close()

    async def hang_up(_app: web.Application) -> None:
        await sockets.close()

    app.cleanup_ctx.append(running)
    app.on_shutdown.append(hang_up)


class _Doors:
    """Everything beside the Web API."""

    def __init__(
        self,
        world: World,
        acts: Acts,
        interactions: Interactions,
        sockets: Sockets,
    ) -> None:
        self._world = world
        self._acts = acts
        self._interactions = interactions
        self._sockets = sockets

    async def act(self, request: web.Request) -> web.Response:
        wish = await json_object(request)
        try:
            return web.json_response(await self._acts.perform(wish))
        except SlackRefusal as refusal:
            answer = {"ok": False, "error": refusal.code, **refusal.more}
            return web.json_response(answer, status=400)

    async def upload(self, request: web.Request) -> web.StreamResponse:
        content = await _uploaded(request)
        fault = self._world.faults.take("slack.upload", {})

        async def effect() -> web.StreamResponse:
            response = self._keep(request.match_info["ticket"], content)
            self._world.journal.note(
                "slack", "in", "upload", response.status, {"length": len(content)}, None
            )
            return response

        return await under_fault(request, fault, effect, _plain_fault)

    async def download(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["file"]
        fault = self._world.faults.take("slack.download", {"file": name})

        async def effect() -> web.StreamResponse:
            return self._bytes_of(name.partition("-")[2], bearer(request))

        answer = await under_fault(request, fault, effect, _plain_fault)
        kind = fault.kind if fault else None
        self._world.journal.note(
            "slack", "in", "download", answer.status, {"file": name}, None, kind
        )
        return answer

    async def avatar(self, request: web.Request) -> web.Response:
        user = self._world.slack.users.get(request.match_info["user"])
        if user is None:
            raise web.HTTPNotFound
        initials = "".join(word[0] for word in user.real_name.split()[:2])
        return web.Response(
            text=_AVATAR.format(
                hue=sum(user.id.encode()) % 360, initials=html.escape(initials)
            ),
            content_type="image/svg+xml",
        )

    async def authorize(self, request: web.Request) -> web.Response:
        """Ask which workspace to install in; with `team` and `allow=1`, do it."""
        asked = request.query
        if asked.get("client_id") != seed.CLIENT_ID:
            return web.Response(status=400, text="unknown client_id")
        redirect = asked.get("redirect_uri", "")
        if asked.get("deny") == "1" and redirect:
            raise web.HTTPFound(_to(redirect, asked, error="access_denied"))
        if asked.get("allow") != "1" or asked.get("team") not in self._workspaces():
            return self._ask(request)
        grant = {
            "team": asked["team"],
            "user": asked.get("user", "U01ALICE"),
            "scope": asked.get("scope", ""),
            "redirect_uri": redirect,
        }
        seconds = self._world.settings.get("slack.code_seconds")
        code = self._world.slack.tickets.issue("code", grant, seconds=seconds)
        if not redirect:
            return web.json_response({"code": code, "state": asked.get("state", "")})
        raise web.HTTPFound(_to(redirect, asked, code=code))

    async def socket(self, request: web.Request) -> web.StreamResponse:
        ticket = request.query.get("ticket", "")
        try:
            self._world.slack.tickets.redeem("socket", ticket)
        except (NoSuchTicket, TicketExpired, TicketUsed):
            return web.Response(status=403, text="invalid ticket")
        return await self._sockets.serve(request)

    async def hook(self, request: web.Request) -> web.StreamResponse:
        """A response_url."""
        answer = await json_object(request)
        fault = self._world.faults.take("slack.hook", {})

        async def effect() -> web.StreamResponse:
            response = self._answer_later(request.match_info["ticket"], answer)
            self._world.journal.note(
                "slack", "in", "hook", response.status, answer, response.text
            )
            return response

        return await under_fault(request, fault, effect, _plain_fault)

    def _answer_later(self, ticket: str, answer: dict[str, object]) -> web.Response:
        try:
            self._interactions.answer_later(ticket, answer)
        except SlackRefusal as refusal:
            shown = {"ok": False, "error": refusal.code, **refusal.more}
            return web.json_response(shown, status=404)
        return web.Response(text="ok")

    def _keep(self, ticket: str, content: bytes) -> web.Response:
        try:
            file_id = self._world.slack.tickets.redeem("upload", ticket)
        except (NoSuchTicket, TicketExpired, TicketUsed):
            return web.Response(status=404, text="no such upload")
        file = self._world.slack.files[file_id]
        if len(content) != file.length:
            return web.Response(status=400, text="length does not match")
        file.content = content
        return web.Response(text=f"OK - {len(content)}")

    def _bytes_of(self, file_id: str, token: str) -> web.Response:
        """The bytes, or a login page with status 200, as Slack has it."""
        file = self._world.slack.files.get(file_id)
        if file is None or file.deleted:
            return web.Response(status=404, text="not found")
        if not self._may_read(file, token) or file.content is None:
            return web.Response(text=files.LOGIN_PAGE, content_type="text/html")
        return web.Response(body=file.content, content_type=file.mimetype)

    def _may_read(self, file: File, token: str) -> bool:
        state = self._world.slack
        me = state.by_token(token)
        if me is None or not me.active or me.team != file.team:
            return False
        if "files:read" not in state.setting("scopes"):
            return False
        ready = state.now() - file.created >= state.setting("file_ready_delay")
        return ready and files.visible(state, me, file)

    def _workspaces(self) -> set[str]:
        grid = self._world.slack.grid
        own = {
            team
            for team, one in self._world.slack.installations.items()
            if not one.enterprise
        }
        return own | ({grid_seed.ORG} if grid.on else set())

    def _ask(self, request: web.Request) -> web.Response:
        items = []
        for team in sorted(self._workspaces()):
            query = urlencode({**request.query, "team": team, "allow": "1"})
            name = grid_seed.ORG_NAME
            if team != grid_seed.ORG:
                name = self._world.slack.workspace(team).name
            where = html.escape(f"{request.path}?{query}")
            items.append(f'<li><a href="{where}">Allow in {html.escape(name)}</a></li>')
        page = _CONSENT.format(name=seed.APP_NAME, items="".join(items))
        return web.Response(text=page, content_type="text/html")


_AVATAR = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 48 48">'
    '<rect width="48" height="48" rx="8" fill="hsl({hue} 55% 40%)"/>'
    '<text x="24" y="31" font-family="sans-serif" font-size="19" fill="#fff" '
    'text-anchor="middle">{initials}</text></svg>'
)
_CONSENT = (
    '<!DOCTYPE html><html lang="en"><head><title>Install {name}</title></head>'
    "<body><h1>{name} asks for access</h1><ul>{items}</ul></body></html>"
)


async def _uploaded(request: web.Request) -> bytes:
    """The file's bytes: a raw body, or the first file of a multipart form."""
    if request.content_type != "multipart/form-data":
        return await request.read()
    form = await request.post()
    for value in form.values():
        if isinstance(value, web.FileField):
            return value.file.read()
    return b""


def _to(redirect: str, asked: Mapping[str, str], **answer: str) -> str:
    """The address to send the browser back to."""
    joint = "&" if "?" in redirect else "?"
    return redirect + joint + urlencode({**answer, "state": asked.get("state", "")})


def _plain_fault(fault: Fault) -> web.StreamResponse:
    headers = {"Retry-After": str(fault.retry_after)} if fault.status == 429 else {}  # noqa: PLR2004
    text = json.dumps({"ok": False, "error": fault.error})
    return web.Response(status=fault.status or 500, text=text, headers=headers)
