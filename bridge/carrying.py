"""Whether a link carries a delivery now."""

from collections.abc import Sequence
from dataclasses import dataclass

from bridge.delivery import Delivery
from bridge.holds import Hold
from bridge.links import Link, LinkState
from bridge.ports import Links


@dataclass(frozen=True, slots=True)
class Carrying:
    """Asks anew each time: names and limits take their time, and links change."""

    links: Links

    async def link(self, delivery: Delivery) -> Link | None:
        """Return the delivery's link, if it still joins its channels."""
        for link in await self.links.of(delivery.tenant, delivery.source):
            if link.id == delivery.link and delivery.target in link.channels:
                return link
        return None

    async def now(self, delivery: Delivery) -> bool:
        """Say whether the link carries the delivery at this moment."""
        link = await self.link(delivery)
        if link is None or link.state is LinkState.PAUSED:
            return False
        return not held(link, delivery)


def held(link: Link, delivery: Delivery) -> Sequence[Hold]:
    """Return what keeps the delivery's channels from carrying anything."""
    return link.between(delivery.source, delivery.target)
