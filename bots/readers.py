"""Look at who reads along in a channel, whenever the channel is looked at."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from bridge.holds import FACTS, Cause, Condition, Prober
from bridge.membership import Readers
from bridge.messages import Channel


@dataclass(frozen=True, slots=True)
class ReadersProber:
    """
    Implements `bridge.holds.Prober`: another's answer, and whether guests are there.

    `wanted` says whether anybody asks for that: without a directory nobody does.
    """

    prober: Prober
    readers: Readers
    wanted: Callable[[], bool]

    async def condition(self, channel: Channel) -> Condition:
        condition = await self.prober.condition(channel)
        blocked = condition.causes - {Cause.EXTERNAL}
        if not self.wanted() or blocked - FACTS:
            return condition
        if await self.readers.outsiders(channel):
            return replace(condition, causes=condition.causes | {Cause.GUESTS})
        return condition
