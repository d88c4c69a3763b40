"""Take a channel out of its link, or end the link: what was said stays."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from bots.commands.announce import announce_everywhere
from bots.commands.base import Request
from bots.commands.choice import link_here
from bots.commands.joining import part
from bots.commands.names import channel_named, link_named
from bots.commands.rights import only_admins
from bridge.cards import Button, Card, Tone
from bridge.links import Link, LinkState
from bridge.messages import Platform
from bridge.ports import Announcer, LinkBook, Rights

_HERE, _ALL = "here", "all"
_PAIR = 2


@dataclass(frozen=True, slots=True)
class Unlink:
    """
    `unlink here` takes this channel out, `unlink all` and `unlink LINK` end the link.

    Of two channels both mean the same. With more, `unlink` alone asks first.
    """

    name: ClassVar[str] = "unlink"
    usage: ClassVar[str] = "unlink [here|all] [LINK]"
    summary: ClassVar[str] = "take this channel out of its link, or end the link"

    links: LinkBook
    rights: Mapping[Platform, Rights]
    announcers: Mapping[Platform, Announcer]

    async def run(self, request: Request) -> Card:
        await only_admins(self.rights, request)
        said, words = _split(request.arguments)
        link = await link_here(self.links, request, words)
        if len(link.channels) <= _PAIR or said == _ALL:
            return await self._end(request, link)
        if said == _HERE:
            return await self._leave(request, link)
        return await self._ask(link)

    async def _end(self, request: Request, link: Link) -> Card:
        await self.links.change(link, LinkState.REMOVED, request.actor)
        names = await link_named(self.announcers, link)
        notice = Card("This channel is not linked any more", f"It was: {names}.")
        await announce_everywhere(self.announcers, link.channels, notice)
        return Card("Unlinked", f"{names}: nothing crosses any more.", Tone.GOOD)

    async def _leave(self, request: Request, link: Link) -> Card:
        channel, actor = request.channel, request.actor
        left = await part(self.links, self.announcers, link, channel, actor)
        name = await channel_named(self.announcers, channel)
        rest = await link_named(self.announcers, left)
        return Card("Unlinked", f"{name} hears {rest} no longer.", Tone.GOOD)

    async def _ask(self, link: Link) -> Card:
        names = await link_named(self.announcers, link)
        return Card(
            "Which do you mean?",
            f"{names} are one link. Taking this channel out leaves the others linked.",
            Tone.WARNING,
            buttons=(
                Button("Take this channel out", f"unlink here {link.id}"),
                Button("End the link for all", f"unlink {link.id}"),
            ),
        )


def _split(words: Sequence[str]) -> tuple[str, Sequence[str]]:
    """Return what shall end, if that was said, and the link's name, if it was."""
    if words and (said := words[0].lower()) in {_HERE, _ALL}:
        return said, words[1:]
    return (_ALL, words) if words else ("", words)
