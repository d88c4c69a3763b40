"""An answer that was lost is looked up, and never replaced by a second post."""

from dataclasses import replace

import pytest

from bridge.courier import Done, Later
from bridge.delivery import AttemptState, Delivery
from bridge.errors import Ambiguous, AtomError, CannotTell, NotSent, Refused, Throttled
from bridge.tuning import Tuning
from tests.unit.bridge.stage import NOW, Stage, delivery

_LONG_AGO = NOW - 10_000_000


def unknown(thread: str = "") -> Delivery:
    """Return a post that this process made, and whose look-up is due."""
    return replace(
        delivery(thread=thread), unknown_since_us=_LONG_AGO, not_before_us=NOW
    )


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
    early = replace(unknown(), unknown_since_us=NOW - 1)

    ending = await stage.deliver(early)

    assert isinstance(ending, Later)
    assert ending.delivery.not_before_us == NOW - 1 + Tuning().reconcile_after_us
    assert stage.sender.asked == []


async def test_a_call_that_another_process_may_still_be_making_is_waited_for(
    stage: Stage,
) -> None:
    taken_over = replace(unknown(), not_before_us=0)

    ending = await stage.deliver(taken_over)

    assert isinstance(ending, Later)
    patience = Tuning().reconcile_after_us + Tuning().longest_call_us
    # Whose clock may be behind: it may have called a moment ago.
    assert ending.delivery.not_before_us == stage.now + patience
    assert stage.sender.asked == []


async def test_a_call_that_is_over_by_any_clock_is_looked_up_at_once(
    stage: Stage,
) -> None:
    waits = Tuning().reconcile_after_us + Tuning().longest_call_us
    stage.now = _LONG_AGO + Tuning().clock_skew_us + waits

    ending = await stage.deliver(replace(unknown(), not_before_us=0))

    assert isinstance(ending, Later)
    assert len(stage.sender.asked) == 1


async def test_clocks_may_differ_by_ten_minutes_each_way() -> None:
    assert Tuning().clock_skew_us > 10 * 60 * 1_000_000


async def test_what_is_certainly_not_there_is_posted_again(stage: Stage) -> None:
    ending = await stage.deliver(unknown())
    assert isinstance(ending, Later)
    ending = await stage.deliver(ending.delivery)

    assert isinstance(ending, Done)
    assert len(stage.sender.posts) == 1


@pytest.mark.parametrize("trouble", [CannotTell("no right"), Refused("gone")])
async def test_what_cannot_be_found_out_is_parked(
    stage: Stage, trouble: AtomError
) -> None:
    stage.sender.blindness = trouble

    ending = await stage.deliver(unknown())

    assert isinstance(ending, Done)
    assert stage.ledger.states == [AttemptState.PARKED]
    assert stage.sender.posts == []


async def test_a_removed_link_parks_what_may_stand_there(stage: Stage) -> None:
    stage.links.links = []

    ending = await stage.deliver(unknown())

    assert isinstance(ending, Done)
    assert stage.ledger.states == [AttemptState.PARKED]
    assert "a copy may stand there" in stage.ledger.written[0].reason


@pytest.mark.parametrize(
    ("trouble", "pause_us"),
    [
        (Throttled("slow down", 30), 30_000_000),
        (NotSent("unreachable"), Tuning().reconcile_after_us),
    ],
)
async def test_a_look_up_that_fails_is_made_again_later(
    stage: Stage, trouble: AtomError, pause_us: int
) -> None:
    stage.sender.blindness = trouble

    ending = await stage.deliver(unknown())

    assert isinstance(ending, Later)
    assert ending.delivery == replace(unknown(), not_before_us=NOW + pause_us)
    assert stage.ledger.written == []


async def test_a_look_up_allows_for_clocks_that_disagree_and_for_other_posts(
    stage: Stage,
) -> None:
    stage.ledger.accounted_for = {"r1", "r2"}

    await stage.deliver(unknown())

    since = _LONG_AGO - Tuning().clock_skew_us
    assert stage.sender.asked == [(since, {"r1", "r2"})]
    assert stage.ledger.accounts_since[0] < since


async def test_a_reply_is_not_looked_up_before_its_root_is_known(
    stage: Stage,
) -> None:
    ending = await stage.deliver(unknown(thread="not here yet"))

    assert isinstance(ending, Later)
    assert ending.delivery.not_before_us == NOW + Tuning().first_pause_us
    assert stage.sender.asked == []


async def test_tries_run_out_for_what_never_arrives(stage: Stage) -> None:
    last = replace(unknown(), tries=stage.tuning.tries - 1)

    ending = await stage.deliver(last)

    assert isinstance(ending, Done)
    assert stage.ledger.states == [AttemptState.DEAD]
    assert stage.sender.posts == []
