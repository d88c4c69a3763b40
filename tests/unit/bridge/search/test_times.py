"""Days begin where people live, also when clocks are changed."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.errors import BadInput
from bridge.search.fields import dates
from bridge.search.times import Calendar, zone

HOUR = 3_600_000_000
BERLIN = ZoneInfo("Europe/Berlin")


def us(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp()) * 1_000_000


NOW = us("2026-11-28T15:30:00+00:00")  # a Saturday; 16:30 in Berlin
CALENDAR = Calendar(BERLIN, NOW)


@pytest.mark.parametrize(
    ("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-06-01", 24)]
)
def test_a_day_has_the_hours_that_clocks_give_it(day: str, hours: int) -> None:
    span = dates("on", day, CALENDAR)

    assert span.end_us - span.start_us == hours * HOUR


SPANS = [
    ("on", "2026-03-29", "2026-03-28T23:00:00+00:00", "2026-03-29T22:00:00+00:00"),
    ("on", "2026-10-25", "2026-10-24T22:00:00+00:00", "2026-10-25T23:00:00+00:00"),
    ("during", "2026-02", "2026-01-31T23:00:00+00:00", "2026-02-28T23:00:00+00:00"),
    ("during", "2026", "2025-12-31T23:00:00+00:00", "2026-12-31T23:00:00+00:00"),
    ("on", "today", "2026-11-27T23:00:00+00:00", "2026-11-28T23:00:00+00:00"),
    ("on", "yesterday", "2026-11-26T23:00:00+00:00", "2026-11-27T23:00:00+00:00"),
    ("during", "last-week", "2026-11-15T23:00:00+00:00", "2026-11-22T23:00:00+00:00"),
    ("during", "this-month", "2026-10-31T23:00:00+00:00", "2026-11-30T23:00:00+00:00"),
    ("during", "last-month", "2026-09-30T22:00:00+00:00", "2026-10-31T23:00:00+00:00"),
    ("during", "last-year", "2024-12-31T23:00:00+00:00", "2025-12-31T23:00:00+00:00"),
    ("during", "-12h", "2026-11-28T03:30:00+00:00", "2026-11-28T15:30:00+00:00"),
    # Berlin was an hour further ahead in October: the same time of day is meant.
    ("during", "-40d", "2026-10-19T14:30:00+00:00", "2026-11-28T15:30:00+00:00"),
    ("during", "-2m", "2026-09-28T14:30:00+00:00", "2026-11-28T15:30:00+00:00"),
    ("on", "-1d", "2026-11-26T23:00:00+00:00", "2026-11-27T23:00:00+00:00"),
    (
        "sent",
        "2026-01-01..2026-01-02",
        "2025-12-31T23:00:00+00:00",
        "2026-01-02T23:00:00+00:00",
    ),
    (
        "on",
        "2026-03-01T10:00",
        "2026-03-01T09:00:00+00:00",
        "2026-03-01T09:01:00+00:00",
    ),
    (
        "on",
        "2026-03-01T10:00:05Z",
        "2026-03-01T10:00:05+00:00",
        "2026-03-01T10:00:06+00:00",
    ),
]


@pytest.mark.parametrize(("field", "text", "start", "end"), SPANS)
def test_a_date_lasts_as_people_mean_it(
    field: str, text: str, start: str, end: str
) -> None:
    span = dates(field, text, CALENDAR)

    assert (span.start_us, span.end_us) == (us(start), us(end))


def test_before_and_after_leave_the_day_itself_out() -> None:
    before = dates("before", "2026-03-29", CALENDAR)
    after = dates("after", "2026-03-29", CALENDAR)

    assert after.start_us - before.end_us == 23 * HOUR
    assert before.start_us < before.end_us
    assert after.start_us < after.end_us


@given(
    st.dates(date(1950, 1, 1), date(2100, 1, 1)),
    st.sampled_from(["UTC", "Europe/Berlin", "America/Sao_Paulo", "Asia/Beirut"]),
)
def test_days_follow_each_other_without_gap_or_overlap(day: date, tz: str) -> None:
    calendar = Calendar(zone(tz), NOW)

    span = calendar.span(str(day))
    following = calendar.span(str(day + timedelta(days=1)))

    assert span.end_us == following.start_us
    inside = datetime.fromtimestamp(span.start_us / 1e6, UTC).astimezone(zone(tz))
    assert inside.date() == day
    last = datetime.fromtimestamp(span.end_us / 1e6 - 1, UTC).astimezone(zone(tz))
    assert last.date() == day


@given(st.text(max_size=30))
def test_what_is_no_date_is_refused(text: str) -> None:
    try:
        CALENDAR.span(text)
    except BadInput as refused:
        assert "is no date" in str(refused)  # noqa: PT017 - either way is right
