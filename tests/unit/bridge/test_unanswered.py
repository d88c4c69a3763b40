"""What becomes of a command that was left follows from what is known of it."""

from hypothesis import given
from hypothesis import strategies as st

from bridge.cards import Tone
from bridge.unanswered import Claim, Course, Kind, Left, Stage, course, told

MINUTE = 60 * 1_000_000
NOW = 2_000_000_000_000_000

kinds = st.sampled_from(Kind)
lefts = st.builds(
    Left,
    claim=st.builds(
        Claim,
        tenant=st.just("acme"),
        key=st.just("d:slack:T:command:1"),
        owner=st.just("one"),
        epoch=st.integers(1, 6),
    ),
    account=st.just("T01ACME"),
    stage=st.sampled_from(Stage),
    seq=st.just(7),
    effect=st.sampled_from([-1, 12]),
    asked_us=st.integers(NOW - 40 * MINUTE, NOW),
)


@given(lefts, kinds)
def test_nothing_is_run_that_may_have_been_done_or_answered(
    left: Left, kind: Kind
) -> None:
    if course(left, kind, NOW) is not Course.RUN:
        return

    assert left.stage in {Stage.CAPTURED, Stage.BEGUN}
    assert NOW - left.asked_us <= 15 * MINUTE
    assert left.tries < 2
    if kind is Kind.CHANGES:
        assert left.effect < 0
    if kind is Kind.OUTSIDE:
        assert left.stage is Stage.CAPTURED


@given(lefts, kinds)
def test_whatever_is_young_and_provably_not_done_is_run(left: Left, kind: Kind) -> None:
    young = NOW - left.asked_us <= 15 * MINUTE and left.tries < 2
    undone = kind is not Kind.CHANGES or left.effect < 0
    if young and undone and left.stage is Stage.CAPTURED:
        assert course(left, kind, NOW) is Course.RUN


@given(lefts, kinds)
def test_a_course_says_what_is_known_and_no_more(left: Left, kind: Kind) -> None:
    match course(left, kind, NOW):
        case Course.NOTHING:
            assert left.stage is Stage.TELLING
        case Course.MAYBE_ANSWERED:
            assert left.stage is Stage.ANSWERING
        case Course.DONE:
            assert left.effect >= 0
            assert kind is Kind.CHANGES
        case Course.UNKNOWN:
            assert (kind, left.stage) == (Kind.OUTSIDE, Stage.BEGUN)
        case Course.NOT_DONE:
            assert kind is not Kind.CHANGES or left.effect < 0
            assert (kind, left.stage) != (Kind.OUTSIDE, Stage.BEGUN)


@given(lefts, kinds)
def test_time_and_tries_never_make_a_done_thing_run(left: Left, kind: Kind) -> None:
    """Once it is not run, it is not run later either."""
    now = course(left, kind, NOW)
    later = course(left, kind, NOW + 20 * MINUTE)

    assert later is now or (now, later) == (Course.RUN, Course.NOT_DONE)


@given(lefts, kinds)
def test_what_people_are_told_agrees_with_it(left: Left, kind: Kind) -> None:
    now = course(left, kind, NOW)
    if now in {Course.RUN, Course.NOTHING}:
        return

    record = "entry 12: a link was made" if left.effect >= 0 else ""
    card = told(now, kind, "your `pause`, asked at 12:03 UTC", record)

    assert "your `pause`, asked at 12:03 UTC" in card.text
    if now is not Course.NOT_DONE:
        assert (record in card.text) or not record
    assert (card.tone is Tone.GOOD) is (now is Course.DONE)
    assert ("Nothing was changed" in card.text) is (now is Course.NOT_DONE)
