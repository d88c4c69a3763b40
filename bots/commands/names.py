"""How cards speak of channels and links."""

from collections.abc import Mapping

from bridge.links import Link
from bridge.messages import Channel, Platform
from bridge.ports import Announcer


async def channel_named(
    announcers: Mapping[Platform, Announcer], channel: Channel
) -> str:
    """Return a channel's name and platform; its id, if its platform is switched off."""
    announcer = announcers.get(channel.platform)
    name = await announcer.channel_name(channel) if announcer else channel.id
    return f"{name} ({titled(channel.platform)})"


async def link_named(announcers: Mapping[Platform, Announcer], link: Link) -> str:
    """Return the names of everything that a link joins."""
    names = [await channel_named(announcers, channel) for channel in link.channels]
    return " ↔ ".join(names)


async def reasons_of(announcers: Mapping[Platform, Announcer], link: Link) -> str:
    """Return what keeps a dormant link from carrying, empty for others."""
    reasons = [
        hold.said(await channel_named(announcers, hold.channel))
        for hold in link.held_by
    ]
    return ", ".join(reasons)


async def state_of(announcers: Mapping[Platform, Announcer], link: Link) -> str:
    """Return a link's state, and why it is in it if nobody wished it so."""
    reasons = await reasons_of(announcers, link)
    return f"{link.state}: {reasons}" if reasons else str(link.state)


def titled(platform: Platform) -> str:
    """Return a platform's name as its users write it."""
    return platform.title()
