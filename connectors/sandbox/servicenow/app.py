"""The stand-in's server: its APIs over HTTP, its sign-in, and what its rules tell."""

import base64
import json
import re
import secrets
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import aiohttp
from aiohttp import web

from connectors.sandbox import oauth, page
from connectors.sandbox.faults import Fault
from connectors.sandbox.http import answer
from connectors.sandbox.servicenow import (
    catalog_api,
    change_api,
    knowledge_api,
    seed,
    table_api,
)
from connectors.sandbox.servicenow.events import event, signed
from connectors.sandbox.servicenow.instance import Happened, Instance
from connectors.sandbox.servicenow.rates import Rates
from connectors.sandbox.servicenow.replies import (
    NO_RECORD,
    NOT_AUTHENTICATED,
    NOT_AUTHORIZED,
    Call,
    Failure,
    Reply,
    refused,
)
from connectors.sandbox.stand_in import StandIn
from connectors.sandbox.tokens import Grant
from connectors.sandbox.users import User

LIFE = 1800.0  # seconds that a token holds
SECRET = "sandbox-servicenow-secret"  # noqa: S105 - seeded, and worth nothing

Api = Callable[[Instance, Call], Reply]
_APIS: Mapping[str, Api] = {
    "now/table": table_api.answer,
    "sn_chg_rest/change": change_api.answer,
    "sn_sc/servicecatalog": catalog_api.answer,
    "sn_km_api/knowledge": knowledge_api.answer,
}
_SHOWN = {
    "now/table": "Table API",
    "sn_chg_rest/change": "Change Management API",
    "sn_sc/servicecatalog": "Service Catalog API",
    "sn_km_api/knowledge": "Knowledge API",
}
# What a record's link leads to, and what has a page.
_PAGES = ("/nav_to.do", "/sp", "/kb_view.do")
_SYS_ID = re.compile(r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])")
_OPENED = {
    "incident": "Incident",
    "change_request": "Change request",
    "sc_request": "Request",
    "sc_req_item": "Requested item",
    "sc_cat_item": "Catalogue item",
    "kb_knowledge": "Article",
}


