"""
Who is in a Teams channel, and how they come in and go: by the admin app's rights.

Private and shared channels have members of their own, and a team's first channel has
the team's. Who is in any other one cannot be changed without changing the team.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bots.teams.admin_care import added, removed
from bots.teams.admin_graph import AdminGraph
from bots.teams.connector import in_path
from bots.teams.members import TeamsMembers
from bots.teams.roster import described
from bots.teams.wire import text_of
from bridge.errors import CannotTell, Refused
from bridge.messages import Channel, Person, Platform
from bridge.places import Place

_OWN = {"private", "shared"}


@dataclass(frozen=True, slots=True)
class TeamsSeats:
    """
    Implements `bridge.keeping.Seats`. Without `graph` nobody is moved.

    People go by their id in Teams' channels, or by the one that Entra has for them.
    """

    members: TeamsMembers
    graph: AdminGraph | None

    async def people(self, channel: Channel) -> tuple[Person, ...]:
        place, listed = await self.members.listed(channel)
        return tuple(described(member, place.account) for member in listed)

    async def invite(self, channel: Channel, user: str) -> None:
        place, listed = await self.members.listed(channel)
        if _found(listed, user) is not None:
            return
        who = Person(Platform.TEAMS, user)
        for line in await added(self._graph, _path(channel, place), [who], owner=False):
            raise Refused(line)

    async def remove(self, channel: Channel, user: str) -> None:
        place, listed = await self.members.listed(channel)
        member = _found(listed, user)
        if member is None:
            return
        directory_id = text_of(member.get("aadObjectId"))
        if not directory_id:
            raise CannotTell("Teams does not tell which account of Entra that is")
        who = Person(Platform.TEAMS, directory_id)
        await removed(self._graph, _path(channel, place), who)

    @property
    def _graph(self) -> AdminGraph:
        if self.graph is None:
            raise Refused(
                "Who is in Teams' channels is changed by ATOM's admin app: set "
                "ATOM_TEAMS_ADMIN_APP_ID and ATOM_TEAMS_ADMIN_APP_PASSWORD."
            )
        return self.graph


def _found(listed: Iterable[Mapping[str, Any]], user: str) -> Mapping[str, Any] | None:
    for member in listed:
        in_entra = text_of(member.get("aadObjectId"))
        if user == text_of(member.get("id")) or user.lower() == in_entra.lower():
            return member
    return None


def _path(channel: Channel, place: Place) -> str:
    """Return where a channel's members are, in Graph. Raises `Refused`."""
    if not place.group_id:
        raise CannotTell("it is not known yet which team of Entra that is")
    team = f"teams/{in_path(place.group_id)}"
    if place.kind in _OWN:
        return f"{team}/channels/{in_path(channel.id)}/members"
    if channel.id == channel.team:
        return f"{team}/members"
    raise Refused(
        "This channel has its whole team's members: link a private one, or leave it "
        "to the team's owners."
    )
