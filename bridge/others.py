"""
What other bots and webhooks say, and when it must not cross.

A link relays it, gathers it in digests, or drops it. ATOM's own never crosses, and
neither does what went through a bridge that would bring it back: that is told by the
record of copies, by the hops that ATOM notes on its copies in Slack, and by what the
log says was copied just now.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bridge.access import Decision
from bridge.echoes import Echoes
from bridge.errors import BadInput
from bridge.links import Link
from bridge.messages import Channel, Event, EventKind
from bridge.options import Bots
from bridge.ports import Copies

MOST_HOPS = 4
_LOOP = "loop: "
HOPS, ORIGIN = "hops", "origin"  # the details of an event that another ATOM copied
UNKNOWN = "?"  # for hops: it is marked as a copy, and does not tell how it came


class AllLinks(Protocol):
    """What knows every link of a company: `bridge.ports.LinkBook`."""

    async def all(self, tenant: str) -> Sequence[Link]: ...


@dataclass(frozen=True, slots=True)
class Others:
    """
    Decides what becomes of another bot's message.

    `echoes` knows what was copied just now.
    """

    links: AllLinks
    copies: Copies
    echoes: Echoes

    async def loop(
        self, tenant: str, event: Event, targets: Sequence[Channel]
    ) -> Decision | None:
        """
        Return a denial if a bot's message would go round in a circle, None if not.

        It is on record like any other denial, with the reason as its rule.
        """
        if event.channel is None:
            return None
        if reason := await self._reason(tenant, event, event.channel, targets):
            return Decision(False, f"{_LOOP}{reason}", policy="", directory="")
        return None

    async def _reason(
        self, tenant: str, event: Event, channel: Channel, targets: Sequence[Channel]
    ) -> str:
        if await self.copies.origin_of(tenant, channel, event.message):
            return "it is a copy of ATOM's"
        told = dict(event.detail)
        hops = told.get(HOPS, "").split()
        if UNKNOWN in hops:
            return "it is marked as a bridge's copy"
        if len(hops) >= MOST_HOPS:
            return f"it went through {len(hops)} links already"
        if hops and {link.id for link in await self.links.all(tenant)} & {*hops}:
            return "it went through a link of ours already"
        if (origin := told.get(ORIGIN, "")) and await self._ours(
            tenant, origin, targets
        ):
            return "it began here"
        if event.kind is EventKind.MESSAGE_CREATE and await self.echoes.heard(
            tenant, event, targets
        ):
            return "it repeats what was said on the other side just now"
        return ""

    async def _ours(self, tenant: str, origin: str, targets: Sequence[Channel]) -> bool:
        """Whether a message began where it would go, or was carried from there."""
        address, _, message = origin.rpartition("#")
        try:
            channel = Channel.parse(address)
        except BadInput:
            return False
        if channel in targets:
            return True
        return bool(await self.copies.copies_of(tenant, channel, message))


def is_loop(rule: str) -> bool:
    """Say whether a decision's rule is that the message would go round in a circle."""
    return rule.startswith(_LOOP)


def heard_by(links: Sequence[Link], bots: Bots) -> list[Link]:
    """Return the links that have chosen this for what other bots say."""
    return [link for link in links if link.options.bots is bots]


def origin_of(event_channel: Channel, message: str) -> str:
    """Return the words by which a message's origin is told to other bridges."""
    return f"{event_channel}#{message}"
