"""What a company calls its workspaces and tenants, where it has several."""

from dataclasses import dataclass

from bridge.messages import Channel, Platform
from bridge.places import PlaceBook
from storage.companies import StoredCompanies


@dataclass(frozen=True, slots=True)
class StoredOrigins:
    """Implements `bridge.composing.Origins`."""

    companies: StoredCompanies
    places: PlaceBook

    async def workspace(self, tenant: str, channel: Channel) -> str:
        platform = channel.platform
        owned = await self.companies.accounts(tenant)
        names = {one.id: one.name for one in owned if one.platform is platform}
        if len(names) <= 1:
            return ""
        if platform is Platform.SLACK:
            return names.get(channel.team, "")
        place = await self.places.find(channel)
        if place is None:
            return ""
        if name := names.get(place.account, ""):
            return name
        # Teams tells nobody its tenants' names; a team's own says something, too.
        team = await self.places.find(Channel(platform, channel.team, ""))
        return team.name if team else ""
