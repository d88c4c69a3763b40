"""What waits for somebody to look at it, and what they decide."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bridge.access import Label
from bridge.letters import DeadLetter
from bridge.messages import Person


@dataclass(frozen=True, slots=True)
class Waiting:
    """
    A message or a file that is held, with what was found in it and whose it is.

    `version_us` is the version of the message that would go.
    """

    letter: DeadLetter
    author: Person
    detectors: tuple[str, ...]
    label: Label
    version_us: int

    @property
    def number(self) -> str:
        """How people name it."""
        return self.letter.number


class ReviewDesk(Protocol):
    """Where it waits. Everything done is a log entry."""

    async def waiting(self, tenant: str) -> Sequence[Waiting]:
        """Return what waits, oldest first."""
        ...

    async def release(self, waiting: Waiting, actor: str) -> None:
        """
        Let it go, in the version that was looked at, to the place it was held from.

        Raises `Conflict` if somebody else decided on it just now.
        """
        ...

    async def refuse(self, waiting: Waiting, actor: str) -> None:
        """Take it off the list for good. Raises `Conflict` as `release` does."""
        ...
