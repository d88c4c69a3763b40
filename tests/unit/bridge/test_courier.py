"""A delivery is checked, noted, made and noted again; a lost answer is looked up."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field, replace

import pytest

from bridge.access import Action, Decision
from bridge.courier import Courier, Done, Later, Tuning
from bridge.delivery import AttemptState, Copy, Delivery, Operation, Post
from bridge.errors import (
    Ambiguous,
    CannotTell,
    DeliveryFailed,
    NotSent,
    Refused,
    StoreUnavailable,
    Throttled,
)
from bridge.links import Link, LinkState
from bridge.messages import Channel, Person, Platform
from bridge.ports import History, Lease, Outcome
from tests.events import ALICE, FALCON, PROJECT, words

TENANT = "acme"
LINK = Link(TENANT, "L1", (FALCON, PROJECT))
NOW = 1_000_000_000
LEASE = Lease(0, 1)


@dataclass
class FakeLedger:
    """Remembers what was written, and can be made to fail."""

    history_of: dict[str, History] = field(default_factory=dict)
    written: list[Outcome] = field(default_factory=list)
    intents: int = 0
    broken: int = 0

    async def history(self, delivery: Delivery) -> History:
        return self.history_of[delivery.message]

    async def intend(self, delivery: Delivery, lease: Lease) -> Delivery:
        self.intents += 1
        return replace(delivery, attempts=delivery.attempts + 1, unknown_since_us=NOW)

    async def conclude(
        self, delivery: Delivery, lease: Lease, outcome: Outcome, origin: History
    ) -> Delivery:
        if self.broken:
            self.broken -= 1
            raise StoreUnavailable("down")
        self.written.append(outcome)
        return replace(delivery, not_before_us=outcome.until_us, unknown_since_us=0)

    async def known(
        self, tenant: str, target: Channel, since_us: int
    ) -> Collection[str]:
        return set()

    @property
    def states(self) -> list[AttemptState]:
        return [outcome.state for outcome in self.written]


@dataclass
class FakeCopies:
    copies: list[Copy] = field(default_factory=list)

    async def copy_of(
        self, tenant: str, link: str, source: Channel, message: str, target: Channel
    ) -> Copy | None:
        for copy in self.copies:
            if (copy.source, copy.message, copy.target) == (source, message, target):
                return copy
        return None

    async def origin_of(self, tenant: str, target: Channel, remote: str) -> Copy | None:
        for copy in self.copies:
            if (copy.target, copy.remote) == (target, remote):
                return copy
        return None


@dataclass
class FakeLinks:
    links: list[Link] = field(default_factory=lambda: [LINK])

    async def of(self, tenant: str, channel: Channel) -> list[Link]:
        return [link for link in self.links if channel in link.channels]


@dataclass
class FakePolicy:
    allowed: bool = True

    async def decide(
        self, tenant: str, person: Person, action: Action, channel: Channel
    ) -> Decision:
        return Decision(self.allowed, "a rule", "hash", "1")


@dataclass
class FakeSender:
    """A platform that does as told, and remembers what stands on it."""

    failures: list[DeliveryFailed] = field(default_factory=list)
    found: str | None = None
    blind: bool = False
    posts: list[Post] = field(default_factory=list)
    edits: list[str] = field(default_factory=list)
    deletes: list[str] = field(default_factory=list)

    async def post(self, post: Post) -> str:
        self._fail()
        self.posts.append(post)
        return f"r{len(self.posts)}"

    async def edit(self, remote: str, post: Post) -> None:
        self._fail()
        self.edits.append(remote)

    async def delete(self, remote: str, post: Post) -> None:
        self._fail()
        self.deletes.append(remote)

    async def find(
        self, post: Post, since_us: int, known: Collection[str]
    ) -> str | None:
        if self.blind:
            raise CannotTell("no right to look")
        return self.found

    def _fail(self) -> None:
        if self.failures:
            raise self.failures.pop(0)


@dataclass
class FakePeople:
    known: dict[str, Person] = field(default_factory=dict)

    async def lookup(self, channel: Channel, ids: Collection[str]) -> dict[str, Person]:
        return {i: self.known[i] for i in ids if i in self.known}


@dataclass
class Stage:
    """A courier among fakes."""

    ledger: FakeLedger = field(default_factory=FakeLedger)
    copies: FakeCopies = field(default_factory=FakeCopies)
    links: FakeLinks = field(default_factory=FakeLinks)
    policy: FakePolicy = field(default_factory=FakePolicy)
    sender: FakeSender = field(default_factory=FakeSender)
    people: FakePeople = field(default_factory=FakePeople)
    now: int = NOW

    @property
    def courier(self) -> Courier:
        return Courier(
            ledger=self.ledger,
            copies=self.copies,
            links=self.links,  # type: ignore[arg-type]  # only `of` is asked
            policy=self.policy,
            senders=dict.fromkeys(Platform, self.sender),
            people=dict.fromkeys(Platform, self.people),
            clock=lambda: self.now,
            sleep=lambda _seconds: asyncio.sleep(0),
            tuning=Tuning(tries=3),
        )

    def knows(self, message: str = "m1", *, deleted: bool = False) -> None:
        self.ledger.history_of[message] = History(
            7, b"leaf", ALICE, words("hello"), 5, deleted
        )

    async def deliver(self, delivery: Delivery) -> Done | Later:
        return await self.courier.deliver(delivery, LEASE)


@pytest.fixture
def stage() -> Stage:
    made = Stage()
    made.knows()
    return made


def delivery(
    operation: Operation = Operation.POST, *, message: str = "m1", thread: str = ""
) -> Delivery:
    return Delivery(
        TENANT, 7, 0, "L1", operation, FALCON, PROJECT, message, thread, 0, NOW
    )


def copied(message: str = "m1", remote: str = "r0", version_us: int = 0) -> Copy:
    return Copy(TENANT, "L1", FALCON, message, PROJECT, remote, "", version_us)


async def test_a_post_is_noted_before_and_after_the_call(stage: Stage) -> None:
    ending = await stage.deliver(delivery())

    assert isinstance(ending, Done)
    assert stage.ledger.intents == 1
    [outcome] = stage.ledger.written
    assert outcome.state is AttemptState.DELIVERED
    assert outcome.copy is not None
    assert outcome.copy.remote == "r1"


async def test_a_removed_link_drops_what_was_queued(stage: Stage) -> None:
    stage.links.links = []

    await stage.deliver(delivery())

    assert stage.ledger.states == [AttemptState.DROPPED]
    assert stage.sender.posts == []


async def test_a_paused_link_keeps_what_was_queued(stage: Stage) -> None:
    stage.links.links = [replace(LINK, state=LinkState.PAUSED)]

    ending = await stage.deliver(delivery())

    assert isinstance(ending, Later)
    assert stage.ledger.written == []


async def test_a_denial_at_the_last_moment_drops_the_message(stage: Stage) -> None:
    stage.policy.allowed = False

    await stage.deliver(delivery())

    assert stage.ledger.written[0].reason == "not allowed: a rule"
    assert stage.sender.posts == []


async def test_a_message_deleted_meanwhile_is_not_sent(stage: Stage) -> None:
    stage.knows(deleted=True)

    await stage.deliver(delivery())

    assert stage.ledger.states == [AttemptState.DROPPED]
    assert stage.sender.posts == []


async def test_an_edit_older_than_what_stands_there_is_dropped(stage: Stage) -> None:
    stage.copies.copies = [copied(version_us=5)]

    await stage.deliver(delivery(Operation.EDIT))

    assert stage.sender.edits == []
    assert stage.ledger.written[0].reason == "a newer edit was sent already"


async def test_an_edit_moves_the_copys_version(stage: Stage) -> None:
    stage.copies.copies = [copied()]

    await stage.deliver(delivery(Operation.EDIT))

    assert stage.sender.edits == ["r0"]
    copy = stage.ledger.written[0].copy
    assert copy is not None
    assert copy.version_us == 5


async def test_a_delete_removes_the_copy(stage: Stage) -> None:
    stage.knows(deleted=True)
    stage.copies.copies = [copied()]

    await stage.deliver(delivery(Operation.DELETE))

    assert stage.sender.deletes == ["r0"]
    copy = stage.ledger.written[0].copy
    assert copy is not None
    assert copy.deleted


async def test_a_throttle_pauses_the_channel_and_counts_no_try(stage: Stage) -> None:
    stage.sender.failures = [Throttled("slow down", 30)]

    ending = await stage.deliver(delivery())

    assert isinstance(ending, Later)
    assert ending.pause_target
    assert ending.delivery.not_before_us == NOW + 30_000_000
    assert ending.delivery.tries == 0


async def test_what_was_not_sent_is_tried_again_until_it_is_dead(
    stage: Stage,
) -> None:
    stage.sender.failures = [NotSent("unreachable")] * 3
    ending: Done | Later = Later(delivery())

    for _ in range(3):
        assert isinstance(ending, Later)
        ending = await stage.deliver(ending.delivery)

    assert isinstance(ending, Done)
    assert stage.ledger.states == [
        AttemptState.RETRY,
        AttemptState.RETRY,
        AttemptState.DEAD,
    ]


async def test_a_refusal_is_dead_at_once(stage: Stage) -> None:
    stage.sender.failures = [Refused("is_archived")]

    ending = await stage.deliver(delivery())

    assert isinstance(ending, Done)
    assert stage.ledger.states == [AttemptState.DEAD]


async def test_a_lost_answer_is_never_followed_by_a_blind_post(stage: Stage) -> None:
    stage.sender.failures = [Ambiguous("no answer")]
    ending = await stage.deliver(delivery())
    assert isinstance(ending, Later)
    stage.sender.found = "r9"
    stage.now = ending.delivery.not_before_us

    ending = await stage.deliver(ending.delivery)

    assert isinstance(ending, Done)
    assert stage.sender.posts == []
    copy = stage.ledger.written[0].copy
    assert copy is not None
    assert copy.remote == "r9"
    assert copy.version_us == delivery().version_us


async def test_a_lost_answer_is_not_looked_up_too_early(stage: Stage) -> None:
    unknown = replace(delivery(), unknown_since_us=NOW)

    ending = await stage.deliver(unknown)

    assert isinstance(ending, Later)
    assert ending.delivery.not_before_us == NOW + Tuning().reconcile_after_us


async def test_what_is_certainly_not_there_is_posted_again(stage: Stage) -> None:
    unknown = replace(delivery(), unknown_since_us=NOW - 10_000_000)

    ending = await stage.deliver(unknown)
    assert isinstance(ending, Later)
    ending = await stage.deliver(ending.delivery)

    assert isinstance(ending, Done)
    assert len(stage.sender.posts) == 1


async def test_what_cannot_be_found_out_is_parked(stage: Stage) -> None:
    stage.sender.blind = True
    unknown = replace(delivery(), unknown_since_us=NOW - 10_000_000)

    ending = await stage.deliver(unknown)

    assert isinstance(ending, Done)
    assert stage.ledger.states == [AttemptState.PARKED]
    assert stage.sender.posts == []


async def test_an_outcome_is_written_however_long_the_database_is_away(
    stage: Stage,
) -> None:
    stage.ledger.broken = 5

    await stage.deliver(delivery())

    assert stage.ledger.states == [AttemptState.DELIVERED]
    assert len(stage.sender.posts) == 1


async def test_a_reply_goes_under_its_roots_copy(stage: Stage) -> None:
    stage.knows("m2")
    stage.copies.copies = [copied("m1", "root")]

    await stage.deliver(delivery(message="m2", thread="m1"))

    assert stage.sender.posts[0].thread == "root"


async def test_a_reply_to_a_copy_goes_under_the_original(stage: Stage) -> None:
    stage.copies.copies = [Copy(TENANT, "L1", PROJECT, "original", FALCON, "m0", "", 0)]

    await stage.deliver(delivery(thread="m0"))

    assert stage.sender.posts[0].thread == "original"


async def test_a_reply_whose_root_is_nowhere_waits_and_then_says_so(
    stage: Stage,
) -> None:
    orphan = delivery(thread="gone")
    ending = await stage.deliver(orphan)
    assert isinstance(ending, Later)
    stage.now = NOW + Tuning().orphan_patience_us

    await stage.deliver(orphan)

    [post] = stage.sender.posts
    assert post.thread == ""
    assert "in reply to" in post.note


async def test_the_author_is_shown_as_the_platform_knows_them(stage: Stage) -> None:
    nameless = Person(Platform.SLACK, "U7")
    stage.ledger.history_of["m1"] = replace(
        stage.ledger.history_of["m1"], author=nameless
    )
    stage.people.known = {"U7": Person(Platform.SLACK, "U7", "Grace Hill", "face")}

    await stage.deliver(delivery())

    assert stage.sender.posts[0].author.name == "Grace Hill"
    assert stage.sender.posts[0].author.avatar == "face"


async def test_a_platform_that_is_switched_off_keeps_what_is_queued_for_it(
    stage: Stage,
) -> None:
    courier = replace(stage.courier, senders={})

    ending = await courier.deliver(delivery(), LEASE)

    assert isinstance(ending, Later)
    assert stage.ledger.written == []
