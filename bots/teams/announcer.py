"""How ATOM speaks for itself in Teams."""

from dataclasses import dataclass, field, replace

from bots.teams.cards import card_activity
from bots.teams.connector import Connector, activities, in_path
from bots.teams.pacing import AtOnce, Pace
from bots.teams.wire import mappings, text_of
from bridge.cards import Card
from bridge.errors import AtomError, NotSent, Refused, StoreUnavailable
from bridge.messages import Channel
from bridge.places import Place, PlaceBook

GENERAL = "General"  # Teams leaves the first channel's name out


@dataclass(frozen=True, slots=True)
class TeamsAnnouncer:
    """Implements `bridge.ports.Announcer`."""

    connector: Connector
    places: PlaceBook
    pace: Pace = field(default_factory=AtOnce)

    async def announce(self, channel: Channel, card: Card) -> None:
        try:
            place = await self.places.find(channel)
        except StoreUnavailable as error:
            raise NotSent(str(error)) from error
        if place is None:
            raise Refused("ATOM is not in that team: add it there first.")
        service, path, said = (
            place.service_url,
            activities(channel.id),
            card_activity(card),
        )
        await self.pace.turn(
            place.account,
            channel,
            lambda: self.connector.call("POST", service, path, said),
        )

    async def channel_name(self, channel: Channel) -> str:
        try:
            place = await self.places.find(channel)
            if place and not place.name and place.kind != "chat":
                await learn_channels(self.connector, self.places, place)
                place = await self.places.find(channel)
        except AtomError:
            return channel.id  # a name is a nicety; whoever asks goes on without
        return place.name if place and place.name else channel.id

    def forget(self, channel: Channel) -> None:
        """Nothing is remembered here: the event itself tells `places` the new name."""


async def learn_channels(connector: Connector, places: PlaceBook, place: Place) -> None:
    """Ask which channels a team has, and remember their names."""
    path = f"v3/teams/{in_path(place.team)}/conversations"
    answer = await connector.call("GET", place.service_url, path)
    for found in mappings(answer.get("conversations")):
        if not (channel := text_of(found.get("id"))):
            continue
        name = text_of(found.get("name"))
        if not name and channel == place.team:
            name = GENERAL
        kind = text_of(found.get("type"))
        known = replace(place, channel=channel, name=name, kind=kind)
        await places.remember(known)
