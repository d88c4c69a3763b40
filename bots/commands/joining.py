"""
Let channels into a link, and say so in all of them.

The announcements are the proof that ATOM can post there: if one fails, what was done
is taken back.
"""

from collections.abc import Mapping, Sequence

from bots.commands.announce import announce_everywhere, announce_link
from bots.commands.names import channel_named, link_named, titled
from bridge.cards import Button, Card, Tone
from bridge.errors import DeliveryFailed, Refused
from bridge.links import Link, LinkState, refuse_clash, refuse_growth
from bridge.messages import Channel, Platform
from bridge.ports import Announcer, LinkBook


async def join(
    links: LinkBook,
    announcers: Mapping[Platform, Announcer],
    tenant: str,
    channels: Sequence[Channel],
    actor: str,
) -> Link:
    """Link channels and say so in each. Raises `Conflict` or `Refused`."""
    refuse_silent(announcers, channels)
    refuse_clash(channels, await links.all(tenant))
    link = await links.add(tenant, channels, actor)
    for done, channel in enumerate(channels):
        try:
            await announce_link(announcers, channel, link)
        except DeliveryFailed as failure:
            await links.change(link, LinkState.REMOVED, actor)
            name = await channel_named(announcers, channel)
            undone = Card("Not linked after all", f"ATOM cannot post in {name}.")
            await announce_everywhere(announcers, channels[:done], undone)
            raise _cannot_post(name, failure) from failure
    return link


async def widen(
    links: LinkBook,
    announcers: Mapping[Platform, Announcer],
    link: Link,
    channel: Channel,
    actor: str,
) -> Link:
    """Let a channel into a link and say so in all. Raises `Conflict` or `Refused`."""
    refuse_silent(announcers, [channel])
    refuse_growth(link, channel, await links.all(link.tenant))
    grown = await links.join(link, channel, actor)
    try:
        await announce_link(announcers, channel, grown)
    except DeliveryFailed as failure:
        await links.leave(grown, channel, actor)
        name = await channel_named(announcers, channel)
        raise _cannot_post(name, failure) from failure
    name, names = (
        await channel_named(announcers, channel),
        await link_named(announcers, grown),
    )
    card = Card(
        f"{name} has joined this channel's link",
        f"{names}: what is written in any of them is read in all of them.",
        Tone.GOOD,
        buttons=(Button("Show status", "status"),),
    )
    await announce_everywhere(announcers, grown.others(channel), card)
    return grown


async def part(
    links: LinkBook,
    announcers: Mapping[Platform, Announcer],
    link: Link,
    channel: Channel,
    actor: str,
) -> Link:
    """Take a channel out of a link, and say so in all. Raises `NotFound`."""
    left = await links.leave(link, channel, actor)
    name = await channel_named(announcers, channel)
    names = await link_named(announcers, link)
    gone = Card("This channel is not linked any more", f"It was: {names}.")
    await announce_everywhere(announcers, [channel], gone)
    if left.state is LinkState.REMOVED:
        await announce_everywhere(announcers, link.others(channel), gone)
        return left
    rest = Card(
        f"{name} has left this channel's link",
        f"Still linked: {await link_named(announcers, left)}.",
    )
    await announce_everywhere(announcers, left.channels, rest)
    return left


def refuse_silent(
    announcers: Mapping[Platform, Announcer], channels: Sequence[Channel]
) -> None:
    """Raise `Refused` for a channel of a platform that is switched off."""
    for channel in channels:
        if channel.platform not in announcers:
            raise Refused(f"{titled(channel.platform)} is switched off.")


def _cannot_post(name: str, failure: DeliveryFailed) -> Refused:
    return Refused(f"ATOM cannot post in {name}, so nothing was linked: {failure}")
