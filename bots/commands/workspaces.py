"""Which workspaces the organisation has, and what is to become of them."""

from dataclasses import dataclass
from typing import ClassVar

from bots.commands.base import Request
from bots.commands.channels import ask_again, done_card
from bots.commands.organisations import Organisations
from bots.commands.space_wishes import SpaceVerb, carry_out, preview, space_wish
from bridge.cards import Card, Field, Section


@dataclass(frozen=True, slots=True)
class ListWorkspaces:
    name: ClassVar[str] = "workspaces"
    usage: ClassVar[str] = "workspaces [VERB …]"
    summary: ClassVar[str] = (
        "list the organisation's workspaces, and in Teams create, rename, archive, "
        "unarchive them, invite, own and remove people"
    )

    organisations: Organisations

    async def run(self, request: Request) -> Card:
        wanted = space_wish(request.arguments)
        steward = await self.organisations.steward_for(request)
        if wanted.must_be_shown:
            line = " ".join((self.name, wanted.verb, *wanted.words))
            platform = request.channel.platform
            return ask_again(platform, line, await preview(steward, wanted))
        if wanted.verb is not SpaceVerb.LIST:
            return done_card(await carry_out(steward, wanted))
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
