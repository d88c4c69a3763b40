"""What somebody who searches in chat is told."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bridge.compliance import Officer
from bridge.messages import Channel, Person


@dataclass(frozen=True, slots=True)
class Hit:
    """One message: `address` is where a click leads, empty if that is not known."""

    author: str
    place: str
    said_us: int
    text: str
    address: str = ""


@dataclass(frozen=True, slots=True)
class Findings:
    """
    What was found: `hits` are some of `count` messages, newest first.

    `scope` says in a line what was searched. `behind` counts entries of the log that
    are not searched yet. `cursor` stands for what follows, empty at the end.
    """

    count: int
    hits: tuple[Hit, ...]
    scope: str
    behind: int = 0
    cursor: str = ""


class Finder(Protocol):
    """Searches for somebody in chat."""

    async def find(  # noqa: PLR0913, PLR0917 - who, where and what
        self,
        tenant: str,
        officer: Officer,
        person: Person,
        here: Channel,
        text: str,
        cursor: str,
    ) -> Findings:
        """
        Find what the person could read anyway; as an officer, everything, on record.

        Raises `BadInput` for what is no search and `ServiceUnavailable` if it cannot
        be known what the person may read.
        """
        ...


class Memberships(Protocol):
    """Which channels somebody is in, by the platform's own word."""

    async def of(self, person: Person, here: Channel) -> Sequence[Channel]:
        """
        Return the channels that the person reads and ATOM knows of.

        Nothing is remembered. Raises `ServiceUnavailable` if that is not known.
        """
        ...
