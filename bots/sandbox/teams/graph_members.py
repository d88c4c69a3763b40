"""The part of Graph that says who is in a team or a channel, and changes it."""

from collections.abc import Mapping
from typing import Any

from aiohttp.web import Request, Response, json_response

from bots.sandbox.teams.changing import TeamChanges
from bots.sandbox.teams.errors import GraphRefusal
from bots.sandbox.teams.graph_access import Access, bad_request, not_found
from bots.sandbox.teams.graph_body import bound_person, is_owner, json_body
from bots.sandbox.teams.graph_paging import paged
from bots.sandbox.teams.graph_shapes import member_told, membership_id
from bots.sandbox.teams.model import Channel, Kind, Person, Team
from bots.sandbox.world import World

_PAGE_AT_MOST = 999
_AT_ONCE = 200


class GraphMembers:
    """
    Members of teams, of private and of shared channels.

    A standard channel has no members of its own: they are the team's.
    """

    def __init__(self, world: World, access: Access, changes: TeamChanges) -> None:
        self._state = world.teams
        self._access = access
        self._changes = changes

    async def members(self, request: Request) -> Response:
        team = self._access.team(request, "graph.members")
        told = [member_told(team, one) for one in self._people(team.members)]
        return paged(request, told, most=_PAGE_AT_MOST)

    async def member(self, request: Request) -> Response:
        team = self._access.team(request, "graph.member")
        return json_response(member_told(team, self._in_team(team, request)))

    async def add(self, request: Request) -> Response:
        team = self._access.team(request, "graph.add_member")
        person = self._add(request, team, await json_body(request))
        return json_response(member_told(team, person), status=201)

    async def add_many(self, request: Request) -> Response:
        """Add up to 200; who cannot be added is named, and the others are added."""
        team = self._access.team(request, "graph.add_members")
        values = (await json_body(request)).get("values")
        if not isinstance(values, list) or not 0 < len(values) <= _AT_ONCE:
            raise bad_request("From 1 to 200 members can be added at once.")
        told = [self._added(request, team, one) for one in values]
        failed = any(one["error"] for one in told)
        return json_response({"value": told}, status=207 if failed else 200)

    async def patch(self, request: Request) -> Response:
        team = self._access.team(request, "graph.patch_member")
        person = self._in_team(team, request)
        owner = is_owner(await json_body(request))
        _refuse_last(team.owners, person, stays=owner)
        if owner:
            self._changes.add_member(team, person, owner=True)
        elif person.id in team.owners:
            team.owners.remove(person.id)
        return json_response(member_told(team, person))

    async def remove(self, request: Request) -> Response:
        team = self._access.team(request, "graph.remove_member")
        person = self._in_team(team, request)
        _refuse_last(team.owners, person, stays=False)
        self._changes.remove_member(team, person)
        return Response(status=204)

    async def channel_members(self, request: Request) -> Response:
        channel = self._access.channel(request, "graph.channel_members")
        return self._listed(request, channel)

    async def all_channel_members(self, request: Request) -> Response:
        channel = self._access.channel(request, "graph.all_channel_members")
        return self._listed(request, channel)

    async def channel_member(self, request: Request) -> Response:
        channel = self._access.channel(request, "graph.channel_member")
        person = self._in_channel(channel, request)
        return json_response(self._told(channel, person))

    async def add_to_channel(self, request: Request) -> Response:
        """Add somebody; a private channel takes only members of its team."""
        channel = self._closed(request, "graph.add_channel_member")
        member = await json_body(request)
        caller = self._access.known(request)
        person = self._access.person(caller, bound_person(member))
        team = self._state.teams[channel.team]
        if channel.kind is Kind.PRIVATE and person.id not in team.members:
            raise GraphRefusal(404, "NotFound", "The user is not part of the team.")
        self._changes.enter_channel(channel, person, owner=is_owner(member))
        return json_response(self._told(channel, person), status=201)

    async def patch_in_channel(self, request: Request) -> Response:
        channel = self._closed(request, "graph.patch_channel_member")
        person = self._in_channel(channel, request)
        owner = is_owner(await json_body(request))
        _refuse_last(channel.owners, person, stays=owner)
        if owner:
            self._changes.enter_channel(channel, person, owner=True)
        elif person.id in channel.owners:
            channel.owners.remove(person.id)
        return json_response(self._told(channel, person))

    async def remove_from_channel(self, request: Request) -> Response:
        channel = self._closed(request, "graph.remove_channel_member")
        person = self._in_channel(channel, request)
        _refuse_last(channel.owners, person, stays=False)
        self._changes.leave_channel(channel, person)
        return Response(status=204)

    async def has_access(self, request: Request) -> Response:
        """Say whether somebody is in a channel, by any way."""
        channel = self._access.channel(request, "graph.access")
        inside = self._state.members(channel)
        given = {
            one.partition("=")[2].strip("'").lower()
            for one in request.match_info["who"].split(",")
            if one.partition("=")[0] in {"userId", "userPrincipalName"}
        }
        value = any({p.directory_id.lower(), p.email.lower()} & given for p in inside)
        return json_response({"value": value})

    def _add(self, request: Request, team: Team, member: Mapping[str, Any]) -> Person:
        caller = self._access.known(request)
        person = self._access.person(caller, bound_person(member))
        self._changes.add_member(team, person, owner=is_owner(member))
        return person

    def _added(self, request: Request, team: Team, member: Any) -> dict[str, Any]:
        told: dict[str, Any] = {
            "@odata.type": "#microsoft.graph.aadUserConversationMemberResult",
            "userId": None,
            "error": None,
        }
        try:
            if not isinstance(member, dict):
                raise bad_request("A member is an object.")
            told["userId"] = self._add(request, team, member).directory_id
        except GraphRefusal as refusal:
            told["error"] = {"code": refusal.code, "message": refusal.message}
        return told

    def _listed(self, request: Request, channel: Channel) -> Response:
        told = [self._told(channel, one) for one in self._state.members(channel)]
        return paged(request, told, most=_PAGE_AT_MOST)

    def _told(self, channel: Channel, person: Person) -> dict[str, Any]:
        team = self._state.teams[channel.team]
        own = None if channel.kind is Kind.STANDARD else channel
        return member_told(team, person, own)

    def _closed(self, request: Request, call: str) -> Channel:
        channel = self._access.channel(request, call)
        if channel.kind is Kind.STANDARD:
            raise bad_request(
                "Members of a standard channel are managed through its team."
            )
        return channel

    def _in_team(self, team: Team, request: Request) -> Person:
        wanted = request.match_info["member"]
        for person in self._people(team.members):
            if membership_id(team, None, person) == wanted:
                return person
        raise not_found()

    def _in_channel(self, channel: Channel, request: Request) -> Person:
        team = self._state.teams[channel.team]
        own = None if channel.kind is Kind.STANDARD else channel
        for person in self._state.members(channel):
            if membership_id(team, own, person) == request.match_info["member"]:
                return person
        raise not_found()

    def _people(self, ids: list[str]) -> list[Person]:
        return [self._state.people[i] for i in ids if i in self._state.people]


def _refuse_last(owners: list[str], person: Person, *, stays: bool) -> None:
    if owners == [person.id] and not stays:
        raise bad_request("The last owner cannot be removed.")
