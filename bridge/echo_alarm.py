"""
Raise an alarm when a channel brings more echoes than it should.

Each is cut by itself (`bridge.others`). Many of them mean that a foreign bridge, or
another ATOM, is joined to the same channels: somebody should look, before a copy comes
that is not known for an echo.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from bridge.errors import StoreUnavailable
from bridge.limits import Window, windows
from bridge.messages import Channel


class EchoesCut(Protocol):
    """What the log knows of messages that would have gone round in a circle."""

    async def since(
        self, tenant: str, channels: Sequence[Channel], since_us: int
    ) -> Mapping[Channel, int]:
        """Count them by the channel they came in; those without any are left out."""
        ...


@dataclass(frozen=True, slots=True)
class EchoAlarm:
    """
    `limit` is MESSAGES/SECONDS, as for the platforms' limits, or "none".

    `tell` is told the company, the channel and what is wrong, once in the time that
    the limit names, as long as it goes on. `clock` gives microseconds UTC.
    """

    cut: EchoesCut
    limit: str
    clock: Callable[[], int]
    tell: Callable[[str, Channel, str], None]
    _until: dict[tuple[str, Channel], int] = field(default_factory=dict)

    async def heard(self, tenant: str, channel: Channel) -> None:
        """One more was cut, and is on record."""
        now = self.clock()
        if self._until.get((tenant, channel), 0) > now:
            return
        for window in windows(self.limit):
            since = now - window.span_us
            try:
                found = await self.cut.since(tenant, [channel], since)
            except StoreUnavailable:
                return  # the next one asks again
            if (count := found.get(channel, 0)) > window.count:
                self._until[tenant, channel] = now + window.span_us
                seconds = window.span_us // 1_000_000
                self.tell(tenant, channel, f"{count} echoes within {seconds} seconds")
                return

    async def lately(
        self, tenant: str, channels: Sequence[Channel]
    ) -> Mapping[Channel, int]:
        """Count what was cut in the longest time that the limit names."""
        if (longest := self._longest) is None:
            return {}
        return await self.cut.since(tenant, channels, self.clock() - longest.span_us)

    def too_many(self, lately: int) -> bool:
        """Say whether so many of one channel in that time are more than may be."""
        longest = self._longest
        return longest is not None and lately > longest.count

    @property
    def _longest(self) -> Window | None:
        return max(windows(self.limit), key=lambda w: w.span_us, default=None)
