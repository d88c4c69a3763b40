"""A courier among fakes that remember what they were asked and told."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace

from bridge.access import Asked, Decision
from bridge.courier import Courier, Done, Later
from bridge.delivery import AttemptState, Copy, Delivery, Operation, Post
from bridge.document import Document
from bridge.errors import (
    Ambiguous,
    AtomError,
    DeliveryFailed,
    StoreUnavailable,
    TooLong,
)
from bridge.filing import Filing
from bridge.joining import Companions, alone
from bridge.labelling import Labeller
from bridge.limits import Limits
from bridge.links import Link
from bridge.messages import Channel, Person, Platform
from bridge.plain import plain_text
from bridge.ports import History, Lease, Links, Outcome
from bridge.reacting import Reactions, Told
from bridge.reactions import Reacted, Shown, Spot, Word, folded
from bridge.tuning import Tuning
from storage.limiter import LocalLimiter
from tests.events import ALICE, FALCON, PROJECT, words
from tests.unit.bridge.file_fakes import (
    FakeFileLog,
    FakeFileTarget,
    FakeScanner,
    FakeShelf,
    FakeSource,
)

TENANT = "acme"
LINK = Link(TENANT, "L1", (FALCON, PROJECT))
NOW = 1_000_000_000
LEASE = Lease(0, 1)


@dataclass
class FakeLedger:
    """Remembers what was written, and can be made to fail."""

    history_of: dict[str, History] = field(default_factory=dict)
    written: list[Outcome] = field(default_factory=list)
    accounted_for: set[str] = field(default_factory=set)
    accounts_since: list[int] = field(default_factory=list)
    intents: int = 0
    broken: int = 0
    away: bool = False
    unreadable: bool = False

    async def history(self, delivery: Delivery) -> History:
        if self.unreadable:
            raise StoreUnavailable("down")
        return self.history_of[delivery.message]

    async def intend(self, delivery: Delivery, lease: Lease) -> Delivery:
        if self.away:
            raise StoreUnavailable("down")
        self.intents += 1
        return replace(delivery, attempts=delivery.attempts + 1, unknown_since_us=NOW)

    async def conclude(
        self, delivery: Delivery, lease: Lease, outcome: Outcome, origin: History
    ) -> Delivery:
        if self.broken:
            self.broken -= 1
            raise StoreUnavailable("down")
        self.written.append(outcome)
        return replace(
            delivery,
            attempts=delivery.attempts + 1,
            not_before_us=outcome.until_us,
            unknown_since_us=0,
            joined=(),
        )

    async def known(
        self, tenant: str, target: Channel, since_us: int
    ) -> Collection[str]:
        self.accounts_since.append(since_us)
        return self.accounted_for

    @property
    def states(self) -> list[AttemptState]:
        return [outcome.state for outcome in self.written]


@dataclass
class FakeCopies:
    """Copies in a list; `coming` are messages that are still to be posted there."""

    copies: list[Copy] = field(default_factory=list)
    coming: set[tuple[Channel, str, Channel]] = field(default_factory=set)

    async def awaited(
        self, tenant: str, link: str, source: Channel, message: str, target: Channel
    ) -> bool:
        return (source, message, target) in self.coming

    async def copy_of(
        self, tenant: str, link: str, source: Channel, message: str, target: Channel
    ) -> Copy | None:
        for copy in self.copies:
            place = (copy.link, copy.source, copy.message, copy.target)
            if place == (link, source, message, target) and copy.part == 1:
                return copy
        return None

    async def more_of(self, copy: Copy) -> list[Copy]:
        return [
            one
            for one in self.copies
            if one.message == copy.message and one.part > 1 and not one.deleted
        ]

    async def segments_of(self, copy: Copy) -> list[Copy]:
        place = (copy.target, copy.remote)
        found = [one for one in self.copies if (one.target, one.remote) == place]
        return sorted(found, key=lambda one: one.segment)

    async def origin_of(self, tenant: str, target: Channel, remote: str) -> Copy | None:
        for copy in self.copies:
            if (copy.target, copy.remote) == (target, remote):
                return copy
        return None

    async def copies_of(self, tenant: str, source: Channel, message: str) -> list[Copy]:
        return [c for c in self.copies if (c.source, c.message) == (source, message)]


@dataclass
class FakeReactionLog:
    """
    The log's side of reactions. `meanwhile` happens when it is read again.

    Reactions are kept by the message they were made on; words are those that the
    courier's outcomes would have left behind.
    """

    stories: dict[str, History] = field(default_factory=dict)
    said: dict[str, list[Reacted]] = field(default_factory=dict)
    words: list[Word] = field(default_factory=list)
    meanwhile: list[Callable[[], object]] = field(default_factory=list)
    reads: int = 0

    async def told(
        self, tenant: str, origin: Spot, heard: Sequence[Spot], at: Spot
    ) -> Told:
        said = await self.reacted(tenant, heard)
        shown = await self.shown(tenant, at)
        return Told(self.stories.get(origin.message), said, shown)

    async def reacted(self, tenant: str, spots: Sequence[Spot]) -> tuple[Reacted, ...]:
        self.reads += 1
        if self.reads > 1 and self.meanwhile:
            self.meanwhile.pop(0)()
        return tuple(one for spot in spots for one in self.said.get(spot.message, []))

    async def shown(self, tenant: str, spot: Spot) -> Shown:
        return folded(word for word in self.words if word.message == spot.message)


@dataclass
class FakeReactor:
    """A platform that shows ATOM's own reactions, but for those it refuses."""

    failures: list[DeliveryFailed] = field(default_factory=list)
    unknown: set[str] = field(default_factory=set)
    standing: set[tuple[str, str]] = field(default_factory=set)
    calls: list[tuple[str, str, bool]] = field(default_factory=list)

    async def react(self, spot: Spot, emoji: str, *, standing: bool) -> bool:
        self.calls.append((spot.message, emoji, standing))
        if self.failures:
            raise self.failures.pop(0)
        if standing and emoji not in self.unknown:
            self.standing.add((spot.message, emoji))
        else:
            self.standing.discard((spot.message, emoji))
        return not standing or emoji not in self.unknown


