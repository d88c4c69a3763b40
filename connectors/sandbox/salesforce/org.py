"""The org as a stand-in: its routes, its limits, its sign-in, and what it tells."""

import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from connectors.sandbox import page
from connectors.sandbox.faults import Fault
from connectors.sandbox.http import answer
from connectors.sandbox.oauth import JWT_BEARER, Login
from connectors.sandbox.oauth import routes as login_routes
from connectors.sandbox.salesforce import ids, outbound, refusals, seed
from connectors.sandbox.salesforce.composite import Composite
from connectors.sandbox.salesforce.events import Events
from connectors.sandbox.salesforce.rest import VERSION, Call, Reply, Rest
from connectors.sandbox.salesforce.store import ONLY_FOR, Store
from connectors.sandbox.stand_in import StandIn
from connectors.sandbox.tokens import Grant

ORGANISATION = "00D5g000000AcmeEAE"


class Salesforce(StandIn):
    """
    `ids` are the seed's records by short name; `used` of `most` calls a day are used up.
    """

    name = "salesforce"
    shown = "Salesforce"

    def __init__(self) -> None:
        self.ids: dict[str, str] = {}
        self.used, self.most = 0, 15_000
        self.store: Store | None = None
        super().__init__(token_life=7200.0)

    @property
    def rows(self) -> Store:
        if self.store is None:
            self.store = Store(self.clock)
            self.rest = Rest(self.store)
            self.composite = Composite(self.store, self.rest)
            self.events = Events(self.store, self.faults)
        return self.store

    def seed(self) -> None:
        self.used = 0
        self.users = seed.users()
        self.ids = seed.fill(self.rows, self.users)
        self.events.clear()

    def state(self) -> Any:
        return {
            kind: [
                {name: value for name, value in row.items() if name[0] != "_"}
                for row in rows.values()
            ]
            for kind, rows in self.rows.rows.items()
        }

    def routes(self) -> list[web.RouteDef]:
        login = Login(
            "/services/oauth2/authorize",
            "/services/oauth2/token",
            "/services/oauth2/revoke",
            self._token_reply,
            frozenset(
                {
                    "authorization_code",
                    "refresh_token",
                    "client_credentials",
                    "password",
                    JWT_BEARER,
                }
            ),
            run_as=seed.INTEGRATION,
        )
        return [
            *login_routes(self, login),
            web.get("/services/oauth2/userinfo", self._user_info),
            web.post("/cometd/{version}{rest:.*}", self._cometd),
            web.get("/services/data/v{version}/limits{slash:/?}", self._limits),
            web.post(
                "/services/data/v{version}/process/approvals{slash:/?}", self._approve
            ),
            web.route("*", "/services/data/v{version}/{path:.*}", self._data),
            web.get("/lightning/r/{rest:.*}", self._page),
        ]

    def refusal(self, status: int) -> web.Response:
        return refusals.by_status(status).answer()

    def error(self, code: str) -> web.Response:
        return refusals.told(code).answer()

    def rate_limited(self, fault: Fault) -> web.Response:  # noqa: ARG002 - none is told
        return refusals.told("REQUEST_LIMIT_EXCEEDED").answer()

    def before(self, request: web.Request) -> web.StreamResponse | None:
        if not self.path(request).startswith("/services/data/"):
            return None
        if self.used >= self.most:
            return refusals.told("REQUEST_LIMIT_EXCEEDED").answer()
        if self.user(request) is None:
            return refusals.told("INVALID_SESSION_ID").answer()
        self.used += 1
        return None

    def after(self, request: web.Request, given: web.StreamResponse) -> None:
        if self.path(request).startswith("/services/data/") and not given.prepared:
            given.headers["Sforce-Limit-Info"] = f"api-usage={self.used}/{self.most}"
            given.headers["X-SFDC-Request-Id"] = f"req-{self.used:06d}"
            given.headers["Date"] = f"{self.clock.moment():%a, %d %b %Y %H:%M:%S} GMT"

    async def emit(self, wish: Mapping[str, Any]) -> Any:
        """
        `{"gap": id, "kind"}` tells of a gap, `{"forget": true}` loses all events,
        `{"undelete": id, "kind"}` brings a row back, `{"outbound": URL, "id", "kind"}`
        sends an outbound message and returns whether it was taken.
        """
        if "outbound" in wish:
            return await outbound.send(
                str(wish["outbound"]), ORGANISATION, str(wish["kind"]), str(wish["id"])
            )
        if wish.get("forget"):
            self.events.forget()
        elif "gap" in wish:
            self.events.gap(str(wish["kind"]), str(wish["gap"]))
        elif "undelete" in wish:
            self.rows.undelete(str(wish["kind"]), str(wish["undelete"]))
        else:
            raise ValueError("say outbound, gap, forget or undelete")
        return True

    def _token_reply(self, request: web.Request, grant: Grant) -> dict[str, Any]:
        user = self.users[grant.user]
        base = self.base(request)
        told = {
            "access_token": grant.access,
            "instance_url": base,
            "id": f"{base}/id/{ORGANISATION}/{user.id}",
            "token_type": "Bearer",
            "issued_at": str(int(self.clock.now() * 1000)),
            "signature": "c3RhbmQtaW4=",
            "scope": grant.scope or "api refresh_token",
        }
        return told | {"refresh_token": grant.refresh}

    async def _user_info(self, request: web.Request) -> web.StreamResponse:
        user = self.user(request)
        if user is None:
            return web.Response(status=403, text="Bad_OAuth_Token")
        return answer(
            {
                "sub": f"{self.base(request)}/id/{ORGANISATION}/{user.id}",
                "user_id": user.id,
                "organization_id": ORGANISATION,
                "preferred_username": user.mail,
                "name": user.shown,
                "email": user.mail,
            }
        )

    async def _data(self, request: web.Request) -> web.StreamResponse:
        user = self.user(request)
        if user is None:
            return refusals.told("INVALID_SESSION_ID").answer()
        text = await request.text()
        try:
            body = json.loads(text) if text else None
        except ValueError:
            no = refusals.Refused(400, "JSON_PARSER_ERROR", "Unexpected character")
            return no.answer()
        path = request.match_info["path"]
        call = Call(
            user, request.method, path, dict(request.query), dict(request.headers), body
        )
        several = path.startswith("composite")
        reply = self.composite.handle(call) if several else self.rest.handle(call)
        return _answered(reply)

    async def _limits(self, _request: web.Request) -> web.StreamResponse:
        left = self.most - self.used
        return answer({"DailyApiRequests": {"Max": self.most, "Remaining": left}})

    async def _approve(self, request: web.Request) -> web.StreamResponse:
        """Answer approvals: there are no processes, so that nothing is waiting."""
        wanted = (await request.json()).get("requests", [])
        no = {
            "statusCode": "NO_APPLICABLE_PROCESS",
            "message": "No applicable approval",
        }
        results = [
            {"entityId": one.get("contextId"), "success": False, "errors": [no]}
            for one in wanted
        ]
        return answer(results, 400)

    async def _cometd(self, request: web.Request) -> web.StreamResponse:
        user = self.user(request)
        if user is None:
            return web.Response(status=401, text="401::Authentication invalid")
        return await self.events.handle(request, user)

    async def _page(self, request: web.Request) -> web.StreamResponse:
        wanted = [ids.read(part) for part in request.match_info["rest"].split("/")]
        for kind, rows in self.rows.rows.items():
            for row in (rows[id_] for id_ in wanted if id_ in rows):
                if not row["IsDeleted"] and not row.get(ONLY_FOR):
                    title = str(row.get("Subject") or row.get("Name") or row["Id"])
                    return page.of(self.shown, kind, title)
        return page.of(self.shown, "", "")


def _answered(reply: Reply) -> web.Response:
    if reply.body is None:
        return web.Response(status=reply.status, headers=dict(reply.headers))
    return answer(reply.body, reply.status, dict(reply.headers))


__all__ = ["ORGANISATION", "VERSION", "Salesforce"]
