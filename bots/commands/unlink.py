"""End a link: the channels go their own ways, what was said stays."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from bots.commands.announce import announce_everywhere
from bots.commands.base import Request
from bots.commands.choice import link_here
from bots.commands.names import link_named
from bots.commands.rights import only_admins
from bridge.cards import Card, Tone
from bridge.links import LinkState
from bridge.messages import Platform
from bridge.ports import Announcer, LinkBook, Rights


@dataclass(frozen=True, slots=True)
class Unlink:
    name: ClassVar[str] = "unlink"
    usage: ClassVar[str] = "unlink [LINK]"
    summary: ClassVar[str] = "end this channel's link"

    links: LinkBook
    rights: Mapping[Platform, Rights]
    announcers: Mapping[Platform, Announcer]

    async def run(self, request: Request) -> Card:
        await only_admins(self.rights, request)
        link = await link_here(self.links, request)
        await self.links.change(link, LinkState.REMOVED, request.actor)
        names = await link_named(self.announcers, link)
        notice = Card("This channel is not linked any more", f"It was: {names}.")
        await announce_everywhere(self.announcers, link.channels, notice)
        return Card("Unlinked", f"{names}: nothing crosses any more.", Tone.GOOD)
