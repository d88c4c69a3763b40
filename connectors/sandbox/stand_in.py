"""What all stand-ins have in common: users, faults, a journal, a clock, control routes."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

from connectors.sandbox.clock import Clock
from connectors.sandbox.faults import Fault, Faults
from connectors.sandbox.http import PAGE, answer, body_of, cut, truncated
from connectors.sandbox.journal import Journal
from connectors.sandbox.tokens import Tokens
from connectors.sandbox.users import User

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class StandIn:
    """
    One business system. Subclasses give their routes, their seed and their refusals.

    `build` makes its aiohttp app, which can serve alone or below a prefix. Control
    routes beside the system's own: POST `/__fault`, `/__emit`, `/__reset`, `/__token`
    (`{"user"}`), `/__clock` (`{"move"|"stop"|"run"}`), GET `/__journal`, `/__state`.
    """

    name = "stand-in"
    shown = "Stand-in"
    rotating = False

    def __init__(self, token_life: float | None = None) -> None:
        self.clock = Clock()
        self.faults = Faults()
        self.journal = Journal()
        self.tokens = Tokens(self.clock, token_life, rotating=self.rotating)
        self.users: dict[str, User] = {}
        self.clients: dict[str, str] = {"atom": "atom-secret"}  # id -> secret
        self.hooks: dict[str, str] = {}  # what to tell, by topic -> URL
        self.reset()

    # What a system has of its own.

    def routes(self) -> list[web.RouteDef]:
        """Return the system's routes, OAuth included (`connectors.sandbox.oauth`)."""
        return []

    def seed(self) -> None:
        """Fill `users` and the system's own store; called again on every reset."""

    def state(self) -> Any:
        """Return what the store holds, as JSON, for tests and the demo's page."""
        return {}

    def refusal(self, status: int) -> web.Response:
        """Return the system's own answer for a status that a fault orders."""
        return answer({"error": f"status {status}"}, status)

    def error(self, code: str) -> web.Response:
        """Return the system's own answer with one of its error codes."""
        return answer({"error": code}, 400)

    def rate_limited(self, fault: Fault) -> web.Response:
        """Return the system's own answer when a quota is used up."""
        headers = {"Retry-After": str(int(fault.number))}
        return answer({"error": "rate limited"}, 429, headers)

    async def emit(self, wish: Mapping[str, Any]) -> Any:  # noqa: ARG002
        """Tell of something as the real system would. Raises ValueError."""
        raise ValueError(f"{self.name} tells nothing")

    def before(self, request: web.Request) -> web.StreamResponse | None:  # noqa: ARG002
        """Look at every call first, as at quotas; an answer ends it."""
        return None

    def after(self, request: web.Request, given: web.StreamResponse) -> None:
        """Add what every answer has, as headers on quotas."""

    # What all have.

    def reset(self) -> None:
        """Go back to the seed."""
        self.faults.clear()
        self.journal.clear()
        self.tokens.clear()
        self.clock.reset()
        self.users = {}
        self.hooks = {}
        self.seed()

    def build(self) -> web.Application:
        app = web.Application(
            client_max_size=64 * 1024 * 1024, middlewares=[self._around]
        )
        app.router.add_routes(
            [
                web.post("/__fault", self._fault),
                web.post("/__emit", self._emit),
                web.post("/__reset", self._reset),
                web.post("/__token", self._token),
                web.post("/__clock", self._clock),
                web.get("/__journal", self._journal),
                web.get("/__state", self._state),
                *self.routes(),
            ]
        )
        return app

    def path(self, request: web.Request) -> str:
        """Return a call's path without the prefix that the stand-in is mounted under."""
        return request.path.removeprefix(request.app.get(PREFIX, "")) or "/"

    def base(self, request: web.Request) -> str:
        """Return the address at which the stand-in was asked, prefix included."""
        return f"{request.url.origin()}{request.app.get(PREFIX, '')}"

    def bearer(self, request: web.Request) -> str:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        return token if scheme.lower() in {"bearer", "oauth"} else ""

    def user(self, request: web.Request) -> User | None:
        """Return who asks, None without a token that holds."""
        name = self.tokens.user_of(self.bearer(request))
        return self.users.get(name) if name else None

    @web.middleware
    async def _around(
        self, request: web.Request, handler: Handler
    ) -> web.StreamResponse:
        path = self.path(request)
        if path.startswith("/__"):
            return await handler(request)
        call = f"{request.method} {path}"
        who = self.tokens.user_of(self.bearer(request)) or ""
        fault = self.faults.take(call, who, await _text(request))
        status = 0
        try:
            given = await self._under(fault, request, handler)
            status = given.status
        except web.HTTPException as error:
            status = error.status
            raise
        finally:
            self.journal.note(
                method=request.method,
                path=path,
                query=dict(request.query),
                headers={name.lower(): text for name, text in request.headers.items()},
                body=await _text(request),
                user=who,
                status=0 if fault and fault.kind.startswith("drop") else status,
                fault=fault.kind if fault else "",
            )
        return given

    async def _under(
        self, fault: Fault | None, request: web.Request, handler: Handler
    ) -> web.StreamResponse:
        await request.read()
        if fault is None:
            return await self._effect(request, handler)
        if fault.kind == "delay":
            await asyncio.sleep(fault.number)
        if fault.kind == "expire_token":
            self.tokens.expire(self.bearer(request))
        instead = self._instead(fault, request)
        if instead is not None:
            return instead
        given = await self._effect(request, handler)
        if fault.kind == "status_after_effect":
            return self.refusal(int(fault.number))
        if fault.kind == "delay_after_effect":
            await asyncio.sleep(fault.number)
        if fault.kind == "drop_after_effect":
            return cut(request)
        if fault.kind == "truncate" and isinstance(given, web.Response):
            return await truncated(request, given)
        return given

    async def _effect(
        self, request: web.Request, handler: Handler
    ) -> web.StreamResponse:
        given = self.before(request)
        if given is None:
            given = await handler(request)
            self.after(request, given)
        return given

    def _instead(self, fault: Fault, request: web.Request) -> web.Response | None:
        """Return what is answered in place of any effect."""
        match fault.kind:
            case "status":
                return self.refusal(int(fault.number))
            case "error":
                return self.error(str(fault.arg))
            case "ratelimit":
                return self.rate_limited(fault)
            case "412":
                return self.refusal(412)
            case "drop":
                return cut(request)
            case "html":
                return web.Response(text=PAGE, content_type="text/html")
        return None

    async def _fault(self, request: web.Request) -> web.Response:
        try:
            self.faults.order(await body_of(request))
        except ValueError as error:
            return answer({"error": str(error)}, 400)
        return answer({"ok": True})

    async def _emit(self, request: web.Request) -> web.Response:
        try:
            return answer({"told": await self.emit(await body_of(request))})
        except (ValueError, KeyError) as error:
            return answer({"error": str(error)}, 400)

    async def _reset(self, _request: web.Request) -> web.Response:
        self.reset()
        return answer({"ok": True})

    async def _token(self, request: web.Request) -> web.Response:
        user = str((await body_of(request)).get("user", ""))
        if user not in self.users:
            return answer({"error": f"no user {user!r}"}, 400)
        grant = self.tokens.issue(user)
        return answer({"access_token": grant.access, "refresh_token": grant.refresh})

    async def _clock(self, request: web.Request) -> web.Response:
        wish = await body_of(request)
        if "move" in wish:
            self.clock.move(float(wish["move"]))
        if wish.get("stop"):
            self.clock.stop()
        if wish.get("run"):
            self.clock.run()
        return answer({"now": self.clock.now()})

    async def _journal(self, request: web.Request) -> web.Response:
        after = request.query.get("after", "0")
        return answer(self.journal.as_json(int(after) if after.isdecimal() else 0))

    async def _state(self, _request: web.Request) -> web.Response:
        return web.json_response(
            self.state(), dumps=lambda value: json.dumps(value, default=str)
        )


PREFIX = web.AppKey("prefix", str)


async def _text(request: web.Request) -> str:
    return (await request.read()).decode("utf-8", "replace")
