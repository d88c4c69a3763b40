"""A reaction's delivery makes the other side what the log says it should be."""

from dataclasses import replace

import pytest

from bridge.courier import Done, Later
from bridge.delivery import AttemptState, Delivery, Operation
from bridge.errors import (
    Ambiguous,
    NotSent,
    Refused,
    StoreUnavailable,
    Throttled,
)
from bridge.links import Link
from bridge.messages import Channel, Platform
from bridge.ports import History
from bridge.reactions import Reacted, Reaction
from tests.events import ALICE, FALCON, PROJECT, words
from tests.unit.bridge.stage import (
    LINK,
    NOW,
    TENANT,
    FakeReactor,
    Stage,
    copied,
    delivery,
)

OTHER = Channel(Platform.TEAMS, "19:acme@thread.tacv2", "19:random@thread.tacv2")
HELLO = History(7, b"leaf", ALICE, words("hello"), 5, deleted=False)


@pytest.fixture
def stage() -> Stage:
    """A message m1 in Slack whose copy r0 stands in Teams, where nobody reacts."""
    made = Stage()
    made.knows()
    made.reaction_log.stories["m1"] = HELLO
    made.copies.copies.append(copied())
    return made


def reacts(stage: Stage, emoji: str = "👍", person: str = "alice", **more: int) -> None:
    _act(stage, emoji, person, added=True, **more)


def takes_back(stage: Stage, emoji: str = "👍", person: str = "alice") -> None:
    _act(stage, emoji, person, added=False)


def _act(
    stage: Stage, emoji: str, person: str, *, added: bool, seq: int | None = None
) -> None:
    acts = stage.reaction_log.said.setdefault("m1", [])
    at = 10 + len(acts)
    acts.append(Reacted(emoji, person, at, at if seq is None else seq, added))


def reaction(seq: int = 10, *, message: str = "m1") -> Delivery:
    return replace(delivery(Operation.REACT, message=message), seq=seq)


def react_natively(stage: Stage) -> FakeReactor:
    reactor = FakeReactor()
    stage.reactors = dict.fromkeys(Platform, reactor)
    return reactor


async def deliver(stage: Stage, *deliveries: Delivery) -> None:
    """Deliver, and let the log know of it as it would."""
    for one in deliveries:
        before = len(stage.ledger.written)
        await stage.deliver(one)
        for outcome in stage.ledger.written[before:]:
            if outcome.shown:
                stage.reaction_log.words.append(outcome.shown)


async def test_without_native_reactions_they_stand_below_the_copy(
    stage: Stage,
) -> None:
    reacts(stage)
    reacts(stage, person="bob")
    reacts(stage, "🎉")

    await deliver(stage, reaction())

    [post] = stage.sender.edited
    assert post.reactions == (Reaction("👍", 2), Reaction("🎉", 1))
    assert post.document == words("hello")
    assert stage.ledger.written[-1].text == "👍 2 · 🎉 1"


async def test_one_edit_of_the_line_serves_everybody_who_waits(stage: Stage) -> None:
    reacts(stage)
    reacts(stage, person="bob")

    await deliver(stage, reaction(10), reaction(11))

    assert stage.sender.edits == ["r0"]
    assert stage.ledger.states == [AttemptState.DELIVERED, AttemptState.DROPPED]


async def test_the_line_changes_at_most_once_a_second(stage: Stage) -> None:
    reacts(stage)
    await deliver(stage, reaction(10))
    [word] = stage.reaction_log.words
    stage.reaction_log.words = [replace(word, at_us=NOW)]
    reacts(stage, person="bob")

    ending = await stage.deliver(reaction(11))

    assert isinstance(ending, Later)
    assert ending.delivery.not_before_us == NOW + 1_000_000


async def test_several_people_make_one_native_reaction(stage: Stage) -> None:
    reactor = react_natively(stage)
    reacts(stage)
    reacts(stage, person="bob")

    await deliver(stage, reaction(10), reaction(11))

    assert reactor.calls == [("r0", "👍", True)]
    assert stage.sender.edits == []


