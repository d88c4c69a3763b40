"""Look at a channel before it is linked: can ATOM read and post there, who reads along."""

from collections.abc import Mapping
from dataclasses import dataclass

from bots.commands.announce import announce_everywhere
from bots.commands.names import channel_named
from bridge.cards import Card, Tone
from bridge.errors import Refused
from bridge.holds import FACTS, Cause, Hold, Holds, Prober
from bridge.messages import Channel, Platform
from bridge.ports import Announcer


@dataclass(frozen=True, slots=True)
class Threshold:
    """What every channel has to pass before it becomes part of a link."""

    probers: Mapping[Platform, Prober]
    announcers: Mapping[Platform, Announcer]
    holds: Holds

    async def check(self, tenant: str, channel: Channel) -> None:
        """
        Raise `Refused` with the reason why a channel cannot be linked, if so.

        One that outsiders read along in is held before the link is there. Raises
        `ServiceUnavailable` if the platform does not answer.
        """
        prober = self.probers.get(channel.platform)
        if prober is None:
            return
        condition = await prober.condition(channel)
        joinable = set() if condition.vague else {Cause.ABSENT}
        blocked = condition.causes - {Cause.EXTERNAL} - FACTS - joinable
        if blocked:
            name = await channel_named(self.announcers, channel)
            reasons = [Hold(channel, cause).said(name) for cause in sorted(blocked)]
            raise Refused(f"Nothing was linked: {', '.join(reasons)}.")
        await self.holds.settle(tenant, channel, condition.causes - joinable)
        for limit in condition.limits:
            card = Card("What works less well here", limit, Tone.WARNING)
            await announce_everywhere(self.announcers, [channel], card)
