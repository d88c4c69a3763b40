"""What is asked to make good what was missed. Adapters implement these Protocols."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from bridge.document import Document
from bridge.messages import Channel, Event, Person

# A message's words, and the keys of its files.
Words = tuple[Document, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Known:
    """
    What the log has of one message.

    `version_us` is that of its newest edit, 0 without one; `thread` is its root, empty
    for a root. `gone_us` is when it was deleted, on platforms that can take that back.
    `said` is False for a message of which only changes were heard.
    """

    thread: str = ""
    version_us: int = 0
    deleted: bool = False
    gone_us: int = 0
    said: bool = True


class Watch(Protocol):
    """Who wants to know how a platform was read, and may say that it is enough."""

    async def before(self, call: str) -> None:
        """A call is about to be made; may wait. Raises `CannotTell` to end it."""
        ...

    def read(self, call: str, cursor: str, request: str) -> None:
        """A page was read: from which cursor, and how the platform calls the answer."""
        ...


@dataclass(frozen=True, slots=True)
class Gap:
    """
    A time in which ATOM may not have heard what happened in a channel.

    It begins at `since_us`. Changes to older messages are looked for as far back as
    `back_us`, and from there on `known` is everything that the log has, by message.
    What other bots said is wanted only with `bots`, where that has to be asked for.
    With `whole` everything that stands is told, also what the log has already.
    `reacted` are, of one message, people's accounts with the emoji that they chose by
    the log: with it, what became of reactions is told as well.
    """

    channel: Channel
    since_us: int
    back_us: int
    known: Mapping[str, Known]
    bots: bool = False
    whole: bool = False
    watch: Watch | None = None
    reacted: frozenset[tuple[str, str]] | None = None


class Recent(Protocol):
    """What happened in a channel, read from its platform instead of heard."""

    def within(self, gap: Gap) -> AsyncIterator[Event]:
        """
        Yield what was said, edited and deleted, each thread in its order.

        Every event states the fact in the same words as the one that the platform
        would have sent (`Event.fact_key`), with the time at which it happened. What
        is known already may be among them; ATOM's own posts are not. Of a deletion
        the author may be missing, where the platform tells it only by silence.

        Waits when asked to. Raises `ServiceUnavailable` when the platform does not
        answer, and `CannotTell` when ATOM may not read the channel.
        """
        ...


class Roots(Protocol):
    """A thread's root, read from its platform."""

    async def root(self, channel: Channel, message: str) -> Sequence[Event]:
        """
        Return what is to be told of a root that stands: said, and perhaps edited.

        Nothing if it does not stand any more. Raises `ServiceUnavailable` when the
        platform does not answer, and `CannotTell` when ATOM may not read the channel.
        """
        ...


class Single(Protocol):
    """One message, read from its platform instead of heard."""

    async def one(self, gap: Gap, root: str, message: str) -> Sequence[Event]:
        """
        Return what is to be told of a message in a root's thread, as `Recent` does.

        Nothing if it does not stand, and left nothing that says so. Raises
        `ServiceUnavailable` when the platform does not answer, and `CannotTell` when
        ATOM may not read the channel.
        """
        ...


class Record(Protocol):
    """What the log has of a channel's messages."""

    async def known(
        self, tenant: str, channel: Channel, since_us: int
    ) -> Mapping[str, Known]:
        """Return what was captured of the channel's messages since a time."""
        ...

    async def of(self, tenant: str, channel: Channel, message: str) -> Known | None:
        """Return what was captured of one message, None if nothing was."""
        ...

    async def author(
        self, tenant: str, channel: Channel, message: str
    ) -> Person | None:
        """Return who wrote a message, if the log has it."""
        ...

    async def says(self, tenant: str, channel: Channel, message: str) -> Words | None:
        """Return what a message says by the log; None if it is not there or erased."""
        ...


class Watermarks(Protocol):
    """Up to when everything that happened in a channel is known to be on record."""

    async def of(self, tenant: str, channel: Channel) -> int:
        """Return the channel's mark in microseconds UTC, 0 if it has none yet."""
        ...

    async def raise_to(
        self, tenant: str, channels: Collection[Channel], us: int
    ) -> None:
        """Raise the channels' marks; one that is higher already stays."""
        ...
