"""How the directory is doing, and the word of a second person on what waits."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bridge.compliance import Officer


@dataclass(frozen=True, slots=True)
class SourceHealth:
    """One source. Times are microseconds UTC, 0 for never."""

    name: str
    kind: str
    people: int
    things: int
    memberships: int
    heard_us: int
    whole_us: int
    problem: str


@dataclass(frozen=True, slots=True)
class Held:
    """
    Changes that wait. `lines` name some of them, as people read it; `count` is of all.

    `state` is waiting or refused.
    """

    digest: str
    source: str
    reason: str
    count: int
    lines: tuple[str, ...]
    since_us: int
    state: str


@dataclass(frozen=True, slots=True)
class DirectoryHealth:
    """A company's directory; `notes` are what somebody should put right in it."""

    version: str
    age_seconds: int
    people: int
    sources: tuple[SourceHealth, ...]
    waiting: tuple[Held, ...]
    notes: tuple[str, ...] = ()


class DirectoryDesk(Protocol):
    """Where admins see the directory and decide on what waits."""

    async def health(self, tenant: str) -> DirectoryHealth:
        """Return how it is doing. Raises `NotFound` without a directory."""
        ...

    async def decide(
        self, tenant: str, officer: Officer, digest: str, *, agree: bool
    ) -> Held:
        """
        Let exactly the changes with this hash happen, or refuse them.

        Takes the duty to approve, and somebody whom they are not about: raises
        `Refused` or `NotAllowed`, `NotFound` if nothing of that hash waits any more.
        """
        ...


def standing_words(seconds: int) -> Sequence[str]:
    """Return an age as people say it, in words."""
    for size, word in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            count = seconds // size
            return [str(count), f"{word}s" if count > 1 else word]
    return [str(seconds), "second" if seconds == 1 else "seconds"]
