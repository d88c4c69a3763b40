"""What channels are called in Teams, and where they are opened."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from bots.asking import Asking
from bots.remembered import Remembered
from bots.teams.announcer import learn_channels
from bots.teams.connector import Connector
from bots.teams.html_out import channel_url
from bridge.errors import AtomError
from bridge.messages import Channel, Platform
from bridge.naming import Seen
from bridge.places import Place, PlaceBook

_FRESH = 600.0  # seconds
_REST = 30.0
_HOSTS = {"teams.microsoft.com", "teams.cloud.microsoft"}
_OPENS_A_CHANNEL = "/l/channel/"
_STANDARD = "standard"


@dataclass(slots=True)
class TeamsSigns:
    """Implements `bridge.naming.Signs`. Bots are told of neither tags nor emoji."""

    connector: Connector
    places: PlaceBook
    asking: Asking = field(default_factory=lambda: Asking(_REST, at_once=4))
    _listed: Remembered[Place, bool] = field(init=False)

    def __post_init__(self) -> None:
        self._listed = Remembered(self._list, seconds=_FRESH)

    async def channels(
        self, channel: Channel, ids: Collection[str]
    ) -> Mapping[str, Seen]:
        found = {i: await self._channel(channel.team, i) for i in ids}
        return {i: seen for i, seen in found.items() if seen}

    def channel_in(self, url: str) -> str:
        try:
            parts = urlsplit(url)
        except ValueError:
            return ""
        if parts.hostname not in _HOSTS or not parts.path.startswith(_OPENS_A_CHANNEL):
            return ""
        return unquote(parts.path.removeprefix(_OPENS_A_CHANNEL).partition("/")[0])

    async def aclose(self) -> None:
        await self._listed.aclose()

    async def _channel(self, team: str, id_: str) -> Seen | None:
        channel = Channel(Platform.TEAMS, team, id_)
        try:
            place = await self.places.find(channel)
            if place and not (place.name and place.kind):
                await self._listed.get(_team(place))
                place = await self.places.find(channel)
        except AtomError:
            return None
        if place is None or not place.name:
            return None
        url = ""
        if place.group_id and place.account:
            url = channel_url(
                id_, place.name, group=place.group_id, tenant=place.account
            )
        return Seen(place.name, public=place.kind == _STANDARD, url=url)

    async def _list(self, team: Place) -> bool:
        await self.asking.ask(
            team.team, lambda: learn_channels(self.connector, self.places, team)
        )
        return True


def _team(place: Place) -> Place:
    return Place(
        place.account, place.team, "", place.service_url, group_id=place.group_id
    )
