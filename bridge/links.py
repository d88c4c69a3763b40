"""Links: which channels are one conversation."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Self

from bridge.errors import Conflict
from bridge.holds import FACTS, Cause, Hold
from bridge.messages import Channel
from bridge.options import External, LinkOptions

# Every message of one channel is posted in all the others, and counts in their limits.
MOST_CHANNELS = 20


_FEWEST = 2  # channels between which anything can cross


class LinkState(StrEnum):
    """Whether a link carries messages."""

    ACTIVE = "active"
    PAUSED = "paused"
    DORMANT = "dormant"  # nobody's wish: its channels carry nothing (`Link.held_by`)
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Link:
    """
    Channels whose messages are heard in each other.

    `joined` says when a channel came in, of those that came later than the link.
    `holds` is all that keeps its channels from carrying, whether it counts for this
    link or not.
    """

    tenant: str
    id: str
    channels: tuple[Channel, ...]
    state: LinkState = LinkState.ACTIVE
    created_by: str = ""
    created_us: int = 0
    options: LinkOptions = field(default_factory=LinkOptions)
    joined: Mapping[Channel, int] = field(default_factory=dict, hash=False)
    holds: tuple[Hold, ...] = ()

    @property
    def held_by(self) -> tuple[Hold, ...]:
        """What keeps channels of this link from carrying, by what its owners chose."""
        open_ = self.options.external is External.ALLOW
        allowed = FACTS | {Cause.EXTERNAL} if open_ else FACTS
        return tuple(hold for hold in self.holds if hold.cause not in allowed)

    def between(self, one: Channel, other: Channel) -> tuple[Hold, ...]:
        """Return what keeps messages from crossing between two of its channels."""
        return tuple(h for h in self.held_by if h.channel in {one, other})

    def settled(self) -> Self:
        """Return the link in the state in which its holds leave it."""
        if self.state not in {LinkState.ACTIVE, LinkState.DORMANT}:
            return self  # people's word goes first, and comes back to this
        held = {hold.channel for hold in self.held_by}
        free = [channel for channel in self.channels if channel not in held]
        state = LinkState.ACTIVE if len(free) >= _FEWEST else LinkState.DORMANT
        return replace(self, state=state)

    def others(self, channel: Channel) -> tuple[Channel, ...]:
        """Return every channel of the link but `channel`."""
        return tuple(c for c in self.channels if c != channel)

    def since_us(self, channel: Channel) -> int:
        """Return from when on the channel belongs to the link."""
        return self.joined.get(channel, self.created_us)


@dataclass(frozen=True, slots=True)
class Offer:
    """What a code stands for: a channel, and the link that may grow, if any may."""

    channel: Channel
    link: str = ""


def refuse_clash(wanted: Iterable[Channel], existing: Iterable[Link]) -> None:
    """
    Raise `Conflict` if joining the channels would bring a message back to itself.

    Links form a graph; a new one may only join channels that no path joins yet.
    """
    wanted, standing = set(wanted), _standing(existing)
    _refuse_too_many(len(wanted))
    if any(wanted <= set(link.channels) for link in standing):
        raise Conflict("These channels are linked already.")
    if any(len(wanted & group) > 1 for group in _groups(standing)):
        raise _circle()


def refuse_growth(link: Link, channel: Channel, existing: Iterable[Link]) -> None:
    """
    Raise `Conflict` if the link may not take the channel in.

    A path that leads from the channel to any of the link's is a circle in the making.
    """
    standing = _standing(existing)
    if link.id not in {known.id for known in standing}:
        raise Conflict(f"Link {link.id} has ended.")
    if channel in link.channels:
        raise Conflict("These channels are linked already.")
    _refuse_too_many(len(link.channels) + 1)
    if any({channel, link.channels[0]} <= group for group in _groups(standing)):
        raise _circle()


def _standing(links: Iterable[Link]) -> list[Link]:
    return [link for link in links if link.state is not LinkState.REMOVED]


def _groups(links: Iterable[Link]) -> list[set[Channel]]:
    """Return the sets of channels that links join, be it through others."""
    groups: list[set[Channel]] = []
    for link in links:
        joined = set(link.channels)
        apart = [g for g in groups if not g & joined]
        groups = [*apart, joined.union(*(g for g in groups if g & joined))]
    return groups


def _refuse_too_many(channels: int) -> None:
    if channels > MOST_CHANNELS:
        raise Conflict(f"A link joins {MOST_CHANNELS} channels at most.")


def _circle() -> Conflict:
    return Conflict(
        "These channels already hear each other through other links; "
        "a further link would send every message round in a circle."
    )
