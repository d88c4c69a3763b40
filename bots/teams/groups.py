"""Which group of the directory a team is: Graph knows teams by nothing else."""

from dataclasses import replace

from bots.teams.connector import Connector, in_path
from bots.teams.wire import text_of
from bridge.errors import CannotTell
from bridge.places import Place, PlaceBook


async def grouped(connector: Connector, places: PlaceBook, place: Place) -> Place:
    """
    Return the place with its team's group, which not every activity names.

    Raises what the connector raises, and `CannotTell` if nobody knows the group.
    """
    if place.group_id:
        return place
    path = f"v3/teams/{in_path(place.team)}"
    details = await connector.call("GET", place.service_url, path)
    if not (group := text_of(details.get("aadGroupId"))):
        raise CannotTell("the team's group is not known")
    found = replace(place, group_id=group)
    await places.remember(found)
    return found
