"""The part of Graph that directories are followed by: delta, groups, the bin."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from time import monotonic
from typing import Any

from aiohttp.web import Request, Response, json_response

from bots.sandbox.teams.directory import Snapshot
from bots.sandbox.teams.errors import GraphRefusal
from bots.sandbox.teams.graph_access import Access, bad_request
from bots.sandbox.teams.graph_paging import paged
from bots.sandbox.teams.state import TeamsState

_UNSUPPORTED = ("$expand", "$orderby", "$top", "$search", "$count")
_BY_DEFAULT = "id,displayName,mail,userPrincipalName,givenName,surname"
_PAGE_AT_MOST = 999

Told = dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Round:
    """One delta being read: what is still to be told, and what it ends with."""

    items: list[Told]
    then: str


@dataclass(frozen=True, slots=True)
class _Mark:
    """What a delta link remembers: what was told by then, and what was asked for."""

    tenant: str
    what: str
    select: str
    told: Snapshot
    made: float


class GraphDirectory:
    """Tells a tenant's users and groups, whole and by what changed."""

    def __init__(self, state: TeamsState, access: Access) -> None:
        self._state = state
        self._access = access
        self._rounds: dict[str, _Round] = {}
        self._marks: dict[str, _Mark] = {}
        self._numbers = count(1)

    async def users(self, request: Request) -> Response:
        return await self._delta(request, "users")

    async def groups(self, request: Request) -> Response:
        return await self._delta(request, "groups")

    async def user(self, request: Request) -> Response:
        """One user with what is asked for, whether in Teams or not."""
        caller = self._access.caller(request, "graph.user")
        oid = request.match_info["user"].lower()
        shown = self._state.directory.snapshot(caller.tenant)
        for told in shown.users.values():
            names = (str(told["id"]), str(told.get("userPrincipalName")))
            if oid in {name.lower() for name in names}:
                select = request.query.get("$select", ",".join(told))
                manager = told.get("manager")
                shown_too = {"manager": {"id": manager}} if manager else {}
                expand = "manager" in request.query.get("$expand", "")
                return json_response(
                    _selected(told, select) | (shown_too if expand else {})
                )
        raise _no_resource()

    async def group_members(self, request: Request) -> Response:
        caller = self._access.caller(request, "graph.group_members")
        group = request.match_info["group"]
        shown = self._state.directory.snapshot(caller.tenant)
        if group not in shown.groups:
            raise _no_resource()
        told = [self._member(caller.tenant, one) for one in shown.members[group]]
        return paged(request, told, most=_PAGE_AT_MOST)

    async def units(self, request: Request) -> Response:
        """Every administrative unit, the hidden ones too."""
        caller = self._access.caller(request, "graph.administrative_units")
        told = self._state.directory.units(caller.tenant).values()
        select = request.query.get("$select", "id,displayName,description,visibility")
        return paged(request, [_selected(one, select) for one in told])

    async def unit_members(self, request: Request) -> Response:
        """Who is in a unit; nobody, if it hides that and the app may not know."""
        caller = self._access.caller(request, "graph.administrative_units")
        tenant, unit = caller.tenant, request.match_info["unit"]
        known = self._state.directory.units(tenant).get(unit)
        if known is None:
            raise _no_resource()
        hidden = known.get("visibility") == "HiddenMembership"
        inside = [] if hidden else self._state.directory.members(tenant, unit)
        told = [self._member(tenant, one) for one in inside]
        return paged(request, told, most=_PAGE_AT_MOST)

    async def deleted(self, request: Request) -> Response:
        """One user out of the bin."""
        caller = self._access.caller(request, "graph.deleted_user")
        oid = request.match_info["user"]
        directory = self._state.directory
        if not directory.binned(caller.tenant, oid):
            raise _no_resource()
        told = directory.everybody(caller.tenant)[oid]
        return json_response(_selected(told, request.query.get("$select", _BY_DEFAULT)))

    async def _delta(self, request: Request, what: str) -> Response:
        caller = self._access.caller(request, f"graph.{what}_delta")
        if unsupported := [one for one in _UNSUPPORTED if one in request.query]:
            raise bad_request(f"{unsupported[0]} is not supported.")
        if "$skiptoken" in request.query:
            return self._page(request, what, request.query["$skiptoken"])
        now = self._state.directory.snapshot(caller.tenant)
        select = request.query.get("$select", "")
        if "$deltatoken" not in request.query:
            items = self._changes(caller.tenant, what, select, Snapshot(), now)
        elif request.query["$deltatoken"] == "latest":
            items = []
        else:
            mark = self._mark(request, caller.tenant, what)
            select = mark.select
            items = self._changes(caller.tenant, what, select, mark.told, now)
        if self._state.setting("graph_directory_replays"):
            items += items[:1]
        then = self._name()
        self._marks[then] = _Mark(caller.tenant, what, select, now, monotonic())
        number = self._name()
        self._rounds[number] = _Round(items, then)
        return self._page(request, what, f"{number}.0")

    def _mark(self, request: Request, tenant: str, what: str) -> _Mark:
        mark = self._marks.get(request.query["$deltatoken"])
        lasts = self._state.setting("graph_directory_token_seconds")
        lost = mark is None or monotonic() - mark.made >= lasts
        if mark is None or lost or (mark.tenant, mark.what) != (tenant, what):
            status = int(self._state.setting("graph_directory_lost_status"))
            code = "resyncRequired" if status == 410 else "syncStateNotFound"  # noqa: PLR2004 - HTTP's own
            raise GraphRefusal(
                status,
                code,
                "The sync state generation is not found; please start over.",
                headers={"Location": str(request.url.with_query({}))},
            )
        return mark

    def _page(self, request: Request, what: str, token: str) -> Response:
        number, _, start = token.rpartition(".")
        found = self._rounds.get(number)
        if found is None or not start.isdecimal():
            raise GraphRefusal(400, "Directory_ExpiredPageToken", "The page is gone.")
        size = int(self._state.setting("graph_directory_page"))
        at = int(start)
        answer: Told = {
            "@odata.context": f"{request.url.origin()}/$metadata#{what}",
            "value": found.items[at : at + size],
        }
        if at + size < len(found.items):
            more = {"$skiptoken": f"{number}.{at + size}"}
            answer["@odata.nextLink"] = str(request.url.with_query(more))
        else:
            later = {"$deltatoken": found.then}
            answer["@odata.deltaLink"] = str(request.url.with_query(later))
        return json_response(answer)

    def _changes(
        self, tenant: str, what: str, select: str, before: Snapshot, now: Snapshot
    ) -> list[Told]:
        first = not (before.users or before.groups)
        old = before.users if what == "users" else before.groups
        new = now.users if what == "users" else now.groups
        items: list[Told] = []
        for oid, told in new.items():
            moved = self._moved(tenant, oid, before, now) if what == "groups" else []
            if oid in old and old[oid] == told and not moved:
                continue
            items += self._told(told, select, old.get(oid), moved)
        for oid, reason in now.gone.items():
            known = oid in old or first or oid in before.gone
            same = before.gone.get(oid) == reason
            if known and not same and self._is(tenant, oid, what):
                items.append({"id": oid, "@removed": {"reason": reason}})
        items += [
            {"id": oid, "@removed": {"reason": "deleted"}}
            for oid in old
            if oid not in new and oid not in now.gone
        ]
        return items

    def _told(
        self, told: Told, select: str, old: Told | None, moved: list[Told]
    ) -> list[Told]:
        """One object; a large group is told in parts, again and again the same one."""
        shown = _selected(told, select or _BY_DEFAULT)
        if "manager" in select.split(",") and told.get("manager"):
            kind = "#microsoft.graph.user"
            shown["manager@delta"] = [{"@odata.type": kind, "id": told["manager"]}]
        if old is not None and self._state.setting("graph_directory_partial"):
            shown = {
                name: value
                for name, value in shown.items()
                if name == "id" or old.get(name) != value
            }
        if not moved or "members" not in select.split(","):
            return [shown]
        size = int(self._state.setting("graph_directory_members"))
        parts = [moved[at : at + size] for at in range(0, len(moved), size)]
        return [{**shown, "members@delta": part} for part in parts]

    def _moved(
        self, tenant: str, group: str, before: Snapshot, now: Snapshot
    ) -> list[Told]:
        old, new = before.members.get(group, ()), now.members.get(group, ())
        joined = [self._member(tenant, one) for one in new if one not in old]
        left = [
            {**self._member(tenant, one), "@removed": {"reason": "deleted"}}
            for one in old
            # Who was deleted is not told as having left: Graph's own habit.
            if one not in new and one not in now.gone
        ]
        return joined + left

    def _member(self, tenant: str, oid: str) -> Told:
        is_group = self._state.directory.is_group(tenant, oid)
        kind = "group" if is_group else "user"
        return {"@odata.type": f"#microsoft.graph.{kind}", "id": oid}

    def _is(self, tenant: str, oid: str, what: str) -> bool:
        return self._state.directory.is_group(tenant, oid) == (what == "groups")

    def _name(self) -> str:
        return f"sandbox{next(self._numbers)}"


def _selected(told: Mapping[str, Any], select: str) -> Told:
    """What was asked for, as far as it was ever set; the id always."""
    names = {"id", *select.split(",")}
    unset = {"manager", "members"}
    return {k: v for k, v in told.items() if k in names and k not in unset}


def _no_resource() -> GraphRefusal:
    return GraphRefusal(404, "Request_ResourceNotFound", "Resource does not exist.")
