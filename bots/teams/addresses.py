"""Where a message in Teams can be looked at."""

from dataclasses import dataclass
from urllib.parse import quote, urlencode

from bridge.errors import AtomError
from bridge.messages import Channel
from bridge.places import PlaceBook

_MESSAGES = "https://teams.microsoft.com/l/message"


@dataclass(frozen=True, slots=True)
class TeamsAddresses:
    """Implements `bridge.composing.Addresses`. Teams has to be asked nothing."""

    places: PlaceBook

    async def of(self, channel: Channel, message: str) -> str:
        try:
            place = await self.places.find(channel)
        except AtomError:
            return ""  # a way there is a nicety; the message crosses without
        if place is None:
            return ""
        where = {"tenantId": place.account, "groupId": place.group_id}
        told = urlencode({name: value for name, value in where.items() if value})
        path = f"{quote(channel.id, safe='')}/{quote(message, safe='')}"
        return f"{_MESSAGES}/{path}?{told}"
