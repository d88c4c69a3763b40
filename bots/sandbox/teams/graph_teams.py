"""The part of Graph that makes, changes and removes teams and channels."""

import asyncio
import re
import time
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from aiohttp.web import Request, Response, json_response

from bots.sandbox.teams.changing import TeamChanges, new_conversation
from bots.sandbox.teams.errors import GraphRefusal
from bots.sandbox.teams.graph_access import Access, bad_request, not_found
from bots.sandbox.teams.graph_body import json_body, owners_in, text_in
from bots.sandbox.teams.graph_paging import paged
from bots.sandbox.teams.graph_shapes import channel_told, team_told
from bots.sandbox.teams.login import Caller
from bots.sandbox.teams.model import Channel, Kind, Team
from bots.sandbox.teams.state import stamp
from bots.sandbox.world import World

_KIND = re.compile(r"membershipType eq '(standard|private|shared)'")
_NAME_AT_MOST, _DESCRIPTION_AT_MOST = 50, 1024
_UNFIT = re.compile(r'[~#%&*{}+/\\:<>?|\'"]|^_|^\.|\.$')
_DONE = "succeeded"


class GraphTeams:
    """Teams and channels. What takes a while is answered with 202 and an operation."""

    def __init__(self, world: World, access: Access, changes: TeamChanges) -> None:
        self._world = world
        self._state = world.teams
        self._access = access
        self._changes = changes
        self._operations: dict[str, dict[str, Any]] = {}
        self._made: dict[str, float] = {}

    async def teams(self, request: Request) -> Response:
        caller = self._access.caller(request, "graph.teams")
        told = [
            team_told(one)
            for one in self._state.teams.values()
            if one.tenant == caller.tenant and not one.deleted
        ]
        return paged(request, told, most=999)

    async def team(self, request: Request) -> Response:
        return json_response(team_told(self._access.team(request, "graph.team")))

    async def create_team(self, request: Request) -> Response:
        """Begin to make a team; an app has to name an owner."""
        caller = self._access.caller(request, "graph.create_team")
        asked = await json_body(request)
        name = text_in(asked, "displayName")
        if "template@odata.bind" not in asked or not name:
            raise bad_request("A team needs a template and a displayName.")
        owners = owners_in(asked)
        if len(owners) != 1:
            raise bad_request("Exactly one owner must be named by an application.")
        owner = self._access.person(caller, owners[0])
        team = Team(
            new_conversation(),
            caller.tenant,
            name,
            str(uuid4()),
            [owner.id],
            [owner.id],
            description=text_in(asked, "description"),
        )
        return self._begun(team, "createTeam", lambda: self._changes.create_team(team))

    async def patch_team(self, request: Request) -> Response:
        team = self._access.team(request, "graph.patch_team")
        asked = await json_body(request)
        team.description = text_in(asked, "description") or team.description
        if name := text_in(asked, "displayName"):
            self._changes.rename_team(team, name)
        return Response(status=204)

    async def archive_team(self, request: Request) -> Response:
        team = self._access.team(request, "graph.archive_team")
        if not team.owners:
            raise bad_request("A team without an owner cannot be archived.")
        return self._begun(
            team,
            "archiveTeam",
            lambda: self._changes.archive_team(team, archived=True),
        )

    async def unarchive_team(self, request: Request) -> Response:
        team = self._access.team(request, "graph.unarchive_team")
        return self._begun(
            team,
            "unarchiveTeam",
            lambda: self._changes.archive_team(team, archived=False),
        )

    async def delete_team(self, request: Request) -> Response:
        """Delete the group that the team is."""
        caller = self._access.caller(request, "graph.delete_team")
        team = self._access.team_of(caller, request.match_info["group"])
        self._changes.delete_team(team)
        return Response(status=204)

    async def operation(self, request: Request) -> Response:
        caller = self._access.known(request)
        found = self._operations.get(request.match_info["operation"])
        if found is None or found["tenant"] != caller.tenant:
            raise not_found()
        return json_response({k: v for k, v in found.items() if k != "tenant"})

    async def channels(self, request: Request) -> Response:
        """List the channels, all at once: Graph does not page them."""
        team = self._access.team(request, "graph.channels")
        told = [channel_told(one) for one in self._of(team, request)]
        return json_response({"@odata.count": len(told), "value": told})

    async def channel(self, request: Request) -> Response:
        channel = self._access.channel(request, "graph.channel")
        self._hide_new(channel)
        return json_response(channel_told(channel))

    async def create_channel(self, request: Request) -> Response:
        team = self._access.team(request, "graph.create_channel")
        caller = self._access.known(request)
        made = self._channel(caller, team, await json_body(request))
        if made.kind is Kind.SHARED:
            return self._begun(
                team, "createChannel", lambda: self._changes.create_channel(made)
            )
        self._changes.create_channel(made)
        self._made[made.id] = time.monotonic()
        return json_response(channel_told(made), status=201)

    async def patch_channel(self, request: Request) -> Response:
        channel = self._access.channel(request, "graph.patch_channel")
        asked = await json_body(request)
        name = text_in(asked, "displayName")
        if channel.is_general:
            raise bad_request("The General channel cannot be changed.")
        if name and name != channel.name:
            self._refuse_name(self._state.teams[channel.team], name)
            self._changes.rename_channel(channel, name)
        channel.description = text_in(asked, "description") or channel.description
        return Response(status=204)

    async def delete_channel(self, request: Request) -> Response:
        channel = self._access.channel(request, "graph.delete_channel")
        if channel.is_general:
            raise bad_request("The General channel cannot be deleted.")
        self._changes.delete_channel(channel)
        return Response(status=204)

    async def archive_channel(self, request: Request) -> Response:
        return self._archived(request, archived=True)

    async def unarchive_channel(self, request: Request) -> Response:
        return self._archived(request, archived=False)

    def _archived(self, request: Request, *, archived: bool) -> Response:
        what = "archive" if archived else "unarchive"
        channel = self._access.channel(request, f"graph.{what}_channel")
        if channel.is_general:
            raise bad_request("The General channel cannot be archived.")
        return self._begun(
            self._state.teams[channel.team],
            f"{what}Channel",
            lambda: self._changes.archive_channel(channel, archived=archived),
        )

    def _channel(self, caller: Caller, team: Team, asked: Mapping[str, Any]) -> Channel:
        name = text_in(asked, "displayName")
        try:
            kind = Kind(text_in(asked, "membershipType") or "standard")
        except ValueError:
            raise bad_request("The membershipType is not known.") from None
        self._refuse_name(team, name)
        description = text_in(asked, "description")
        if len(description) > _DESCRIPTION_AT_MOST or kind is Kind.PERSONAL:
            raise bad_request("The channel cannot be like that.")
        people = [self._access.person(caller, one).id for one in owners_in(asked)]
        if kind is not Kind.STANDARD and not people:
            raise bad_request("A private or shared channel needs an owner.")
        self._refuse_too_many(team, kind)
        made = people if kind is not Kind.STANDARD else []
        return Channel(
            new_conversation(),
            team.tenant,
            team.id,
            name,
            kind,
            list(made),
            owners=list(made),
            description=description,
            created=stamp(self._state.next_ms(team.tenant)),
        )

    def _refuse_name(self, team: Team, name: str) -> None:
        """Names are unique for ever, among the deleted as well."""
        if not name or len(name) > _NAME_AT_MOST or _UNFIT.search(name):
            raise bad_request("The displayName is missing or not valid.")
        taken = {
            "general" if one.is_general else one.name.lower()
            for one in self._state.channels.values()
            if one.team == team.id
        }
        if name.lower() in taken:
            raise GraphRefusal(
                self._state.setting("graph_name_taken_status"),
                "NameAlreadyExists",
                "Channel name already existed, please use other name.",
            )

    def _refuse_too_many(self, team: Team, kind: Kind) -> None:
        private = [
            one
            for one in self._state.channels.values()
            if one.team == team.id and one.kind is Kind.PRIVATE
        ]
        most = self._state.setting("graph_private_channels")
        if kind is Kind.PRIVATE and len(private) >= most:
            raise bad_request("The team has as many private channels as it may.")

    def _of(self, team: Team, request: Request) -> list[Channel]:
        asked = request.query.get("$filter", "")
        found = _KIND.fullmatch(asked)
        if asked and found is None:
            raise bad_request("The filter is not supported.")
        return [
            one
            for one in self._state.channels.values()
            if one.team == team.id
            and not one.deleted
            and (found is None or one.kind.value == found[1])
            and not self._is_new(one)
        ]

    def _hide_new(self, channel: Channel) -> None:
        if self._is_new(channel):
            raise not_found()

    def _is_new(self, channel: Channel) -> bool:
        """Whether a channel was made so lately that nobody finds it yet."""
        made = self._made.get(channel.id)
        wait = self._state.setting("graph_visible_after")
        return made is not None and time.monotonic() - made < wait

    def _begun(self, team: Team, kind: str, act: Any) -> Response:
        """Do what takes a while, and answer where its progress can be seen."""
        number = str(uuid4())
        wait = self._state.setting("graph_operation_seconds")
        self._operations[number] = {
            "id": number,
            "operationType": kind,
            "status": "inProgress",
            "targetResourceId": team.group_id,
            "tenant": team.tenant,
            "error": None,
        }
        if wait:
            self._world.tasks.spawn(self._later(number, act, wait))
        else:
            self._finish(number, act)
        target = f"/teams('{team.group_id}')"
        headers = {
            "Location": f"{target}/operations('{number}')",
            "Content-Location": target,
        }
        return Response(status=202, headers=headers)

    async def _later(self, number: str, act: Any, wait: float) -> None:
        await asyncio.sleep(wait)
        self._finish(number, act)

    def _finish(self, number: str, act: Any) -> None:
        act()
        self._operations[number]["status"] = _DONE
