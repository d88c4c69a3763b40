"""The part of Graph that tells people's names and addresses."""

import re
from dataclasses import replace

from aiohttp.web import Request, Response, json_response

from bots.sandbox.teams import seed
from bots.sandbox.teams.graph_access import Access, bad_request
from bots.sandbox.teams.graph_paging import paged
from bots.sandbox.teams.graph_shapes import user_told
from bots.sandbox.teams.state import TeamsState, stamp

_EQUALS = re.compile(r"(id|mail|userPrincipalName|displayName) eq '([^']*)'")
_PAGE_AT_MOST = 999
_READS_ROLES = frozenset({"Directory.Read.All", "RoleManagement.Read.Directory"})


class GraphPeople:
    """Users of the caller's tenant."""

    def __init__(self, state: TeamsState, access: Access) -> None:
        self._state = state
        self._access = access

    async def users(self, request: Request) -> Response:
        caller = self._access.caller(request, "graph.users")
        told = [
            user_told(one)
            for one in self._state.people.values()
            if one.tenant == caller.tenant
        ]
        if asked := request.query.get("$filter", ""):
            found = _EQUALS.fullmatch(asked)
            if found is None:
                raise bad_request("Unsupported Query.", "Request_UnsupportedQuery")
            name, value = found.groups()
            told = [one for one in told if str(one[name]).lower() == value.lower()]
        if "$count" in request.query and not _eventual(request):
            raise bad_request("$count needs ConsistencyLevel: eventual.")
        return paged(request, told, most=_PAGE_AT_MOST)

    async def revoke(self, request: Request) -> Response:
        """End everybody's sessions who is that user; a guest's are kept at home."""
        caller = self._access.caller(request, "graph.revoke_sessions")
        person = self._access.person(caller, request.match_info["user"])
        ended = stamp(self._state.next_ms(person.tenant))
        self._state.people[person.id] = replace(person, sessions_from=ended)
        return json_response({"value": True})

    async def roles(self, request: Request) -> Response:
        """List directory roles; without a right to read those, their ids alone."""
        caller = self._access.caller(request, "graph.roles_of")
        person = self._access.person(caller, request.match_info["user"])
        template = seed.directory_roles().get(person.id)
        readable = caller.roles & _READS_ROLES
        told = [
            {
                "@odata.type": "#microsoft.graph.directoryRole",
                "id": f"d1ec0000-0000-4000-8000-{template[-12:]}",
                "roleTemplateId": template if readable else None,
            }
            for template in [template]
            if template
        ]
        return paged(request, told, most=_PAGE_AT_MOST)


def _eventual(request: Request) -> bool:
    return request.headers.get("ConsistencyLevel", "").lower() == "eventual"
