"""
The stand-in for HubSpot's CRM.

Sources: HubSpot CRM API v3 (objects, search, properties, pipelines, owners) and v4
(associations); "API usage guidelines and limits"; "Working with OAuth".
"""

from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

from connectors.sandbox import oauth, page
from connectors.sandbox.faults import Fault
from connectors.sandbox.http import answer
from connectors.sandbox.hubspot.hooks import Hooks
from connectors.sandbox.hubspot.links import Links
from connectors.sandbox.hubspot.objects import Objects
from connectors.sandbox.hubspot.refusals import Refusal, not_found, unauthorized
from connectors.sandbox.hubspot.search import Search
from connectors.sandbox.hubspot.seed import (
    CLIENT_ID,
    CLIENT_SECRET,
    PORTAL,
    seeded,
    users,
)
from connectors.sandbox.hubspot.state import Portal
from connectors.sandbox.posting import Poster
from connectors.sandbox.stand_in import StandIn
from connectors.sandbox.tokens import Grant
from connectors.sandbox.users import User

_SECONDS = 1800.0  # that an access token holds
_WINDOW = 10.0  # seconds in which calls are counted
_APP = 71_234

_ONE_OF = {
    "contacts": "Contact",
    "companies": "Company",
    "deals": "Deal",
    "tickets": "Ticket",
}
_TITLES = ("dealname", "subject", "name", "firstname", "lastname", "email")

Call = Callable[[web.Request, User], Awaitable[web.Response]]


