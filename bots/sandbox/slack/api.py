"""The Web API's door: who calls, what, whether they may, and what goes wrong."""

import json
from base64 import b64decode
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from aiohttp import web

from bots.sandbox.faults import Fault
from bots.sandbox.http import under_fault
from bots.sandbox.slack import (
    admin_access,
    admin_conversations,
    admin_people,
    admin_teams,
    chat,
    conversations,
    discovery,
    files,
    flexpanes,
    grid_seed,
    installs,
    legal_holds,
    membership,
    people,
    unfurls,
    views,
)
from bots.sandbox.slack.call import Answer, Call, Serve
from bots.sandbox.slack.callers import caller_of
from bots.sandbox.slack.errors import RateLimited, SlackRefusal
from bots.sandbox.slack.methods import load_methods
from bots.sandbox.world import World

SERVED: Mapping[str, Serve] = {
    **admin_access.CALLS,
    **admin_conversations.CALLS,
    **admin_people.CALLS,
    **admin_teams.CALLS,
    **chat.CALLS,
    **conversations.CALLS,
    **files.CALLS,
    **flexpanes.CALLS,
    **installs.CALLS,
    **membership.CALLS,
    **people.CALLS,
    **unfurls.CALLS,
    **views.CALLS,
}
_SECRET = frozenset({"token", "client_secret", "code", "refresh_token"})


class WebApi:
    """Serves every Web API method."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._methods = load_methods()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["method"]
        try:
            args = await merged_args(request)
        except SlackRefusal as unread:
            return _answered(200, _refused(unread), {})
        fault = self._world.faults.take(f"slack.{name}", self._facts(request, args))

        async def effect() -> web.StreamResponse:
            status, answer, headers = self._perform(name, request, args)
            self._note(name, status, args, answer, fault)
            return _answered(status, answer, headers)

        def refusal(fault: Fault) -> web.StreamResponse:
            response = _faulty(fault)
            if not fault.after:
                self._note(name, response.status, args, None, fault)
            return response

        if fault is not None and fault.what in {"reset", "timeout"} and not fault.after:
            self._note(name, 0, args, None, fault)
        return await under_fault(request, fault, effect, refusal)

    def _perform(
        self, name: str, request: web.Request, args: Mapping[str, Any]
    ) -> tuple[int, Answer, dict[str, str]]:
        """Do what is asked; returns status, answer and headers."""
        token = bearer(request) or str(args.get("token", ""))
        try:
            return 200, self._call(name, token, request, args), self._headers(name)
        except SlackRefusal as refusal:
            return 200, _refused(refusal), self._headers(name)
        except RateLimited as limit:
            answer = {"ok": False, "error": "ratelimited"}
            return 429, answer, {"Retry-After": str(limit.retry_after)}

    def _call(
        self, name: str, token: str, request: web.Request, args: Mapping[str, Any]
    ) -> Answer:
        if name.startswith((legal_holds.PREFIX, discovery.PREFIX)):
            return {"ok": True, **self._compliance(name, token, args)}
        method = self._methods.get(name)
        if method is None or name not in SERVED:
            raise SlackRefusal("unknown_method")
        state = self._world.slack
        caller = caller_of(state, method, token, args)
        state.limits.admit(
            method, caller.team if caller else "", str(args.get("channel", ""))
        )
        strict = state.setting("strict_json") and not method.json
        if strict and request.content_type == "application/json":
            raise SlackRefusal("invalid_post_type")
        checked = method.checked(args)
        base = self._world.base_url
        call = Call(name, checked, state, self._world.tasks, base, caller)
        return {"ok": True, **SERVED[name](call)}

    def _compliance(self, name: str, token: str, args: Mapping[str, Any]) -> Answer:
        """Serve what an Org Owner's compliance app may call, and nobody else."""
        state = self._world.slack
        if not token:
            raise SlackRefusal("not_authed")
        if not state.grid.on or token != grid_seed.COMPLIANCE_TOKEN:
            raise SlackRefusal("unknown_method")
        scopes = state.setting("compliance_scopes")
        if name.startswith(discovery.PREFIX):
            return state.discovery.serve(name, args, scopes, state.channels)
        return state.legal_holds.serve(name, args, scopes)

    def _headers(self, name: str) -> dict[str, str]:
        scopes = self._world.settings.get("slack.scopes")
        method = self._methods.get(name)
        accepted = ",".join(method.bot or method.user) if method else ""
        return {
            "X-OAuth-Scopes": ",".join(scopes),
            "X-Accepted-OAuth-Scopes": accepted,
            "X-Slack-Req-Id": uuid4().hex,
        }

    def _facts(self, request: web.Request, args: Mapping[str, Any]) -> dict[str, str]:
        known = self._world.slack.by_token(bearer(request))
        facts = {
            name: str(value)
            for name, value in args.items()
            if isinstance(value, str | int) and name not in _SECRET
        }
        return facts | ({"team": known.team} if known else {})

    def _note(
        self,
        name: str,
        status: int,
        args: Mapping[str, Any],
        answer: Any,
        fault: Fault | None,
    ) -> None:
        shown = {key: value for key, value in args.items() if key not in _SECRET}
        kind = fault.kind if fault else None
        self._world.journal.note("slack", "in", name, status, shown, answer, kind)


async def merged_args(request: web.Request) -> dict[str, Any]:
    """
    Collect a call's arguments from wherever clients put them.

    The query, a form, a multipart body and JSON all count, on GET and POST alike.
    """
    args: dict[str, Any] = dict(request.query)
    if request.content_type == "application/json":
        args |= _json_args(await request.read())
    elif request.can_read_body:
        args |= dict(await request.post())
    credentials = _basic(request)
    if credentials:
        args |= dict(zip(("client_id", "client_secret"), credentials, strict=True))
    return args


def bearer(request: web.Request) -> str:
    """The token in the Authorization header, or an empty string."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _basic(request: web.Request) -> tuple[str, str] | None:
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        name, _, secret = b64decode(encoded).decode().partition(":")
    except ValueError:
        return None
    return name, secret


def _json_args(raw: bytes) -> dict[str, Any]:
    try:
        body = json.loads(raw or b"{}")
    except ValueError:
        raise SlackRefusal("invalid_json") from None
    if not isinstance(body, dict):
        raise SlackRefusal("json_not_object")
    return body


def _refused(refusal: SlackRefusal) -> Answer:
    return {"ok": False, "error": refusal.code, **refusal.more}


def _faulty(fault: Fault) -> web.Response:
    if fault.status is None:
        return _answered(200, {"ok": False, "error": fault.error}, {})
    if fault.status == 429:  # noqa: PLR2004 - HTTP's number
        answer = {"ok": False, "error": "ratelimited"}
        return _answered(429, answer, {"Retry-After": str(fault.retry_after)})
    return web.Response(status=fault.status, text="upstream error")


def _answered(status: int, answer: Any, headers: Mapping[str, str]) -> web.Response:
    return web.json_response(answer, status=status, headers=headers)
