"""The dead-letter list: deliveries that ended without a copy, for a person to decide."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bridge.delivery import Delivery
from bridge.leaving.rules import HELD
from bridge.links import Link


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """
    A delivery that was given up, and why.

    Its outcome is unknown if a copy may stand there all the same: an answer was lost
    `unknown_since_us` and could not be looked up. It is 0 for what surely failed.
    """

    delivery: Delivery
    reason: str
    died_us: int
    unknown_since_us: int = 0

    @property
    def number(self) -> str:
        """How people name it."""
        return f"{self.delivery.seq}.{self.delivery.n}"

    @property
    def held(self) -> bool:
        """Whether it waits for somebody to look at it: the review list has it."""
        return self.reason.startswith(HELD)

    @property
    def unknown(self) -> bool:
        return bool(self.unknown_since_us)


@dataclass(frozen=True, slots=True)
class Replayed:
    """
    What a replay queued.

    `left` were passed over because they are under way or their outcome is unknown;
    `more` says that there was too much for one replay.
    """

    queued: int
    left: int
    more: bool


class DeadLetters(Protocol):
    """The list, and what can be done about it. Everything done is a log entry."""

    async def all(self, tenant: str, link: str = "") -> Sequence[DeadLetter]:
        """Return the company's letters, or a link's, oldest first: a thousand at most."""
        ...

    async def retry(
        self, letters: Sequence[DeadLetter], actor: str, *, anyway: bool = False
    ) -> None:
        """
        Queue them again, and take them off the list. All are of one company.

        What has an unknown outcome is looked up first and sent only if it is certain
        that there is no copy, unless it is wanted `anyway`. Raises `Conflict` if
        somebody else dealt with one of them meanwhile; nothing is done then.
        """
        ...

    async def drop(
        self, letters: Sequence[DeadLetter], actor: str, reason: str
    ) -> None:
        """Take them off the list for good. Raises `Conflict` as `retry` does."""
        ...

    async def replay(self, link: Link, since_us: int, actor: str) -> Replayed:
        """
        Queue what is missing on either side of what was said since a time.

        Copies that are missing, stale or should be gone; nothing that stands there,
        is under way or has an unknown outcome. Raises `Conflict` as `retry` does.
        """
        ...
