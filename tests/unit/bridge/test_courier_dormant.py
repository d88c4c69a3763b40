"""What waits for a channel that takes nothing, and what becomes of it."""

from dataclasses import replace

import pytest

from bridge.courier import Courier, Done, Later
from bridge.delivery import AttemptState
from bridge.errors import Refused
from bridge.holds import Cause, Hold
from tests.events import FALCON, PROJECT
from tests.unit.bots.test_threshold import FakeHolds
from tests.unit.bridge.stage import LEASE, LINK, NOW, Stage, delivery


@pytest.fixture
def stage() -> Stage:
    made = Stage()
    made.knows()
    return made


def held(stage: Stage, cause: Cause) -> None:
    holds = (Hold(PROJECT, cause, NOW),)
    stage.links.links = [replace(LINK, holds=holds).settled()]


def courier(stage: Stage, holds: FakeHolds) -> Courier:
    return replace(stage.courier, holds=holds)


async def test_the_first_refusal_holds_the_channel_and_the_message_waits(
    stage: Stage,
) -> None:
    holds = FakeHolds()
    stage.sender.failures = [Refused("Slack says: is_archived", Cause.ARCHIVED)]

    ending = await courier(stage, holds).deliver(delivery(), LEASE)

    assert isinstance(ending, Later)
    assert ending.delivery.tries == 0
    assert stage.ledger.states == [AttemptState.RETRY]
    assert holds.standing == {PROJECT: {Cause.ARCHIVED}}


async def test_a_refusal_of_the_message_itself_is_a_dead_letter_as_ever(
    stage: Stage,
) -> None:
    holds = FakeHolds()
    stage.sender.failures = [Refused("Slack says: msg_too_long")]

    assert isinstance(await courier(stage, holds).deliver(delivery(), LEASE), Done)
    assert stage.ledger.states == [AttemptState.DEAD]
    assert holds.standing == {}


async def test_a_lost_answer_is_not_parked_because_the_channel_is_closed(
    stage: Stage,
) -> None:
    holds = FakeHolds()
    stage.sender.blindness = Refused("Slack says: not_in_channel", Cause.ABSENT)
    lost = replace(delivery(), unknown_since_us=1, not_before_us=1)
    stage.now = NOW + stage.tuning.reconcile_after_us

    ending = await courier(stage, holds).deliver(lost, LEASE)

    assert isinstance(ending, Later)
    assert ending.delivery.unknown_since_us
    assert holds.standing == {PROJECT: {Cause.ABSENT}}


async def test_nothing_is_sent_while_the_channel_is_held(stage: Stage) -> None:
    held(stage, Cause.EXTERNAL)

    ending = await stage.deliver(delivery())

    assert isinstance(ending, Later)
    assert NOW < ending.delivery.not_before_us <= NOW + stage.tuning.longest_pause_us
    assert (stage.sender.posts, stage.ledger.intents) == ([], 0)


async def test_what_waited_too_long_is_dropped_with_the_reason(stage: Stage) -> None:
    held(stage, Cause.DELETED)
    stage.now = NOW + stage.tuning.dormant_us

    assert isinstance(await stage.deliver(delivery()), Done)
    [outcome] = stage.ledger.written
    assert outcome.state is AttemptState.DROPPED
    assert outcome.reason == "it waited 14 days: the channel in Teams was deleted"


async def test_of_a_lost_answer_that_waited_too_long_a_person_decides(
    stage: Stage,
) -> None:
    held(stage, Cause.DELETED)
    stage.now = NOW + stage.tuning.dormant_us

    await stage.deliver(replace(delivery(), unknown_since_us=1))

    assert stage.ledger.states == [AttemptState.PARKED]


async def test_a_third_channel_that_is_held_is_no_concern_of_others(
    stage: Stage,
) -> None:
    other = replace(FALCON, id="C03")
    many = replace(LINK, channels=(FALCON, PROJECT, other))
    stage.links.links = [replace(many, holds=(Hold(other, Cause.ARCHIVED),)).settled()]

    await stage.deliver(delivery())

    assert stage.ledger.states == [AttemptState.DELIVERED]
