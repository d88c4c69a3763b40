"""Tell admins of what is held for review, once, in a channel of theirs."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from bots.admin_channel import LOOK, keep_telling
from bots.commands.base import spoken
from bots.commands.names import channel_named
from bridge.cards import Card, Tone
from bridge.leaving.review import ReviewDesk, Waiting
from bridge.messages import Channel, Platform
from bridge.ports import Announcer
from storage.compliance.acts import Act, Acts


@dataclass(frozen=True, slots=True)
class ReviewTelling:
    """
    Looks for what nobody was told of yet.

    That it is told stands in the log before it is told, so of several processes one
    tells it; if that one dies just then nobody does, and `review` lists it still.
    """

    desk: ReviewDesk
    acts: Acts
    announcers: Mapping[Platform, Announcer]
    companies: Callable[[], Awaitable[Sequence[str]]]
    channel: str
    look: float = LOOK

    async def run(self) -> None:
        """Go on for ever; with no channel in the settings there is nothing to do."""
        await keep_telling(self.channel, self._tell_all, self.look)

    async def _tell_all(self, channel: Channel) -> None:
        for tenant in await self.companies():
            await self.tell(tenant, channel)

    async def tell(self, tenant: str, channel: Channel) -> None:
        """Tell of everything that waits untold. Raises `AtomError` if it cannot."""
        announcer = self.announcers.get(channel.platform)
        if announcer is None:
            return
        new = [
            each
            for each in await self.desk.waiting(tenant)
            if await self._first(tenant, each)
        ]
        if new:
            await announcer.announce(channel, await self._card(new, channel.platform))

    async def _first(self, tenant: str, waiting: Waiting) -> bool:
        act = Act(
            tenant,
            "bridge.notice",
            "atom",
            f"told the admins that {waiting.number} is held for review",
            {"delivery": waiting.number},
        )
        key = f"held:{waiting.number}:{waiting.letter.died_us}"
        return not (await self.acts.note(act, key=key)).duplicate

    async def _card(self, new: Sequence[Waiting], platform: Platform) -> Card:
        """Say where it can be looked at: neither what it says nor what was found."""
        places = dict.fromkeys(each.letter.delivery.source for each in new)
        named = [await channel_named(self.announcers, place) for place in places]
        one = len(new) == 1
        title = (
            "A message is held for review"
            if one
            else (f"{len(new)} messages are held for review")
        )
        text = (
            f"From {', '.join(named)}. Nobody on the other side sees "
            f"{'it' if one else 'them'} until somebody there says "
            f"`{spoken(platform, 'review')}` and lets {'it' if one else 'them'} go."
        )
        return Card(title, text, Tone.WARNING)
