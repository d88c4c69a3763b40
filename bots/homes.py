"""Where a Slack event belongs: to which company, and to which channel of a link."""

from dataclasses import dataclass, replace

from bridge.errors import Conflict
from bridge.lifecycle import TEAMS
from bridge.messages import Event, Platform
from storage.companies import StoredCompanies
from storage.links import StoredLinks


@dataclass(frozen=True, slots=True)
class Homes:
    """
    Puts events where links know their channels.

    A channel that several workspaces see is one channel: its events may come in the
    name of any of them, each installation's once. And a channel whose id changed
    keeps the address that it was linked under.
    """

    companies: StoredCompanies
    links: StoredLinks

    async def of(self, event: Event, organisation: str) -> Event:
        """
        Return the event as the links know its channel.

        `organisation` is that of an org-wide installation, else empty: its workspaces
        are its company's. Raises `StoreUnavailable`.
        """
        for team in dict(event.detail).get(TEAMS, "").split():
            await self._tenant(team, event.account)
        tenant = await self._tenant(event.account, organisation)
        if tenant is None or event.channel is None:
            return event
        home = await self.links.home(tenant, event.channel)
        return event if home == event.channel else replace(event, channel=home)

    async def _tenant(self, team: str, organisation: str) -> str | None:
        tenant = await self.companies.tenant_of(Platform.SLACK, team)
        if tenant or not organisation or organisation == team:
            return tenant
        tenant = await self.companies.tenant_of(Platform.SLACK, organisation)
        if tenant is None:
            return None
        try:
            await self.companies.bind(tenant, Platform.SLACK, team, "")
        except Conflict:
            return await self.companies.tenant_of(Platform.SLACK, team)
        return tenant
