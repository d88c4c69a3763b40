"""
Commands that are on record and not answered yet, and what becomes of each.

A process may die between a command and its answer. Then another one, or the next,
takes the command up: by an epoch, so that whatever the former still does about it does
not count. What is to be done follows from what is known of it, and from nothing else.
"""

from collections.abc import Collection, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from bridge.cards import Card, Tone
from bridge.messages import Channel, Event, EventKind, Person
from bridge.spooled import VIA as SPOOLED

# How a command may have come in: what was only read about is nobody's wish any more.
_HEARD = frozenset({"push", "catchup", SPOOLED})
_ASKING = frozenset({EventKind.COMMAND, EventKind.ACTION})
_OLD_US = 15 * 60 * 1_000_000
_TRIES = 2  # a command that takes its process with it does not take many


class Kind(StrEnum):
    """What a command does, as far as doing it again is concerned."""

    READS = "reads"
    CHANGES = "changes"  # in ATOM's log, in the transaction that writes it down
    OUTSIDE = "outside"  # somewhere else, too: nobody can tell whether it did


class Stage(StrEnum):
    """How far a command has come."""

    CAPTURED = "captured"
    BEGUN = "begun"  # noted of those that change something outside
    ANSWERING = "answering"  # its answer is about to be sent
    TELLING = "telling"  # so is what is told in place of an answer


class Course(StrEnum):
    """What is done about a command that was left."""

    RUN = "run"
    DONE = "done"  # its effect is on record: say so
    UNKNOWN = "unknown"  # it may have had one
    NOT_DONE = "not done"
    MAYBE_ANSWERED = "maybe answered"
    NOTHING = "nothing"  # the person was told, as far as anybody knows


@dataclass(frozen=True, slots=True)
class Claim:
    """By what right a process works on a command: until another epoch begins."""

    tenant: str
    key: str
    owner: str
    epoch: int = 1


@dataclass(frozen=True, slots=True)
class Left:
    """
    A command that nobody works on.

    `seq` is its log entry, and `effect` the last entry of what it did, -1 if there is
    none.
    """

    claim: Claim
    account: str
    stage: Stage
    seq: int
    effect: int
    asked_us: int

    @property
    def tries(self) -> int:
        """How often it was taken up again already."""
        return self.claim.epoch - 1


@dataclass(frozen=True, slots=True)
class AskedFor:
    """
    What was asked for, by whom and where.

    `raw` is the platform's own words of it, `did` the type of the entry that says what
    it did.
    """

    tenant: str
    account: str
    channel: Channel
    person: Person
    words: str
    thread: str
    message: str
    asked_us: int
    raw: bytes = b""
    did: str = ""


class CommandBook(Protocol):
    """Where commands stand until they are answered. Journals put them there."""

    def claim(self, tenant: str, event: Event) -> Claim | None:
        """Return this process's claim on a command that it just captured."""
        ...

    def behalf(self, claim: Claim) -> AbstractContextManager[None]:
        """
        Let what is logged within be the command's doing.

        It counts only as long as the claim does (`Fenced`), and is what is known of
        the command's effect.
        """
        ...

    async def stage(self, claim: Claim, stage: Stage) -> bool:
        """Note how far it has come; False if the claim does not count any more."""
        ...

    async def answered(self, claim: Claim) -> None:
        """Forget it, if the claim still counts."""
        ...

    async def later(self, claim: Claim, stage: Stage | None, pause_us: int) -> None:
        """
        Let whoever comes first take it up after a pause.

        It counts as having come to `stage`; None leaves that as it is.
        """
        ...

    async def left(self, under_way: Collection[Claim]) -> Sequence[Left]:
        """
        Return commands that no living process works on, oldest first.

        `under_way` are those that this process does. One that is not known to live
        itself is given none.
        """
        ...

    async def take(self, left: Left) -> Claim | None:
        """Claim one; None if another process was quicker."""
        ...

    async def asked(self, left: Left) -> AskedFor | None:
        """Return what was asked for, None if it was erased."""
        ...


class LateWay(Protocol):
    """How somebody is answered late on one platform."""

    async def tell(self, asked: AskedFor, card: Card, note: str) -> None:
        """
        Answer where that is still possible, else in the person's own chat.

        `note` stands above the card, if there is one.
        Raises `Throttled`, `NotSent`, `Ambiguous` or `Refused`.
        """
        ...


def waits_for_an_answer(event: Event) -> bool:
    """Whether an event is a command that somebody wants answered."""
    if event.kind not in _ASKING or event.channel is None or event.via not in _HEARD:
        return False
    if event.kind is EventKind.COMMAND:
        return True
    detail = dict(event.detail)
    return bool(detail.get("command")) and "record" not in detail


def course(left: Left, kind: Kind, now_us: int) -> Course:
    """Decide what is done about a command that was left."""
    if left.stage is Stage.TELLING:
        return Course.NOTHING
    if left.stage is Stage.ANSWERING:
        return Course.MAYBE_ANSWERED
    if kind is Kind.OUTSIDE and left.stage is Stage.BEGUN:
        return Course.UNKNOWN
    if kind is Kind.CHANGES and left.effect >= 0:
        return Course.DONE
    if now_us - left.asked_us > _OLD_US or left.tries >= _TRIES:
        return Course.NOT_DONE
    return Course.RUN


def told(course: Course, kind: Kind, whose: str, record: str) -> Card:
    """
    Return what somebody is told in place of an answer.

    `whose` is their command and when they gave it, `record` the entry of what it did,
    empty if there is none: both read as parts of a sentence. The rest holds nothing of
    what they typed or would have seen.
    """
    did = f"What it did is on record as {record}." if record else ""
    match course:
        case Course.DONE:
            return Card(
                "That was done",
                f"ATOM was interrupted before it could answer {whose}. {did} If a part "
                "of it is missing, send it again.",
                Tone.GOOD,
            )
        case Course.UNKNOWN:
            said = (
                f"ATOM was interrupted while it saw to {whose}. Whether all of it was "
                "done is not known: look before you send it again."
            )
        case Course.MAYBE_ANSWERED:
            again = "send it again"
            if kind is Kind.OUTSIDE:
                again = "look before you send it again"
            said = f"ATOM was interrupted as it answered {whose}."
            did = did or f"If you see no answer, {again}."
        case _:
            return Card(
                "That was not done",
                f"ATOM could not see to {whose} in time. Nothing was changed: send it "
                "again if you still want it.",
                Tone.WARNING,
            )
    return Card("ATOM was interrupted", f"{said} {did}".rstrip(), Tone.WARNING)
