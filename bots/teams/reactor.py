"""Let ATOM react in Teams, which lets bots do so since 2026, as a preview."""

from dataclasses import dataclass

from bots.teams.connector import (
    Connector,
    Gone,
    NotOffered,
    activities,
    in_path,
)
from bots.teams.places import threaded
from bots.teams.reaction_types import kind_of
from bridge.errors import NotSent, Refused, StoreUnavailable
from bridge.places import PlaceBook
from bridge.reactions import Spot


@dataclass(frozen=True, slots=True)
class TeamsReactor:
    """Implements `bridge.reacting.Reactor`."""

    connector: Connector
    places: PlaceBook

    async def react(self, spot: Spot, emoji: str, *, standing: bool) -> bool:
        if not (kind := kind_of(emoji)):
            return not standing
        try:
            place = await self.places.find(spot.channel)
        except StoreUnavailable as error:
            raise NotSent(str(error)) from error
        if place is None or not place.service_url:
            raise Refused("ATOM was never heard from in this team: add it there first")
        thread = threaded(spot.channel.id, spot.thread or spot.message)
        path = f"{activities(thread, spot.message)}/reactions/{in_path(kind)}"
        method = "PUT" if standing else "DELETE"
        try:
            await self.connector.call(method, place.service_url, path)
        except NotOffered:
            return not standing
        except Gone:
            if standing:
                raise
        return True
