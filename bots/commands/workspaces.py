"""Which workspaces the organisation has."""

from dataclasses import dataclass
from typing import ClassVar

from bots.commands.base import Request
from bots.commands.organisations import Organisations
from bridge.cards import Card, Field, Section


@dataclass(frozen=True, slots=True)
class ListWorkspaces:
    name: ClassVar[str] = "workspaces"
    usage: ClassVar[str] = "workspaces"
    summary: ClassVar[str] = "list the organisation's workspaces"

    organisations: Organisations

    async def run(self, request: Request) -> Card:
        steward = await self.organisations.steward_for(request)
        found = await steward.administration.organisation.workspaces()
        sections = tuple(
            Section(
                one.name,
                fields=(Field("Short name", one.address), Field("Id", one.id)),
            )
            for one in found
        )
        count = "1 workspace" if len(found) == 1 else f"{len(found)} workspaces"
        return Card(count, sections=sections)
