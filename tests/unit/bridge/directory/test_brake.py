"""The brake: mass changes wait, exactly those, and an explicit disable never does."""

from collections.abc import Mapping
from dataclasses import replace

import pytest

from bridge.directory.brake import Circumstances, Limits, Verdict, judged
from bridge.directory.difference import What, difference
from bridge.directory.frozen import ADMINS, GROWTH, REMOVALS, Frozen
from bridge.directory.held import State
from bridge.directory.model import Edge, Entry, Gone, Kind, Reading, Standing
from tests.unit.bridge.directory.told import (
    HOUR,
    NOW,
    group,
    part,
    person,
    taken_in,
    whole,
)

LATER = NOW + 30 * HOUR
MANY = [f"p{n:03}" for n in range(200)]


def _company(size: int = 200) -> State:
    state, people = State(), MANY[:size]
    entries = [person(one, unit="hq") for one in people]
    groups = [group(f"g{n}", people[n * 20 : n * 20 + 20]) for n in range(size // 20)]
    units = [group("hq", None, kind=Kind.UNIT), group("root", None, kind=Kind.UNIT)]
    taken_in(state, whole(*entries, *groups, *units, group("all", people)))
    return state


def _judged(
    state: State,
    reading: Reading,
    limits: Limits | None = None,
    waiting: Mapping[str, Frozen] | None = None,
    now_us: int = LATER,
) -> Verdict:
    changes = difference(state, reading, now_us, HOUR)
    at = Circumstances(now_us, waiting=waiting or {})
    return judged(state, reading, changes, limits or Limits(), at)


def _gone(count: int) -> Reading:
    return Reading("ad", whole=False, gone=tuple(map(Gone, MANY[:count])))


def _lost(group_id: str, count: int) -> Reading:
    left = tuple(Edge(one, group_id) for one in MANY[:count])
    return Reading("ad", whole=False, left=left)


def _came(count: int) -> Reading:
    return part(*(person(f"new{n}") for n in range(count)))


@pytest.mark.parametrize(
    ("reading", "frozen"),
    [
        (_gone(5), []),
        (_gone(6), [REMOVALS]),
        (_lost("g0", 20), []),
        (_lost("all", 31), [REMOVALS]),  # 31 of 600 memberships is above 25 and 5 %
        (_lost("all", 29), []),
        (_came(25), []),
        (_came(26), [GROWTH]),
        (Reading("ad", whole=False, gone=(Gone("hq"),)), [REMOVALS]),
        (Reading("ad", whole=False, gone=(Gone("all"),)), [REMOVALS]),
        (part(*(person(one) for one in MANY[:40])), [REMOVALS]),  # out of their unit
        (
            part(*(person(one, standing=Standing.DISABLED, unit="hq") for one in MANY)),
            [],
        ),
    ],
)
def test_what_is_too_much(reading: Reading, frozen: list[str]) -> None:
    verdict = _judged(_company(), reading)

    assert [each.sort for each in verdict.frozen] == frozen


def test_a_large_group_that_loses_a_third_waits() -> None:
    limits = Limits(memberships=10**6)
    state = State()
    taken_in(state, whole(*map(person, MANY), group("big", MANY[:60])))

    assert not _judged(state, _lost("big", 18), limits).frozen
    assert _judged(state, _lost("big", 19), limits).frozen


def test_a_base_that_is_mistyped_removes_nobody_and_is_told_with_names() -> None:
    state = _company()
    verdict = _judged(state, whole(*(person(o, unit="hq") for o in MANY[:10]), _hire()))

    assert [c.what for c in verdict.passed] == [What.ADD]
    [frozen] = verdict.frozen
    suspended = [c for c in frozen.changes if c.kind is Kind.PERSON]
    assert len(suspended) == 190
    assert {c.what for c in frozen.changes} == {What.SUSPEND}
    assert "190 of 200 people" in frozen.reason


def _hire() -> Entry:
    return person("new")


def test_a_disable_passes_while_removals_wait() -> None:
    state = _company()
    waiting = {f.sort: f for f in _judged(state, _gone(50)).frozen}
    off = part(person(MANY[60], standing=Standing.DISABLED))  # and out of the unit

    verdict = _judged(state, off, waiting=waiting)

    [passed] = verdict.passed
    assert passed.what is What.DISABLE
    assert passed.entry is not None
    assert passed.entry.unit == "hq"
    [frozen] = verdict.frozen
    assert len(frozen.changes) == 51


def test_small_removals_wait_too_while_the_brake_is_on() -> None:
    state = _company()
    waiting = {f.sort: f for f in _judged(state, _gone(50)).frozen}

    verdict = _judged(state, _lost("all", 1), waiting=waiting)

    assert not verdict.passed
    assert len(verdict.frozen[0].changes) == 51


def test_a_complete_reading_that_is_well_again_lets_go() -> None:
    state = _company()
    waiting = {f.sort: f for f in _judged(state, _gone(50)).frozen}
    fine = whole(
        *(k.entry for k in state.of("ad") if k.entry.kind is not Kind.GROUP),
        *(
            replace(k.entry, members=frozenset(state.members[k.ref]))
            for k in state.of("ad")
            if k.entry.kind is Kind.GROUP
        ),
    )

    verdict = _judged(state, fine, waiting=waiting)

    assert (verdict.passed, verdict.frozen) == ((), ())


def test_memberships_that_wait_are_not_forgotten_by_a_reading_that_lists_none() -> None:
    state = _company()
    waiting = {f.sort: f for f in _judged(state, _lost("all", 100)).frozen}
    unlisted = whole(*(replace(k.entry, members=None) for k in state.of("ad")))

    verdict = _judged(state, unlisted, waiting=waiting)

    assert len(verdict.frozen[0].changes) == 100


def test_drop_by_drop_is_as_much_as_at_once() -> None:
    state = _company()
    for n, one in enumerate(MANY[:5]):
        reading = Reading("ad", whole=False, gone=(Gone(one),))
        assert not _judged(state, reading, now_us=LATER + n).frozen
        taken_in(state, reading, LATER + n)
    sixth = Reading("ad", whole=False, gone=(Gone(MANY[5]),))

    assert _judged(state, sixth, now_us=LATER + 9).frozen
    assert not _judged(state, sixth, now_us=LATER + 2 * HOUR).frozen


@pytest.mark.parametrize("target", ["admins", "inner"])
def test_nobody_comes_among_admins_without_a_word(target: str) -> None:
    state = State()
    taken_in(
        state,
        whole(person("ana"), group("admins", ["inner"]), group("inner", [])),
    )
    limits = Limits(admins=frozenset({"Admins"}))
    joins = Reading("ad", whole=False, joined=(Edge("ana", target),))

    verdict = _judged(state, joins, limits)

    assert not verdict.passed
    assert [f.sort for f in verdict.frozen] == [ADMINS]


def test_a_role_that_somebody_gives_themselves_waits_and_the_rest_does_not() -> None:
    state = State()
    taken_in(state, whole(person("ana"), group("admins", None, kind=Kind.ROLE)))
    limits = Limits(admins=frozenset({"admins"}))

    verdict = _judged(state, part(person("ana", parents=["admins"], title="x")), limits)

    [passed] = verdict.passed
    assert passed.entry is not None
    assert passed.entry.parents == frozenset()
    assert passed.entry.attributes == {"title": "x"}
    assert [f.sort for f in verdict.frozen] == [ADMINS]


def test_the_last_admin_is_not_taken_without_a_word() -> None:
    state = State()
    taken_in(state, whole(person("ana"), group("admins", ["ana"])))
    limits = Limits(admins=frozenset({"admins"}))
    leaves = Reading("ad", whole=False, left=(Edge("ana", "admins"),))

    assert "nobody left" in _judged(state, leaves, limits).frozen[0].reason


def test_a_digest_names_exactly_its_changes() -> None:
    state = _company()
    [one] = _judged(state, _gone(50)).frozen
    [same] = _judged(state, _gone(50)).frozen
    [other] = _judged(state, _gone(51)).frozen

    assert one.digest == same.digest
    assert one.digest != other.digest
    assert replace(one, sort=GROWTH).digest != one.digest