@dataclass
class FakeLinks:
    links: list[Link] = field(default_factory=lambda: [LINK])

    async def of(self, tenant: str, channel: Channel) -> list[Link]:
        return [link for link in self.links if channel in link.channels]


@dataclass
class FakePolicy:
    allowed: bool = True

    async def decide(self, asked: Asked) -> Decision:
        return Decision(self.allowed, "a rule", "hash", "1")


@dataclass
class FakeSender:
    """
    A platform that does as told, and remembers what stands on it.

    It takes no more than `most`, and does not answer the post that is number `losing`.
    """

    failures: list[DeliveryFailed] = field(default_factory=list)
    found: str | None = None
    blindness: AtomError | None = None
    asked: list[tuple[int, Collection[str]]] = field(default_factory=list)
    posts: list[Post] = field(default_factory=list)
    edits: list[str] = field(default_factory=list)
    edited: list[Post] = field(default_factory=list)
    deletes: list[str] = field(default_factory=list)
    sought: list[Post] = field(default_factory=list)
    shown: dict[str, Post] = field(default_factory=dict)
    most: int = 100_000
    losing: int = 0

    async def post(self, post: Post) -> str:
        self._fail(post)
        self.posts.append(post)
        if len(self.posts) == self.losing:
            raise Ambiguous("no answer")
        self.shown[f"r{len(self.posts)}"] = post
        return f"r{len(self.posts)}"

    def weight(self, post: Post) -> int:
        return len(plain_text(post.document))

    async def edit(self, remote: str, post: Post) -> None:
        self._fail(post)
        self.edits.append(remote)
        self.shown[remote] = post
        self.edited.append(post)

    async def delete(self, remote: str, post: Post) -> None:
        self._fail()
        self.deletes.append(remote)
        self.shown.pop(remote, None)

    async def find(
        self, post: Post, since_us: int, known: Collection[str]
    ) -> str | None:
        self.asked.append((since_us, known))
        self.sought.append(post)
        if self.blindness:
            raise self.blindness
        return self.found

    def _fail(self, post: Post | None = None) -> None:
        if self.failures:
            raise self.failures.pop(0)
        if post and self.weight(post) > self.most:
            raise TooLong("too long")


@dataclass
class FakePeople:
    """People by id; `meanwhile` happens while they are looked up."""

    known: dict[str, Person] = field(default_factory=dict)
    meanwhile: Callable[[], object] = lambda: None

    async def lookup(self, channel: Channel, ids: Collection[str]) -> dict[str, Person]:
        self.meanwhile()
        return {i: self.known[i] for i in ids if i in self.known}


