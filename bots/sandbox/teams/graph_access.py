"""Who may ask Graph for what: the roles in the token, and a team's own grants."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from aiohttp.web import Request

from bots.sandbox.teams.errors import GraphRefusal
from bots.sandbox.teams.login import Caller, Login
from bots.sandbox.teams.model import Channel, Kind, Person, Team
from bots.sandbox.teams.state import TeamsState

_RSC_ROLE = "Group.Selected"
# Where a team's grants end at its closed channels, and the setting that says so.
_RULES = {
    f"graph.{call}": rule
    for rule, calls in {
        "member_writes": (
            "add_channel_member",
            "patch_channel_member",
            "remove_channel_member",
        ),
        "member_reads": ("all_channel_members", "channel_member", "channel_members"),
        "in_private_channels": (
            "delta",
            "files_folder",
            "hosted_content",
            "hosted_contents",
            "message",
            "messages",
            "replies",
            "reply",
        ),
    }.items()
    for call in calls
}
_DIRECTORY = frozenset(
    {
        "graph.create_team",
        "graph.deleted_user",
        "graph.group_members",
        "graph.groups_delta",
        "graph.user",
        "graph.users",
        "graph.users_delta",
    }
)


class Access:
    """
    Finds what a request names, and refuses what its token does not allow.

    A call's name decides what is needed; the table stands beside this module. What
    belongs to another tenant is not found.
    """

    def __init__(self, state: TeamsState, login: Login) -> None:
        self._state = state
        self._login = login

    def caller(self, request: Request, call: str) -> Caller:
        """Return who asks for something that is no team's, or refuse."""
        caller = self._login.caller(request)
        if not caller.roles & permissions(call):
            raise _forbidden(call, caller)
        return caller

    def known(self, request: Request) -> Caller:
        """Return who asks, whatever it may do."""
        return self._login.caller(request)

    def team(self, request: Request, call: str) -> Team:
        caller = self._login.caller(request)
        team = self.team_of(caller, request.match_info["team"])
        self.allow(caller, team, call)
        return team

    def team_of(self, caller: Caller, group_id: str) -> Team:
        for team in self._state.teams.values():
            mine = team.tenant == caller.tenant and not team.deleted
            if mine and team.group_id == group_id:
                return team
        raise not_found()

    def channel(self, request: Request, call: str) -> Channel:
        team = self.team(request, call)
        channel = self.channel_of(team, request.match_info["channel"])
        self.allow_in(self._login.caller(request), channel, call)
        return channel

    def channel_of(self, team: Team, channel_id: str) -> Channel:
        channel = self._state.channels.get(channel_id)
        if channel is None or channel.team != team.id or channel.deleted:
            raise not_found()
        return channel

    def allow(self, caller: Caller, team: Team, call: str) -> None:
        """Let through what a role in the token allows, or a grant of this team."""
        grants = self._state.setting("graph_grants") if caller.app in team.apps else []
        granted = frozenset(grants) if _RSC_ROLE in caller.roles else frozenset()
        if not (caller.roles | granted) & permissions(call):
            raise _forbidden(call, caller)

    def allow_in(self, caller: Caller, channel: Channel, call: str) -> None:
        """Refuse where a team's grants do not reach: into its closed channels."""
        if channel.kind is Kind.STANDARD or caller.roles & permissions(call):
            return
        rule = _RULES.get(call)
        if rule and not self._state.setting(f"graph_rsc_{rule}"):
            raise _forbidden(call, caller)

    def person(self, caller: Caller, wanted: str) -> Person:
        """Return somebody of the caller's tenant, by directory id or address."""
        for person in self._state.people.values():
            known = {person.directory_id.lower(), person.email.lower()}
            if person.tenant == caller.tenant and wanted.lower() in known:
                return person
        raise GraphRefusal(404, "Request_ResourceNotFound", "Resource does not exist.")


@cache
def _table() -> Mapping[str, frozenset[str]]:
    path = Path(__file__).with_name("graph_permissions.json")
    return {
        call: frozenset(names)
        for call, names in json.loads(path.read_text("utf-8")).items()
    }


def permissions(call: str) -> frozenset[str]:
    """Return the permissions of which a call needs one."""
    return _table()[call]


def not_found() -> GraphRefusal:
    return GraphRefusal(404, "NotFound", "The resource could not be found.")


def bad_request(message: str, code: str = "BadRequest") -> GraphRefusal:
    return GraphRefusal(400, code, message)


def _forbidden(call: str, caller: Caller) -> GraphRefusal:
    code = "Authorization_RequestDenied" if call in _DIRECTORY else "Forbidden"
    wanted = ", ".join(sorted(permissions(call)))
    held = ", ".join(sorted(caller.roles))
    return GraphRefusal(
        403,
        code,
        "Missing role permissions on the request. API requires one of "
        f"'{wanted}'. Roles on the request '{held}'.",
    )
