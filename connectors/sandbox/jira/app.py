"""
The stand-in for Jira Cloud: one site, also by way of Atlassian's API gateway.

Sources: Jira Cloud platform REST API v3; "OAuth 2.0 (3LO) apps"; "Rate limiting".
"""

import base64
import binascii
import secrets
from collections import defaultdict, deque
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

from connectors.sandbox import oauth, page
from connectors.sandbox.faults import Fault
from connectors.sandbox.http import answer
from connectors.sandbox.jira.hooks import Event, Hooks
from connectors.sandbox.jira.issues import Issues
from connectors.sandbox.jira.meta import Meta
from connectors.sandbox.jira.refusals import NO_ISSUE, Refusal, unauthorized
from connectors.sandbox.jira.search import Search
from connectors.sandbox.jira.seed import CLIENT_ID, CLIENT_SECRET, seeded
from connectors.sandbox.jira.shapes import Shapes
from connectors.sandbox.jira.state import Site, iso
from connectors.sandbox.jira.webhooks import Webhooks
from connectors.sandbox.posting import Poster
from connectors.sandbox.stand_in import StandIn
from connectors.sandbox.tokens import Grant
from connectors.sandbox.users import User

_SECONDS = 3600.0  # that an access token of Atlassian's holds
_WRITE_WINDOW = 2.0  # seconds in which writes to one issue are counted
_SCOPES = ["read:jira-work", "write:jira-work", "read:jira-user", "manage:jira-webhook"]

Call = Callable[[web.Request, Shapes], Awaitable[web.Response]]


