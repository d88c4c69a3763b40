"""Days of work begin and end where the worker is, whatever the clocks do there."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.directory.model import Standing
from policy.directory.hr.effective import begins, effect, is_over, primary
from policy.directory.hr.workers import Job, Worker

BERLIN = ZoneInfo("Europe/Berlin")
AHEAD = timedelta(days=10)
# Clocks that change at midnight, in the middle of the night, by half an hour; a day
# that never was (Apia, 30 December 2011); and zones far on either side of UTC.
ZONES = [
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/Sao_Paulo",
    "America/Havana",
    "Africa/Cairo",
    "Asia/Beirut",
    "Asia/Amman",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Pacific/Auckland",
    "Pacific/Kiritimati",
    "Pacific/Pago_Pago",
    "America/St_Johns",
    "America/Santiago",
    "Asia/Kathmandu",
]
zones = st.sampled_from(ZONES).map(ZoneInfo)
days = st.dates(date(2000, 1, 1), date(2040, 1, 1))


def worker(**more: object) -> Worker:
    known: dict[str, object] = {"id": "7", "name": "Ana", "zone": BERLIN}
    return Worker(**(known | more))  # type: ignore[arg-type]


def standing(one: Worker, now: datetime) -> Standing | None:
    entry = effect(one, now, AHEAD).entry
    return entry.standing if entry else None


def at(written: str) -> datetime:
    return datetime.fromisoformat(written).astimezone(UTC)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-02-18T23:59:59+01:00", None),
        ("2026-02-19T00:00:00+01:00", Standing.PENDING),
        ("2026-02-28T23:59:59+01:00", Standing.PENDING),
        ("2026-03-01T00:00:00+01:00", Standing.ACTIVE),
        ("2026-03-31T23:59:59+02:00", Standing.ACTIVE),
        ("2026-04-01T00:00:00+02:00", Standing.LEFT),
    ],
)
def test_a_worker_is_known_then_there_then_gone(
    now: str, expected: Standing | None
) -> None:
    """Between first and last day the clocks of Berlin change."""
    one = worker(hired=date(2026, 3, 1), last_day=date(2026, 3, 31))

    assert standing(one, at(now)) == expected


def test_an_involuntary_end_acts_at_once() -> None:
    one = worker(hired=date(2020, 1, 1), last_day=date(2026, 12, 31), involuntary=True)

    assert standing(one, at("2026-11-28T12:00:00+01:00")) is Standing.LEFT


def test_who_is_hired_again_is_gone_until_shortly_before() -> None:
    one = worker(hired=date(2027, 1, 10), last_day=date(2025, 6, 30))

    assert standing(one, at("2026-06-01T00:00:00+02:00")) is Standing.LEFT
    assert standing(one, at("2027-01-05T00:00:00+01:00")) is Standing.PENDING
    assert standing(one, at("2027-01-10T00:00:00+01:00")) is Standing.ACTIVE


def test_an_inactive_worker_is_gone_but_not_before_the_first_day() -> None:
    one = worker(hired=date(2026, 12, 1), inactive=True)

    assert standing(one, at("2026-11-28T00:00:00+01:00")) is Standing.PENDING
    assert standing(one, at("2026-12-01T00:00:00+01:00")) is Standing.LEFT


def test_a_move_takes_effect_on_its_day() -> None:
    finance = Job("Clerk", "Finance", "1", ends=date(2026, 6, 30))
    sales = Job("Seller", "Sales", "2", starts=date(2026, 7, 1))
    one = worker(hired=date(2020, 1, 1), jobs=(finance, sales))

    before = effect(one, at("2026-06-30T23:59:59+02:00"), AHEAD)
    after = effect(one, at("2026-07-01T00:00:00+02:00"), AHEAD)

    assert before.until == at("2026-07-01T00:00:00+02:00")
    assert before.entry is not None
    assert before.entry.attributes["department"] == "Finance"
    assert after.entry is not None
    assert after.entry.attributes["department"] == "Sales"
    assert after.until is None


def test_of_several_jobs_the_primary_one_counts() -> None:
    main = Job("Doctor", "Surgery", primary=True, starts=date(2024, 1, 1))
    other = Job("Teacher", "School", starts=date(2020, 1, 1))
    one = worker(jobs=(other, main))

    assert primary(one, at("2026-01-01T00:00:00+01:00")) == main
    assert primary(one, at("2022-01-01T00:00:00+01:00")) == other


def test_the_last_day_of_auckland_ends_before_that_of_pago_pago() -> None:
    day = date(2026, 11, 30)
    gap = is_over(day, ZoneInfo("Pacific/Pago_Pago")) - is_over(
        day, ZoneInfo("Pacific/Auckland")
    )

    assert gap == timedelta(hours=24)


def test_a_day_whose_midnight_is_skipped_begins_at_one() -> None:
    cairo = ZoneInfo("Africa/Cairo")  # clocks went from 00:00 to 01:00

    first = begins(date(2024, 4, 26), cairo)

    assert first.astimezone(cairo).isoformat() == "2024-04-26T01:00:00+03:00"


def test_a_day_whose_midnight_comes_twice_is_over_after_the_second() -> None:
    havana = ZoneInfo("America/Havana")  # clocks go from 01:00 back to 00:00

    assert begins(date(2026, 11, 1), havana) == at("2026-11-01T00:00:00-04:00")
    assert is_over(date(2026, 10, 31), havana) == at("2026-11-01T00:00:00-05:00")


@given(day=days, zone=zones)
def test_a_day_begins_when_the_calendar_there_says_so(
    day: date, zone: ZoneInfo
) -> None:
    first = begins(day, zone)

    assert first.astimezone(zone).date() >= day
    before = (first - timedelta(seconds=1)).astimezone(zone).date()
    assert before < day


@given(day=days, zone=zones)
def test_a_day_is_over_when_the_calendar_there_is_past_it(
    day: date, zone: ZoneInfo
) -> None:
    end = is_over(day, zone)

    assert end.astimezone(zone).date() > day
    assert end >= begins(day, zone)
    # From then on it never is that day again.
    for hours in range(30):
        assert (end + timedelta(hours=hours)).astimezone(zone).date() > day


jobs = st.builds(
    Job,
    title=st.sampled_from("abc"),
    primary=st.booleans(),
    starts=st.none() | days,
    ends=st.none() | days,
)
workers = st.builds(
    Worker,
    id=st.just("7"),
    name=st.just("Ana"),
    zone=zones,
    hired=st.none() | days,
    last_day=st.none() | days,
    involuntary=st.booleans(),
    inactive=st.booleans(),
    jobs=st.lists(jobs, max_size=3).map(tuple),
)
EPOCH = datetime(1999, 1, 1, tzinfo=UTC)
moments = st.integers(0, 15_000 * 24 * 60).map(lambda m: EPOCH + timedelta(minutes=m))


@given(one=workers, start=moments)
def test_nothing_changes_between_the_moments_that_are_told(
    one: Worker, start: datetime
) -> None:
    """Who sleeps until `until` misses nothing."""
    now, steps = start, 0
    while (found := effect(one, now, AHEAD)).until is not None:
        assert found.until > now
        for share in (0.25, 0.5, 0.999):
            between = now + (found.until - now) * share
            assert effect(one, between, AHEAD).entry == found.entry
        now, steps = found.until, steps + 1
        assert steps < 20
    assert effect(one, now + timedelta(days=9_000), AHEAD).entry == found.entry
