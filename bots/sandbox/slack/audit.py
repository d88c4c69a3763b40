"""The Audit Logs API: what happened in the organisation, newest first."""

import base64
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from bots.sandbox.slack import grid_seed
from bots.sandbox.slack.api import bearer
from bots.sandbox.world import World

_MOST = 9999
_ACTIONS_AT_ONCE = 30
_SCOPE = "auditlogs:read"
_SCHEMAS = ("workspace", "enterprise", "user", "file", "channel", "app", "workflow")
_ACTIONS: Mapping[str, tuple[str, ...]] = {
    "user": ("user_login", "user_logout", "user_created", "user_deactivated"),
    "channel": ("user_channel_join", "user_channel_leave", "public_channel_created"),
    "workspace_or_org": ("legal_hold_policy_created", "manual_export_started"),
    "message": ("message_tombstoned", "message_restored"),
}


class AuditApi:
    """Serves /audit/v1, which is no part of the Web API."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._log = world.slack.audit

    def routes(self) -> list[web.RouteDef]:
        base = "/slack/audit/v1"
        return [
            web.get(f"{base}/logs", self._logs),
            web.get(f"{base}/schemas", self._schemas),
            web.get(f"{base}/actions", self._actions),
        ]

    async def _schemas(self, _request: web.Request) -> web.Response:
        schemas = [{"type": name, name: {"id": "string"}} for name in _SCHEMAS]
        return web.json_response({"schemas": schemas})

    async def _actions(self, _request: web.Request) -> web.Response:
        return web.json_response(
            {"actions": {kind: [*names] for kind, names in _ACTIONS.items()}}
        )

    async def _logs(self, request: web.Request) -> web.Response:
        if refused := self._refused(request):
            return refused
        query = request.query
        try:
            oldest, latest = int(query.get("oldest", 0)), int(query.get("latest", 0))
            limit = int(query.get("limit", 100))
            start = _start(query.get("cursor", ""), query)
        except ValueError:
            return _error(400, "invalid_cursor" if query.get("cursor") else "bad_query")
        actions = [a for a in query.get("action", "").split(",") if a]
        if not 1 <= limit <= _MOST or len(actions) > _ACTIONS_AT_ONCE:
            return _error(400, "invalid_arguments")
        found = [
            entry
            for entry in self._log.entries
            if oldest <= entry["date_create"] <= (latest or 1 << 40)
            and (not actions or entry["action"] in actions)
            and query.get("actor", "") in {"", entry["actor"]["user"]["id"]}
        ]
        found.sort(key=lambda entry: entry["date_create"], reverse=True)
        end = start + limit
        cursor = _cursor(end, query) if end < len(found) else ""
        answer: dict[str, Any] = {"entries": found[start:end]}
        if cursor:
            answer["response_metadata"] = {"next_cursor": cursor}
        return web.json_response(answer)

    def _refused(self, request: web.Request) -> web.Response | None:
        state = self._world.slack
        if fault := self._world.faults.take("slack.audit.logs", {}):
            status = fault.status or 500
            headers = {"Retry-After": str(fault.retry_after)} if status == 429 else {}  # noqa: PLR2004 - HTTP's number
            return web.json_response(
                {"ok": False, "error": "upstream"}, status=status, headers=headers
            )
        token = bearer(request)
        if not token:
            return _error(401, "not_authed")
        if not state.grid.on or token != grid_seed.COMPLIANCE_TOKEN:
            return _error(401, "invalid_auth")
        if _SCOPE not in state.setting("compliance_scopes"):
            return _error(403, "missing_scope")
        if wait := self._log.wait(int(state.setting("audit_per_minute"))):
            return web.json_response(
                {"ok": False, "error": "ratelimited"},
                status=429,
                headers={"Retry-After": str(wait)},
            )
        return None


def _asked(query: Mapping[str, str]) -> str:
    """What a cursor is good for: another filter needs another one."""
    return str(sorted((k, v) for k, v in query.items() if k not in {"cursor", "limit"}))


def _cursor(offset: int, query: Mapping[str, str]) -> str:
    return base64.urlsafe_b64encode(f"{_asked(query)}:{offset}".encode()).decode()


def _start(cursor: str, query: Mapping[str, str]) -> int:
    if not cursor:
        return 0
    asked, _, offset = base64.urlsafe_b64decode(cursor).decode().rpartition(":")
    if asked != _asked(query):
        raise ValueError(cursor)
    return int(offset)


def _error(status: int, code: str) -> web.Response:
    return web.json_response({"ok": False, "error": code}, status=status)