class Jira(StandIn):
    """A Jira site with its search, its workflow and its webhooks."""

    name = "jira"
    shown = "Jira"
    rotating = True

    def __init__(self, token_life: float | None = _SECONDS) -> None:
        self.site = Site("", "", lambda: 0.0)
        super().__init__(token_life)
        self.poster = Poster(self.faults)
        self.told = Hooks(self.site, self.poster, {CLIENT_ID: CLIENT_SECRET})
        self._issues = Issues(self.site, self.told)
        self._search = Search(self.site)
        self._meta = Meta(self.site)
        self._webhooks = Webhooks(self.site, CLIENT_ID)

    def seed(self) -> None:
        self.site.become(seeded(self.clock.now, "https://acme.atlassian.net"))
        self.users = {each.name: each for each in self.site.users.values()}
        self.clients = {CLIENT_ID: CLIENT_SECRET, "atom": "atom-secret"}
        self._calls: dict[str, deque[float]] = defaultdict(deque)
        self._writes: dict[str, deque[float]] = defaultdict(deque)

    def state(self) -> Any:
        return {
            "issues": {
                each.key: {
                    **each.values,
                    "updated": iso(each.updated),
                    "comments": [said.properties for said in each.comments],
                    "properties": each.properties,
                }
                for each in self.site.issues.values()
            },
            "webhooks": [each.id for each in self.site.dynamic_hooks],
        }

    def user(self, request: web.Request) -> User | None:
        """Return who asks: by a token of OAuth, or by mail and API token."""
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return super().user(request)
        try:
            mail, _, token = base64.b64decode(given).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        if self.site.basic.get(mail, "") != token or not token:
            return None
        return next((one for one in self.users.values() if one.mail == mail), None)

    def refusal(self, status: int) -> web.Response:
        if status == 401:  # noqa: PLR2004 - the HTTP status
            return unauthorized()
        words = NO_ISSUE if status == 404 else f"Jira said {status}"  # noqa: PLR2004
        return Refusal(status, words).answer()

    def rate_limited(self, fault: Fault) -> web.Response:
        return self._limited("jira-burst-based", fault.number)

    async def emit(self, wish: Mapping[str, Any]) -> Any:
        """Tell of an issue: {"issue": KEY, "event": NAME, "user": NAME}."""
        issue = self.site.found(str(wish["issue"]))
        if issue is None:
            raise ValueError("there is no such issue")
        user = self.users[str(wish.get("user", "alice"))]
        self.told.tell(Event(str(wish.get("event", "jira:issue_updated")), issue, user))
        return [issue.key]

    def before(self, request: web.Request) -> web.StreamResponse | None:
        """Limits on bursts by user, and on writes by issue."""
        self.site.address = self.base(request)
        now = self.clock.now()
        who = request.headers.get("Authorization", "")
        if self.site.burst and _over(self._calls[who], now, 1.0, self.site.burst):
            return self._limited("jira-burst-based", 1.0)
        issue = request.match_info.get("issue", "")
        if issue and request.method in {"PUT", "POST"} and self.site.per_issue:
            found = self.site.found(issue)
            key = found.id if found else issue
            most = self.site.per_issue
            if _over(self._writes[key], now, _WRITE_WINDOW, most):
                return self._limited("jira-per-issue-on-write", _WRITE_WINDOW)
        return None

    def after(self, request: web.Request, given: web.StreamResponse) -> None:  # noqa: ARG002
        """Atlassian's edge names every request, for its support."""
        given.headers["Atl-Traceid"] = secrets.token_hex(16)

    def routes(self) -> list[web.RouteDef]:
        login = oauth.Login("/authorize", "/oauth/token", "/oauth/revoke", _reply)
        calls = [
            *self._issue_calls(),
            *self._other_calls(),
        ]
        found = [
            web.route(method, f"{root}/rest/api/{{version:2|3|latest}}{path}", handler)
            for method, path, call in calls
            for handler in [self._guarded(call)]
            for root in ("", "/ex/jira/{cloud}")
        ]
        by_admin = self._guarded(self._webhooks.by_admin)
        resources = web.get("/oauth/token/accessible-resources", self._resources)
        return [
            *found,
            web.post("/rest/webhooks/1.0/webhook", by_admin),
            resources,
            web.get("/browse/{key}", self._page),
            *oauth.routes(self, login),
        ]

    async def _page(self, request: web.Request) -> web.StreamResponse:
        issue = self.site.found(request.match_info["key"])
        if issue is None or not all(
            self.site.sees(user, issue) for user in self.users.values()
        ):
            return page.of(self.shown, "", "")
        return page.of(self.shown, issue.key, str(issue.values.get("summary") or ""))

    def _issue_calls(self) -> list[tuple[str, str, Call]]:
        one = "/issue/{issue}"
        return [
            ("POST", "/issue", self._issues.create),
            ("POST", "/issue/bulkfetch", self._issues.fetched),
            ("GET", one, self._issues.read),
            ("PUT", one, self._issues.edit),
            ("DELETE", one, self._issues.delete),
            ("PUT", f"{one}/assignee", self._issues.assign),
            ("GET", f"{one}/transitions", self._issues.transitions),
            ("POST", f"{one}/transitions", self._issues.transit),
            ("GET", f"{one}/comment", self._issues.comments),
            ("POST", f"{one}/comment", self._issues.say),
            ("PUT", f"{one}/comment/{{comment}}", self._issues.reword),
            ("DELETE", f"{one}/comment/{{comment}}", self._issues.unsay),
            ("GET", f"{one}/editmeta", self._issues.editmeta),
            ("POST", "/comment/list", self._issues.listed),
        ]

    def _other_calls(self) -> list[tuple[str, str, Call]]:
        types = "/issue/createmeta/{project}/issuetypes"
        return [
            ("GET", "/search", self._search.gone),
            ("POST", "/search", self._search.gone),
            ("GET", "/search/jql", self._search.jql),
            ("POST", "/search/jql", self._search.jql),
            (
                "POST",
                "/search/approximate-count",
                self._search.count,
            ),
            ("GET", "/serverInfo", self._meta.server),
            ("GET", "/myself", self._meta.myself),
            ("GET", "/field", self._meta.fields),
            ("GET", "/project", self._meta.projects),
            ("GET", "/project/search", self._meta.projects),
            ("GET", "/project/{project}", self._meta.project),
            ("GET", "/user/search", self._meta.people),
            ("GET", "/user/assignable/search", self._meta.people),
            ("GET", types, self._meta.types),
            ("GET", f"{types}/{{type}}", self._meta.create_fields),
            ("POST", "/webhook", self._webhooks.register),
            ("GET", "/webhook", self._webhooks.listed),
            ("PUT", "/webhook/refresh", self._webhooks.refresh),
            ("DELETE", "/webhook", self._webhooks.delete),
        ]

    def _guarded(
        self, call: Call
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handler(request: web.Request) -> web.StreamResponse:
            cloud = request.match_info.get("cloud", self.site.cloud_id)
            if cloud != self.site.cloud_id:
                return answer({"code": 404, "message": "Not Found"}, 404)
            user = self.user(request)
            if user is None:
                return unauthorized()
            version = request.match_info.get("version", "3")
            try:
                return await call(request, Shapes(self.site, user, version))
            except Refusal as refusal:
                return refusal.answer()

        return handler

    async def _resources(self, request: web.Request) -> web.StreamResponse:
        if self.user(request) is None:
            return unauthorized()
        site = {
            "id": self.site.cloud_id,
            "name": "acme",
            "url": self.site.address,
            "scopes": _SCOPES,
            "avatarUrl": "https://acme.atlassian.net/avatar.png",
        }
        return answer([site])

    def _limited(self, reason: str, seconds: float) -> web.Response:
        reset = self.clock.now() + seconds
        headers = {
            "Retry-After": str(max(1, round(seconds))),
            "X-RateLimit-Limit": str(self.site.burst or 100),
            "X-RateLimit-Remaining": "0",
            "X-RateLimit-Reset": iso(reset)[:16] + "Z",
            "RateLimit-Reason": reason,
        }
        return answer({"errorMessages": ["Rate limit exceeded."]}, 429, headers)


def _reply(_: web.Request, grant: Grant) -> dict[str, Any]:
    return {
        "access_token": grant.access,
        "refresh_token": grant.refresh,
        "expires_in": int(_SECONDS),
        "token_type": "Bearer",
        "scope": grant.scope or " ".join([*_SCOPES, "offline_access"]),
    }


def _over(calls: deque[float], now: float, window: float, most: int) -> bool:
    while calls and calls[0] <= now - window:
        calls.popleft()
    if len(calls) >= most:
        return True
    calls.append(now)
    return False
