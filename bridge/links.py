"""Links: which channels are one conversation."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from bridge.errors import Conflict
from bridge.messages import Channel
from bridge.options import LinkOptions


class LinkState(StrEnum):
    """Whether a link carries messages."""

    ACTIVE = "active"
    PAUSED = "paused"
    REMOVED = "removed"


@dataclass(frozen=True, slots=True)
class Link:
    """Channels whose messages are heard in each other."""

    tenant: str
    id: str
    channels: tuple[Channel, ...]
    state: LinkState = LinkState.ACTIVE
    created_by: str = ""
    created_us: int = 0
    options: LinkOptions = field(default_factory=LinkOptions)

    def others(self, channel: Channel) -> tuple[Channel, ...]:
        """Return every channel of the link but `channel`."""
        return tuple(c for c in self.channels if c != channel)


def refuse_clash(wanted: Iterable[Channel], existing: Iterable[Link]) -> None:
    """
    Raise `Conflict` if joining the channels would bring a message back to itself.

    Links form a graph; a new one may only join channels that no path joins yet.
    """
    wanted = set(wanted)
    groups: list[set[Channel]] = []
    for link in existing:
        if link.state is LinkState.REMOVED:
            continue
        if wanted <= set(link.channels):
            raise Conflict("These channels are linked already.")
        joined = set(link.channels)
        apart = [g for g in groups if not g & joined]
        groups = [*apart, joined.union(*(g for g in groups if g & joined))]
    for group in groups:
        if len(wanted & group) > 1:
            raise Conflict(
                "These channels already hear each other through other links; "
                "a further link would send every message round in a circle."
            )
