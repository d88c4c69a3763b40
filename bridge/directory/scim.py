"""
What ATOM's SCIM server keeps of users and groups, and what it asks of its storage.

A company's identity provider writes them; they are all that the source `scim` tells the
directory.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from bridge.directory.model import Reading
from bridge.errors import AtomError


class ScimKind(StrEnum):
    """The types of resources, by the names that SCIM has for them."""

    USER = "User"
    GROUP = "Group"


@dataclass(frozen=True, slots=True)
class Kept:
    """
    A resource as it is kept. Times are microseconds UTC.

    `document` has the attributes that clients set, by their canonical names, and neither
    members nor what is computed. `change` counts the company's changes; it is this
    resource's last one.
    """

    kind: ScimKind
    id: str
    version: int
    change: int
    created_us: int
    modified_us: int
    document: Mapping[str, Any]
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class Member:
    """What is directly in a group. `display` is what the client called it."""

    id: str
    kind: ScimKind
    display: str = ""


@dataclass(frozen=True, slots=True)
class Membership:
    """A group that somebody is in, directly or through others."""

    group: str
    name: str
    direct: bool


@dataclass(frozen=True, slots=True)
class Change:
    """
    One resource's next state. `expected` is the version that it replaces, 0 for none.

    `unique` is taken by at most one living resource of the company, if not empty;
    `label` and `external` are what it is looked up by. `spends` says that an admin let
    the group shrink for this once.
    """

    kind: ScimKind
    id: str
    expected: int
    document: Mapping[str, Any]
    unique: str = ""
    label: str = ""
    external: str = ""
    joined: tuple[Member, ...] = ()
    left: tuple[str, ...] = ()
    deleted: bool = False
    spends: bool = False


class Stale(AtomError):
    """The resource is not in the version that the change was made for any more."""


@dataclass(frozen=True, slots=True)
class Lookup:
    """
    What resources are looked up by, if not all are gone through; empty fields are not.

    `label` compares without case, and so it may find more than is asked for.
    """

    id: str = ""
    label: str = ""
    external: str = ""
    member: str = ""


class ScimStore(Protocol):
    """Keeps users and groups. Every method raises `StoreUnavailable`."""

    async def one(self, tenant: str, kind: ScimKind, resource: str) -> Kept | None:
        """Return a living resource."""
        ...

    async def kinds(
        self, tenant: str, resources: Sequence[str]
    ) -> Mapping[str, ScimKind]:
        """Return of which kind each is that lives."""
        ...

    async def count(self, tenant: str, kind: ScimKind) -> int:
        """Return how many live."""
        ...

    async def page(
        self, tenant: str, kind: ScimKind, offset: int, limit: int
    ) -> Sequence[Kept]:
        """Return living ones in the order in which they were made."""
        ...

    async def scan(
        self, tenant: str, kind: ScimKind, after: int, limit: int
    ) -> tuple[Sequence[Kept], int]:
        """Return living ones in that order, and after what to go on; 0 at the end."""
        ...

    async def found(
        self, tenant: str, kind: ScimKind, lookup: Lookup
    ) -> Sequence[Kept]:
        """Return living ones that every field given finds, in that order."""
        ...

    async def members(
        self, tenant: str, groups: Sequence[str]
    ) -> Mapping[str, Sequence[Member]]:
        """Return what is directly in groups, in the order in which it came in."""
        ...

    async def memberships(
        self, tenant: str, members: Sequence[str]
    ) -> Mapping[str, Sequence[Membership]]:
        """Return the groups that each is in, directly or through others."""
        ...

    async def write(self, tenant: str, change: Change) -> Kept:
        """
        Make a change, whole or not at all.

        Raises `Stale`, and `Conflict` if `unique` is taken.
        """
        ...

    async def changes(
        self, tenant: str, after: int, limit: int
    ) -> tuple[Sequence[Kept], int]:
        """
        Return resources whose last change came after one, in order; deleted ones too.

        With it comes the newest change of all.
        """
        ...


@dataclass(frozen=True, slots=True)
class Receipt:
    """
    What became of a reading that was handed over.

    `held` is why the circuit breaker keeps some of it back, empty if it does not.
    """

    version: str = ""
    held: str = ""


class Receives(Protocol):
    """Where the SCIM server hands over what changed, for the directory to follow."""

    async def receive(self, tenant: str, reading: Reading) -> Receipt:
        """Let the directory follow at once. Raises `StoreUnavailable`."""
        ...


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token as it is known: never itself. Times in microseconds UTC, or 0."""

    id: str
    tenant: str
    note: str
    created_by: str
    created_us: int
    expires_us: int
    revoked_us: int = 0
    used_us: int = 0

    def live(self, now_us: int) -> bool:
        return not self.revoked_us and now_us < self.expires_us


@dataclass(frozen=True, slots=True)
class Made:
    """A token that was just made: the only moment at which its text is known."""

    token: Token
    text: str = field(repr=False)


class ScimTokens(Protocol):
    """Who may write a company's users and groups."""

    async def tenant_of(self, text: str) -> Token | None:
        """Return the live token of that text. Raises `StoreUnavailable`."""
        ...