async def test_the_native_reaction_goes_with_the_last_person(stage: Stage) -> None:
    reactor = react_natively(stage)
    reacts(stage)
    reacts(stage, person="bob")
    await deliver(stage, reaction(10), reaction(11))

    takes_back(stage)
    await deliver(stage, reaction(12))
    left = set(reactor.standing)
    takes_back(stage, person="bob")
    await deliver(stage, reaction(13))

    assert left == {("r0", "👍")}
    assert reactor.standing == set()


async def test_a_late_add_does_not_undo_what_was_taken_back(stage: Stage) -> None:
    reactor = react_natively(stage)
    acts = stage.reaction_log.said.setdefault("m1", [])
    acts.append(Reacted("👍", "alice", 20, 10, added=False))
    acts.append(Reacted("👍", "alice", 15, 11, added=True))

    await deliver(stage, reaction(10), reaction(11))

    assert reactor.standing == set()


async def test_a_refused_emoji_stands_below_the_copy_beside_native_ones(
    stage: Stage,
) -> None:
    reactor = react_natively(stage)
    reactor.unknown = {":parrot:"}
    reacts(stage)
    reacts(stage, ":parrot:")

    await deliver(stage, reaction(10), reaction(11))

    assert reactor.standing == {("r0", "👍")}
    assert stage.sender.edited[-1].reactions == (Reaction(":parrot:", 1),)


async def test_a_reaction_to_a_copy_shows_on_the_original(stage: Stage) -> None:
    reactor = react_natively(stage)
    stage.reaction_log.said["r0"] = [Reacted("👍", "carol", 10, 10, added=True)]
    back = replace(reaction(message="r0"), source=PROJECT, target=FALCON)
    stage.ledger.history_of["r0"] = HELLO

    await deliver(stage, back)

    assert reactor.standing == {("m1", "👍")}


async def test_a_reaction_to_a_copy_shows_on_its_siblings(stage: Stage) -> None:
    reactor = react_natively(stage)
    stage.links.links = [Link(TENANT, "L1", (FALCON, PROJECT, OTHER))]
    stage.copies.copies.append(replace(copied(remote="r9"), target=OTHER))
    stage.reaction_log.said["r0"] = [Reacted("👍", "carol", 10, 10, added=True)]
    stage.ledger.history_of["r0"] = HELLO

    await deliver(stage, replace(reaction(message="r0"), source=PROJECT, target=OTHER))

    assert reactor.standing == {("r9", "👍")}


async def test_only_channels_that_the_target_hears_count(stage: Stage) -> None:
    stage.links.links = [LINK, Link(TENANT, "L2", (FALCON, OTHER))]
    stage.copies.copies.append(replace(copied(remote="r9"), target=OTHER))
    stage.reaction_log.said["r9"] = [Reacted("🎉", "erin", 9, 9, added=True)]
    reacts(stage)

    await deliver(stage, reaction())

    assert stage.sender.edited[-1].reactions == (Reaction("👍", 1),)


async def test_a_persons_own_message_without_native_reactions_stays_as_it_is(
    stage: Stage,
) -> None:
    stage.reaction_log.said["r0"] = [Reacted("👍", "carol", 10, 10, added=True)]
    stage.ledger.history_of["r0"] = HELLO

    await deliver(stage, replace(reaction(message="r0"), source=PROJECT, target=FALCON))

    assert stage.sender.edits == []
    assert stage.ledger.states == [AttemptState.DROPPED]
    assert "not ATOM's" in stage.ledger.written[-1].reason


async def test_a_reaction_waits_for_its_message_to_become_known(stage: Stage) -> None:
    stage.copies.copies.clear()
    reacts(stage)

    ending = await stage.deliver(reaction())
    stage.now += stage.tuning.longest_unknown_us
    last = await stage.deliver(reaction())

    assert isinstance(ending, Later)
    assert isinstance(last, Done)
    assert stage.ledger.written[-1].reason == "there is no copy of the message"


