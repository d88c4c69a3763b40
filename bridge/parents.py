"""
Bring a thread's root across, late, when somebody replies to one that never crossed.

It may have been said before the channels were linked, or never have been heard. What is
not on record is read from the platform and goes the way of every other message, and the
policy decides on it like on every other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from bridge.catchup import VIA
from bridge.links import Link, LinkState
from bridge.messages import Channel, Platform
from bridge.ports import Copies, Intake, Links
from bridge.recent import Record, Roots


class LateRoots(Protocol):
    """Roots that are on record, and were said before their channel was linked."""

    async def queue(self, links: Sequence[Link], channel: Channel, root: str) -> int:
        """
        Queue a root for the links' other channels, once, and put that on record.

        Returns how many deliveries were queued: none for what was said since the
        channel was linked, which was queued or denied as it was heard, and none for
        what is deleted or was not written by a person.
        """
        ...


@dataclass(frozen=True, slots=True)
class Parents:
    """Looks for roots that are missing on the other side."""

    roots: Mapping[Platform, Roots]
    intake: Intake
    record: Record
    copies: Copies
    links: Links
    late: LateRoots

    async def bring(self, tenant: str, channel: Channel, root: str) -> bool:
        """
        Have a root stand on the other side, if it may; say whether anything was done.

        Raises `ServiceUnavailable`, `CannotTell` or `StoreUnavailable`.
        """
        links = [
            link
            for link in await self.links.of(tenant, channel)
            if link.state is not LinkState.REMOVED
        ]
        if not links or await self._stands(tenant, channel, root):
            return False
        if await self.record.author(tenant, channel, root) is not None:
            return bool(await self.late.queue(links, channel, root))
        if (platform := self.roots.get(channel.platform)) is None:
            return False
        found = await platform.root(channel, root)
        for event in found:
            await self.intake.receive(replace(event, via=VIA))
        return bool(found)

    async def _stands(self, tenant: str, channel: Channel, root: str) -> bool:
        """Whether it has copies, or is one."""
        if await self.copies.copies_of(tenant, channel, root):
            return True
        return await self.copies.origin_of(tenant, channel, root) is not None
