"""Who reacted to a message, wherever it stands: its copies show only how many."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bridge.errors import NotFound
from bridge.links import LinkState
from bridge.messages import Channel, Platform
from bridge.ports import Copies, Links, People
from bridge.reacting import ReactionLog
from bridge.reactions import Spot, standing


@dataclass(frozen=True, slots=True)
class Choice:
    """Somebody's emoji. `name` is theirs as it may be shown."""

    emoji: str
    platform: Platform
    name: str


@dataclass(frozen=True, slots=True)
class WhoReacted:
    """
    Tells it from the log, in which what the policy denied does not count.

    `shown_name` returns what somebody may be called in a company. Whom a platform does
    not know any more is told by their id.
    """

    log: ReactionLog
    copies: Copies
    links: Links
    people: Mapping[Platform, People]
    shown_name: Callable[[str, str], str]

    async def to(
        self, tenant: str, channel: Channel, message: str
    ) -> tuple[Choice, ...]:
        """
        Return who reacted to a message that stands in this channel, oldest first.

        Raises `NotFound` if the channel is not linked: its reactions show themselves.
        """
        links = await self.links.of(tenant, channel)
        if not links:
            raise NotFound("This channel is not linked.")
        open_ = [link for link in links if link.state is LinkState.ACTIVE]
        audible = {channel, *(each for link in open_ for each in link.channels)}
        chosen: dict[tuple[str, Channel, str], int] = {}
        for spot in await self._spots(tenant, channel, message):
            if spot.channel not in audible:
                continue
            for one in standing(await self.log.reacted(tenant, (spot,))):
                chosen.setdefault((one.emoji, spot.channel, one.account), one.at_us)
        names = await self._names(tenant, chosen)
        return tuple(
            Choice(emoji, there.platform, names[there, account])
            for emoji, there, account in sorted(chosen, key=chosen.__getitem__)
        )

    async def _spots(self, tenant: str, channel: Channel, message: str) -> list[Spot]:
        """Return where the message stands, with all parts of its copies."""
        copy = await self.copies.origin_of(tenant, channel, message)
        origin = Spot(copy.source, copy.message) if copy else Spot(channel, message)
        copies = await self.copies.copies_of(tenant, origin.channel, origin.message)
        return [origin, *(Spot(c.target, c.remote) for c in copies if not c.deleted)]

    async def _names(
        self, tenant: str, chosen: Mapping[tuple[str, Channel, str], int]
    ) -> dict[tuple[Channel, str], str]:
        accounts: dict[Channel, set[str]] = {}
        for _, channel, account in chosen:
            accounts.setdefault(channel, set()).add(account)
        names = {}
        for channel, ids in accounts.items():
            people = self.people.get(channel.platform)
            known = await people.lookup(channel, ids) if people else {}
            for account in ids:
                name = known[account].name if account in known else ""
                shown = self.shown_name(tenant, name) if name else account
                names[channel, account] = shown
        return names
