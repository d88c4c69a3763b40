"""What the bridge asks of the outside world. Adapters implement these Protocols."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from bridge.access import Asked, Decision, Label
from bridge.cards import Card
from bridge.delivery import AttemptState, Copy, Delivery, Post
from bridge.document import Document
from bridge.files import FileWord
from bridge.leaving.findings import NOTHING, Inspection
from bridge.leaving.rules import PASSES, Taken, Verdict
from bridge.lifecycle import Consequence
from bridge.limits import Bucket, Wait
from bridge.links import Link, LinkState, Offer
from bridge.messages import Channel, Event, File, Person, Platform
from bridge.options import LinkOptions
from bridge.reactions import Word


@dataclass(frozen=True, slots=True)
class Receipt:
    """Where an event stands in the log. A duplicate was there already."""

    seq: int
    duplicate: bool = False


class Intake(Protocol):
    """The one way in: what the platforms' listeners call."""

    async def receive(self, event: Event) -> Receipt:
        """
        Make `event` durable, decide on it and queue its deliveries.

        Returns only after the commit. Receiving the same event again changes
        nothing and returns a duplicate receipt. Raises `StoreUnavailable` when
        nothing was kept; the platform must then not be told that all is well.
        """
        ...


class AccessPolicy(Protocol):
    """Who may do what."""

    async def decide(self, asked: Asked) -> Decision:
        """Decide. A denial is an answer, never an exception; errors deny."""
        ...


class Tenants(Protocol):
    """Which company a platform account belongs to."""

    async def tenant_of(self, platform: Platform, account: str) -> str | None:
        """Return the company of a Slack workspace or a Teams tenant, if any."""
        ...


@dataclass(frozen=True, slots=True)
class Commitment:
    """
    What one event leaves behind: the log entry's content and its deliveries.

    `consequences` is what follows for the state of channels. `inspection` is what was
    found in it that may not leave, and `taken` what is done about that.
    """

    tenant: str
    event: Event
    decisions: tuple[Decision, ...]
    deliveries: tuple[Delivery, ...]
    consequences: tuple[Consequence, ...] = ()
    inspection: Inspection = NOTHING
    taken: tuple[Taken, ...] = ()


class Journal(Protocol):
    """The compliance log and the outbox, which are one truth."""

    async def append(self, commitment: Commitment) -> Receipt:
        """
        Write the event and all that it leaves behind in one transaction.

        `seq` in the deliveries is filled in by the journal. Returns after the
        commit. Raises `StoreUnavailable` when nothing was kept.
        """
        ...


class Links(Protocol):
    """Which channels are linked."""

    async def of(self, tenant: str, channel: Channel) -> Sequence[Link]:
        """Return the links of a channel that are not removed."""
        ...


class LinkBook(Links, Protocol):
    """Links as their owners change them. Every change is a log entry."""

    async def all(self, tenant: str) -> Sequence[Link]:
        """Return the tenant's links that are not removed, oldest first."""
        ...

    async def home(self, tenant: str, channel: Channel) -> Channel:
        """
        Return the address under which a channel is linked, or else its own.

        Platforms give channels new ids and let several workspaces see them; a link
        and all that it left behind keep the address that it was made with.
        """
        ...

    async def add(self, tenant: str, channels: Sequence[Channel], actor: str) -> Link:
        """Create a link, or raise `Conflict` (`bridge.links.refuse_clash`)."""
        ...

    async def change(self, link: Link, state: LinkState, actor: str) -> Link:
        """Pause, resume or remove a link."""
        ...

    async def join(self, link: Link, channel: Channel, actor: str) -> Link:
        """Let a channel into a link, or raise `Conflict` (`refuse_growth`)."""
        ...

    async def leave(self, link: Link, channel: Channel, actor: str) -> Link:
        """
        Take a channel out of a link. Where one alone would be left, the link ends.

        Raises `NotFound` if the channel is not in it any more.
        """
        ...

    async def choose(self, link: Link, options: LinkOptions, actor: str) -> Link:
        """Let a link carry on with other options."""
        ...

    async def offer(self, tenant: str, offer: Offer, actor: str) -> str:
        """Return a short code, good for 15 minutes, by which the other side agrees."""
        ...

    async def offered(self, tenant: str, code: str) -> Offer:
        """Return what a code stands for, and leave it good. Raises `NotFound`."""
        ...

    async def take_offer(self, tenant: str, code: str) -> Offer:
        """
        Return what a code stands for, and use the code up.

        Raises `NotFound` for a code that is unknown, used or too old.
        """
        ...


