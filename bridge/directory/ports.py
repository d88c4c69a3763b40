"""What the directory part asks of the outside, and what others ask of it."""

from collections.abc import AsyncIterator, Sequence
from typing import Protocol, runtime_checkable

from bridge.directory.model import Kind, Reading, Subject
from bridge.messages import Person


class Source(Protocol):
    """One directory that people, groups and units are read from."""

    @property
    def name(self) -> str: ...

    def read(self, cursor: bytes) -> AsyncIterator[Reading]:
        """
        Read what changed since `cursor`; everything if it is empty or not valid any more.

        Several readings come one after the other if there is much; each may be applied
        as it comes, but only the last of a whole one says that everything was named, by
        `whole` and `complete` both True. Never raises for what the source does wrong:
        that is an incomplete reading.
        """
        ...

    def follow(self, cursor: bytes) -> AsyncIterator[Reading]:
        """
        Yield changes as they happen, for ever; ends when the source cannot tell any more.

        A source that cannot push polls. Whoever calls reads again and follows again.
        A complete reading with nothing in it says that all is well: a source that has
        nothing to tell gives one at least once a minute, when it knows that it would
        have heard, or else the directory is taken to be old.
        """
        ...


@runtime_checkable
class Remembering(Protocol):
    """Optional: a source that judges what it reads by what it read before."""

    def remind(self, cursor: bytes) -> None:
        """Say up to where it was read last, before it reads everything again."""
        ...


class Directory(Protocol):
    """Who is who now, in memory, at the speed of decisions."""

    def configured(self, tenant: str) -> bool:
        """Whether the company has a directory at all."""
        ...

    def version(self, tenant: str) -> str:
        """Return what names this state of the directory, as decisions record it."""
        ...

    def age_seconds(self, tenant: str) -> int:
        """Return how long ago every source was last known to be followed or read."""
        ...

    def subject(self, tenant: str, person: Person, account: str) -> Subject | None:
        """Return whose account it is, None if that is not known."""
        ...

    def subjects(self, tenant: str) -> Sequence[Subject]:
        """Return everybody."""
        ...

    def path(self, tenant: str, subject: str, ancestor: str) -> Sequence[str]:
        """Return by which names somebody is in an ancestor, outermost last."""
        ...


class Names(Protocol):
    """What the things of a directory are called, for whoever writes rules on them."""

    def named(self, tenant: str, kind: Kind, name: str) -> Sequence[str]:
        """
        Return the ids of everything of the kind that is called so, in any case.

        A name is the one that people see, the path (a DN) or the id itself; a person
        is also found by address and user name. Several ids mean that the name does
        not say which one.
        """
        ...

    def name_of(self, tenant: str, kind: Kind, id_: str) -> str | None:
        """Return what something is called; None if the company has nothing of that id."""
        ...

    def within(self, tenant: str, ancestor: str) -> Sequence[str]:
        """
        Return the ids of the people in a group, unit, department or role.

        `ancestor` is written as in `Subject.ancestors`.
        """
        ...

    def above(self, tenant: str, ancestor: str) -> Sequence[str]:
        """Return what a group, unit, department or role is in itself, likewise."""
        ...
