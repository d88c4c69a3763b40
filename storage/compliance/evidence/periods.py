"""Periods as people write them, as two moments in UTC."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from bridge.errors import BadInput

_DAY = re.compile(r"(\d{4})-(\d{2})-(\d{2})", re.ASCII)
_MONTH = re.compile(r"(\d{4})-(\d{2})", re.ASCII)
_QUARTER = re.compile(r"(\d{4})-[qQ]([1-4])", re.ASCII)
_YEAR = re.compile(r"(\d{4})", re.ASCII)
_LAST_DAYS = re.compile(r"last-(\d{1,4})-days", re.ASCII)
_HELP = (
    "write last-month, this-month, last-quarter, last-year, 2026-10, 2026-Q3, 2026, "
    "2026-10-05, last-7-days or 2026-10-01..2026-10-15"
)


@dataclass(frozen=True, slots=True)
class Period:
    """Days in UTC: from the first moment of `first` to that of `after`."""

    first: date
    after: date

    @property
    def since_us(self) -> int:
        return _moment(self.first)

    @property
    def until_us(self) -> int:
        return _moment(self.after)

    @property
    def days(self) -> int:
        return (self.after - self.first).days

    def __str__(self) -> str:
        return f"{self.first}..{self.after - timedelta(days=1)}"


def period(text: str, today: date) -> Period:
    """Read a period, or raise `BadInput` saying how to write one."""
    try:
        found = _named(text.strip().lower(), today) or _written(text.strip())
    except (ValueError, OverflowError):
        found = None
    if found is None or found.days < 1:
        raise BadInput(f"'{text}' is no period: {_HELP}")
    return found


def _named(text: str, today: date) -> Period | None:
    month, tomorrow = today.replace(day=1), today + timedelta(days=1)
    quarter = month.replace(month=(today.month - 1) // 3 * 3 + 1)
    year = month.replace(month=1)
    if match := _LAST_DAYS.fullmatch(text):
        return Period(tomorrow - timedelta(days=int(match[1])), tomorrow)
    named = {
        "today": Period(today, tomorrow),
        "yesterday": Period(today - timedelta(days=1), today),
        "this-month": Period(month, tomorrow),
        "last-month": Period(_later(month, -1), month),
        "this-quarter": Period(quarter, tomorrow),
        "last-quarter": Period(_later(quarter, -3), quarter),
        "this-year": Period(year, tomorrow),
        "last-year": Period(_later(year, -12), year),
    }
    return named.get(text)


def _written(text: str) -> Period | None:
    first, dots, last = text.partition("..")
    if dots:
        one, other = _written(first), _written(last)
        return Period(one.first, other.after) if one and other else None
    if match := _DAY.fullmatch(text):
        day = date(int(match[1]), int(match[2]), int(match[3]))
        return Period(day, day + timedelta(days=1))
    if match := _MONTH.fullmatch(text):
        month = date(int(match[1]), int(match[2]), 1)
        return Period(month, _later(month, 1))
    if match := _QUARTER.fullmatch(text):
        quarter = date(int(match[1]), int(match[2]) * 3 - 2, 1)
        return Period(quarter, _later(quarter, 3))
    if match := _YEAR.fullmatch(text):
        year = date(int(match[1]), 1, 1)
        return Period(year, _later(year, 12))
    return None


def _later(first: date, months: int) -> date:
    """Return the first day of a month some months later."""
    count = first.year * 12 + first.month - 1 + months
    return date(count // 12, count % 12 + 1, 1)


def _moment(day: date) -> int:
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return int(midnight.timestamp()) * 1_000_000
