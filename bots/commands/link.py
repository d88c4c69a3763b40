"""Make two channels one conversation, when an admin of each of them wants it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from bots.commands.announce import announce_everywhere, announce_link
from bots.commands.base import Request, spoken
from bots.commands.names import channel_named, titled
from bots.commands.rights import only_admins
from bridge.cards import Button, Card, Field, Section, Tone
from bridge.errors import BadInput, DeliveryFailed, Refused
from bridge.links import Link, LinkState, refuse_clash
from bridge.messages import Channel, Platform
from bridge.ports import Announcer, LinkBook, Rights


@dataclass(frozen=True, slots=True)
class LinkChannels:
    """Ask for a link in one channel, agree to it in the other."""

    name: ClassVar[str] = "link"
    usage: ClassVar[str] = "link [CODE]"
    summary: ClassVar[str] = "make this channel and another one a single conversation"

    links: LinkBook
    rights: Mapping[Platform, Rights]
    announcers: Mapping[Platform, Announcer]

    async def run(self, request: Request) -> Card:
        if len(request.arguments) > 1:
            raise BadInput("A link code is one word, such as ABCD-EFGH.")
        await only_admins(self.rights, request)
        if request.arguments:
            return await self._agree(request, request.arguments[0])
        code = await self.links.offer(request.tenant, request.channel, request.actor)
        return _offered(code, request.channel.platform)

    async def _agree(self, request: Request, code: str) -> Card:
        other = await self.links.take_offer(request.tenant, code)
        if other == request.channel:
            again = spoken(other.platform, "link")
            raise BadInput(
                "That code was made in this very channel. It is for the channel at "
                f"the other end; `{again}` makes a new one."
            )
        pair = (other, request.channel)
        link = await join(
            self.links, self.announcers, request.tenant, pair, request.actor
        )
        return Card(
            "Linked",
            f"This channel and {await channel_named(self.announcers, other)} are one "
            "conversation now.",
            Tone.GOOD,
            (Section(fields=(Field("Link", link.id),)),),
            (Button("Show status", "status"), Button("Unlink", f"unlink {link.id}")),
        )


async def join(
    links: LinkBook,
    announcers: Mapping[Platform, Announcer],
    tenant: str,
    pair: tuple[Channel, Channel],
    actor: str,
) -> Link:
    """
    Link two channels and say so in both. Raises `Conflict` or `Refused`.

    The announcements are the proof that ATOM can post to both: if one fails, the
    link is taken back.
    """
    for channel in pair:
        if channel.platform not in announcers:
            raise Refused(f"{titled(channel.platform)} is switched off.")
    refuse_clash(pair, await links.all(tenant))
    link = await links.add(tenant, pair, actor)
    for done, channel in enumerate(pair):
        try:
            await announce_link(announcers, channel, link)
        except DeliveryFailed as failure:
            await links.change(link, LinkState.REMOVED, actor)
            name = await channel_named(announcers, channel)
            undone = Card("Not linked after all", f"ATOM cannot post in {name}.")
            await announce_everywhere(announcers, pair[:done], undone)
            raise Refused(
                f"ATOM cannot post in {name}, so nothing was linked: {failure}"
            ) from failure
    return link


def _offered(code: str, here: Platform) -> Card:
    fields = tuple(
        Field(f"In {titled(side)}", f"`{spoken(side, f'link {code}')}`")
        for side in (here.other, here)
    )
    return Card(
        f"Link code: {code}",
        "Within 15 minutes, an admin of the other channel types there:",
        Tone.GOOD,
        (Section(fields=fields),),
    )
