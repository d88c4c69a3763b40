"""People, channels and what happens in them, free of any platform's vocabulary."""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from hashlib import blake2s
from typing import Self

from bridge.document import Document
from bridge.errors import BadInput

_KEY = 64


class Platform(StrEnum):
    """Where people talk."""

    SLACK = "slack"
    TEAMS = "teams"

    @property
    def other(self) -> "Platform":
        """The platform on the far side of a bridge."""
        return Platform.TEAMS if self is Platform.SLACK else Platform.SLACK


@dataclass(frozen=True, slots=True, order=True)
class Channel:
    """
    A place where people talk: one Slack channel or one Teams channel.

    `team` is the Slack workspace id, or the Teams team's thread id
    (`19:…@thread.tacv2`); `id` is the channel's own id inside it.
    """

    platform: Platform
    team: str
    id: str

    def __str__(self) -> str:
        return f"{self.platform}:{self.team}/{self.id}"

    @property
    def is_own_chat(self) -> bool:
        """Whether it is one person's own chat with ATOM, by how its platform names it."""
        return self.id.startswith("D" if self.platform is Platform.SLACK else "a:")

    @classmethod
    def parse(cls, address: str) -> Self:
        """Read `slack:TEAM_ID/CHANNEL_ID` or `teams:TEAM_ID/CHANNEL_ID`."""
        platform, colon, rest = address.partition(":")
        team, slash, channel = rest.partition("/")
        if platform not in set(Platform) or not (colon and slash and team and channel):
            raise BadInput(
                f"'{address}' is no channel address: write slack:TEAM_ID/CHANNEL_ID "
                "or teams:TEAM_ID/CHANNEL_ID"
            )
        return cls(Platform(platform), team, channel)


class PersonKind(StrEnum):
    """What stands behind an account."""

    USER = "user"
    GUEST = "guest"
    EXTERNAL = "external"
    BOT = "bot"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Person:
    """
    An account on one platform. `name` and `avatar` may be unknown yet.

    `organisation` is what an outsider's company is called, if that is known.
    """

    platform: Platform
    id: str
    name: str = ""
    avatar: str = ""
    kind: PersonKind = PersonKind.USER
    organisation: str = ""

    @property
    def shown(self) -> str:
        """The name as others read it; of outsiders it says where they belong."""
        if self.name and self.organisation:
            return f"{self.name}, {self.organisation}"
        return self.name

    def named(self, known: "Person") -> "Person":
        """Fill what is missing here from what is known elsewhere."""
        return replace(
            self,
            name=self.name or known.name,
            avatar=self.avatar or known.avatar,
            organisation=self.organisation or known.organisation,
        )


class EventKind(StrEnum):
    """What can happen. The values are the log's event types."""

    MESSAGE_CREATE = "message.create"
    MESSAGE_EDIT = "message.edit"
    MESSAGE_DELETE = "message.delete"
    MESSAGE_RESTORE = "message.restore"
    REACTION_ADD = "reaction.add"
    REACTION_REMOVE = "reaction.remove"
    PIN_ADD = "pin.add"
    PIN_REMOVE = "pin.remove"
    MEMBER_JOIN = "member.join"
    MEMBER_LEAVE = "member.leave"
    CHANNEL_CHANGE = "conv.change"
    USER_PROFILE = "user.profile"
    USER_DEACTIVATE = "user.deactivate"
    COMMAND = "admin.command"
    ACTION = "card.action"
    APP_INSTALL = "app.install"
    APP_UNINSTALL = "app.uninstall"
    HISTORY_POST = "history.post"
    OTHER = "other"


# How the ids of ATOM's own digests of a channel's history begin; no platform's do.
HISTORY = "history."


@dataclass(frozen=True, slots=True)
class File:
    """
    A file that a message carries, by reference.

    `url` is where ATOM fetches it and `page` where people open it; both, the name and
    the size may be unknown yet.
    """

    id: str
    name: str
    mime: str = ""
    size: int = 0
    url: str = ""
    page: str = ""

    @property
    def key(self) -> str:
        """Tells the message's files apart, and is short whatever the id is."""
        if len(self.id) <= _KEY and self.id.isascii() and self.id.isprintable():
            return self.id
        encoded = self.id.encode("utf-8", "replace")
        return blake2s(encoded, digest_size=12).hexdigest()


@dataclass(frozen=True, slots=True)
class Event:
    """
    One thing that happened on one platform, as ATOM understands it.

    `account` is the Slack workspace id or the Teams tenant id that signed for it.
    `message` is the platform's id of the message concerned, empty where there is
    none; `thread` is the id of the thread's root, empty for a root itself.
    `sent_us` is the platform's claim of when it happened and `version_us` the time
    of the edit, both in microseconds UTC; `version_us` is 0 for what can happen to a
    message only once.
    `raw` is the platform's payload, byte for byte. `via` says how it came in: `push`
    for what the platform sent, `catchup` for what was read from it later, `backfill`
    for what was said before there was a link. `external` says that people of other
    organisations read along in the channel.
    """

    platform: Platform
    account: str
    event_id: str
    kind: EventKind
    channel: Channel | None
    author: Person
    sent_us: int
    raw: bytes
    message: str = ""
    thread: str = ""
    version_us: int = 0
    document: Document = field(default_factory=Document)
    files: tuple[File, ...] = ()
    detail: tuple[tuple[str, str], ...] = ()
    via: str = "push"
    external: bool = False

    @property
    def delivery_key(self) -> str:
        """Equal for every delivery of the same platform event."""
        return f"d:{self.platform}:{self.account}:{self.event_id}"

    @property
    def fact_key(self) -> str:
        """Equal for every event that states the same fact, empty if it states none."""
        if not self.message or not self.kind.startswith("message."):
            return ""
        place = self.channel.id if self.channel else ""
        fact = f"{self.platform}:{place}:{self.message}:{self.kind}"
        return f"f:{fact}:{self.version_us}"
