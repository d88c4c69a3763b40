"""Make channels one conversation, when an admin of each of them wants it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from bots.commands.backfill import Backfills, without
from bots.commands.base import Request, spoken
from bots.commands.choice import link_here
from bots.commands.joining import join, widen
from bots.commands.names import channel_named, link_named, titled
from bots.commands.rights import only_admins
from bridge.cards import Button, Card, Field, Section, Tone
from bridge.errors import BadInput, NotFound
from bridge.links import Link, Offer
from bridge.messages import Channel, Platform
from bridge.ports import Announcer, LinkBook, Rights

_PAIR = 2
_UNLINKED = (
    "Within 15 minutes, an admin of the other channel types there what stands below. "
    "If that channel is linked already, this one joins its link."
)


@dataclass(frozen=True, slots=True)
class LinkChannels:
    """
    Ask for a link in one channel, agree to it in the other.

    Where one of them is linked already, its link takes the other one in.
    """

    name: ClassVar[str] = "link"
    usage: ClassVar[str] = "link [CODE [backfill=DAYS]]"
    summary: ClassVar[str] = "make this channel and another one a single conversation"

    links: LinkBook
    rights: Mapping[Platform, Rights]
    announcers: Mapping[Platform, Announcer]
    backfills: Backfills

    async def run(self, request: Request) -> Card:
        words = without(request.arguments)
        days = self.backfills.wanted(request.arguments)
        if len(words) > 1:
            raise BadInput("A link code is one word, such as ABCD-EFGH.")
        await only_admins(self.rights, request)
        here = await self.links.of(request.tenant, request.channel)
        named = {link.id.lower() for link in here}
        if words and words[0].lower() not in named:
            return await self._agree(request, words[0], days)
        if days:
            raise BadInput("backfill= goes with the code, on the side that agrees.")
        return await self._offer(
            request, await link_here(self.links, request) if here else None
        )

    async def _offer(self, request: Request, link: Link | None) -> Card:
        offer = Offer(request.channel, link.id if link else "")
        code = await self.links.offer(request.tenant, offer, request.actor)
        text = _UNLINKED
        if link:
            names = await link_named(self.announcers, link)
            text = (
                "Within 15 minutes, an admin of a further channel types there what "
                f"stands below. That channel then joins this link, {names}: what is "
                "written in any of them is read in all of them."
            )
        return _offered(code, request.channel.platform, text)

    async def _agree(self, request: Request, code: str, days: int) -> Card:
        offer = await self.links.take_offer(request.tenant, code)
        if offer.channel == request.channel:
            again = spoken(request.channel.platform, "link")
            raise BadInput(
                "That code was made in this very channel. It is for the channel at "
                f"the other end; `{again}` makes a new one."
            )
        link, joined = await self._joined(request, offer)
        more = await self.backfills.want(link, days, request.actor, joined)
        others = [
            await channel_named(self.announcers, c)
            for c in link.others(request.channel)
        ]
        alone = "here " if len(link.channels) > _PAIR else ""
        return Card(
            "Linked",
            f"This channel and {' and '.join(others)} are one conversation now.{more}",
            Tone.GOOD,
            (Section(fields=(Field("Link", link.id),)),),
            (
                Button("Show status", "status"),
                Button("Unlink", f"unlink {alone}{link.id}"),
            ),
        )

    async def _joined(
        self, request: Request, offer: Offer
    ) -> tuple[Link, Channel | None]:
        """Return the link, and who joined it if it was there before."""
        tenant, here, actor = request.tenant, request.channel, request.actor
        if offer.link:
            link = await self._called(tenant, offer.link)
            return await widen(self.links, self.announcers, link, here, actor), here
        ours = await self.links.of(tenant, here)
        theirs = await self.links.of(tenant, offer.channel)
        if len(ours) == 1 and not theirs:
            further = offer.channel
            link = await widen(self.links, self.announcers, ours[0], further, actor)
            return link, further
        pair = (offer.channel, here)
        return await join(self.links, self.announcers, tenant, pair, actor), None

    async def _called(self, tenant: str, id_: str) -> Link:
        for link in await self.links.all(tenant):
            if link.id == id_:
                return link
        raise NotFound("The link that the code was made for has ended.")


def _offered(code: str, here: Platform, text: str) -> Card:
    fields = tuple(
        Field(f"In {titled(side)}", f"`{spoken(side, f'link {code}')}`")
        for side in (here.other, here)
    )
    return Card(f"Link code: {code}", text, Tone.GOOD, (Section(fields=fields),))
