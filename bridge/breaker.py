"""
Hold a flood of deletions back until an admin says that it is meant.

A script that empties one channel should not empty the other by itself. Slack does not
tell who deleted a message, so what counts is the channel, whoever it was.
"""

from dataclasses import dataclass
from typing import Protocol

from bridge.delivery import Delivery, Operation
from bridge.limits import windows


class Deletions(Protocol):
    """What the log knows of a channel's deletions."""

    async def until(self, delivery: Delivery, within_us: int) -> int:
        """
        Count those in the delivery's channel in the time up to it, itself included.

        The answer is the same whenever, and by whomever, it is asked.
        """
        ...


@dataclass(frozen=True, slots=True)
class Breaker:
    """`limit` is DELETIONS/SECONDS, as for the platforms' limits, or "none"."""

    deletions: Deletions
    limit: str

    async def tripped(self, delivery: Delivery) -> str:
        """Return why a deletion has to wait for an admin, or nothing if it has not."""
        if delivery.operation is not Operation.DELETE or delivery.again:
            return ""  # what an admin had retried is meant
        for window in windows(self.limit):
            count = await self.deletions.until(delivery, window.span_us)
            if count > window.count:
                seconds = window.span_us // 1_000_000
                return f"more than {window.count} deletions within {seconds} seconds"
        return ""
