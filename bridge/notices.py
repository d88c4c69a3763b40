"""
Tell people, once and privately, that something of theirs did not cross, and why.

What is told follows from what was written down: a denial as the event is captured, or
an outcome as its delivery ends. Whoever writes it down goes through `TellingJournal` or
`TellingLedger`, and knows nothing of notices.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol

from bridge.access import Decision
from bridge.delivery import AttemptState, Delivery, Operation
from bridge.files import Fate
from bridge.holds import NEWCOMERS, READERS
from bridge.leaving.rules import HELD, Deed
from bridge.lifecycle import WAITED
from bridge.links import Link
from bridge.messages import Channel, EventKind, Person, PersonKind, Platform
from bridge.ports import (
    Commitment,
    History,
    Journal,
    Lease,
    Ledger,
    Links,
    Outcome,
    Receipt,
)

# How the reasons of what was dropped begin, where its author should know of them.
NOT_ALLOWED = "not allowed"
UNLINKED = "the link was removed"

_PEOPLE = {PersonKind.USER, PersonKind.GUEST, PersonKind.EXTERNAL}
_WRITTEN = {Operation.POST, Operation.EDIT, Operation.DELETE}
_WRITING = {
    EventKind.MESSAGE_CREATE,
    EventKind.MESSAGE_EDIT,
    EventKind.MESSAGE_DELETE,
    EventKind.MESSAGE_RESTORE,
}


class Cause(StrEnum):
    """Why something did not cross, as far as its author is concerned."""

    NOT_ALLOWED = "not_allowed"
    OWNER = "owner"  # somebody's did not cross a link of theirs, for who reads there
    UNLINKED = "unlinked"
    WAITED = "waited"  # for a channel that took nothing, too long
    REFUSED = "refused"  # the other platform would not have it, or ATOM gave up
    UNKNOWN = "unknown"  # an answer was lost: it may stand there
    LATE = "late"  # ATOM could not take it in when it was said; it crossed since
    WARNED = "warned"  # it crossed, and should perhaps not have been said
    REDACTED = "redacted"  # it crossed without a part of it
    HELD = "held"  # it waits until somebody has looked at it
    FILE_TOO_LARGE = "file_too_large"
    FILE_BLOCKED = "file_blocked"
    FILE_INFECTED = "file_infected"
    FILE_FAILED = "file_failed"
    FILE_WITHHELD = "file_withheld"
    FILE_HELD = "file_held"


# Of a file that its link's owners want to stay where it is, nobody is told.
_FILES: Mapping[Fate, Cause] = {
    Fate.BLOCKED: Cause.FILE_BLOCKED,
    Fate.TOO_LARGE: Cause.FILE_TOO_LARGE,
    Fate.UNSCANNED: Cause.FILE_TOO_LARGE,
    Fate.INFECTED: Cause.FILE_INFECTED,
    Fate.FAILED: Cause.FILE_FAILED,
    Fate.WITHHELD: Cause.FILE_WITHHELD,
    Fate.HELD: Cause.FILE_HELD,
    Fate.GONE: Cause.FILE_FAILED,
    Fate.UNKEPT: Cause.FILE_FAILED,
}


# What is done about what may not leave, as its author is told.
_ABOUT = {
    Deed.WARN: Cause.WARNED,
    Deed.REDACT: Cause.REDACTED,
    Deed.QUARANTINE: Cause.HELD,
}


@dataclass(frozen=True, slots=True)
class Notice:
    """
    What somebody is to be told. It holds nothing of what they said.

    `channel` is where they said it; `message` is the message's id there, and `thread`
    its root's, empty for a root. `rule` is what decided, with its own sentence if it has
    one, and `reference` the log entry that knows more.
    """

    tenant: str
    person: Person
    channel: Channel
    message: str
    thread: str
    cause: Cause
    rule: str = ""
    reference: int = -1


class Notices(Protocol):
    """Whom to ask to tell somebody something."""

    def tell(self, notice: Notice) -> None:
        """
        Have the person told soon, unless they were told the same a while ago.

        Returns at once, and never raises: a notice is a courtesy. At most once: it is
        on record before it is sent, and a process that dies in between takes it along.
        """
        ...


class NoticeLog(Protocol):
    """Who was told what, for all processes and across restarts."""

    async def note(self, notice: Notice, text: str, cooldown_us: int) -> bool:
        """
        Put a notice on record before it is sent; it is to be sent if this is true.

        False if the same person was told of the same cause in the same channel within
        the cooldown, by whichever process. Raises `StoreUnavailable`.
        """
        ...


class Herald(Protocol):
    """How one platform tells one person something."""

    async def whisper(self, notice: Notice, text: str) -> None:
        """
        Tell the person, in the thread that it is about. Never tries twice.

        Raises `Throttled`, `NotSent`, `Ambiguous` or `Refused`.
        """
        ...


@dataclass(frozen=True, slots=True)
class TellingJournal:
    """A journal that has people told what the policy denied them."""

    journal: Journal
    notices: Notices
    links: Links | None = None

    async def append(self, commitment: Commitment) -> Receipt:
        receipt = await self.journal.append(commitment)
        if receipt.duplicate:
            return receipt
        if notice := kept_back(commitment):
            self.notices.tell(replace(notice, reference=receipt.seq))
        if notice := denied(commitment):
            notice = replace(notice, reference=receipt.seq)
            self.notices.tell(notice)
            await tell_owners(self.notices, self.links, notice)
        return receipt


@dataclass(frozen=True, slots=True)
class TellingLedger:
    """A ledger that has people told when their messages end without a copy, or late."""

    ledger: Ledger
    notices: Notices
    links: Links | None = None

    async def history(self, delivery: Delivery) -> History:
        return await self.ledger.history(delivery)

    async def intend(self, delivery: Delivery, lease: Lease) -> Delivery:
        return await self.ledger.intend(delivery, lease)

    async def conclude(
        self, delivery: Delivery, lease: Lease, outcome: Outcome, origin: History
    ) -> Delivery:
        noted = await self.ledger.conclude(delivery, lease, outcome, origin)
        if notice := ended(delivery, outcome, origin):
            notice = replace(notice, reference=delivery.seq)
            self.notices.tell(notice)
            if notice.cause is Cause.NOT_ALLOWED:
                await tell_owners(self.notices, self.links, notice, delivery.link)
        return noted

    async def known(
        self, tenant: str, target: Channel, since_us: int
    ) -> Collection[str]:
        return await self.ledger.known(tenant, target, since_us)


def denied(commitment: Commitment) -> Notice | None:
    """Return what the author of a denied event is to be told. Reactions are silent."""
    event = commitment.event
    against = [d for d in commitment.decisions if not (d.allowed or d.unsure)]
    if not against:
        return None
    if event.channel is None or event.kind not in _WRITING:
        return None
    return _to(
        event.author,
        Notice(
            commitment.tenant,
            event.author,
            event.channel,
            event.message,
            event.thread,
            Cause.NOT_ALLOWED,
            explained(against[0]),
        ),
    )


def kept_back(commitment: Commitment) -> Notice | None:
    """Return what an author is to be told of what was found in their message."""
    event = commitment.event
    told = [taken for taken in commitment.taken if taken.deed in _ABOUT]
    if not told or event.channel is None:
        return None
    most = max(told, key=lambda taken: taken.deed.weight)
    rule = most.verdict.named.removeprefix("dlp ")
    return _to(
        event.author,
        Notice(
            commitment.tenant,
            event.author,
            event.channel,
            event.message,
            event.thread,
            _ABOUT[most.deed],
            f"{rule}: {most.verdict.says}" if most.verdict.says else rule,
        ),
    )


def explained(decision: Decision) -> str:
    """Return the rule that decided, and what it says to people."""
    if not decision.reason or decision.reason == decision.rule:
        return decision.rule
    return f"{decision.rule}: {decision.reason}"


async def tell_owners(
    notices: Notices, links: Links | None, notice: Notice, link: str = ""
) -> None:
    """
    Tell who made a link which rule keeps it from carrying, if outsiders read there.

    Their link is of no use as long as it stands so, and they are who can change that.
    """
    if links is None:
        return
    for one in await links.of(notice.tenant, notice.channel):
        beyond = set(one.others(notice.channel))
        outside = READERS | NEWCOMERS
        read = any(h.channel in beyond and h.cause in outside for h in one.holds)
        owner = _owner(one)
        if not read or owner is None or (link and one.id != link):
            continue
        place = next((c for c in one.channels if c.platform is owner.platform), None)
        if place is not None and owner.id != notice.person.id:
            told = replace(notice, person=owner, channel=place, cause=Cause.OWNER)
            notices.tell(replace(told, message="", thread=""))


def _owner(link: Link) -> Person | None:
    """Return who made a link, if it was somebody on a platform."""
    platform, colon, id_ = link.created_by.partition(":")
    if not colon or not id_ or platform not in set(Platform):
        return None
    return Person(Platform(platform), id_)


def ended(delivery: Delivery, outcome: Outcome, origin: History) -> Notice | None:
    """Return what the author of a delivery is to be told of its end, if anything."""
    author = origin.author
    if outcome.file:
        cause = _FILES.get(outcome.file.fate)
    else:
        cause = _cause(outcome) if delivery.operation in _WRITTEN else None
        if delivery.operation is Operation.POST and _was_late(outcome, origin):
            cause = Cause.LATE
    if cause is None:
        return None
    return _to(
        author,
        Notice(
            delivery.tenant,
            author,
            delivery.source,
            delivery.message,
            delivery.thread,
            cause,
            _rule(outcome) if cause is Cause.NOT_ALLOWED else "",
        ),
    )


def _rule(outcome: Outcome) -> str:
    return outcome.reason.removeprefix(NOT_ALLOWED).lstrip(": ")


def _to(person: Person, notice: Notice) -> Notice | None:
    """Apps are told nothing, and neither is who is not known."""
    return notice if person.id and person.kind in _PEOPLE else None


def _was_late(outcome: Outcome, origin: History) -> bool:
    return outcome.state is AttemptState.DELIVERED and origin.late_us > 0


def _cause(outcome: Outcome) -> Cause | None:
    match outcome.state:
        case AttemptState.DEAD if outcome.reason.startswith(HELD):
            return None  # they were told as it was heard
        case AttemptState.DEAD:
            return Cause.REFUSED
        case AttemptState.PARKED:
            return Cause.UNKNOWN
        case AttemptState.DROPPED if outcome.reason.startswith(NOT_ALLOWED):
            return Cause.NOT_ALLOWED
        case AttemptState.DROPPED if outcome.reason == UNLINKED:
            return Cause.UNLINKED
        case AttemptState.DROPPED if outcome.reason.startswith(WAITED):
            return Cause.WAITED
        case _:
            return None
