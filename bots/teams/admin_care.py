"""What the admin app does to a tenant's teams, channels and people."""

from collections.abc import Sequence
from dataclasses import dataclass

from bots.teams.admin_book import (
    TeamsChannelBook,
    TeamsOrganisation,
    find_person,
    slug,
    teams,
)
from bots.teams.admin_graph import AdminGraph
from bots.teams.connector import Connector, in_path
from bots.teams.wire import text_of
from bridge.errors import Conflict, NotFound, Refused
from bridge.messages import Person
from bridge.places import PlaceBook
from bridge.workspaces import Administration, ManagedChannel, Workspace

_TEMPLATE = "teamsTemplates('standard')"


def teams_administration(
    graph: AdminGraph, connector: Connector, places: PlaceBook
) -> Administration:
    """
    Put the admin app's ports together.

    Teams moves no channel to another team, lets none follow a group of the directory
    by itself, and shares them with people and not with teams as a whole.
    """
    care = TeamsCare(graph)
    return Administration(
        organisation=TeamsOrganisation(graph, connector, places),
        book=TeamsChannelBook(graph),
        care=care,
        membership=TeamsMembership(graph),
        sessions=TeamsSessions(graph),
        disposal=care,
        spaces=TeamsSpaces(graph),
    )


@dataclass(frozen=True, slots=True)
class TeamsCare:
    """Implements `bridge.workspaces.ChannelCare` and `Disposal`."""

    graph: AdminGraph

    async def rename(self, channel: ManagedChannel, name: str) -> None:
        await self.graph.order("PATCH", _at(channel), {"displayName": name})

    async def archive(self, channel: ManagedChannel) -> None:
        if channel.archived:
            raise Conflict("That channel is archived already.")
        await self.graph.order("POST", f"{_at(channel)}/archive", {})

    async def unarchive(self, channel: ManagedChannel) -> None:
        if not channel.archived:
            raise Conflict("That channel is not archived.")
        await self.graph.order("POST", f"{_at(channel)}/unarchive", {})

    async def delete(self, channel: ManagedChannel) -> None:
        await self.graph.order("DELETE", _at(channel))


@dataclass(frozen=True, slots=True)
class TeamsMembership:
    """
    Implements `bridge.workspaces.Membership`.

    Private and shared channels have members of their own. Who is in a standard one
    follows from the team.
    """

    graph: AdminGraph

    async def person(self, word: str) -> Person:
        return await find_person(self.graph, word)

    async def invite(
        self, channel: ManagedChannel, people: Sequence[Person]
    ) -> Sequence[str]:
        _refuse_open(channel)
        path = f"{_at(channel)}/members"
        return await added(self.graph, path, people, owner=False)

    async def remove(self, channel: ManagedChannel, person: Person) -> None:
        _refuse_open(channel)
        await removed(self.graph, f"{_at(channel)}/members", person)


@dataclass(frozen=True, slots=True)
class TeamsSpaces:
    """
    Implements `bridge.workspaces.WorkspaceCare`.

    Teams are not deleted: that takes the right to delete every group there is.
    """

    graph: AdminGraph

    async def create(self, name: str, owner: Person) -> None:
        """Ask for a team, which Microsoft makes in the background."""
        if any(one.address == slug(name) for one in await teams(self.graph)):
            raise Conflict(f"There is a team {name} already: choose another name.")
        base = self.graph.base.rstrip("/")
        body = {
            "template@odata.bind": f"{base}/{_TEMPLATE}",
            "displayName": name,
            "members": [self.graph.person(owner.id, owner=True)],
        }
        await self.graph.order("POST", "teams", body)

    async def rename(self, workspace: Workspace, name: str) -> None:
        await self.graph.order("PATCH", _team(workspace), {"displayName": name})

    async def archive(self, workspace: Workspace) -> None:
        await self.graph.order("POST", f"{_team(workspace)}/archive", {})

    async def unarchive(self, workspace: Workspace) -> None:
        await self.graph.order("POST", f"{_team(workspace)}/unarchive", {})

    async def admit(
        self, workspace: Workspace, people: Sequence[Person], *, owners: bool
    ) -> Sequence[str]:
        path = f"{_team(workspace)}/members"
        return await added(self.graph, path, people, owner=owners)

    async def dismiss(self, workspace: Workspace, person: Person) -> None:
        await removed(self.graph, f"{_team(workspace)}/members", person)


@dataclass(frozen=True, slots=True)
class TeamsSessions:
    """Implements `bridge.workspaces.Sessions`. Guests are signed in at home."""

    graph: AdminGraph

    async def reset(self, person: Person) -> None:
        path = f"users/{in_path(person.id)}/revokeSignInSessions"
        await self.graph.order("POST", path)


async def added(
    graph: AdminGraph, path: str, people: Sequence[Person], *, owner: bool
) -> list[str]:
    """Let people in one by one; returns a line on each who could not be."""
    failed: list[str] = []
    for person in people:
        name = person.name or person.id
        try:
            await graph.order("POST", path, graph.person(person.id, owner=owner))
        except NotFound:
            failed.append(
                f"{name}: is not known, or not in the team: invite them there first"
            )
        except Refused as refusal:
            failed.append(f"{name}: {refusal}")
    return failed


async def removed(graph: AdminGraph, path: str, person: Person) -> None:
    """Put somebody out. Memberships have ids of their own, and other ones each time."""
    async for member in graph.every(path):
        if text_of(member.get("userId")) == person.id:
            await graph.order("DELETE", f"{path}/{in_path(text_of(member.get('id')))}")
            return


def _refuse_open(channel: ManagedChannel) -> None:
    if not channel.private:
        raise Refused(
            f"{channel.name} is open to its whole team: change who is in the team "
            "with `workspaces invite` and `workspaces remove`."
        )


def _team(workspace: Workspace) -> str:
    return f"teams/{in_path(workspace.id)}"


def _at(channel: ManagedChannel) -> str:
    return f"teams/{in_path(channel.workspaces[0])}/channels/{in_path(channel.id)}"
