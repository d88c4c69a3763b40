"""What decides how long an entry is kept, in the order in which it does."""

from collections.abc import Collection
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import BadInput
from bridge.ranges import positions, ranges, shown
from bridge.retention import (
    DAY_US,
    FOREVER,
    PRESETS,
    SETTLING_US,
    Item,
    Policy,
    Role,
    Rule,
    Scope,
    State,
    decide,
    preset,
    years,
)
from bridge.retention_words import as_data, explained, period, spelled

CHANNEL = "slack:T1/C1"
NOW = 1000 * DAY_US

periods = st.one_of(
    st.none(), st.just(FOREVER), st.integers(0, 40).map(lambda d: d * DAY_US)
)


@st.composite
def some_rules(draw: st.DrawFn) -> Rule:
    scope = draw(st.sampled_from(Scope))
    value = {
        Scope.TENANT: "",
        Scope.CHANNEL: draw(st.sampled_from([CHANNEL, "slack:T1/C2"])),
        Scope.LABEL: draw(st.sampled_from(["deal", "other"])),
    }[scope]
    floor = draw(st.booleans())
    keep = draw(periods)
    return Rule(
        draw(st.text("abc", min_size=1, max_size=4)),
        "a rule",
        scope,
        value,
        keep_us=keep,
        delete_us=None if floor else draw(periods),
        floor=floor,
    )


@st.composite
def some_items(draw: st.DrawFn) -> Item:
    said, captured = (draw(st.integers(960, 1000)) * DAY_US for _ in range(2))
    return Item(
        7,
        CHANNEL,
        said,
        captured,
        backdated=draw(st.booleans()),
        labels=frozenset(draw(st.sets(st.sampled_from(["deal", "x"])))),
        erasure_us=draw(st.sampled_from([0, 0, 970 * DAY_US, 1000 * DAY_US])),
    )


policies = st.lists(some_rules(), max_size=6, unique_by=lambda r: r.id).map(
    lambda rules: Policy(tuple(rules))
)


def may_go(item: Item, policy: Policy, moment_us: int) -> bool:
    """
    The same precedence, said in another way: may an entry go at a moment?

    Asked step by step as the facts list them, without a notion of an end.
    """
    about = [
        rule
        for rule in policy.rules
        if rule.scope is Scope.TENANT
        or (rule.scope is Scope.CHANNEL and rule.value == item.channel)
        or (rule.scope is Scope.LABEL and rule.value in item.labels)
    ]
    begins = item.said_us if item.backdated else max(item.said_us, item.captured_us)

    def runs(start: int, length: int | None) -> bool:
        if length is None:
            return False
        return length == FOREVER or moment_us < start + length

    if any(rule.floor and runs(item.captured_us, rule.keep_us) for rule in about):
        return False
    if item.erasure_us:
        return moment_us >= item.erasure_us
    if any(not rule.floor and runs(begins, rule.keep_us) for rule in about):
        return False
    deleting = [rule for rule in about if rule.delete_us is not None]
    explicit = max((rule.scope for rule in deleting), default=Scope.TENANT)
    return any(
        rule.scope is explicit and not runs(begins, rule.delete_us) for rule in deleting
    )


def moments(item: Item, policy: Policy) -> list[int]:
    """Every moment at which the answer could change."""
    starts = {item.said_us, item.captured_us, item.erasure_us, 1}
    lengths = {0} | {
        length
        for rule in policy.rules
        for length in (rule.keep_us, rule.delete_us)
        if length is not None and length != FOREVER
    }
    return sorted({start + length for start in starts for length in lengths})


@given(some_items(), policies)
def test_due_is_the_first_moment_at_which_it_may_go(item: Item, policy: Policy) -> None:
    verdict = decide(item, policy, (), NOW)

    first = next((m for m in moments(item, policy) if may_go(item, policy, m)), None)

    assert verdict.due_us == first


@given(some_items(), policies, st.sets(st.sampled_from(["H1", "H2"])))
def test_the_state_follows_from_hold_erasure_and_time(
    item: Item, policy: Policy, matters: Collection[str]
) -> None:
    verdict = decide(item, policy, matters, NOW)

    over = may_go(item, policy, NOW)
    if item.erasure_us and (matters or not over):
        assert verdict.state is State.ERASURE_DEFERRED
    elif not over:
        assert verdict.state is State.ACTIVE
    else:
        assert verdict.state is (State.HELD if matters else State.PENDING_DISPOSITION)
    assert verdict.goes is (over and not matters)


