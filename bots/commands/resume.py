"""Let a paused link carry messages again, those that waited first."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from bots.commands.announce import announce_everywhere
from bots.commands.base import Request
from bots.commands.choice import link_here
from bots.commands.names import link_named, reasons_of
from bots.commands.rights import only_admins
from bridge.cards import Card, Tone
from bridge.errors import Conflict
from bridge.links import LinkState
from bridge.messages import Platform
from bridge.ports import Announcer, LinkBook, Rights


@dataclass(frozen=True, slots=True)
class Resume:
    name: ClassVar[str] = "resume"
    usage: ClassVar[str] = "resume [LINK]"
    summary: ClassVar[str] = "let a paused link carry messages again"

    links: LinkBook
    rights: Mapping[Platform, Rights]
    announcers: Mapping[Platform, Announcer]

    async def run(self, request: Request) -> Card:
        await only_admins(self.rights, request)
        link = await link_here(self.links, request)
        if link.state is LinkState.ACTIVE:
            raise Conflict(f"Link {link.id} is not paused.")
        if link.state is LinkState.DORMANT:
            reasons = await reasons_of(self.announcers, link)
            raise Conflict(
                f"Link {link.id} is dormant: {reasons}. It wakes when that changes."
            )
        resumed = await self.links.change(link, LinkState.ACTIVE, request.actor)
        names = await link_named(self.announcers, link)
        if resumed.state is LinkState.DORMANT:
            reasons = await reasons_of(self.announcers, resumed)
            return Card("Resumed, but dormant", f"{names}: {reasons}.", Tone.WARNING)
        notice = Card(
            "This channel's link is resumed",
            f"{names}: what waited crosses now.",
            Tone.GOOD,
        )
        await announce_everywhere(self.announcers, link.channels, notice)
        return Card("Resumed", f"{names}: what waited crosses now.", Tone.GOOD)