class ServiceNow(StandIn):
    """
    An instance of ServiceNow. `hooks["events"]` is where its business rules post to.

    POST `/__instance` sets properties (`two_step`, `hourly`, `no_rows`).
    """

    name = "servicenow"
    shown = "ServiceNow"

    def __init__(self) -> None:
        self.instance: Instance
        self.rates: Rates
        self.held: list[dict[str, Any]] = []
        super().__init__(LIFE)

    def seed(self) -> None:
        self.users = seed.users()
        self.instance = Instance(self.clock)
        self.rates = Rates(self.clock)
        self.held = []
        seed.fill(self.instance)

    def state(self) -> Any:
        return {"rows": self.instance.rows, "scripts": self.instance.scripts}

    def routes(self) -> list[web.RouteDef]:
        login = oauth.Login(
            authorize="/oauth_auth.do",
            token="/oauth_token.do",  # noqa: S106 - an address
            revoke="/oauth_revoke_token.do",
            reply=_granted,
            grants=frozenset(
                {
                    "authorization_code",
                    "refresh_token",
                    "password",
                    "client_credentials",
                }
            ),
            refused=_denied,
            run_as=seed.INTEGRATION,
            colour="#1f6b52",
        )
        return [
            *oauth.routes(self, login),
            *(web.get(path, self._page) for path in _PAGES),
            web.post("/__instance", self._set),
            web.post("/api/now/v1/batch", self._batch),
            web.post("/api/now/batch", self._batch),
            web.route("*", "/api/{rest:.*}", self._api),
        ]

    async def _page(self, request: web.Request) -> web.StreamResponse:
        for id_ in _SYS_ID.findall(request.query_string):
            for table, what in _OPENED.items():
                if row := self.instance.rows[table].get(id_):
                    name = row.get("short_description") or row.get("name") or what
                    return page.of(self.shown, row.get("number") or what, name)
        return page.of(self.shown, "", "")

    def refusal(self, status: int) -> web.Response:
        words = {
            401: NOT_AUTHENTICATED,
            403: NOT_AUTHORIZED,
            404: NO_RECORD,
        }.get(status, ("Operation Failed", f"status {status}"))
        return answer(refused(*words), status)

    def rate_limited(self, fault: Fault) -> web.Response:
        reply = self.rates.refusal(int(fault.number), 10, "Table API")
        return _http(reply)

    def user(self, request: web.Request) -> User | None:
        """Return who asks: a token's owner, or a name with a password."""
        kind, _, told = request.headers.get("Authorization", "").partition(" ")
        if kind.lower() != "basic":
            return super().user(request)
        try:
            name, _, password = base64.b64decode(told).decode().partition(":")
        except ValueError:
            return None
        return self.users.get(name) if password == "password" else None  # noqa: S105

    async def emit(self, wish: Mapping[str, Any]) -> Any:
        """
        Change a row as somebody in ServiceNow would: `table`, `sys_id`, `values`, `by`.

        With `delete` it is deleted instead; with `op` alone it is only told of again.
        """
        table, sys_id = str(wish["table"]), str(wish["sys_id"])
        by = str(wish.get("by", "admin"))
        try:
            if wish.get("delete"):
                self.instance.delete(table, sys_id)
            elif "values" in wish:
                self.instance.update(table, sys_id, wish["values"], by)
            else:
                row = self.instance.row(table, sys_id)
                op = str(wish.get("op", "update"))
                self.instance.told.append(Happened(table, op, dict(row), ()))
        except Failure as failure:
            raise ValueError(failure.message) from None
        return await self.tell()

    async def tell(self) -> int:
        """Post what the business rules noted; returns how many calls were made."""
        happened, self.instance.told = self.instance.told, []
        url = self.hooks.get("events")
        if not url:
            return 0
        calls = 0
        for each in happened:
            body = event(self.instance, each)
            if body is None:
                continue
            fault = self.faults.take(f"EVENT {each.table}")
            kind = fault.kind if fault else ""
            if kind == "drop_event":
                continue
            if kind == "reorder":
                self.held.append(body)
                continue
            waiting, self.held = self.held, []
            for one in [body] * (2 if kind == "dup_event" else 1) + waiting:
                await self._post(url, one)
                calls += 1
        return calls

    async def _post(self, url: str, body: dict[str, Any]) -> None:
        raw = json.dumps(body).encode()
        headers = signed(raw, int(self.clock.now()), SECRET)
        async with (
            aiohttp.ClientSession() as session,
            session.post(url, data=raw, headers=headers) as given,
        ):
            await given.read()

    def after(self, request: web.Request, given: web.StreamResponse) -> None:  # noqa: ARG002
        given.headers["X-Transaction-ID"] = secrets.token_hex(6)

    async def _api(self, request: web.Request) -> web.StreamResponse:
        user = self.user(request)
        if user is None:
            return self.refusal(401)
        body = await _json(request)
        url = str(request.url.with_query(None))
        reply = self.run(
            user, request.method, request.match_info["rest"], request.query, body, url
        )
        await self.tell()
        return _http(reply)

    def run(  # noqa: PLR0913, PLR0917 - the parts of one HTTP request
        self,
        user: User,
        method: str,
        path: str,
        params: Mapping[str, str],
        body: Any,
        url: str,
    ) -> Reply:
        """Do one call as somebody, whether it came alone or in a batch."""
        space, *parts = [part for part in path.split("/") if part] or [""]
        version = parts.pop(0) if parts and parts[0] in {"v1", "v2"} else ""
        if (space, parts) == ("now", ["ui", "user", "current_user"]):
            return self._who(user)
        api = _APIS.get(f"{space}/{parts[0]}") if parts else None
        if api is None:
            return Failure(400, "Requested URI does not represent any resource").reply
        name = f"{space}/{parts[0]}"
        limit = self.instance.properties.hourly
        over = self.rates.count(user.name, _SHOWN[name], limit)
        if over is not None:
            return over
        if not isinstance(body, dict):
            return Failure(400, "Exception while reading request").reply
        rest = tuple(parts[1:] if space == "now" else parts)
        if space == "now" and not rest:
            return Failure(400, "Requested URI does not represent any resource").reply
        call = Call(user, method, rest, dict(params), body, url, version)
        try:
            reply = api(self.instance, call)
        except Failure as failure:
            reply = failure.reply
        except ValueError:
            reply = Failure(400, "Invalid parameters").reply
        reply.headers |= self.rates.headers(user.name, _SHOWN[name], limit)
        return reply

    def _who(self, user: User) -> Reply:
        if not self.instance.properties.current_user:
            return Failure(403, *NOT_AUTHORIZED).reply
        told = {"user_sys_id": user.id, "user_name": user.name, "user_avatar": ""}
        return Reply({"result": {**told, "user_display_name": user.shown}})

    async def _batch(self, request: web.Request) -> web.StreamResponse:
        user = self.user(request)
        if user is None:
            return self.refusal(401)
        body = await _json(request)
        if not isinstance(body, dict) or not body.get("batch_request_id"):
            return _http(Failure(400, "Missing batch_request_id").reply)
        served = [
            self._served(user, request, each) for each in body.get("rest_requests", [])
        ]
        await self.tell()
        told = {"batch_request_id": body["batch_request_id"]}
        return answer({**told, "serviced_requests": served, "unserviced_requests": []})

    def _served(
        self, user: User, request: web.Request, each: Mapping[str, Any]
    ) -> dict[str, Any]:
        asked = urlsplit(str(each["url"]))
        raw = base64.b64decode(each.get("body") or "")
        method = str(each.get("method", "GET"))
        reply = self.run(
            user,
            method,
            asked.path.removeprefix("/api/"),
            dict(parse_qsl(asked.query)),
            json.loads(raw) if raw else {},
            f"{request.url.origin()}{asked.path}",
        )
        text = b"" if reply.value is None else json.dumps(reply.value).encode()
        headers = [{"name": name, "value": v} for name, v in reply.headers.items()]
        told = {"id": str(each["id"]), "status_code": reply.status, "headers": headers}
        return told | {
            "status_text": "",
            "body": base64.b64encode(text).decode(),
            "execution_time": 1,
        }

    async def _set(self, request: web.Request) -> web.Response:
        for name, value in (await request.json()).items():
            setattr(self.instance.properties, name, value)
        return answer({"ok": True})


def _granted(_request: web.Request, grant: Grant) -> dict[str, Any]:
    return {
        "access_token": grant.access,
        "refresh_token": grant.refresh,
        "scope": "useraccount",
        "token_type": "Bearer",
        "expires_in": int(LIFE) - 1,
    }


def _denied(no: oauth.Denied) -> web.Response:
    told = {"error": "access_denied", "error_description": "access_denied"}
    if no.error == "unsupported_grant_type":
        told = {"error": no.error, "error_description": no.error}
    return answer(told, 401)


async def _json(request: web.Request) -> Any:
    text = await request.text()
    try:
        return json.loads(text) if text.strip() else {}
    except ValueError:
        return None


def _http(reply: Reply) -> web.Response:
    if reply.value is None:
        return web.Response(status=reply.status, headers=reply.headers)
    return answer(reply.value, reply.status, reply.headers)
