"""Up to when each channel is known to be on record, kept across restarts."""

from collections.abc import Collection
from dataclasses import dataclass

from bridge.messages import Channel
from storage.hot import HotStore, Insert, Program, Statement

_HIGHER = (
    "ON CONFLICT (tenant, channel) DO UPDATE SET us = excluded.us "
    "WHERE watermark.us < excluded.us"
)


@dataclass(frozen=True, slots=True)
class StoredWatermarks:
    """Implements `bridge.recent.Watermarks`."""

    store: HotStore

    async def of(self, tenant: str, channel: Channel) -> int:
        rows = await self.store.fetch(
            Statement(
                "SELECT us FROM watermark WHERE tenant = :tenant "
                "AND channel = :channel",
                {"tenant": tenant, "channel": str(channel)},
                brief=True,
            )
        )
        return int(rows[0][0]) if rows else 0

    async def raise_to(
        self, tenant: str, channels: Collection[Channel], us: int
    ) -> None:
        if channels:
            await self.store.run(lambda: _raised(tenant, channels, us))


def _raised(tenant: str, channels: Collection[Channel], us: int) -> Program[None]:
    # In one order everywhere, or two processes could wait for each other.
    rows = [
        {"tenant": tenant, "channel": str(channel), "us": us}
        for channel in sorted(set(channels))
    ]
    yield Insert("watermark", rows, _HIGHER)
