"""
What an organisation's admins manage: workspaces, their channels, who is in them.

A *workspace* is one in Slack's organisation and a team in Teams; a *group* is one that
the company's identity provider keeps. Words are what people type for a channel, a
person or a workspace; only the platform's adapter knows how to read them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bridge.messages import Channel, Person, Platform


@dataclass(frozen=True, slots=True)
class Workspace:
    """One workspace. `address` is the short name by which it is typed."""

    id: str
    name: str
    address: str = ""


@dataclass(frozen=True, slots=True)
class ManagedChannel:
    """A channel as its admins see it; `members` is None where nobody has counted."""

    id: str
    name: str
    workspaces: tuple[str, ...]
    private: bool = False
    archived: bool = False
    external: bool = False
    everywhere: bool = False
    members: int | None = None


@dataclass(frozen=True, slots=True)
class NewChannel:
    """A channel that is to be made. A `shared` one is private, and takes outsiders."""

    name: str
    workspace: Workspace
    private: bool = False
    shared: bool = False


class Organisation(Protocol):
    """The whole of a company's workspaces on one platform."""

    async def workspaces(self) -> Sequence[Workspace]:
        """
        Return every workspace.

        Raises `Refused` or `ServiceUnavailable`, as all of these ports do.
        """
        ...

    async def may_manage(self, person: Person, here: Channel) -> bool:
        """
        Say whether a person who asks in a channel administers the organisation.

        Who administers one workspace only does not. Raises `ServiceUnavailable`
        when that is not known.
        """
        ...


class ChannelBook(Protocol):
    """The channels there are."""

    async def channels(self, workspace: Workspace | None) -> Sequence[ManagedChannel]:
        """Return a workspace's channels, or all; at most as many as one reads."""
        ...

    async def channel(self, word: str) -> ManagedChannel:
        """
        Return the channel that a word means.

        Raises `NotFound`, and `Conflict` where several have that name.
        """
        ...

    async def create(self, new: NewChannel) -> ManagedChannel:
        """Make a channel."""
        ...


class ChannelCare(Protocol):
    """What can be done to a channel."""

    async def rename(self, channel: ManagedChannel, name: str) -> None:
        """Give a channel another name."""
        ...

    async def archive(self, channel: ManagedChannel) -> None:
        """Close a channel; what was said in it can still be read."""
        ...

    async def unarchive(self, channel: ManagedChannel) -> None:
        """Open an archived channel again."""
        ...


class Membership(Protocol):
    """Who is in a channel."""

    async def person(self, word: str) -> Person:
        """Return who a word means. Raises `NotFound`."""
        ...

    async def invite(
        self, channel: ManagedChannel, people: Sequence[Person]
    ) -> Sequence[str]:
        """Let people in; returns a line on each who could not be."""
        ...

    async def remove(self, channel: ManagedChannel, person: Person) -> None:
        """Put somebody out. Who is not in counts as removed."""
        ...


class Sharing(Protocol):
    """Optional: channels that several workspaces see."""

    async def share(
        self, channel: ManagedChannel, workspaces: Sequence[Workspace]
    ) -> None:
        """Let further workspaces see a channel. Never takes it away from one."""
        ...

    async def move(self, channel: ManagedChannel, workspace: Workspace) -> None:
        """
        Take a channel from its one workspace to another.

        May return before the platform is done. Raises `Conflict` for a channel
        that several workspaces see.
        """
        ...


class ChannelGroups(Protocol):
    """Optional: private channels that follow groups of the identity provider."""

    async def groups(self, channel: ManagedChannel) -> Sequence[str]:
        """Return the ids of the groups that a channel follows."""
        ...

    async def connect(self, channel: ManagedChannel, group: str) -> None:
        """Let a channel follow a group: its people come in, others stay out."""
        ...

    async def disconnect(self, channel: ManagedChannel, group: str) -> None:
        """Let a channel follow a group no longer."""
        ...


class Sessions(Protocol):
    """Optional: where people are signed in."""

    async def reset(self, person: Person) -> None:
        """Sign a person out everywhere."""
        ...


class Disposal(Protocol):
    """Optional: channels that can be deleted for good."""

    async def delete(self, channel: ManagedChannel) -> None:
        """Delete a channel with everything in it. There is no way back."""
        ...


class WorkspaceCare(Protocol):
    """Optional: workspaces that are made and changed, and who is in them."""

    async def create(self, name: str, owner: Person) -> None:
        """Make a workspace. May return before the platform is done."""
        ...

    async def rename(self, workspace: Workspace, name: str) -> None:
        """Give a workspace another name."""
        ...

    async def archive(self, workspace: Workspace) -> None:
        """Close a workspace with all its channels; they can still be read."""
        ...

    async def unarchive(self, workspace: Workspace) -> None:
        """Open an archived workspace again."""
        ...

    async def admit(
        self, workspace: Workspace, people: Sequence[Person], *, owners: bool
    ) -> Sequence[str]:
        """Let people in, or make them owners; returns a line on each who could not be."""
        ...

    async def dismiss(self, workspace: Workspace, person: Person) -> None:
        """Put somebody out. Who is not in counts as removed."""
        ...


@dataclass(frozen=True, slots=True)
class Administration:
    """One platform's ports; what a platform cannot do is None."""

    organisation: Organisation
    book: ChannelBook
    care: ChannelCare
    membership: Membership
    sharing: Sharing | None = None
    groups: ChannelGroups | None = None
    sessions: Sessions | None = None
    disposal: Disposal | None = None
    spaces: WorkspaceCare | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A change that an admin wants: who, where, and what in one line."""

    tenant: str
    platform: Platform
    actor: str
    text: str


class AuditLog(Protocol):
    """The compliance log, as changes by admins enter it."""

    async def intend(self, change: Change) -> int:
        """
        Write down what is about to be done, and return its place in the log.

        Returns after the commit. Raises `StoreUnavailable` when nothing was kept:
        the change must then not be made.
        """
        ...

    async def conclude(
        self, change: Change, intent: int, outcome: str, reason: str = ""
    ) -> None:
        """Write down how it ended: done, refused, or unknown. Errors as above."""
        ...
