"""What a Slack holds: workspaces, people, channels, messages, files."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Kind(StrEnum):
    """What a conversation is, in the words that events use."""

    PUBLIC = "channel"
    PRIVATE = "group"
    DIRECT = "im"
    GROUP = "mpim"

    @property
    def family(self) -> str:
        """The first half of the scopes that reach it."""
        return {"channel": "channels", "group": "groups"}.get(self.value, self.value)


# What people and admins change about somebody.
CHANGEABLE = {
    *("real_name", "display_name", "email", "email_confirmed"),
    *("is_admin", "is_owner", "is_guest", "deleted"),
}


@dataclass(slots=True)
class User:
    id: str
    team: str
    name: str
    real_name: str
    email: str = ""
    is_admin: bool = False
    is_owner: bool = False
    is_bot: bool = False
    deleted: bool = False
    status: str = ""
    # In an organisation: the other workspaces, and the rights in the whole of it.
    workspaces: list[str] = field(default_factory=list)
    is_org_admin: bool = False
    is_guest: bool = False
    email_confirmed: bool = True
    display_name: str = ""

    @property
    def teams(self) -> list[str]:
        """Every workspace that the person is in, the own one first."""
        return [self.team, *(one for one in self.workspaces if one != self.team)]

    def wire(self, base: str) -> dict[str, Any]:
        """The user as users.info shows it; `base` is where pictures are served."""
        return {
            "id": self.id,
            "team_id": self.team,
            "name": self.name,
            "real_name": self.real_name,
            "deleted": self.deleted,
            "color": "4bbe2e",
            "tz": "Europe/Amsterdam",
            "tz_label": "Central European Time",
            "tz_offset": 3600,
            "profile": self.profile(base),
            "is_admin": self.is_admin,
            "is_owner": self.is_owner,
            "is_primary_owner": False,
            "is_restricted": self.is_guest,
            "is_ultra_restricted": False,
            "is_bot": self.is_bot,
            "is_app_user": False,
            "is_email_confirmed": bool(self.email) and self.email_confirmed,
            "updated": 1_700_000_000,
        }

    def profile(self, base: str) -> dict[str, Any]:
        shown = "" if self.is_bot else self.display_name or self.real_name
        first, _, last = self.real_name.partition(" ")
        pictures = {
            f"image_{size}": f"{base}/slack/avatars/{self.id}.svg?size={size}"
            for size in (24, 32, 48, 72, 192, 512)
        }
        profile: dict[str, Any] = {
            "real_name": self.real_name,
            "real_name_normalized": self.real_name,
            "display_name": shown,
            "display_name_normalized": shown,
            "first_name": first,
            "last_name": last,
            "title": "",
            "status_text": self.status,
            "status_emoji": "",
            "avatar_hash": f"g{self.id.lower()}",
            "team": self.team,
            **pictures,
        }
        if self.email:
            profile["email"] = self.email
        return profile


@dataclass(slots=True)
class Message:
    """
    One message. `body` is what events carry; the rest is kept beside it.

    `versions` are the bodies before each change, oldest first.
    """

    body: dict[str, Any]
    replies: list[str] = field(default_factory=list)
    repliers: list[str] = field(default_factory=list)
    reactions: dict[str, list[str]] = field(default_factory=dict)
    metadata: dict[str, Any] | None = None
    deleted: bool = False
    versions: list[dict[str, Any]] = field(default_factory=list)

    @property
    def ts(self) -> str:
        return str(self.body["ts"])

    @property
    def root(self) -> str:
        """The ts of the thread that this is a reply in; a root has none."""
        thread = str(self.body.get("thread_ts", ""))
        return "" if thread == self.ts else thread

    @property
    def in_channel(self) -> bool:
        """Whether the channel itself shows it, and not only a thread."""
        return not self.root or self.body.get("subtype") == "thread_broadcast"


@dataclass(slots=True)
class Channel:
    id: str
    team: str
    name: str
    kind: Kind = Kind.PUBLIC
    creator: str = ""
    members: list[str] = field(default_factory=list)
    topic: str = ""
    purpose: str = ""
    archived: bool = False
    messages: dict[str, Message] = field(default_factory=dict)
    # Where else it is seen: workspaces of the organisation, and other companies.
    shared: list[str] = field(default_factory=list)
    connected: list[str] = field(default_factory=list)
    org_wide: bool = False
    groups: list[str] = field(default_factory=list)
    prefs: dict[str, Any] = field(default_factory=dict)

    @property
    def internal(self) -> list[str]:
        """The workspaces of its own organisation that see it, the home first."""
        return [self.team, *(one for one in self.shared if one != self.team)]

    @property
    def everywhere(self) -> list[str]:
        return [*self.internal, *self.connected]

    @property
    def private(self) -> bool:
        return self.kind is not Kind.PUBLIC

    def wire(self, me: str) -> dict[str, Any]:
        """The channel as conversations.info shows it to `me`."""
        shown: dict[str, Any] = {
            "id": self.id,
            "name": self.name,
            "name_normalized": self.name,
            "is_channel": self.kind is Kind.PUBLIC,
            "is_group": self.kind is Kind.PRIVATE,
            "is_im": self.kind is Kind.DIRECT,
            "is_mpim": self.kind is Kind.GROUP,
            "is_private": self.private,
            "is_archived": self.archived,
            "is_general": self.name == "general",
            "is_shared": len(self.everywhere) > 1,
            "is_org_shared": self.org_wide or bool(self.shared),
            "is_ext_shared": bool(self.connected),
            "is_pending_ext_shared": False,
            "is_member": me in self.members,
            "created": 1_700_000_000,
            "creator": self.creator,
            "context_team_id": self.team,
            "shared_team_ids": self.everywhere,
            **({"connected_team_ids": self.connected} if self.connected else {}),
            "pending_shared": [],
            "previous_names": [],
            "topic": {"value": self.topic, "creator": "", "last_set": 0},
            "purpose": {"value": self.purpose, "creator": "", "last_set": 0},
            "num_members": len(self.members),
            "unlinked": 0,
        }
        if self.kind is Kind.DIRECT:
            others = [member for member in self.members if member != me]
            shown["user"] = others[0] if others else me
        return shown


@dataclass(slots=True)
class File:
    """A file. Its bytes arrive after its id is known; `shares` are (channel, ts)."""

    id: str
    team: str
    user: str
    name: str
    title: str
    length: int
    mimetype: str
    created: float
    content: bytes | None = None
    completed: bool = False
    deleted: bool = False
    alt_text: str = ""
    shares: list[tuple[str, str]] = field(default_factory=list)


@dataclass(slots=True)
class Installation:
    """The app in one workspace: its bot, its token, what it may do."""

    team: str
    bot_user: str
    bot_id: str
    token: str
    active: bool = True
    # Set when the installation is the whole organisation's.
    enterprise: str = ""


@dataclass(slots=True)
class Usergroup:
    id: str
    team: str
    handle: str
    name: str
    users: list[str]


@dataclass(slots=True)
class Workspace:
    id: str
    name: str
    domain: str
    emoji: dict[str, str] = field(default_factory=dict)
