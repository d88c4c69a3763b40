"""What a link does with files, bots, pings and deletes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from bots.commands.announce import announce_everywhere
from bots.commands.base import Request
from bots.commands.choice import link_here
from bots.commands.names import link_named
from bots.commands.rights import only_admins
from bridge.cards import Card, Field, Section, Tone
from bridge.messages import Platform
from bridge.options import LinkOptions
from bridge.ports import Announcer, LinkBook, Rights


@dataclass(frozen=True, slots=True)
class Options:
    name: ClassVar[str] = "options"
    usage: ClassVar[str] = "options [LINK] [NAME=VALUE …]"
    summary: ClassVar[str] = (
        "see or change what the link does with files, bots, pings, outsiders"
    )

    links: LinkBook
    rights: Mapping[Platform, Rights]
    announcers: Mapping[Platform, Announcer]

    async def run(self, request: Request) -> Card:
        choices = [word for word in request.arguments if "=" in word]
        names = [word for word in request.arguments if "=" not in word]
        if choices:
            await only_admins(self.rights, request)
        link = await link_here(self.links, request, names)
        title = await link_named(self.announcers, link)
        wanted = link.options.said(choices)
        if wanted == link.options:
            return Card(
                "What this link does", f"{title}.", sections=(_section(wanted),)
            )
        await self.links.choose(link, wanted, request.actor)
        card = changed_options(title, wanted)
        others = link.others(request.channel)
        await announce_everywhere(self.announcers, others, card)
        return card


def changed_options(names: str, options: LinkOptions) -> Card:
    """Return what a link's channels hear of its new options."""
    return Card("Options changed", f"{names}.", Tone.GOOD, (_section(options),))


def _section(options: LinkOptions) -> Section:
    chosen = options.as_dict().items()
    return Section(fields=tuple(Field(name, str(value)) for name, value in chosen))