class HubSpot(StandIn):
    """A portal with its contacts, companies, deals and tickets."""

    name = "hubspot"
    shown = "HubSpot"

    def __init__(self, token_life: float | None = _SECONDS) -> None:
        self.portal = Portal(PORTAL, lambda: 0.0)
        super().__init__(token_life)
        self.poster = Poster(self.faults)
        self.told = Hooks(self.portal, self.poster, CLIENT_SECRET, _APP, self._urls)
        self._objects = Objects(self.portal, self.told)
        self._search = Search(self.portal, self._objects)
        self._links = Links(self.portal, self._objects)

    def seed(self) -> None:
        self.portal.become(seeded(self.clock.now))
        self.users = users()
        self.clients = {CLIENT_ID: CLIENT_SECRET, "atom": "atom-secret"}
        self._calls: deque[float] = deque()
        self._searches: deque[float] = deque()
        self._today = 0

    def hook(self, url: str) -> None:
        """Tell an address of everything from now on."""
        self.hooks["*"] = url

    def _urls(self) -> Mapping[str, str]:
        return self.hooks

    def state(self) -> Any:
        return {
            kind: {id_: each.values for id_, each in things.items()}
            for kind, things in self.portal.things.items()
        }

    def refusal(self, status: int) -> web.Response:
        if status == 401:  # noqa: PLR2004 - the HTTP status
            return unauthorized()
        if status == 404:  # noqa: PLR2004 - likewise
            return not_found().answer()
        return Refusal(status, "INTERNAL_ERROR", "internal error").answer()

    def rate_limited(self, fault: Fault) -> web.Response:
        return self._limited("TEN_SECONDLY_ROLLING", fault.number)

    async def emit(self, wish: Mapping[str, Any]) -> Any:
        """Tell of an object: {"kind": KIND, "id": ID, "what": …, "name": PROPERTY}."""
        thing = self.portal.things[str(wish["kind"])][str(wish["id"])]
        user, name = self.users["bob"], str(wish.get("name", ""))
        what = str(wish.get("what", "propertyChange"))
        self.told.tell(thing, what, user, name, thing.values.get(name))
        return [thing.id]

    def before(self, request: web.Request) -> web.StreamResponse | None:
        """Searches have a limit by the second, everything else one by ten."""
        now, path = self.clock.now(), self.path(request)
        if not path.startswith("/crm/"):
            return None
        if path.endswith("/search"):
            if _over(self._searches, now, 1.0, self.portal.searches):
                return self._limited("SECONDLY", 1.0)
            return None
        self._today += 1
        if self._today > self.portal.daily:
            return self._limited("DAILY", 3600.0)
        if _over(self._calls, now, _WINDOW, self.portal.burst):
            return self._limited("TEN_SECONDLY_ROLLING", _WINDOW)
        return None

    def after(self, request: web.Request, given: web.StreamResponse) -> None:
        """Searches say nothing of quotas."""
        if self.path(request).endswith("/search"):
            return
        left = max(0, self.portal.burst - len(self._calls))
        given.headers.update(
            {
                "X-HubSpot-RateLimit-Daily": str(self.portal.daily),
                "X-HubSpot-RateLimit-Daily-Remaining": str(
                    max(0, self.portal.daily - self._today)
                ),
                "X-HubSpot-RateLimit-Interval-Milliseconds": "10000",
                "X-HubSpot-RateLimit-Max": str(self.portal.burst),
                "X-HubSpot-RateLimit-Remaining": str(left),
                "X-HubSpot-Correlation-Id": f"corr-{self._today}",
            }
        )

    def routes(self) -> list[web.RouteDef]:
        login = oauth.Login(
            "/oauth/authorize", "/oauth/v1/token", "/oauth/v1/revoke", _reply
        )
        newer = oauth.Login(
            "/oauth/authorize", "/oauth/v3/token", "/oauth/v3/token/revoke", _reply
        )
        one = "/crm/v3/objects/{kind}"
        four = "/crm/v4/objects/{kind}/{id}/associations"
        objects, links = self._objects, self._links
        calls: list[tuple[str, str, Call]] = [
            ("POST", f"{one}/search", self._search.search),
            ("POST", f"{one}/batch/read", objects.batch_read),
            ("POST", f"{one}/batch/create", objects.batch_create),
            ("POST", f"{one}/batch/update", objects.batch_update),
            ("GET", one, objects.listed),
            ("POST", one, objects.create),
            ("GET", f"{one}/{{id}}", objects.read),
            ("PATCH", f"{one}/{{id}}", objects.change),
            ("DELETE", f"{one}/{{id}}", objects.archive),
            ("GET", f"{four}/{{to}}", links.listed),
            ("PUT", f"{four}/default/{{to}}/{{other}}", links.link),
            ("POST", "/crm/v4/associations/{kind}/{to}/batch/read", links.batch),
            ("GET", "/crm/v3/properties/{kind}", links.properties),
            ("GET", "/crm/v3/pipelines/{kind}", links.pipelines),
            ("GET", "/crm/v3/owners", links.owners),
            ("GET", "/crm/v3/owners/", links.owners),
            ("GET", "/crm/v3/owners/{owner}", links.owner),
            ("GET", "/oauth/v1/access-tokens/{token}", self._whose),
        ]
        return [
            *(web.route(m, path, self._guarded(call)) for m, path, call in calls),
            *oauth.routes(self, login),
            *(each for each in oauth.routes(self, newer) if "/v3/" in each.path),
            web.post("/oauth/v3/token/introspect", self._introspected),
            web.get("/contacts/{portal}/record/{type}/{id}", self._page),
        ]

    async def _page(self, request: web.Request) -> web.StreamResponse:
        id_ = request.match_info["id"]
        for kind, things in self.portal.things.items():
            thing = things.get(id_)
            if thing is None or thing.archived or id_ in self.portal.private:
                continue
            told = [thing.values.get(name) for name in _TITLES]
            title = " ".join([each for each in told if each][:2])
            return page.of(self.shown, _ONE_OF.get(kind, kind), title or id_)
        return page.of(self.shown, "", "")

    def _guarded(
        self, call: Call
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handler(request: web.Request) -> web.StreamResponse:
            user = self.user(request)
            if user is None:
                return unauthorized()
            try:
                return await call(request, user)
            except Refusal as refusal:
                return refusal.answer()

        return handler

    async def _whose(self, request: web.Request, user: User) -> web.Response:
        name = self.tokens.user_of(request.match_info["token"])
        if name is None or name != user.name:
            raise not_found()
        told = {"user": user.mail, "user_id": int(user.id), "hub_id": PORTAL}
        return answer({**told, "app_id": _APP, "token_type": "access"})

    async def _introspected(self, request: web.Request) -> web.StreamResponse:
        form = await request.post()
        name = self.tokens.user_of(str(form.get("token", "")))
        secret = self.clients.get(str(form.get("client_id", "")))
        if name is None or not secret or secret != form.get("client_secret"):
            return Refusal(400, "VALIDATION_ERROR", "Token is invalid").answer()
        user = self.users[name]
        told = {"active": True, "user": user.mail, "user_id": int(user.id)}
        return answer({**told, "hub_id": PORTAL, "app_id": _APP})

    def _limited(self, policy: str, seconds: float) -> web.Response:
        words = policy.casefold()
        told = Refusal(429, "RATE_LIMITS", f"You have reached your {words} limit.")
        told.told |= {"errorType": "RATE_LIMIT", "policyName": policy}
        if policy == "TEN_SECONDLY_ROLLING":
            # No Retry-After there: the interval says it.
            millis = str(int(seconds * 1000))
            return told.answer({"X-HubSpot-RateLimit-Interval-Milliseconds": millis})
        return told.answer({"Retry-After": str(int(seconds))})


def _reply(_: web.Request, grant: Grant) -> dict[str, Any]:
    return {
        "access_token": grant.access,
        "refresh_token": grant.refresh,
        "expires_in": int(_SECONDS),
        "token_type": "bearer",
    }


def _over(calls: deque[float], now: float, window: float, most: int) -> bool:
    while calls and calls[0] <= now - window:
        calls.popleft()
    if len(calls) >= most:
        return True
    calls.append(now)
    return False
