"""Digests gather, go out once, and end with all their lines."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import pytest

from bridge.bot_digests import Digesting, digest
from bridge.courier import Done, Later
from bridge.delivery import Again, AttemptState, Delivery, Operation
from bridge.errors import Ambiguous, NotSent, StoreUnavailable, Throttled
from bridge.messages import Person, PersonKind, Platform
from bridge.plain import plain_text
from bridge.ports import History
from tests.events import words
from tests.unit.bridge.stage import LEASE, NOW, Stage, delivery

SECOND = 1_000_000
EVERY = 60 * SECOND
DEPLOYS = Person(Platform.SLACK, "B1", "Deploybot", kind=PersonKind.BOT)
PAGER = Person(Platform.SLACK, "B2", "PagerDuty", kind=PersonKind.BOT)


def line(seq: int, *, at: int = 0) -> Delivery:
    made = delivery(Operation.DIGEST, message=f"m{seq}")
    return replace(made, seq=seq, created_us=NOW + at * SECOND)


@dataclass
class FakeDigests:
    lines: list[Delivery] = field(default_factory=list)
    earlier: list[Delivery] = field(default_factory=list)
    away: bool = False

    async def waiting(self, delivery: Delivery, most: int) -> Sequence[Delivery]:
        if self.away:
            raise StoreUnavailable("down")
        return self.lines[:most]

    async def folded(self, delivery: Delivery) -> Sequence[Delivery]:
        return self.earlier


@dataclass
class Scene:
    stage: Stage = field(default_factory=Stage)
    digests: FakeDigests = field(default_factory=FakeDigests)
    most: int = 10

    def says(self, seq: int, text: str, who: Person = DEPLOYS, *, at: int = 0) -> None:
        story = History(seq, b"leaf", who, words(text), 0, deleted=False)
        self.stage.ledger.history_of[f"m{seq}"] = story
        self.digests.lines.append(line(seq, at=at))

    async def deliver(self, which: Delivery) -> Done | Later:
        digesting = Digesting(self.stage.courier, self.digests, EVERY, self.most)
        return await digesting.deliver(which, LEASE)

    @property
    def texts(self) -> list[str]:
        return [plain_text(post.document) for post in self.stage.sender.posts]

    def pass_by(self, seconds: int) -> None:
        self.stage.now = NOW + seconds * SECOND


async def test_until_its_time_has_come_a_digest_gathers() -> None:
    scene = Scene()
    scene.says(1, "one")
    scene.pass_by(59)

    ending = await scene.deliver(scene.digests.lines[0])

    assert isinstance(ending, Later)
    assert ending.delivery.operation is Operation.DIGEST
    assert NOW + 59 * SECOND < ending.delivery.not_before_us <= NOW + 75 * SECOND
    assert scene.texts == []


async def test_then_all_that_waits_leaves_in_one_message_and_ends() -> None:
    scene = Scene()
    scene.says(1, "build 7 is green")
    scene.says(2, "CPU is high", PAGER, at=30)
    scene.says(3, "too late for this one", at=61)
    scene.pass_by(62)

    ending = await scene.deliver(scene.digests.lines[0])

    assert isinstance(ending, Done)
    [text] = scene.texts
    assert text.splitlines()[0] == "2 messages from Deploybot, PagerDuty"
    assert "Deploybot: build 7 is green" in text
    assert "PagerDuty: CPU is high" in text
    assert "too late" not in text
    [outcome] = scene.stage.ledger.written
    assert outcome.state is AttemptState.DELIVERED
    assert [folded.seq for folded in outcome.folded] == [2]
    assert scene.stage.sender.posts[0].author.kind is PersonKind.BOT


async def test_when_enough_have_come_it_leaves_early() -> None:
    scene = Scene(most=2)
    for seq in (1, 2, 3):
        scene.says(seq, f"line {seq}")

    await scene.deliver(scene.digests.lines[0])

    assert "2 messages" in scene.texts[0]
    assert "line 3" not in scene.texts[0]


async def test_what_ended_with_an_earlier_digest_is_over() -> None:
    scene = Scene()
    scene.says(2, "waits")

    ending = await scene.deliver(line(1))

    assert isinstance(ending, Done)
    assert (scene.texts, scene.stage.ledger.written) == ([], [])


async def test_what_was_deleted_or_cannot_be_read_is_not_told() -> None:
    scene = Scene()
    for seq in (1, 2, 3):
        scene.says(seq, f"line {seq}")
    stories = scene.stage.ledger.history_of
    stories["m1"] = replace(stories["m1"], deleted=True)
    stories["m2"] = replace(stories["m2"], fault="it does not open")
    scene.pass_by(62)

    await scene.deliver(scene.digests.lines[0])

    assert scene.texts[0].startswith("1 message from Deploybot")
    assert len(scene.stage.ledger.written[0].folded) == 2


@pytest.mark.parametrize("why", ["deleted", "denied"])
async def test_where_nothing_is_left_to_tell_nothing_is_sent(why: str) -> None:
    scene = Scene()
    scene.says(1, "one")
    stories = scene.stage.ledger.history_of
    stories["m1"] = replace(stories["m1"], deleted=why == "deleted")
    scene.stage.policy.allowed = why != "denied"
    scene.pass_by(62)

    await scene.deliver(scene.digests.lines[0])

    assert scene.texts == []
    assert scene.stage.ledger.states == [AttemptState.DROPPED]


@pytest.mark.parametrize("failure", [NotSent("away"), Throttled("wait", 2.0)])
async def test_what_was_not_sent_is_tried_again_as_a_digest(
    failure: NotSent | Throttled,
) -> None:
    scene = Scene()
    scene.says(1, "one")
    scene.says(2, "two")
    scene.pass_by(62)
    scene.stage.sender.failures = [failure]

    first = await scene.deliver(scene.digests.lines[0])

    assert isinstance(first, Later)
    assert first.delivery.operation is Operation.DIGEST
    assert scene.stage.ledger.written[0].folded == ()


async def test_a_lost_answer_is_looked_up_and_nothing_is_told_twice() -> None:
    scene = Scene()
    scene.says(1, "one")
    scene.says(2, "two")
    scene.pass_by(62)
    scene.stage.sender.failures = [Ambiguous("lost")]
    first = await scene.deliver(scene.digests.lines[0])
    assert isinstance(first, Later)
    scene.stage.sender.found = "r7"
    scene.pass_by(100)

    ending = await scene.deliver(first.delivery)

    assert isinstance(ending, Done)
    assert scene.texts == []
    assert [f.seq for f in scene.stage.ledger.written[-1].folded] == [2]


async def test_a_digest_that_an_admin_sends_again_has_its_lines() -> None:
    scene = Scene()
    scene.says(1, "one")
    scene.says(2, "two")
    scene.digests.earlier, scene.digests.lines = [line(2)], []
    again = replace(line(9), message="m1", again=Again(1))

    await scene.deliver(again)

    assert "2 messages" in scene.texts[0]
    assert scene.stage.ledger.written[0].folded == ()


async def test_without_the_database_it_waits() -> None:
    scene = Scene(digests=FakeDigests(away=True))

    assert isinstance(await scene.deliver(line(1)), Later)


async def test_everything_else_passes_by() -> None:
    scene = Scene()
    scene.stage.knows()

    await scene.deliver(delivery())

    assert scene.texts == ["hello"]


def test_lines_are_short_and_names_are_few() -> None:
    bots = [replace(DEPLOYS, name=f"Bot {n}") for n in range(7)]
    stories = [
        History(n, b"", bot, words("long " * 100), 0, deleted=False)
        for n, bot in enumerate(bots)
    ]

    head, *lines = plain_text(digest(stories)).splitlines()

    assert head == "7 messages from Bot 0, Bot 1, Bot 2, Bot 3, Bot 4 and 2 more"
    assert all(len(told) < 300 for told in lines)
