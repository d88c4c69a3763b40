"""Calls stay inside every window, and no call waits longer than it must."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.delivery import Operation
from bridge.errors import BadInput
from bridge.limits import Accountant, Bucket, Limits, Wait, Window, windows
from bridge.messages import Channel, Platform
from tests.unit.bridge.stage import delivery

SECOND = 1_000_000
GENERAL = Channel(Platform.SLACK, "T01ACME", "C01GENERAL")

a_window = st.builds(Window, st.integers(1, 6), st.integers(1, 40))
some_windows = st.lists(a_window, min_size=1, max_size=3).map(tuple)
# How long somebody waits before asking, and whether in one bucket or in both.
asking = st.lists(st.tuples(st.integers(0, 15), st.booleans()), max_size=60)


def bucket(*held: Window, name: str = "a", tenant: str = "acme") -> Bucket:
    return Bucket(tenant, name, held)


@given(some_windows, some_windows, asking)
def test_no_stretch_of_time_ever_holds_more_than_its_window_allows(
    one: tuple[Window, ...], other: tuple[Window, ...], asked: list[tuple[int, bool]]
) -> None:
    accountant, now = Accountant(), 0
    buckets = (bucket(*one), bucket(*other, name="b"))
    calls: dict[str, list[int]] = {"a": [], "b": []}

    for pause, both in asked:
        now += pause
        wanted = buckets if both else buckets[:1]
        if accountant.reserve(wanted, now) is None:
            for each in wanted:
                calls[each.name].append(now)

    for each in buckets:
        for window in each.windows:
            made = calls[each.name]
            for start in made:
                inside = [t for t in made if start <= t < start + window.span_us]
                assert len(inside) <= window.count


@given(some_windows, asking)
def test_a_call_is_let_through_at_the_first_moment_that_the_windows_allow(
    held: tuple[Window, ...], asked: list[tuple[int, bool]]
) -> None:
    accountant, now = Accountant(), 0
    made: list[int] = []

    for pause, _ in asked:
        now += pause
        wait = accountant.reserve([bucket(*held)], now)
        assert (wait is None) == _fits(made, held, now)
        if wait:
            assert not any(_fits(made, held, now + n) for n in range(wait.us))
            now += wait.us
            assert accountant.reserve([bucket(*held)], now) is None
        made.append(now)


@given(some_windows, asking, st.integers(1, 50))
def test_nothing_passes_while_the_platform_asks_to_wait(
    held: tuple[Window, ...], asked: list[tuple[int, bool]], until: int
) -> None:
    accountant, now = Accountant(), 0
    accountant.pause(bucket(), until)
    accountant.pause(bucket(), until // 2)

    for pause, _ in asked:
        now += pause
        passed = accountant.reserve([bucket(*held)], now) is None
        assert not passed or now >= until


@given(asking, st.lists(st.text("abc", max_size=2), min_size=60, max_size=60))
def test_what_is_remembered_is_bounded_by_what_may_be_called(
    asked: list[tuple[int, bool]], names: list[str]
) -> None:
    accountant, now = Accountant(), 0
    whole = bucket(Window(5, 20), name="whole")

    for (pause, paused), name in zip(asked, names, strict=False):
        now += pause
        own = bucket(Window(3, 20), name=name)
        accountant.reserve([whole, own], now)
        if paused:
            accountant.pause(own, now + 1)
        assert len(accountant) <= 5 + 5 + 20

    accountant.reserve([bucket(Window(1, 1), name="last")], now + 100)
    assert len(accountant) == 1


@given(a_window, st.integers(1, 9), st.integers(1, 9))
def test_the_parts_of_a_window_are_together_no_more_than_the_window(
    window: Window, processes: int, careful: int
) -> None:
    part = window.part(1 / processes / careful)

    rate = part.count / part.span_us * processes * careful
    assert rate <= window.count / window.span_us * 1.000001
    assert part.count >= 1


def test_a_call_that_is_refused_by_one_bucket_counts_in_none() -> None:
    accountant = Accountant()
    full, free = bucket(Window(1, 10)), bucket(Window(2, 10), name="b")
    accountant.reserve([full, free], 0)

    refused = [accountant.reserve([full, free], 1) for _ in range(5)]

    assert refused == [Wait("a", 9)] * 5
    assert accountant.reserve([free], 1) is None


def test_companies_do_not_use_up_each_others_room() -> None:
    accountant = Accountant()
    accountant.reserve([bucket(Window(1, 10))], 0)

    assert accountant.reserve([bucket(Window(1, 10), tenant="other")], 0) is None


def test_the_bucket_that_is_full_for_the_longest_is_named() -> None:
    accountant = Accountant()
    short, long = bucket(Window(1, 10)), bucket(Window(1, 30), name="b")
    accountant.reserve([short, long], 0)

    assert accountant.reserve([short, long], 5) == Wait("b", 25)


def test_the_documented_windows_of_teams_are_the_default() -> None:
    channel, tenant = Limits(margin_us=0).buckets(delivery())

    assert channel.name == str(delivery().target)
    assert [(w.count, w.span_us // SECOND) for w in channel.windows] == [
        (7, 1),
        (8, 2),
        (60, 30),
        (1800, 3600),
    ]
    assert [(w.count, w.span_us // SECOND) for w in tenant.windows] == [(30, 1)]


@pytest.mark.parametrize("operation", [Operation.EDIT, Operation.DELETE])
def test_edits_and_deletes_count_as_operations_in_teams(operation: Operation) -> None:
    limits = Limits()

    assert limits.buckets(delivery(operation)) == limits.buckets(delivery())


def test_reactions_in_teams_have_a_limit_of_their_own_which_a_pause_means() -> None:
    limits = Limits(margin_us=0)
    react = delivery(Operation.REACT)

    assert limits.buckets(react)[:2] == limits.buckets(delivery())
    assert limits.buckets(react)[2].windows == (Window(2, SECOND),)
    assert limits.asked_to_wait(react) == limits.buckets(react)[2]
    for other in (delivery(), replace(react, target=GENERAL)):
        assert limits.asked_to_wait(other).name == str(other.target)
    # Where ATOM does not react itself, it changes copies: that is their channel's.
    below = Limits(teams_reaction="none")
    assert below.asked_to_wait(react).name == str(react.target)


def test_slack_counts_posts_by_channel_and_edits_by_workspace_and_method() -> None:
    limits = Limits(margin_us=0)
    post = replace(delivery(), target=GENERAL)
    edit = replace(post, operation=Operation.EDIT)
    delete = replace(post, operation=Operation.DELETE)

    assert [b.name for b in limits.buckets(post)] == [
        "slack:T01ACME/C01GENERAL",
        "slack:T01ACME post",
    ]
    assert limits.names(edit) == ("slack:T01ACME/C01GENERAL", "slack:T01ACME edit")
    assert limits.names(delete)[1] == "slack:T01ACME delete"
    assert limits.buckets(edit)[0].windows == ()
    assert limits.buckets(edit)[1].windows == (Window(50, 60 * SECOND),)


def test_windows_are_stretched_by_what_calls_may_gain_on_their_way() -> None:
    [channel, _] = Limits(teams_channel="2/1", margin_us=5).buckets(delivery())

    assert channel.windows == (Window(2, SECOND + 5),)


def test_a_limit_can_be_switched_off() -> None:
    assert windows("none") == ()


@pytest.mark.parametrize("text", ["", "7", "7/1/2", "7/0", "0/1", "-1/1", "many/1"])
def test_what_is_no_limit_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="is no limit"):
        windows(text)


def _fits(made: list[int], held: tuple[Window, ...], now: int) -> bool:
    return all(
        len([t for t in made if now - w.span_us < t <= now]) < w.count for w in held
    )
