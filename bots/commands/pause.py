"""Hold a link: what is written meanwhile is kept, and crosses when it is resumed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from bots.commands.announce import announce_everywhere
from bots.commands.base import Request
from bots.commands.choice import link_here
from bots.commands.names import link_named
from bots.commands.rights import only_admins
from bridge.cards import Button, Card, Tone
from bridge.errors import Conflict
from bridge.links import LinkState
from bridge.messages import Platform
from bridge.ports import Announcer, LinkBook, Rights


@dataclass(frozen=True, slots=True)
class Pause:
    name: ClassVar[str] = "pause"
    usage: ClassVar[str] = "pause [LINK]"
    summary: ClassVar[str] = "hold this channel's link; messages wait"

    links: LinkBook
    rights: Mapping[Platform, Rights]
    announcers: Mapping[Platform, Announcer]

    async def run(self, request: Request) -> Card:
        await only_admins(self.rights, request)
        link = await link_here(self.links, request)
        if link.state is LinkState.PAUSED:
            raise Conflict(f"Link {link.id} is paused already.")
        await self.links.change(link, LinkState.PAUSED, request.actor)
        names = await link_named(self.announcers, link)
        resume = (Button("Resume", f"resume {link.id}"),)
        notice = Card(
            "This channel's link is paused",
            f"{names}: what is written waits, and crosses when an admin resumes it.",
            Tone.WARNING,
            buttons=resume,
        )
        await announce_everywhere(self.announcers, link.channels, notice)
        return Card("Paused", f"{names}: messages wait.", Tone.GOOD, buttons=resume)
