"""A month is a month, whatever its length."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.compliance.gdpr.requests import due


@pytest.mark.parametrize(
    ("received", "one", "three"),
    [
        ("2026-11-28", "2026-12-28", "2027-02-28"),
        ("2026-01-31", "2026-02-28", "2026-04-30"),
        ("2024-01-31", "2024-02-29", "2024-04-30"),
        ("2026-12-01", "2027-01-01", "2027-03-01"),
    ],
)
def test_it_is_due_on_the_same_day_or_the_months_last(
    received: str, one: str, three: str
) -> None:
    day = date.fromisoformat(received)

    assert str(due(day)) == one
    assert str(due(day, 3)) == three


@given(day=st.dates(date(1971, 1, 1), date(9000, 1, 1)))
def test_a_month_has_28_to_31_days_and_never_comes_earlier_for_later_days(
    day: date,
) -> None:
    later = day.fromordinal(day.toordinal() + 1)

    assert 28 <= (due(day) - day).days <= 31
    assert due(later) >= due(day)
    assert due(day, 3) > due(day)
