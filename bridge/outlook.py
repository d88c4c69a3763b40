"""What a link would mean for each of its channels, before it is made."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bridge.messages import Channel


@dataclass(frozen=True, slots=True)
class Outlook:
    """
    One channel, as it would be in the link.

    `hindered` says what keeps ATOM from reading or posting there, `limits` what it
    would not hear. `people` read along there, `outsiders` of whom are guests or of other
    organisations, and `kept_out` may not read what comes from the others by policy;
    None is unknown. `messages` were said in the days asked about, `more` says that
    counting was given up, and `unread` why nobody could count.
    """

    channel: Channel
    hindered: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()
    people: int | None = None
    outsiders: int | None = None
    kept_out: int | None = None
    messages: int = 0
    more: bool = False
    unread: str = ""


class Rehearses(Protocol):
    """Looks ahead, and changes nothing."""

    async def outlooks(
        self, tenant: str, channels: Sequence[Channel], days: int
    ) -> Sequence[Outlook]:
        """Return how it looks for each channel; of what cannot be known, it says so."""
        ...
