"""
What is exported, free of any format: messages with all that became of them.

Times are microseconds UTC. Everything here comes from log entries below one size of
the log, so that the same question about the same log has the same answer for ever.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Protocol


class Change(StrEnum):
    """What a revision did to its message."""

    CREATE = "create"
    EDIT = "edit"
    DELETE = "delete"
    RESTORE = "restore"


class PlaceKind(StrEnum):
    """Who can be in a conversation."""

    CHANNEL = "channel"
    PRIVATE = "private"
    GROUP = "group"  # people in a chat of their own
    DIRECT = "direct"  # two people


@dataclass(frozen=True, slots=True, order=True)
class Who:
    """Somebody, as the platform knows them. `email` may be unknown."""

    platform: str
    id: str
    name: str = ""
    email: str = ""
    kind: str = "user"

    @property
    def shown(self) -> str:
        return self.name or self.id

    @property
    def is_bot(self) -> bool:
        return self.kind in {"bot", "system", "app"}

    @property
    def address(self) -> str:
        """The e-mail address; one that leads nowhere (RFC 2606) if none is known."""
        return self.email or _address(self.platform, self.id)


@lru_cache(maxsize=100_000)
def _address(platform: str, name: str) -> str:
    local = "".join(c if c.isascii() and c.isalnum() else "-" for c in name)
    return f"{local or 'unknown'}@{platform}.atom.invalid"


@dataclass(frozen=True, slots=True)
class Stamp:
    """Where an entry stands in the log, and when it was captured there."""

    seq: int
    leaf: str  # hexadecimal
    eid: str
    captured_us: int
    via: str = "push"


@dataclass(frozen=True, slots=True)
class Attached:
    """
    A file of a message.

    `path` is where its bytes stand in the export; `sha256` and `md5` are their hashes
    in hexadecimal. Without a path `missing` says why there are none.
    """

    id: str
    name: str
    mime: str = ""
    size: int = 0
    url: str = ""
    path: str = ""
    sha256: str = ""
    md5: str = ""
    missing: str = ""


@dataclass(frozen=True, slots=True)
class Revision:
    """
    One thing that happened to a message.

    `at_us` is the platform's claim of when. A deletion holds no text: what was
    deleted is the revision before. `withheld` says why the content is not there.
    """

    change: Change
    stamp: Stamp
    rev: int
    at_us: int
    by: Who
    text: str = ""
    files: tuple[Attached, ...] = ()
    withheld: str = ""


@dataclass(frozen=True, slots=True)
class Reaction:
    """An emoji that was put on a message, or taken back."""

    stamp: Stamp
    at_us: int
    by: Who
    emoji: str
    added: bool


@dataclass(frozen=True, slots=True)
class Origin:
    """What a copy is a copy of: the entry, by its place and its leaf."""

    seq: int
    leaf: str


@dataclass(frozen=True, slots=True)
class Item:
    """
    One message with all its revisions, in the order of capture.

    With an `origin` it is a copy that ATOM made, and counts as no message.
    """

    platform: str
    team: str
    conv: str
    msg: str
    thread: str
    revisions: tuple[Revision, ...]
    reactions: tuple[Reaction, ...] = ()
    link: str = ""
    origin: Origin | None = None

    @property
    def first(self) -> Revision:
        """The creation; the first that is known, if that is not on record."""
        created = (r for r in self.revisions if r.change is Change.CREATE)
        return next(created, self.revisions[0])

    @property
    def at_us(self) -> int:
        """When it was said, as far as is known."""
        return self.first.at_us

    @property
    def author(self) -> Who:
        return self.first.by

    @property
    def content(self) -> Revision:
        """The newest revision that says something."""
        said = [r for r in self.revisions if r.change is not Change.DELETE]
        return said[-1] if said else self.first

    @property
    def deleted(self) -> Revision | None:
        """The deletion, if the message is gone by the platform's own clock."""
        switches = [
            (r.at_us, r.stamp.seq, r)
            for r in self.revisions
            if r.change in {Change.DELETE, Change.RESTORE}
        ]
        if not switches:
            return None
        newest = max(switches, key=lambda each: each[:2])[2]
        return newest if newest.change is Change.DELETE else None

    @property
    def edits(self) -> tuple[tuple[Revision | None, Revision], ...]:
        """Each edit with what stood there before, as far as that is known."""
        edits = (r for r in self.revisions if r.change is Change.EDIT)
        return tuple((self.before(edit), edit) for edit in edits)

    @property
    def standing(self) -> tuple[tuple[str, tuple[Who, ...]], ...]:
        """The reactions that stand there, by emoji, with whose they are."""
        now: dict[str, dict[tuple[str, str], Who]] = {}
        for one in self.reactions:
            people = now.setdefault(one.emoji, {})
            key = (one.by.platform, one.by.id)
            if one.added:
                people.setdefault(key, one.by)
            else:
                people.pop(key, None)
        return tuple((e, tuple(p.values())) for e, p in now.items() if p)

    def before(self, revision: Revision) -> Revision | None:
        """Return what stood there when a revision came."""
        earlier = [r for r in self.revisions if r.stamp.seq < revision.stamp.seq]
        said = [r for r in earlier if r.change is not Change.DELETE]
        return said[-1] if said else None


@dataclass(frozen=True, slots=True)
class Stay:
    """
    From when to when somebody was in a conversation, as far as the log tells.

    0 means that it is not known: they were there before, or are there still.
    """

    who: Who
    joined_us: int = 0
    left_us: int = 0


@dataclass(frozen=True, slots=True)
class Conversation:
    """A channel or chat. `people` wrote there, reacted, joined or left."""

    platform: str
    team: str
    id: str
    name: str
    kind: PlaceKind
    people: tuple[Who, ...] = ()
    stays: tuple[Stay, ...] = ()
    first_us: int = 0
    last_us: int = 0

    @property
    def key(self) -> tuple[str, str, str]:
        return (self.platform, self.team, self.id)

    @property
    def shown(self) -> str:
        return self.name or self.id


@dataclass(frozen=True, slots=True)
class Thread:
    """What stands below a root."""

    replies: int = 0
    people: tuple[str, ...] = ()
    last_us: int = 0


@dataclass(frozen=True, slots=True)
class Heading:
    """
    What an export says about itself in every format.

    `size` and `root` are the log's, as of which everything is; `as_of_us` is when
    its last entry was captured. `zone` is the name of a time zone.
    """

    id: str
    tenant: str
    size: int
    root: str
    as_of_us: int
    zone: str = "UTC"
    custodian: str = ""


class Source(Protocol):
    """Where the formats read from, as often as they want and always in one order."""

    def conversations(self) -> Sequence[Conversation]:
        """Return them by platform, team and id."""
        ...

    def items(self, conversation: Conversation) -> Iterator[Item]:
        """Yield a conversation's messages in the order in which they were said."""
        ...

    def thread(self, item: Item) -> Thread:
        """Return what stands below a message."""
        ...

    def content(self, path: str) -> Iterator[bytes]:
        """Yield the bytes of a file that the export holds."""
        ...


@dataclass(frozen=True, slots=True)
class Written:
    """
    A file of an export: where it stands, and what is in it.

    `entries` yields the log entries that it holds, each with its leaf hash, if proofs
    of them belong beside it.
    """

    path: str
    chunks: Iterator[bytes]
    entries: Callable[[], Iterator[tuple[int, str]]] | None = None
