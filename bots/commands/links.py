"""Which channels are linked."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from bots.commands.base import Request, spoken
from bots.commands.names import link_named, state_of
from bridge.cards import Card, Field, Section
from bridge.links import Link
from bridge.messages import Platform
from bridge.ports import Announcer, LinkBook


@dataclass(frozen=True, slots=True)
class ListLinks:
    name: ClassVar[str] = "links"
    summary: ClassVar[str] = "list the company's links"
    usage: ClassVar[str] = "links"

    links: LinkBook
    announcers: Mapping[Platform, Announcer]

    async def run(self, request: Request) -> Card:
        links = await self.links.all(request.tenant)
        if not links:
            line = spoken(request.channel.platform, "link")
            return Card("No links yet", f"`{line}` makes the first one, from here.")
        sections = [await self._section(request, link) for link in links]
        return Card(counted(len(links)), sections=tuple(sections))

    async def _section(self, request: Request, link: Link) -> Section:
        title = await link_named(self.announcers, link)
        here = " (this channel)" if request.channel in link.channels else ""
        fields = (
            Field("Link", f"{link.id}{here}"),
            Field("State", await state_of(self.announcers, link)),
        )
        return Section(title, fields=fields)


def counted(number: int) -> str:
    return "1 link" if number == 1 else f"{number} links"