async def test_a_reaction_waits_longer_for_a_message_that_nobody_has_heard(
    stage: Stage,
) -> None:
    stage.copies.copies.clear()
    since = replace(reaction(), message=f"{NOW // 1_000_000}.000100")
    timeless = replace(since, message="no time")
    for one in (since, timeless):
        stage.ledger.history_of[one.message] = HELLO
    at_last = NOW + stage.tuning.longest_unknown_us

    stage.now = at_last
    waits = await stage.deliver(since)
    assert isinstance(waits, Later)
    assert waits.delivery.not_before_us - at_last > stage.tuning.first_pause_us
    assert isinstance(await stage.deliver(timeless), Done)
    stage.reaction_log.stories[since.message] = HELLO
    assert isinstance(await stage.deliver(since), Done)
    stage.reaction_log.stories.clear()
    stage.now = NOW + 900_000_000
    assert isinstance(await stage.deliver(since), Done)

    reason = "there is no copy of the message"
    assert {one.reason for one in stage.ledger.written} == {reason}


async def test_a_message_that_goes_during_the_call_is_no_failure(
    stage: Stage,
) -> None:
    reactor = react_natively(stage)
    reactor.failures = [Refused("gone")]
    reacts(stage)
    gone = replace(HELLO, deleted=True)
    stage.people.meanwhile = lambda: stage.reaction_log.stories.update(m1=gone)

    await deliver(stage, reaction())

    assert stage.ledger.states == [AttemptState.DROPPED]
    assert stage.ledger.written[-1].reason == "the message was deleted"


async def test_a_clock_that_was_ahead_does_not_hold_the_line_back(
    stage: Stage,
) -> None:
    reacts(stage)
    await deliver(stage, reaction(10))
    [word] = stage.reaction_log.words
    stage.reaction_log.words = [replace(word, at_us=NOW + 600_000_000)]
    reacts(stage, person="bob")

    ending = await stage.deliver(reaction(11))

    assert isinstance(ending, Done)


async def test_a_database_that_goes_after_the_call_leaves_nothing_untold(
    stage: Stage,
) -> None:
    reacts(stage)
    stage.reaction_log.meanwhile = [lambda: _fail(StoreUnavailable("down"))]

    ending = await stage.deliver(reaction(10))
    assert isinstance(ending, Later)
    takes_back(stage)
    await deliver(stage, ending.delivery)

    assert stage.sender.edited[-1].reactions == ()


def _fail(error: Exception) -> None:
    raise error


@pytest.mark.parametrize("where", ["origin", "copy"])
async def test_reactions_to_what_was_deleted_are_dropped(
    stage: Stage, where: str
) -> None:
    reacts(stage)
    if where == "origin":
        stage.reaction_log.stories["m1"] = replace(HELLO, deleted=True)
    else:
        stage.copies.copies = [replace(copied(), deleted=True)]

    await deliver(stage, reaction())

    assert stage.ledger.written[-1].reason == "the message was deleted"
    assert stage.sender.edits == []


async def test_who_may_not_react_any_more_is_not_heard(stage: Stage) -> None:
    stage.policy.allowed = False
    reacts(stage)

    await deliver(stage, reaction())

    assert stage.ledger.states == [AttemptState.DROPPED]
    assert stage.sender.edits == []


async def test_a_lost_answer_is_repeated(stage: Stage) -> None:
    reactor = react_natively(stage)
    reactor.failures = [Ambiguous("lost")]
    reacts(stage)

    ending = await stage.deliver(reaction())
    assert isinstance(ending, Later)
    await deliver(stage, ending.delivery)

    assert reactor.calls == [("r0", "👍", True)] * 2
    assert stage.ledger.states == [AttemptState.RETRY, AttemptState.DELIVERED]


async def test_after_a_lost_answer_nothing_is_taken_for_granted(stage: Stage) -> None:
    reactor = react_natively(stage)
    reactor.failures = [Ambiguous("lost")]
    reacts(stage)
    ending = await stage.deliver(reaction(10))
    assert isinstance(ending, Later)
    takes_back(stage)

    await deliver(stage, ending.delivery)

    assert reactor.calls[-1] == ("r0", "👍", False)


