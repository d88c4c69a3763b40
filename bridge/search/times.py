"""Days and hours as people name them, in a time zone."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from bridge.errors import BadInput
from bridge.search.syntax import Span

_MICRO = 1_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ALWAYS = Span(-(2**62), 2**62)

_DAY = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?")
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d)(:\d\d)?([Zz]|[+-]\d\d:\d\d)?")
_AGO = re.compile(r"-(\d{1,6})([hdwmy])")
_EXACT = re.compile(r"@(-?\d{1,19})")
_NAMED = re.compile(r"(this|last)-(day|week|month|year)")

HOW = (
    "2026-03-29, 2026-03, 2026, 2026-03-29T14:00, today, yesterday, -7d, -12h, "
    "this-week, last-month"
)


@dataclass(frozen=True, slots=True)
class Calendar:
    """
    Says when days begin in a time zone. `now_us` is what relative dates are relative to.
    """

    tz: ZoneInfo
    now_us: int

    def span(self, text: str) -> Span:
        """
        Return from when to when `text` lasts.

        Moments last for no time, but for a minute or a second if that is what was
        written. Raises `BadInput` for what is no date.
        """
        try:
            return self._span(text)
        except (ValueError, OverflowError) as error:
            raise BadInput(f"'{text}' is no date: write {HOW}") from error

    def day_of(self, text: str) -> Span:
        """Return the span, and of a moment the whole day in which it lies."""
        if _AGO.fullmatch(text):
            begun = self._local(self.span(text).start_us).date()
            return self._days(begun, begun + timedelta(days=1))
        return self.span(text)

    def _span(self, text: str) -> Span:
        if match := _EXACT.fullmatch(text):
            moment = int(match[1])
            if abs(moment) > ALWAYS.end_us:
                raise ValueError(text)
            return Span(moment, moment)
        if match := _MOMENT.fullmatch(text):
            return self._moment(*match.groups())
        if match := _DAY.fullmatch(text):
            return self._date(*match.groups())
        if match := _AGO.fullmatch(text):
            moment = self._ago(int(match[1]), match[2])
            return Span(moment, moment)
        return self._named(text)

    def _moment(self, day: str, clock: str, seconds: str, offset: str) -> Span:
        moment = datetime.fromisoformat(f"{day}T{clock}{seconds or ''}")
        zone = offset.upper().replace("Z", "+00:00") if offset else ""
        if zone:
            moment = datetime.fromisoformat(f"{moment.isoformat()}{zone}")
        else:
            moment = moment.replace(tzinfo=self.tz)
        start = _us(moment)
        return Span(start, start + (1 if seconds else 60) * _MICRO)

    def _date(self, year: str, month: str | None, day: str | None) -> Span:
        if day:
            begun = date(int(year), int(str(month)), int(day))
            return self._days(begun, begun + timedelta(days=1))
        begun = date(int(year), int(month or 1), 1)
        return self._days(begun, _later(begun, 1 if month else 12))

    def _ago(self, count: int, unit: str) -> int:
        if unit in "hdw":
            hours = {"h": 1, "d": 24, "w": 168}[unit] * count
            if unit == "h":
                return self.now_us - hours * 3600 * _MICRO
            # The same time of day, so many days before: some days have 23 hours.
            now = self._local(self.now_us).replace(tzinfo=None)
            return _us((now - timedelta(hours=hours)).replace(tzinfo=self.tz))
        now = self._local(self.now_us)
        months = count * (12 if unit == "y" else 1)
        first = _later(now.date().replace(day=1), -months)
        last = (_later(first, 1) - timedelta(days=1)).day
        then = now.replace(
            year=first.year, month=first.month, day=min(now.day, last), fold=0
        )
        return _us(then)

    def _named(self, text: str) -> Span:
        today = self._local(self.now_us).date()
        match text:
            case "today":
                return self._days(today, today + timedelta(days=1))
            case "yesterday":
                return self._days(today - timedelta(days=1), today)
        match = _NAMED.fullmatch(text)
        if not match:
            raise ValueError(text)
        back = match[1] == "last"
        match match[2]:
            case "day" | "week":
                length = 7 if match[2] == "week" else 1
                begun = today - timedelta(days=today.weekday() if length > 1 else 0)
                begun -= timedelta(days=length * back)
                return self._days(begun, begun + timedelta(days=length))
            case "month":
                begun = _later(today.replace(day=1), -1 * back)
                return self._days(begun, _later(begun, 1))
        begun = _later(today.replace(month=1, day=1), -12 * back)
        return self._days(begun, _later(begun, 12))

    def _days(self, first: date, after: date) -> Span:
        return Span(self._midnight(first), self._midnight(after))

    def _midnight(self, day: date) -> int:
        return _us(datetime(day.year, day.month, day.day, tzinfo=self.tz))

    def _local(self, us: int) -> datetime:
        return (_EPOCH + timedelta(microseconds=us)).astimezone(self.tz)


def zone(name: str) -> ZoneInfo:
    """Return a time zone by its name. Raises `BadInput` for one that is not known."""
    try:
        return ZoneInfo(name)
    except (LookupError, ValueError, OSError) as error:
        raise BadInput(
            f"'{name}' is no time zone: write one such as Europe/Berlin or UTC"
        ) from error


def _us(moment: datetime) -> int:
    return (moment.astimezone(UTC) - _EPOCH) // timedelta(microseconds=1)


def _later(first: date, months: int) -> date:
    count = first.year * 12 + first.month - 1 + months
    return date(count // 12, count % 12 + 1, 1)
