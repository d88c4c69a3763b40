"""What is to be delivered, in which order, and how it can end."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import lru_cache
from typing import Self

from bridge.document import NOBODY, Document, Names
from bridge.files import FileLine
from bridge.messages import Channel, Person
from bridge.reactions import Reaction

SHARDS = 256
REPEATABLE = -1


class Operation(StrEnum):
    """What to do on the target platform."""

    POST = "post"
    EDIT = "edit"
    DELETE = "delete"
    DIGEST = "digest"  # tell it together with others: see bridge.bot_digests
    REACT = "react"  # make the target's reactions what the log says they are
    FILE = "file"  # make a file, or what the copy says of files, what the log says


class AttemptState(StrEnum):
    """How far one attempt got. The final states end the delivery."""

    INTENT = "intent"  # about to call the platform; without an outcome: unknown
    RETRY = "retry"  # nothing was sent; again later
    THROTTLED = "throttled"  # nothing was sent; the channel is to be left alone
    STEP = "step"  # one call of several is done; the next one follows
    PARKED = "parked"  # unknown and not to be found out: a person decides
    DELIVERED = "delivered"
    DROPPED = "dropped"  # need not or may not be delivered any more, with a reason
    DEAD = "dead"  # given up; on the dead-letter list

    @property
    def final(self) -> bool:
        return self in {
            AttemptState.DELIVERED,
            AttemptState.DROPPED,
            AttemptState.DEAD,
            AttemptState.PARKED,
        }


@dataclass(frozen=True, slots=True)
class Again:
    """
    What a delivery that an admin queued again has to do with an earlier one.

    `entry` is the log entry that it brings across. `marker` is under what a copy may
    stand already, from an earlier call whose answer was lost; empty if there is none.
    """

    entry: int
    marker: str = ""


@dataclass(frozen=True, slots=True)
class Joined:
    """One of several messages that are brought across in one post: its delivery."""

    seq: int
    n: int
    message: str
    version_us: int


@dataclass(frozen=True, slots=True)
class Delivery:
    """
    One row of the outbox: one operation on one target channel.

    `seq` is the log entry that queued it and `n` its number among that entry's
    deliveries. `thread` is the origin's root id, empty for a root. `attempts` counts
    what was noted of it, `tries` only what failed for its own sake. If it was
    `throttled`, its `not_before_us` holds for the whole channel. `file` is the key of
    the message's file that it is about, where it is about one.

    A message may stand in several parts, each brought there by a call of its own.
    `part` is the one that is about to be posted: 0 if that is not known, and
    `REPEATABLE` before a call that does no harm twice. `budget` is how much a part may
    weigh if the platform took less than usual, else 0. `joined` are all the messages of
    the post that was noted, this one's among them, if there are several.
    """

    tenant: str
    seq: int
    n: int
    link: str
    operation: Operation
    source: Channel
    target: Channel
    message: str
    thread: str
    version_us: int
    created_us: int
    file: str = ""
    attempts: int = 0
    tries: int = 0
    not_before_us: int = 0
    unknown_since_us: int = 0
    throttled: bool = False
    again: Again | None = None
    part: int = 0
    budget: int = 0
    joined: tuple[Joined, ...] = ()

    @property
    def entry(self) -> int:
        """The log entry that the delivery brings across."""
        return self.again.entry if self.again else self.seq

    @property
    def fresh(self) -> bool:
        """Whether it is a post that nothing was noted of yet, by anybody."""
        noted = self.attempts or self.unknown_since_us or self.again
        return self.operation is Operation.POST and not noted

    @property
    def key(self) -> tuple[str, int, int]:
        return (self.tenant, self.seq, self.n)

    @property
    def lane(self) -> str:
        """
        Deliveries of a lane leave in order; roots share the channel's own lane.

        Each message's reactions have a lane to themselves, and so has each file: a
        storm or a slow transfer does not hold up what people say.
        """
        direction = f"{self.tenant}|{self.link}|{self.source}|{self.target}"
        if self.operation is Operation.REACT:
            return f"{direction}|{self.message}|reactions"
        if self.file:
            return f"{direction}|{self.message}|file|{self.file}"
        if self.operation is Operation.DIGEST:
            return f"{direction}|digests"
        return f"{direction}|{self.thread}"

    @property
    def shard(self) -> int:
        return shard_of(self.tenant, self.link, self.source, self.target)

    @property
    def marker(self) -> str:
        """Marks the copy on the platform, to find it when the answer was lost."""
        if self.again and self.again.marker:
            return self.again.marker
        first = self.joined[0] if self.joined else self
        return f"{self.tenant}.{first.seq}.{first.n}"

    @property
    def lost(self) -> bool:
        """Whether a message may stand there of which nobody knows."""
        posting = self.part > 0 or (not self.part and self.operation is Operation.POST)
        return posting and bool(self.unknown_since_us)

    def marker_of(self, part: int) -> str:
        """Return the marker of one part of the copy."""
        return self.marker if part == 1 else f"{self.marker}/{part}"


@lru_cache(maxsize=8192)  # asked for several times a message
def shard_of(tenant: str, link: str, source: Channel, target: Channel) -> int:
    """
    Return the shard that owns a direction of a link.

    Every lane of the direction lands in the same shard, so that a reply finds its
    root's delivery in the same owner's memory.
    """
    text = f"{tenant}|{link}|{source}|{target}".encode()
    return hashlib.blake2s(text, digest_size=1).digest()[0] % SHARDS


@dataclass(frozen=True, slots=True)
class Post:
    """
    A message as a sender needs it.

    `people` holds who is mentioned, by id on the source platform, and `names` who and
    what they and other ids are on the target; `thread` is the root's id on the target
    platform, empty for a new root. `marker` is what a lost answer is looked up by,
    `earlier` are contents that may have been sent instead. `reactions` stand in a line
    below, where they cannot be left as reactions, and so does what becomes of each of
    the message's `files`. `workspace` names where on its platform it was said, if that is not clear anyway.
    `hops` are the links that the message went through, this one last, and `origin` says
    where it began. A `tombstone` stands for what was deleted. `note` leads to `address`,
    if there is one. `account` is the author's own on the target platform if they are
    to be shown as speaking, and `confirmed` whether they are who they seem, None where
    nobody is marked.
    """

    marker: str
    source: Channel
    target: Channel
    thread: str
    author: Person
    document: Document
    people: Mapping[str, Person] = field(default_factory=dict)
    note: str = ""
    earlier: tuple[Document, ...] = ()
    reactions: tuple[Reaction, ...] = ()
    names: Names = NOBODY
    workspace: str = ""
    hops: tuple[str, ...] = ()
    origin: str = ""
    tombstone: bool = False
    address: str = ""
    files: tuple[FileLine, ...] = ()
    account: str = ""
    confirmed: bool | None = None

    def outside_thread(self) -> "Post":
        """Return what stands in the channel itself when its thread is no more."""
        notes = (self.note, "in reply to a message that was deleted")
        return replace(self, thread="", note="; ".join(filter(None, notes)))


@dataclass(frozen=True, slots=True)
class Copy:
    """
    A message's copy on another platform, its share of one, or a further part of one.

    `part` is its number among the parts. On the first one, which stands where the
    message stands, `parts` says how many there may be, and `budget` how much each may
    weigh, 0 while there is only one.

    Several messages may stand in one copy. Each then has a row of its own, and `segment`
    is its place among them, from 1 on; it is 0 for a message that stands alone.

    What is `deleted` is gone there, or a tombstone `marked` its place.
    """

    tenant: str
    link: str
    source: Channel
    message: str
    target: Channel
    remote: str
    remote_thread: str
    version_us: int
    deleted: bool = False
    marked: bool = False
    part: int = 1
    parts: int = 1
    budget: int = 0
    segment: int = 0

    @property
    def root(self) -> str:
        """The root of the thread in which it stands; it may be one itself."""
        return self.remote_thread or self.remote

    @classmethod
    def of(
        cls, delivery: Delivery, remote: str, remote_thread: str, version_us: int
    ) -> Self:
        """Return the copy that a delivery has made."""
        return cls(
            tenant=delivery.tenant,
            link=delivery.link,
            source=delivery.source,
            message=delivery.message,
            target=delivery.target,
            remote=remote,
            remote_thread=remote_thread,
            version_us=version_us,
        )
