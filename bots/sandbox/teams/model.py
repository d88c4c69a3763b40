"""What a Teams holds: tenants, people, teams, channels, messages, files."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What a conversation is. All but the last are channels of a team."""

    STANDARD = "standard"
    PRIVATE = "private"
    SHARED = "shared"
    PERSONAL = "personal"


@dataclass(frozen=True, slots=True)
class Tenant:
    """One organisation. Its region is a part of its service URL."""

    id: str
    name: str
    domain: str
    region: str


@dataclass(frozen=True, slots=True)
class Person:
    """
    A member of a tenant. A guest has an account of another's, and signs in with it.

    `signs_in_as` is empty where it is the e-mail address.
    """

    id: str
    tenant: str
    given: str
    surname: str
    email: str
    directory_id: str
    signs_in_as: str = ""
    role: str = "user"
    sessions_from: str = ""

    @property
    def principal(self) -> str:
        return self.signs_in_as or self.email

    @property
    def name(self) -> str:
        return f"{self.given} {self.surname}".strip()

    def account(self) -> dict[str, Any]:
        """The person as the connector's member calls show them."""
        return {
            "id": self.id,
            "name": self.name,
            "givenName": self.given,
            "surname": self.surname,
            "email": self.email,
            "userPrincipalName": self.principal,
            "aadObjectId": self.directory_id,
            "objectId": self.directory_id,
            "tenantId": self.tenant,
            "userRole": self.role,
        }


@dataclass(slots=True)
class Team:
    """A team. `apps` are the bots in it, by app id."""

    id: str
    tenant: str
    name: str
    group_id: str
    owners: list[str]
    members: list[str]
    apps: list[str] = field(default_factory=list)
    archived: bool = False
    deleted: bool = False
    description: str = ""


@dataclass(frozen=True, slots=True)
class Content:
    """
    What a message says.

    `mentions` are those that count: {"id", "name"} each, in the order of the
    numbers in the HTML. `activity` is what a bot sent, whole.
    """

    html: str
    mentions: list[dict[str, str]] = field(default_factory=list)
    attachments: list[dict[str, Any]] = field(default_factory=list)
    activity: dict[str, Any] | None = None


@dataclass(slots=True)
class Message:
    """
    One message. A root's `root` is its own id.

    `views` are the cards that people see instead of the one that was posted, by
    person; `versions` are what it said before, oldest first.
    """

    id: str
    channel: str
    root: str
    author: str
    content: Content
    created: str
    modified: str
    order: int
    target: str = ""
    edited: str = ""
    deleted: str = ""
    reactions: dict[str, list[str]] = field(default_factory=dict)
    views: dict[str, dict[str, Any]] = field(default_factory=dict)
    versions: list[Content] = field(default_factory=list)

    @property
    def is_root(self) -> bool:
        return self.id == self.root

    @property
    def by_bot(self) -> bool:
        return self.author.startswith("28:")


@dataclass(slots=True)
class Channel:
    """A channel of a team, or a chat of one person with one bot (without a team)."""

    id: str
    tenant: str
    team: str
    name: str
    kind: Kind = Kind.STANDARD
    members: list[str] = field(default_factory=list)
    deleted: bool = False
    owners: list[str] = field(default_factory=list)
    archived: bool = False
    description: str = ""
    created: str = "2023-11-14T22:13:20.123Z"
    messages: dict[str, Message] = field(default_factory=dict)

    @property
    def is_general(self) -> bool:
        return self.id == self.team

    def conversation_id(self, root: str = "") -> str:
        """The id under which a thread, or the whole of a chat, is addressed."""
        if self.kind is Kind.PERSONAL or not root:
            return self.id
        return f"{self.id};messageid={root}"


@dataclass(frozen=True, slots=True)
class File:
    """
    Bytes that somebody attached: a pasted picture or a file on the team's site.

    `claimed` is the size that is told of it, if it is not that of the content.
    """

    id: str
    name: str
    media_type: str
    content: bytes
    channel: str
    pasted: bool
    claimed: int = 0

    @property
    def size(self) -> int:
        return self.claimed or len(self.content)
