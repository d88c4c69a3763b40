"""Priorities follow from a matrix, and incidents move only where they can."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.cards import Tone
from bridge.errors import BadInput
from connectors.servicenow.states import (
    ChangeState,
    IncidentState,
    change_tone,
    incident_tone,
    may_become,
    possible,
    priority,
)

LEVELS = st.integers(1, 3)


@pytest.mark.parametrize(
    ("impact", "urgency", "follows"),
    [
        (1, 1, 1),
        (1, 2, 2),
        (1, 3, 3),
        (2, 1, 2),
        (2, 2, 3),
        (2, 3, 4),
        (3, 1, 3),
        (3, 2, 4),
        (3, 3, 5),
    ],
)
def test_priority_follows_from_impact_and_urgency(
    impact: int, urgency: int, follows: int
) -> None:
    assert priority(impact, urgency) == follows


@given(LEVELS, LEVELS)
def test_more_urgent_is_never_a_lower_priority(impact: int, urgency: int) -> None:
    if urgency > 1:
        assert priority(impact, urgency - 1) < priority(impact, urgency)
    assert priority(impact, urgency) == priority(urgency, impact)


@pytest.mark.parametrize(("impact", "urgency"), [(0, 1), (4, 1), (1, 0), (1, 4)])
def test_there_are_three_levels(impact: int, urgency: int) -> None:
    with pytest.raises(BadInput):
        priority(impact, urgency)


def test_what_is_closed_stays_closed() -> None:
    for end in (IncidentState.CLOSED, IncidentState.CANCELED):
        assert [each for each in IncidentState if may_become(end, each)] == [end]
        assert not possible(end).take
        assert not possible(end).comment


def test_nothing_becomes_new_again() -> None:
    assert not any(
        may_become(each, IncidentState.NEW)
        for each in set(IncidentState) - {IncidentState.NEW}
    )


def test_a_resolved_incident_can_be_reopened_and_commented() -> None:
    assert may_become(IncidentState.RESOLVED, IncidentState.IN_PROGRESS)
    assert possible(6).comment
    assert not possible(6).resolve


def test_a_state_of_the_companys_own_leaves_everything_open() -> None:
    assert possible(42).resolve
    assert possible(None).take


def test_tones_underline_what_the_words_say() -> None:
    assert incident_tone(1, 1) is Tone.BAD
    assert incident_tone(6, 1) is Tone.GOOD
    assert incident_tone(3, 4) is Tone.WARNING
    assert change_tone(ChangeState.AUTHORIZE, "requested") is Tone.WARNING
    assert change_tone(ChangeState.SCHEDULED, "approved") is Tone.GOOD
    assert change_tone(ChangeState.AUTHORIZE, "rejected") is Tone.BAD
