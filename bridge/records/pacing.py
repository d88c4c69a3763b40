"""
How often cards change in one channel.

Platforms limit what a program writes in a channel, and messages that people wait for
count there too. So what nobody waits for is written in turn, and where a platform asks
to wait nothing is written until then.
"""

from dataclasses import dataclass, field

from bridge.messages import Channel

_MOST = 5_000


@dataclass(slots=True)
class Pacing:
    """`burst` records may change at once in a channel, and then one each `gap_us`."""

    gap_us: int = 1_000_000
    burst: int = 5
    _busy: dict[Channel, int] = field(default_factory=dict)
    _waits: dict[Channel, int] = field(default_factory=dict)

    def free_us(self, channel: Channel) -> int:
        """Return from when on something may change in a channel."""
        return self._busy.get(channel, 0) - (self.burst - 1) * self.gap_us

    def take(self, channel: Channel, now_us: int) -> None:
        """Count a record that changes in a channel."""
        self._busy[channel] = max(self._busy.get(channel, 0), now_us) + self.gap_us
        if len(self._busy) > _MOST:
            self._busy = {c: busy for c, busy in self._busy.items() if busy > now_us}

    def wait(self, channel: Channel, until_us: int) -> None:
        """The platform asks to write nothing in a channel until then."""
        self._waits[channel] = max(until_us, self._waits.get(channel, 0))

    def waits_us(self, channel: Channel, now_us: int) -> int:
        """Return for how long a platform wants nothing in a channel."""
        until_us = self._waits.get(channel, 0)
        if until_us <= now_us:
            self._waits.pop(channel, None)
        return max(0, until_us - now_us)
