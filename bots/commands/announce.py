"""Tell the people in linked channels what became of their link."""

from collections.abc import Iterable, Mapping
from contextlib import suppress

from bots.commands.names import channel_named
from bridge.cards import Button, Card, Tone
from bridge.errors import DeliveryFailed
from bridge.links import Link
from bridge.messages import Channel, Platform
from bridge.ports import Announcer


async def announce_link(
    announcers: Mapping[Platform, Announcer], channel: Channel, link: Link
) -> None:
    """Say in a channel that it is linked. Raises `DeliveryFailed`."""
    names = [await channel_named(announcers, other) for other in link.others(channel)]
    await announcers[channel.platform].announce(
        channel,
        Card(
            "This channel is linked now",
            f"What is written here is read in {' and '.join(names)} as well, and the "
            "other way round. What crosses is kept in the company's log.",
            Tone.GOOD,
            buttons=(Button("Show status", "status"),),
        ),
    )


async def announce_everywhere(
    announcers: Mapping[Platform, Announcer], channels: Iterable[Channel], card: Card
) -> None:
    """Say the same in every channel; one that cannot be reached is passed over."""
    for channel in channels:
        if announcer := announcers.get(channel.platform):
            with suppress(DeliveryFailed):
                await announcer.announce(channel, card)