async def test_a_removal_whose_answer_was_lost_may_have_been_done(
    stage: Stage,
) -> None:
    reactor = react_natively(stage)
    reacts(stage)
    await deliver(stage, reaction(10))
    takes_back(stage)
    reactor.failures = [Ambiguous("lost")]
    ending = await stage.deliver(reaction(11))
    assert isinstance(ending, Later)
    reactor.standing.clear()
    reacts(stage)
    stage.now += 2_000_000  # Teams takes two reactions a second

    await deliver(stage, ending.delivery)

    assert reactor.standing == {("r0", "👍")}


async def test_a_line_whose_answer_was_lost_may_stand_there(stage: Stage) -> None:
    stage.sender.failures = [Ambiguous("lost")]
    reacts(stage)
    ending = await stage.deliver(reaction(10))
    assert isinstance(ending, Later)
    takes_back(stage)

    await deliver(stage, ending.delivery)

    assert stage.sender.edited[-1].reactions == ()


async def test_a_throttled_reaction_does_not_hold_up_the_channel(
    stage: Stage,
) -> None:
    reactor = react_natively(stage)
    reactor.failures = [Throttled("wait", 7)]
    reacts(stage)

    ending = await stage.deliver(reaction())

    assert isinstance(ending, Later)
    assert not ending.full
    assert ending.delivery.not_before_us == NOW + 7_000_000


@pytest.mark.parametrize(
    ("failure", "state"),
    [(NotSent("down"), AttemptState.RETRY), (Refused("no"), AttemptState.DEAD)],
)
async def test_other_failures_end_as_they_do_for_messages(
    stage: Stage, failure: NotSent | Refused, state: AttemptState
) -> None:
    reactor = react_natively(stage)
    reactor.failures = [failure]
    reacts(stage)

    await deliver(stage, reaction())

    assert stage.ledger.states == [state]


async def test_whoever_reacts_during_the_call_is_noticed(stage: Stage) -> None:
    reacts(stage)
    stage.reaction_log.meanwhile = [lambda: reacts(stage, person="bob")]

    ending = await stage.deliver(reaction())
    assert isinstance(ending, Later)
    await deliver(stage, ending.delivery)

    assert stage.ledger.states == [AttemptState.RETRY, AttemptState.DELIVERED]
    assert stage.sender.edited[-1].reactions == (Reaction("👍", 2),)


async def test_an_edit_during_the_call_is_noticed(stage: Stage) -> None:
    newer = replace(HELLO, document=words("better"), version_us=6)
    reacts(stage)
    stage.reaction_log.meanwhile = [lambda: stage.reaction_log.stories.update(m1=newer)]

    ending = await stage.deliver(reaction())
    assert isinstance(ending, Later)
    await deliver(stage, ending.delivery)

    assert stage.sender.edited[-1].document == words("better")


async def test_an_edit_of_the_message_keeps_the_line(stage: Stage) -> None:
    reacts(stage)

    await stage.deliver(delivery(Operation.EDIT))

    assert stage.sender.edited[-1].reactions == (Reaction("👍", 1),)
    assert stage.ledger.states == [AttemptState.DELIVERED]


async def test_an_edit_that_a_reaction_crosses_is_made_again(stage: Stage) -> None:
    stage.reaction_log.meanwhile = [lambda: reacts(stage)]

    ending = await stage.deliver(delivery(Operation.EDIT))
    assert isinstance(ending, Later)
    await stage.deliver(ending.delivery)

    assert stage.ledger.states == [AttemptState.RETRY, AttemptState.DELIVERED]
    assert stage.sender.edited[-1].reactions == (Reaction("👍", 1),)


async def test_an_edit_carries_no_line_where_all_reactions_are_native(
    stage: Stage,
) -> None:
    react_natively(stage)
    reacts(stage)

    await stage.deliver(delivery(Operation.EDIT))

    assert stage.sender.edited[-1].reactions == ()