@dataclass
class FakeOrigins:
    """Workspaces' names by channel."""

    names: dict[Channel, str] = field(default_factory=dict)

    async def workspace(self, tenant: str, channel: Channel) -> str:
        return self.names.get(channel, "")


@dataclass
class Stage:
    """A courier among fakes."""

    ledger: FakeLedger = field(default_factory=FakeLedger)
    copies: FakeCopies = field(default_factory=FakeCopies)
    links: FakeLinks = field(default_factory=FakeLinks)
    policy: FakePolicy = field(default_factory=FakePolicy)
    sender: FakeSender = field(default_factory=FakeSender)
    people: FakePeople = field(default_factory=FakePeople)
    origins: FakeOrigins = field(default_factory=FakeOrigins)
    limiter: LocalLimiter = field(init=False)
    limits: Limits = field(default_factory=Limits)
    reaction_log: FakeReactionLog = field(default_factory=FakeReactionLog)
    reactors: dict[Platform, FakeReactor] = field(default_factory=dict)
    file_log: FakeFileLog = field(default_factory=FakeFileLog)
    source: FakeSource = field(default_factory=FakeSource)
    file_target: FakeFileTarget = field(default_factory=FakeFileTarget)
    shelf: FakeShelf = field(default_factory=FakeShelf)
    scanner: FakeScanner | None = None
    tuning: Tuning = field(default_factory=lambda: Tuning(tries=3))
    companions: Companions = alone
    labels: Labeller | None = None
    now: int = NOW

    def __post_init__(self) -> None:
        self.limiter = LocalLimiter(lambda: self.now)

    @property
    def courier(self) -> Courier:
        links: Links = self.links
        reactions = Reactions(
            log=self.reaction_log,
            copies=self.copies,
            links=links,
            senders=dict.fromkeys(Platform, self.sender),
            reactors=self.reactors,
            clock=lambda: self.now,
            patience_us=self.tuning.longest_unknown_us,
        )
        senders = dict.fromkeys(Platform, self.sender)
        filing = Filing(
            ledger=self.ledger,
            log=self.file_log,
            copies=self.copies,
            links=links,
            policy=self.policy,
            senders=senders,
            people=dict.fromkeys(Platform, self.people),
            sources=dict.fromkeys(Platform, self.source),
            targets=dict.fromkeys(Platform, self.file_target),
            shelf=self.shelf,
            scanner=self.scanner,
            clock=lambda: self.now,
            tuning=self.tuning,
        )
        return Courier(
            ledger=self.ledger,
            copies=self.copies,
            links=self.links,  # type: ignore[arg-type]  # only `of` is asked
            policy=self.policy,
            senders=dict.fromkeys(Platform, self.sender),
            reactions=reactions,
            filing=filing,
            people=dict.fromkeys(Platform, self.people),
            origins=self.origins,
            limiter=self.limiter,
            limits=self.limits,
            clock=lambda: self.now,
            sleep=lambda _seconds: asyncio.sleep(0),
            tuning=self.tuning,
            companions=self.companions,
            labels=self.labels,
        )

    def knows(self, message: str = "m1", *, deleted: bool = False) -> None:
        self.ledger.history_of[message] = History(
            7, b"leaf", ALICE, words("hello"), 5, deleted
        )

    def spoil(self, message: str = "m1") -> None:
        """Let the log's entry be one that cannot be opened."""
        known = self.ledger.history_of[message]
        fault = "it does not open"
        self.ledger.history_of[message] = replace(known, fault=fault)

    def erase(self, message: str = "m1", *, deleted: bool = False) -> None:
        """Let the log know the message, and nothing of what it said."""
        self.ledger.history_of[message] = History(
            7, b"leaf", Person(Platform.SLACK, ""), Document(), 5, deleted, erased=True
        )

    async def deliver(self, delivery: Delivery) -> Done | Later:
        return await self.courier.deliver(delivery, LEASE)


def delivery(
    operation: Operation = Operation.POST, *, message: str = "m1", thread: str = ""
) -> Delivery:
    return Delivery(
        TENANT, 7, 0, "L1", operation, FALCON, PROJECT, message, thread, 0, NOW
    )


def copied(message: str = "m1", remote: str = "r0", version_us: int = 0) -> Copy:
    return Copy(TENANT, "L1", FALCON, message, PROJECT, remote, "", version_us)