@given(some_items(), policies)
def test_nothing_held_ever_goes(item: Item, policy: Policy) -> None:
    assert not decide(item, policy, ["H1"], NOW).goes


@given(some_items(), policies, st.integers(0, 2 * SETTLING_US))
def test_nothing_goes_within_a_day_of_a_change(
    item: Item, policy: Policy, ago: int
) -> None:
    changed = Policy(policy.rules, NOW - ago)

    verdict = decide(item, changed, (), NOW)

    if verdict.goes:
        assert ago >= SETTLING_US
    elif ago >= SETTLING_US:
        assert verdict == decide(item, policy, (), NOW)


@given(some_items(), policies, st.sets(st.sampled_from(["H1", "H2"])))
def test_one_thing_wins_at_most_and_it_is_said(
    item: Item, policy: Policy, matters: Collection[str]
) -> None:
    verdict = decide(item, policy, matters, NOW)

    won = [each for each in verdict.considered if each.won]
    assert len(won) == (verdict.winner is not None)
    if matters:
        assert won[0].role is Role.HOLD
    elif won:
        assert won[0].at_us == verdict.due_us
    line = explained(item, verdict)
    assert line.startswith("Entry 7 ")
    assert "\n" not in line
    assert as_data(item, verdict)["state"] == verdict.state


@given(some_items(), policies, st.randoms(use_true_random=False))
def test_the_order_of_rules_does_not_matter(
    item: Item, policy: Policy, random: "object"
) -> None:
    rules = list(policy.rules)
    random.shuffle(rules)  # type: ignore[attr-defined]

    assert decide(item, Policy(tuple(rules)), (), NOW) == decide(item, policy, (), NOW)


def _item(**more: object) -> Item:
    return Item(7, CHANNEL, NOW - 10 * DAY_US, NOW - 10 * DAY_US, **more)  # type: ignore[arg-type]


def test_each_step_of_the_precedence_beats_the_next() -> None:
    def days(number: int) -> int:
        return number * DAY_US

    short = Rule("a-short", "short", delete_us=days(1))
    long = Rule("b-long", "long", delete_us=days(5))
    channel = Rule("c-here", "here", Scope.CHANNEL, CHANNEL, delete_us=days(7))
    keep = Rule("d-keep", "keep", keep_us=days(8))
    floor = Rule("e-floor", "floor", keep_us=days(9), floor=True)
    steps: list[tuple[tuple[Rule, ...], bool, str]] = [
        ((short, long), False, "a-short"),
        ((short, long, channel), False, "c-here"),
        ((short, long, channel, keep), False, "d-keep"),
        ((short, long, channel, keep), True, ""),
        ((short, long, channel, keep, floor), True, "e-floor"),
    ]
    for rules, erased, expected in steps:
        item = _item(erasure_us=NOW - days(9) if erased else 0)
        winner = decide(item, Policy(rules), (), NOW).winner
        assert winner is not None
        assert winner.id == expected
    winner = decide(_item(), Policy(steps[-1][0]), ["H1"], NOW).winner
    assert winner is not None
    assert winner.role is Role.HOLD


def test_floors_are_never_shorter_than_the_calendar() -> None:
    assert {name: spelled(p) for name, (_, p) in PRESETS.items()} == {
        "sec-17a-4": "3 years",
        "finra-4511": "6 years",
        "mifid-ii": "5 years",
        "mifid-ii-7": "7 years",
    }
    for number in range(1, 8):
        assert years(number) >= (365 * number + number // 4) * DAY_US
    with pytest.raises(BadInput, match="sec-17a-4"):
        preset("hipaa")


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("90d", 90 * DAY_US),
        ("2w", 14 * DAY_US),
        ("1m", 31 * DAY_US),
        ("7y", years(7)),
        ("0", 0),
        ("forever", FOREVER),
        ("none", None),
    ],
)
def test_periods_are_read_and_spelled(text: str, length: int | None) -> None:
    assert period(text) == length


@pytest.mark.parametrize("text", ["7", "-1d", "1.5y", "a day", "2000y", "9" * 30, "١d"])
def test_what_is_no_period_is_refused(text: str) -> None:
    with pytest.raises(BadInput):
        period(text)


@given(st.sets(st.integers(0, 300)))
def test_ranges_are_the_positions(seqs: set[int]) -> None:
    pairs = ranges(seqs)

    assert [*positions(pairs)] == sorted(seqs)
    assert all(b[0] > a[1] + 1 for a, b in pairwise(pairs))
    assert shown([[3, 9], [12, 12]]) == "3-9, 12"
