"""What `status` shows, with what the process that answers knows better."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from bridge.messages import Channel
from bridge.ports import Health, LinkStatus


def _not_held(_channel: Channel) -> int:
    return 0


@dataclass(slots=True)
class LiveHealth:
    """
    Implements `bridge.ports.Health`.

    The database knows when a platform asked to wait. That ATOM waits by itself, so as
    not to be asked, only the process knows that does so.
    """

    health: Health
    held_until: Callable[[Channel], int] = _not_held

    async def status(self, tenant: str) -> Sequence[LinkStatus]:
        return [self._seen(row) for row in await self.health.status(tenant)]

    def _seen(self, row: LinkStatus) -> LinkStatus:
        held = [self.held_until(channel) for channel in row.link.channels]
        return replace(row, throttled_until_us=max(row.throttled_until_us, *held))
