"""
Hold a flood of deletions or edits back until an admin says that it is meant.

A script that empties one channel, or writes over all that was said in it, should not do
so to the other by itself. Slack does not tell who deleted a message, so what counts is
the channel, whoever it was.
"""

from dataclasses import dataclass
from typing import Protocol

from bridge.delivery import Delivery, Operation
from bridge.limits import windows


class Changes(Protocol):
    """What the log knows of a channel's deletions and edits."""

    async def until(self, delivery: Delivery, within_us: int) -> int:
        """
        Count those of the delivery's kind in its channel in the time up to it.

        It is counted itself. However often a message is edited, it counts once. The
        answer is the same whenever, and by whomever, it is asked.
        """
        ...


@dataclass(frozen=True, slots=True)
class Breaker:
    """
    `deletions` are DELETIONS/SECONDS, as for the platforms' limits, or "none"; `edits`
    are MESSAGES/SECONDS.
    """

    changes: Changes
    deletions: str
    edits: str

    async def tripped(self, delivery: Delivery) -> str:
        """Return why a change has to wait for an admin, or nothing if it has not."""
        match delivery.operation:
            case Operation.DELETE:
                limit, what = self.deletions, "deletions"
            case Operation.EDIT:
                limit, what = self.edits, "edited messages"
            case _:
                return ""
        if delivery.again:
            return ""  # what an admin had retried is meant
        for window in windows(limit):
            count = await self.changes.until(delivery, window.span_us)
            if count > window.count:
                seconds = window.span_us // 1_000_000
                return f"more than {window.count} {what} within {seconds} seconds"
        return ""
