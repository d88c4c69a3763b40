"""Who owns a team, by Microsoft's own word."""

from dataclasses import dataclass

from bots.teams.connector import Connector, Gone, in_path
from bots.teams.graph import Graph
from bots.teams.groups import grouped
from bots.teams.wire import text_of
from bridge.errors import CannotTell, DeliveryFailed, ServiceUnavailable
from bridge.messages import Channel, Person, Platform
from bridge.places import Place, PlaceBook


@dataclass(frozen=True, slots=True)
class TeamsRights:
    """Implements `bridge.ports.Rights`: a team's owners administer its channels."""

    connector: Connector
    places: PlaceBook
    graph: Graph

    async def is_admin(self, person: Person, channel: Channel) -> bool:
        if person.platform is not Platform.TEAMS:
            return False
        place = await self.places.find(channel)
        if place is None or place.kind == "chat":
            return False
        try:
            who = await directory_id(self.connector, place, person)
            if not who:
                return False
            return await self.graph.owns(
                who, await grouped(self.connector, self.places, place)
            )
        except CannotTell as error:
            raise ServiceUnavailable(
                "ATOM may not read who owns this team. Grant it "
                "TeamMember.Read.Group (update the app in the team)."
            ) from error
        except DeliveryFailed as error:
            raise ServiceUnavailable("Teams does not answer just now.") from error


async def directory_id(connector: Connector, place: Place, person: Person) -> str:
    """Return who a member of a team is in the directory, empty for one who is not."""
    path = f"v3/conversations/{in_path(place.team)}/members/{in_path(person.id)}"
    try:
        member = await connector.call("GET", place.service_url, path)
    except Gone:
        return ""
    return text_of(member.get("aadObjectId")) or text_of(member.get("objectId"))
