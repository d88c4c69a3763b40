"""Who is in a Teams channel, all of them: most channels have their team's members."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from bots.teams.connector import Connector, in_path
from bots.teams.roster import Told, described, roster, told_nobody, whose_members
from bots.teams.wire import mappings, text_of
from bridge.errors import Ambiguous, CannotTell, NotSent, Refused, ServiceUnavailable
from bridge.messages import Channel, PersonKind
from bridge.patience import patiently
from bridge.places import Place, PlaceBook

_PAGE = 500
_OUTSIDERS = {PersonKind.GUEST, PersonKind.EXTERNAL}
_PAGES = 200


@dataclass(frozen=True, slots=True)
class TeamsMembers:
    """
    Implements `bridge.membership.Members`. `sleep` waits seconds.

    `told` hears how everybody is described, with the tenant that vouches for them.
    """

    connector: Connector
    places: PlaceBook
    sleep: Callable[[float], Awaitable[None]]
    told: Told = told_nobody

    async def of(self, channel: Channel) -> frozenset[str]:
        place, listed = await self.listed(channel)
        await self.told(place.account, roster(listed, place.account).everybody)
        return frozenset(text_of(m.get("id")) for m in listed) - {""}

    async def outsiders(self, channel: Channel) -> frozenset[str]:
        """Implements `bridge.membership.Readers`."""
        place, listed = await self.listed(channel)
        people = [described(member, place.account) for member in listed]
        return frozenset(p.id for p in people if p.kind in _OUTSIDERS and p.id)

    async def listed(self, channel: Channel) -> tuple[Place, list[Mapping[str, Any]]]:
        """Return everybody as the connector describes them. Raises as `of`."""
        place = await self.places.find(channel)
        if place is None or not place.service_url:
            raise CannotTell("ATOM was never heard from in this team")
        team, own = whose_members(place)
        path = f"v3/conversations/{in_path(own or team)}/pagedmembers?pageSize={_PAGE}"
        found: list[Mapping[str, Any]] = []
        token = ""
        for _ in range(_PAGES):
            more = f"&continuationToken={quote(token, safe='')}" if token else ""
            answer = await self._asked(place, path + more)
            found += mappings(answer.get("members"))
            if not (token := text_of(answer.get("continuationToken"))):
                return place, found
        raise CannotTell("the team has too many members to list")

    async def _asked(self, place: Place, path: str) -> Mapping[str, Any]:
        async def ask() -> Mapping[str, Any]:
            return await self.connector.call("GET", place.service_url, path)

        try:
            return await patiently(ask, self.sleep)
        except Refused as refused:
            raise CannotTell(str(refused)) from refused
        except (Ambiguous, NotSent) as error:
            raise ServiceUnavailable(str(error)) from error