@dataclass(frozen=True, slots=True)
class LinkStatus:
    """
    How one link is doing, in numbers that an operator acts on.

    `dead` and `parked` are letters on the dead-letter list. `delivered` counts since
    `delivered_since_us`: the log's end is read, never all of it. `last_error` is the
    newest one since then, or of a delivery that still waits. `echoes` are the messages
    cut lately as such, and `echoing` says that they are too many.
    """

    link: Link
    queued: int
    oldest_us: int
    delivered: int
    dead: int
    parked: int
    throttled_until_us: int
    last_error: str
    lag_us: int
    delivered_since_us: int = 0
    echoes: int = 0
    echoing: bool = False


class Health(Protocol):
    """What `status` reads."""

    async def status(self, tenant: str) -> Sequence[LinkStatus]:
        """Return one row per link that is not removed."""
        ...


class Sender(Protocol):
    """How copies come to stand on one platform. One adapter a platform."""

    async def post(self, post: Post) -> str:
        """
        Post a copy and return its id there. Never tries twice.

        Raises `Throttled`, `NotSent`, `Ambiguous`, `TooLong` or `Refused`.
        """
        ...

    def weight(self, post: Post) -> int:
        """
        Return how much of the platform's room the post takes, in `Tuning.part`'s unit.

        It grows with the document, and asks nobody.
        """
        ...

    async def edit(self, remote: str, post: Post) -> None:
        """Replace a copy's content. Same errors as `post`; repeating is harmless."""
        ...

    async def delete(self, remote: str, post: Post) -> None:
        """Remove a copy. A copy that is gone already counts as removed."""
        ...

    async def find(
        self, post: Post, since_us: int, known: Collection[str]
    ) -> str | None:
        """
        Look up whether a `post` whose answer was lost stands on the platform.

        Returns the copy's id, or None if it is certain that there is none.
        `known` are ids that other posts account for. Raises `CannotTell`.
        """
        ...


class Limiter(Protocol):
    """Keeps calls inside the platforms' limits, together with other processes."""

    async def reserve(self, buckets: Sequence[Bucket]) -> Wait | None:
        """
        Count one call in every bucket and return nothing: it may be made now.

        Or count it in none, and return how long to wait before asking again. All
        buckets are one company's. Never raises, and never lets everything through
        because the counts are lost.
        """
        ...

    async def pause(self, bucket: Bucket, us: int) -> None:
        """
        Let nothing through the bucket for so many microseconds; the longest counts.

        Never raises.
        """
        ...


class People(Protocol):
    """Names and faces on one platform."""

    async def lookup(
        self, channel: Channel, ids: Collection[str]
    ) -> Mapping[str, Person]:
        """
        Return who is known among `ids`; the unknown are left out.

        Cached. A platform that does not answer makes people unknown, not errors.
        """
        ...


class Rights(Protocol):
    """Who administers a channel, by the platform's own word."""

    async def is_admin(self, person: Person, channel: Channel) -> bool:
        """
        Say whether the person is an admin or owner of the workspace or team.

        Raises `ServiceUnavailable` when the platform does not answer.
        """
        ...


class Announcer(Protocol):
    """How ATOM speaks for itself in a channel."""

    async def announce(self, channel: Channel, card: Card) -> None:
        """Post a card in the channel; raises `DeliveryFailed` with the reason."""
        ...

    async def channel_name(self, channel: Channel) -> str:
        """Return the channel's name as people know it, or its id."""
        ...

    def forget(self, channel: Channel) -> None:
        """Ask for the channel's name anew: it may have another one."""
        ...


class Copies(Protocol):
    """Which copy stands where."""

    async def copy_of(
        self, tenant: str, link: str, source: Channel, message: str, target: Channel
    ) -> Copy | None:
        """Return the copy of a message in the target channel, if there is one."""
        ...

    async def awaited(
        self, tenant: str, link: str, source: Channel, message: str, target: Channel
    ) -> bool:
        """Say whether a copy of the message is still to be posted in the target."""
        ...

    async def more_of(self, copy: Copy) -> Sequence[Copy]:
        """Return the further parts of a copy that stand, in their order."""
        ...

    async def segments_of(self, copy: Copy) -> Sequence[Copy]:
        """Return the rows of all messages that stand or stood in a copy, in order."""
        ...

    async def origin_of(self, tenant: str, target: Channel, remote: str) -> Copy | None:
        """
        Return the copy, or its part, under the platform's id `remote`, if any.

        Where several messages stand in it, it is that of the first that is not deleted.
        """
        ...

    async def copies_of(
        self, tenant: str, source: Channel, message: str
    ) -> Sequence[Copy]:
        """Return every copy of a message, and its parts, oldest first."""
        ...


