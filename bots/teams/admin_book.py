"""A tenant's teams, their channels and people, read with the admin app."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bots.teams.admin_graph import AdminGraph
from bots.teams.connector import Connector, in_path
from bots.teams.rights import directory_id
from bots.teams.wire import text_of
from bridge.errors import (
    Ambiguous,
    BadInput,
    Conflict,
    DeliveryFailed,
    NotFound,
    Refused,
    ServiceUnavailable,
)
from bridge.messages import Channel, Person, Platform
from bridge.places import PlaceBook
from bridge.workspaces import ManagedChannel, NewChannel, Workspace

# By their templates, which are the same in every tenant.
_ADMINISTRATORS = {
    "62e90394-69f5-4237-9190-012177145e10",  # Global Administrator
    "69091246-20e8-4a56-aa4d-066075b2a7a8",  # Teams Administrator
}
_TEAMS = 50  # whose channels are looked through for a name


@dataclass(frozen=True, slots=True)
class TeamsOrganisation:
    """Implements `bridge.workspaces.Organisation`."""

    graph: AdminGraph
    connector: Connector
    places: PlaceBook

    async def workspaces(self) -> Sequence[Workspace]:
        return await teams(self.graph)

    async def may_manage(self, person: Person, here: Channel) -> bool:
        """
        Ask the directory for the person's roles. Owning a team is not enough, nor is
        being an administrator of another tenant.
        """
        if person.platform is not Platform.TEAMS:
            return False
        place = await self.places.find(here)
        if place is None or place.account.lower() != self.graph.account.lower():
            return False
        try:
            who = await directory_id(self.connector, place, person)
        except DeliveryFailed as error:
            raise ServiceUnavailable("Teams does not answer just now.") from error
        return bool(who) and await self._administers(who)

    async def _administers(self, who: str) -> bool:
        kind = "transitiveMemberOf/microsoft.graph.directoryRole"
        try:
            roles = [r async for r in self.graph.every(f"users/{in_path(who)}/{kind}")]
        except (Refused, NotFound) as error:
            raise ServiceUnavailable(str(error)) from error
        held = {text_of(role.get("roleTemplateId")) for role in roles}
        if held & _ADMINISTRATORS:
            return True
        if "" in held:  # there is a role, and it does not show which: unknown
            raise ServiceUnavailable(
                "the admin app may not read roles: grant RoleManagement.Read.Directory"
            )
        return False


@dataclass(frozen=True, slots=True)
class TeamsChannelBook:
    """
    Implements `bridge.workspaces.ChannelBook`.

    A channel is named by its id, its name, or as TEAM/CHANNEL; blanks are hyphens.
    """

    graph: AdminGraph

    async def channels(self, workspace: Workspace | None) -> Sequence[ManagedChannel]:
        spaces = [workspace] if workspace else await self._few()
        return [one for space in spaces for one in await channels(self.graph, space)]

    async def channel(self, word: str) -> ManagedChannel:
        team, slash, name = word.removeprefix("#").rpartition("/")
        spaces: Sequence[Workspace]
        if slash:
            spaces = [s for s in await teams(self.graph) if _means(team, s)]
            if not spaces:
                raise NotFound(f"There is no team {team}.")
        else:
            spaces = await self._few()
        found = [
            one
            for space in spaces
            for one in await channels(self.graph, space)
            if name == one.id or slug(one.name) == slug(name)
        ]
        if not found:
            raise NotFound(f"There is no channel {name} in this organisation.")
        if len(found) > 1:
            ids = ", ".join(one.id for one in found)
            raise Conflict(
                f"Several channels are called {name}: name it as TEAM/{slug(name)}, "
                f"or by id: {ids}"
            )
        return found[0]

    async def create(self, new: NewChannel) -> ManagedChannel:
        """Make a channel. Closed ones need an owner: it is one of the team's."""
        team = in_path(new.workspace.id)
        kind = "shared" if new.shared else "private" if new.private else "standard"
        body: dict[str, Any] = {"displayName": new.name, "membershipType": kind}
        if kind != "standard":
            body["members"] = [await self._owner(new.workspace)]
        answer = await self.graph.order("POST", f"teams/{team}/channels", body)
        if not (id_ := text_of(answer.get("id"))):
            if kind != "shared":
                raise Ambiguous("Microsoft took the wish and gave the channel no id.")
            # Shared channels are made in the background, and nobody says their id.
            id_ = "not known yet"
        closed = kind != "standard"
        return ManagedChannel(id_, new.name, (new.workspace.id,), private=closed)

    async def _owner(self, workspace: Workspace) -> Mapping[str, Any]:
        path = f"teams/{in_path(workspace.id)}/members"
        async for member in self.graph.every(path):
            if "owner" in (member.get("roles") or ()):
                who = text_of(member.get("userId"))
                return self.graph.person(who, owner=True)
        raise Refused(f"{workspace.name} has no owner: give it one first.")

    async def _few(self) -> Sequence[Workspace]:
        spaces = await teams(self.graph)
        if len(spaces) > _TEAMS:
            raise BadInput(
                f"There are {len(spaces)} teams, too many to look through: name a "
                "team, and a channel as TEAM/CHANNEL."
            )
        return spaces


async def teams(graph: AdminGraph) -> list[Workspace]:
    found = [one async for one in graph.every("teams")]
    return [
        Workspace(text_of(one.get("id")), name, slug(name))
        for one in found
        if (name := text_of(one.get("displayName")))
    ]


async def channels(graph: AdminGraph, workspace: Workspace) -> list[ManagedChannel]:
    path = f"teams/{in_path(workspace.id)}/channels"
    return [_channel(one, workspace) async for one in graph.every(path)]


async def find_person(graph: AdminGraph, word: str) -> Person:
    """Return who is meant: an address, or an id of the directory."""
    plain = word.removeprefix("mailto:")
    try:
        found = await graph.read(f"users/{in_path(plain)}")
    except NotFound:
        mails = graph.every(f"users?$filter=mail%20eq%20'{in_path(_quoted(plain))}'")
        found = {}
        async for one in mails:
            found = one
    if not (id_ := text_of(found.get("id"))):
        raise NotFound(
            f"There is nobody called {plain} in this organisation: write an e-mail "
            "address."
        )
    return Person(Platform.TEAMS, id_, text_of(found.get("displayName")))


def slug(name: str) -> str:
    """Return a name as it is typed in one word."""
    return "-".join(name.lower().split())


def _quoted(text: str) -> str:
    return text.replace("'", "''")


def _means(word: str, workspace: Workspace) -> bool:
    return word == workspace.id or slug(word) == workspace.address


def _channel(found: Mapping[str, Any], workspace: Workspace) -> ManagedChannel:
    kind = text_of(found.get("membershipType"))
    return ManagedChannel(
        text_of(found.get("id")),
        text_of(found.get("displayName")),
        (workspace.id,),
        private=kind not in {"", "standard"},
        archived=found.get("isArchived") is True,
    )
