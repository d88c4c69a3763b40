"""Make channels one conversation, when an admin of each of them wants it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from bots.commands.backfill import Backfills, without
from bots.commands.base import Request, spoken
from bots.commands.choice import link_here
from bots.commands.joining import join, refuse_silent, widen
from bots.commands.names import channel_named, link_named, titled
from bots.commands.rehearsal import DAYS, in_earnest, is_rehearsal, rehearsed
from bots.commands.rights import only_admins
from bridge.cards import Button, Card, Field, Section, Tone
from bridge.errors import BadInput, NotFound
from bridge.links import Link, Offer, refuse_clash, refuse_growth
from bridge.messages import Channel, Platform
from bridge.outlook import Rehearses
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

    Where one of them is linked already, its link takes the other one in. With `dry-run`
    it is only told what would be.
    """

    name: ClassVar[str] = "link"
    usage: ClassVar[str] = "link [CODE [backfill=DAYS]] [dry-run]"
    summary: ClassVar[str] = "make this channel and another one a single conversation"

    links: LinkBook
    rights: Mapping[Platform, Rights]
    announcers: Mapping[Platform, Announcer]
    backfills: Backfills
    rehearsal: Rehearses

    async def run(self, request: Request) -> Card:
        rehearsing = is_rehearsal(request.arguments)
        words = without(in_earnest(request.arguments))
        days = self.backfills.wanted(request.arguments)
        if len(words) > 1:
            raise BadInput("A link code is one word, such as ABCD-EFGH.")
        await only_admins(self.rights, request)
        here = await self.links.of(request.tenant, request.channel)
        named = {link.id.lower() for link in here}
        if words and words[0].lower() not in named:
            if rehearsing:
                return await self._rehearse(request, words[0], days)
            return await self._agree(request, words[0], days)
        if days:
            raise BadInput("backfill= goes with the code, on the side that agrees.")
        link = await link_here(self.links, request, words) if here else None
        if rehearsing:
            return await self._rehearse_offer(request, link)
        return await self._offer(request, link)

    async def _rehearse_offer(self, request: Request, link: Link | None) -> Card:
        channels = link.channels if link else (request.channel,)
        seen = await self.rehearsal.outlooks(request.tenant, channels, DAYS)
        text = "No code was made. With one, the other side can see its own part too."
        return await rehearsed(self.announcers, seen, DAYS, text)

    async def _rehearse(self, request: Request, code: str, days: int) -> Card:
        """Say what agreeing would do. The code stays good. Raises what agreeing would."""
        offer = await self.links.offered(request.tenant, code)
        _refuse_here(request, offer)
        link, pair = await self._planned(request, offer)
        if link:
            joined = pair[0]
            refuse_silent(self.announcers, pair)
            refuse_growth(link, joined, await self.links.all(request.tenant))
            channels = (*link.channels, joined)
            what = f"This would grow link {link.id}."
        else:
            refuse_silent(self.announcers, pair)
            refuse_clash(pair, await self.links.all(request.tenant))
            channels, what = pair, "This would be a new link."
        bring = f"The last {days} days would be brought across." if days else ""
        days = days or min(DAYS, self.backfills.most_days)
        seen = await self.rehearsal.outlooks(request.tenant, channels, days)
        text = f"{what} {bring} The code is still good.".replace("  ", " ")
        return await rehearsed(self.announcers, seen, days, text)

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
        _refuse_here(request, offer)
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
        tenant, actor = request.tenant, request.actor
        link, channels = await self._planned(request, offer)
        if link is None:
            return await join(
                self.links, self.announcers, tenant, channels, actor
            ), None
        further = channels[0]
        grown = await widen(self.links, self.announcers, link, further, actor)
        return grown, further

    async def _planned(
        self, request: Request, offer: Offer
    ) -> tuple[Link | None, tuple[Channel, ...]]:
        """Return the link that would grow and by whom, else those of the new one."""
        tenant, here = request.tenant, request.channel
        if offer.link:
            return await self._called(tenant, offer.link), (here,)
        ours = await self.links.of(tenant, here)
        theirs = await self.links.of(tenant, offer.channel)
        if len(ours) == 1 and not theirs:
            return ours[0], (offer.channel,)
        return None, (offer.channel, here)

    async def _called(self, tenant: str, id_: str) -> Link:
        for link in await self.links.all(tenant):
            if link.id == id_:
                return link
        raise NotFound("The link that the code was made for has ended.")


def _refuse_here(request: Request, offer: Offer) -> None:
    if offer.channel == request.channel:
        again = spoken(request.channel.platform, "link")
        raise BadInput(
            "That code was made in this very channel. It is for the channel at "
            f"the other end; `{again}` makes a new one."
        )


def _offered(code: str, here: Platform, text: str) -> Card:
    fields = tuple(
        Field(f"In {titled(side)}", f"`{spoken(side, f'link {code}')}`")
        for side in (here.other, here)
    )
    return Card(f"Link code: {code}", text, Tone.GOOD, (Section(fields=fields),))
