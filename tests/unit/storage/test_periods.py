"""Periods: what people write is what days are covered, and nothing between is lost."""

from contextlib import suppress
from datetime import date, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import BadInput
from storage.compliance.evidence.periods import Period, period

TODAY = date(2026, 11, 28)
DAYS = st.dates(date(1971, 1, 1), date(9000, 12, 31))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("last-month", "2026-10-01..2026-10-31"),
        ("this-month", "2026-11-01..2026-11-28"),
        ("2026-10", "2026-10-01..2026-10-31"),
        ("2024-02", "2024-02-01..2024-02-29"),
        ("2026-Q3", "2026-07-01..2026-09-30"),
        ("2026-q4", "2026-10-01..2026-12-31"),
        ("last-quarter", "2026-07-01..2026-09-30"),
        ("last-year", "2025-01-01..2025-12-31"),
        ("2025", "2025-01-01..2025-12-31"),
        ("2026-10-05", "2026-10-05..2026-10-05"),
        ("last-7-days", "2026-11-22..2026-11-28"),
        ("yesterday", "2026-11-27..2026-11-27"),
        ("2026-10-01..2026-10-15", "2026-10-01..2026-10-15"),
        ("2026-Q1..2026-Q2", "2026-01-01..2026-06-30"),
        (" Last-Month ", "2026-10-01..2026-10-31"),
    ],
)
def test_a_period_is_the_days_that_people_mean(text: str, told: str) -> None:
    assert str(period(text, TODAY)) == told


@pytest.mark.parametrize(
    "text",
    [
        "",
        "..",
        "2026-13",
        "2026-00",
        "2026-Q5",
        "2026-02-30",
        "0000",
        "9999-12-31",
        "last-0-days",
        "2026-10-15..2026-10-01",
        "2026-10-01..",
        "२०२६",
        "last-9999999-days",
        "next-month",
    ],
)
def test_what_is_no_period_is_told_in_a_line(text: str) -> None:
    with pytest.raises(BadInput, match="is no period: write last-month"):
        period(text, TODAY)


@given(today=DAYS)
def test_months_follow_each_other_without_gap_or_overlap(today: date) -> None:
    last, this = period("last-month", today), period("this-month", today)

    assert last.after == this.first
    assert last.until_us == this.since_us
    assert this.after == today + timedelta(days=1)
    assert 28 <= last.days <= 31


@given(year=st.integers(1971, 9000))
def test_four_quarters_are_a_year_and_so_are_twelve_months(year: int) -> None:
    whole = period(str(year), TODAY)
    quarters = [period(f"{year}-Q{n}", TODAY) for n in (1, 2, 3, 4)]
    months = [period(f"{year}-{n:02}", TODAY) for n in range(1, 13)]

    for parts in (quarters, months):
        assert parts[0].first == whole.first
        assert parts[-1].after == whole.after
        assert all(a.after == b.first for a, b in pairwise(parts))


@given(first=DAYS, days=st.integers(1, 400))
def test_a_period_written_out_is_read_back(first: date, days: int) -> None:
    made = Period(first, first + timedelta(days=days))

    assert period(str(made), TODAY) == made


@given(text=st.text(max_size=24))
def test_any_text_is_a_period_or_is_refused_on_purpose(text: str) -> None:
    with suppress(BadInput):
        found = period(text, TODAY)
        assert found.since_us < found.until_us