@dataclass(frozen=True, slots=True)
class History:
    """
    What is known of one message: its newest content, and whether it still stands.

    `seq` and `leaf` are the log entry of the delivery that was asked about;
    `earlier` are the contents that `document` replaced. `fault` says why the log
    cannot tell the content; author and document are then empty, and so is `leaf` if
    the entry itself is gone. `in_doubt` says that an earlier call for it has an
    unknown outcome, which a person has to decide on; it is asked of edits and of what
    was queued again.
    `late_us` is when it was said, if it came in much later than that, else 0. `thread`
    is the root's id where a reaction asks for it. `told` are the event's details, such
    as the hops of a bridged message. `alone` says that the log has no other entry about
    the message. `files` belong to the newest content, `former_files` to what it
    replaced. From the version `same_since_us` on it said what it says now; None is the
    newest version alone. `erased` says that the content was, with the author: it is
    brought nowhere any more. `inspection` is what was found in it as it was heard. Once
    it is made fit for a target, `verdict` says what was withheld there and `label` what
    all of it is classified as, whatever is left of it.
    """

    seq: int
    leaf: bytes
    author: Person
    document: Document
    version_us: int
    deleted: bool
    earlier: tuple[Document, ...] = ()
    fault: str = ""
    in_doubt: bool = False
    late_us: int = 0
    thread: str = ""
    told: Mapping[str, str] = field(default_factory=dict)
    alone: bool = False
    files: tuple[File, ...] = ()
    former_files: tuple[File, ...] = ()
    same_since_us: int | None = None
    erased: bool = False
    inspection: Inspection | None = None
    verdict: Verdict = PASSES
    label: Label | None = None


@dataclass(frozen=True, slots=True)
class Lease:
    """A shard that is this process's to work on, until another epoch begins."""

    shard: int
    epoch: int


class Shards(Protocol):
    """Which process works on which shard. Only the database's clock counts."""

    async def fair_share(self) -> int:
        """Report this process alive; return how many shards are its due."""
        ...

    async def claim(self, most: int) -> Sequence[Lease]:
        """Take up to `most` shards that are nobody's any more."""
        ...

    async def renew(self, wanted: Collection[int]) -> Sequence[Lease]:
        """Extend leases; returns those that are still ours."""
        ...

    async def release(self, shards: Collection[int]) -> None:
        """Give shards back at once."""
        ...

    async def leave(self) -> None:
        """Report this process gone, so that no share is kept for it."""
        ...


class Queue(Protocol):
    """The outbox as a worker reads it."""

    async def sizes(self) -> Mapping[str, int]:
        """Return the length of every tenant's log."""
        ...

    async def unfinished(
        self, shards: Collection[int], upto: Mapping[str, int]
    ) -> Sequence[Delivery]:
        """Return what a new owner finds undone below the given log positions."""
        ...

    async def newer(
        self, tenant: str, first: int, upto: int, shards: Collection[int]
    ) -> Sequence[Delivery]:
        """Return deliveries with `first <= seq < upto`, in log order."""
        ...

    async def raise_low(self, low: Mapping[tuple[str, int], int]) -> None:
        """Remember below which log position a tenant's shard has nothing undone."""
        ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """
    How an attempt ended. `copy` is what now stands, or stood, on the platform, `more`
    are further parts of it, `shown` says which reactions stand, and `file` what became
    of a file. `then` is what is to be delivered because of it, and `folded` are
    deliveries that end with this one. `others` are those that were brought across in
    the same post, and how they ended.
    """

    state: AttemptState
    reason: str = ""
    until_us: int = 0
    copy: Copy | None = None
    text: str = ""
    shown: Word | None = None
    file: FileWord | None = None
    then: tuple[Delivery, ...] = ()
    folded: tuple[Delivery, ...] = ()
    more: tuple[Copy, ...] = ()
    others: tuple["Ended", ...] = ()


@dataclass(frozen=True, slots=True)
class Ended:
    """A delivery that ended in the same post as another one."""

    delivery: Delivery
    outcome: Outcome
    origin: History


class Ledger(Protocol):
    """What a worker asks about a delivery, and what it writes down about it."""

    async def history(self, delivery: Delivery) -> History:
        """
        Return what the log knows of the delivery's message.

        An entry that cannot be opened or understood is a `fault` in the answer, never
        an error: trying again would not help, and the lane has to go on.
        """
        ...

    async def intend(self, delivery: Delivery, lease: Lease) -> Delivery:
        """Note that the platform is about to be called. Raises `Fenced`."""
        ...

    async def conclude(
        self, delivery: Delivery, lease: Lease, outcome: Outcome, origin: History
    ) -> Delivery:
        """
        Write the outcome, the copy and the log entry in one transaction.

        Raises `Fenced`, and `StoreUnavailable` if it may not have been written;
        concluding the same attempt again changes nothing.
        """
        ...

    async def known(
        self, tenant: str, target: Channel, since_us: int
    ) -> Collection[str]:
        """Return the ids of copies made in a channel since a time."""
        ...
