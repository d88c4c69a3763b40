"""SCIM: how an identity provider keeps its groups in the organisation."""

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from bots.sandbox.http import json_object
from bots.sandbox.slack import conversations, grid_seed
from bots.sandbox.slack.api import bearer
from bots.sandbox.slack.model import Usergroup
from bots.sandbox.world import World

_ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
_LIST = {
    "v1": "urn:scim:schemas:core:1.0",
    "v2": "urn:ietf:params:scim:api:messages:2.0:ListResponse",
}
_GROUP = {
    "v1": "urn:scim:schemas:core:1.0",
    "v2": "urn:ietf:params:scim:schemas:core:2.0:Group",
}
_PAGE, _MOST = 10, 1000


class Refusal(Exception):
    """What cannot be done, with HTTP's status for it."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail


class Scim:
    """Serves /scim/v1 and /scim/v2, as far as groups go."""

    def __init__(self, world: World) -> None:
        self._state = world.slack

    def routes(self) -> list[web.RouteDef]:
        every = "/slack/scim/{version:v1|v2}/Groups"
        one = every + "/{group}"
        return [
            web.get(every, self._listing),
            web.post(every, self._create),
            web.get(one, self._show),
            web.put(one, self._replace),
            web.patch(one, self._patch),
            web.delete(one, self._delete),
        ]

    async def _listing(self, request: web.Request) -> web.Response:
        if refused := self._refused(request):
            return refused
        start = max(1, _number(request.query.get("startIndex"), 1))
        count = min(_number(request.query.get("count"), _PAGE), _MOST)
        groups = list(self._state.grid.groups.values())
        version = request.match_info["version"]
        wanted = request.query.get("filter", "")
        if wanted and (version == "v1" or self._state.setting("scim_filter")):
            name = wanted.rpartition(" eq ")[2].strip('"')
            groups = [one for one in groups if one.name == name]
        page = groups[start - 1 : start - 1 + count]
        return web.json_response(
            {
                "schemas": [_LIST[version]],
                "totalResults": len(groups),
                "itemsPerPage": len(page),
                "startIndex": start,
                "Resources": [self._shown(request, one) for one in page],
            }
        )

    async def _create(self, request: web.Request) -> web.Response:
        if refused := self._refused(request):
            return refused
        body = await json_object(request)
        name = str(body.get("displayName") or "")
        if not name:
            return _error(request, 400, "missing_display_name")
        if any(one.name == name for one in self._state.grid.groups.values()):
            return _error(request, 409, "name_taken")
        made = Usergroup(self._state.next_id("S"), grid_seed.ORG, "", name, [])
        try:
            made.users = self._members(body.get("members"))
        except Refusal as refusal:
            return _error(request, refusal.status, refusal.detail)
        self._state.grid.groups[made.id] = made
        self._state.grid.group_teams[made.id] = []
        return web.json_response(self._shown(request, made), status=201)

    async def _show(self, request: web.Request) -> web.Response:
        if refused := self._refused(request):
            return refused
        return web.json_response(self._shown(request, self._group(request)))

    async def _replace(self, request: web.Request) -> web.Response:
        """PUT blanks what is missing: a group without members loses them all."""
        if refused := self._refused(request):
            return refused
        group, body = self._group(request), await json_object(request)
        try:
            self._set(group, self._members(body.get("members")))
        except Refusal as refusal:
            return _error(request, refusal.status, refusal.detail)
        group.name = str(body.get("displayName") or group.name)
        return web.json_response(self._shown(request, group))

    async def _patch(self, request: web.Request) -> web.Response:
        if refused := self._refused(request):
            return refused
        group, body = self._group(request), await json_object(request)
        try:
            if request.match_info["version"] == "v1":
                self._patch_v1(group, body)
            else:
                self._patch_v2(group, body)
        except Refusal as refusal:
            return _error(request, refusal.status, refusal.detail)
        return web.Response(status=204)

    async def _delete(self, request: web.Request) -> web.Response:
        if refused := self._refused(request):
            return refused
        group = self._group(request)
        if any(group.id in one.groups for one in self._state.channels.values()):
            return _error(request, 400, "idp_group_linked_to_channels")
        del self._state.grid.groups[group.id]
        return web.Response(status=204)

    def _patch_v1(self, group: Usergroup, body: Mapping[str, Any]) -> None:
        group.name = str(body.get("displayName") or group.name)
        given = body.get("members") or []
        gone = [m["value"] for m in given if m.get("operation") == "delete"]
        new = self._members([m for m in given if m.get("operation") != "delete"])
        kept = [one for one in group.users if one not in gone]
        self._set(group, list(dict.fromkeys([*kept, *new])))

    def _patch_v2(self, group: Usergroup, body: Mapping[str, Any]) -> None:
        for operation in body.get("Operations") or []:
            path = str(operation.get("path") or "members")
            kind = str(operation.get("op")).lower()
            value = operation.get("value")
            if path == "displayName":
                group.name = str(value)
            elif kind == "add":
                users = [*group.users, *self._members(value)]
                self._set(group, list(dict.fromkeys(users)))
            elif kind == "replace":
                self._set(group, self._members(value))
            elif kind == "remove":
                gone = _removed(path, value)
                self._set(group, [one for one in group.users if one not in gone])
            else:
                raise Refusal(400, "invalid_operation")

    def _set(self, group: Usergroup, users: list[str]) -> None:
        """Change who is in a group; channels that follow it change with it."""
        before, group.users = group.users, users
        for channel in list(self._state.channels.values()):
            if group.id not in channel.groups:
                continue
            for user in users:
                conversations.enter(self._state, channel, user)
            for user in set(before) - set(users):
                conversations.exit_from(self._state, channel, user)

    def _members(self, given: Any) -> list[str]:
        if given is not None and not isinstance(given, list):
            raise Refusal(400, "invalid_members")
        users = [str(member.get("value")) for member in given or []]
        if not set(users) <= set(self._state.users):
            raise Refusal(404, "no_such_user")
        return users

    def _group(self, request: web.Request) -> Usergroup:
        return self._state.grid.groups[request.match_info["group"]]

    def _refused(self, request: web.Request) -> web.Response | None:
        """Say who may not, and what is not there."""
        if bearer(request) != grid_seed.ADMIN_TOKEN or not self._state.grid.on:
            return _error(request, 401, "invalid_authentication")
        if "admin" not in self._state.setting("admin_scopes"):
            return _error(request, 403, "missing_scope")
        group = request.match_info.get("group")
        if group and group not in self._state.grid.groups:
            return _error(request, 404, "no_such_group")
        return None

    def _shown(self, request: web.Request, group: Usergroup) -> dict[str, Any]:
        version = request.match_info["version"]
        return {
            "schemas": [_GROUP[version]],
            "id": group.id,
            "displayName": group.name,
            "meta": {"location": f"{request.url.origin()}/scim/{version}/Groups"},
            "members": [
                {"value": user, "display": self._state.user(user).real_name}
                for user in group.users
            ],
        }


def _removed(path: str, value: Any) -> set[str]:
    """Read the unquoted `members[value eq U1]`, or a list of members."""
    if "[" in path:
        return {path.rpartition(" eq ")[2].strip('"] ')}
    return {str(member.get("value")) for member in value or []}


def _number(text: str | None, default: int) -> int:
    return int(text) if text and text.isdecimal() else default


def _error(request: web.Request, status: int, detail: str) -> web.Response:
    body: dict[str, Any] = {"Errors": {"description": detail, "code": status}}
    if request.match_info["version"] == "v2":
        body = {"schemas": [_ERROR], "detail": detail, "status": status}
    return web.json_response(body, status=status)
