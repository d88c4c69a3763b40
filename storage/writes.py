"""What is written together: an entry for the log, and all that follows from it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from bridge.delivery import Copy, Delivery
from bridge.document import Document
from bridge.errors import AtomError
from bridge.unanswered import Claim
from storage.hot import Program, Statement


@dataclass(frozen=True, slots=True)
class Origin:
    """The log entry that another one follows from."""

    seq: int
    leaf: bytes


@dataclass(frozen=True, slots=True)
class Entry:
    """What goes into the log, before it has a place there."""

    etype: str
    platform: str
    subject: str
    src_us: int
    body: Mapping[str, Any]
    raw: bytes | None = None
    team: str = ""
    conv: str = ""
    thread: str = ""
    msg: str = ""
    version_us: int = 0
    actor_kind: str = "system"
    via: str = "push"
    link: str | None = None
    outcome: str = "none"
    origin: Origin | None = None
    label: str | None = None  # the classification at the time of capture
    dlp: str | None = None  # which detectors found something, never what
    document: Document | None = (
        None  # what the body has under that name, as it was read
    )

    @property
    def revises(self) -> bool:
        """Whether an earlier entry may be about the same message."""
        return self.etype in {"message.edit", "message.delete", "message.restore"}


@dataclass(frozen=True, slots=True)
class Said:
    """
    What makes something part of an erasure: whose words it has, and when they came.

    `via` is how it comes to be written, `key` what it is told apart by.
    """

    subject: str
    at_us: int
    via: str
    key: str


class ErasedSince(AtomError):
    """Somebody was to be erased, as late as `erased_us`: it may be whose words these are."""

    def __init__(self, erased_us: int) -> None:
        super().__init__("an erasure was asked for meanwhile")
        self.erased_us = erased_us


@dataclass(frozen=True, slots=True)
class Fence:
    """Who must still own the shard for a write to count."""

    shard: int
    owner: str
    epoch: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """A row of `attempt`, but for its time."""

    delivery: Delivery
    number: int
    state: str
    tries: int
    epoch: int
    until_us: int = 0
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Letter:
    """A row of `dead_letter`, but for its time."""

    delivery: Delivery
    state: str
    reason: str
    unknown_us: int


@dataclass(frozen=True, slots=True)
class Write:
    """
    What is to be written together or not at all.

    `rekeys` says that it destroys or rotates keys: it is committed alone, and nothing
    that was remembered of keys before counts after it. Its `guard` runs first in the
    transaction, and may raise to have nothing written: whatever it reads still holds
    when the rest is written, if every change of that is a log entry as well. `others`
    follow from it and are written with it; they have no keys, fence or guard. With
    `said` it is refused if an erasure was asked for since, unless that was looked at:
    all those up to `asked_us` were. `claim` is by what right a command has it written.
    """

    tenant: str
    keys: tuple[str, ...] = ()
    entry: Entry | None = None
    deliveries: tuple[Delivery, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    copies: tuple[Copy, ...] = ()
    changes: tuple[Statement, ...] = ()
    fence: Fence | None = None
    letter: Letter | None = None
    rekeys: bool = False
    guard: Callable[[], Program[None]] | None = None
    others: tuple["Write", ...] = ()
    said: Said | None = None
    asked_us: int = 0
    claim: Claim | None = None

    @property
    def together(self) -> tuple["Write", ...]:
        """Return the write itself, and then all that follow from it."""
        return (self, *self.others)

    @property
    def subjects(self) -> tuple[str, ...]:
        """Return whose keys the entries are sealed with."""
        entries = (write.entry for write in self.together)
        return tuple(entry.subject for entry in entries if entry)

    @property
    def words(self) -> tuple[Said, ...]:
        """Return whose words are in it."""
        return tuple(write.said for write in self.together if write.said)

    def may_be_erased(self, erased_us: int) -> bool:
        """Whether an erasure as late as that could be about it, and was not looked at."""
        if self.asked_us >= erased_us:
            return False
        return any(said.at_us <= erased_us for said in self.words)

    @property
    def queues_first(self) -> bool:
        """Whether it queues what may be the first word about a message."""
        entry = self.entry
        return bool(self.deliveries and entry and entry.etype == "message.create")
