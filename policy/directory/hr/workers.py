"""Workers as HR systems tell of them, with the days on which things change."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from zoneinfo import ZoneInfo

from bridge.errors import BadInput

_NO_DATES = frozenset({"", "0000-00-00"})  # BambooHR's word for no date is the second


@dataclass(frozen=True, slots=True)
class Job:
    """
    One job of a worker. `manager` is a worker's id.

    It is held from the beginning of `starts` to the end of `ends`, where they are told.
    """

    title: str = ""
    department: str = ""
    manager: str = ""
    primary: bool = False
    starts: date | None = None
    ends: date | None = None


@dataclass(frozen=True, slots=True)
class Worker:
    """
    Somebody on the payroll, by their worker's id, which is never given again.

    `person` is the id of the human, who gets another worker's id when a contractor is
    hired. `last_day` is the last day at work, by the calendar in `zone`; one before
    `hired` is of an earlier time here. An `involuntary` end acts when it is told, not
    when it is due. `inactive` is for systems that say so whatever the days.
    `guest` is somebody who works for another company.
    """

    id: str
    name: str
    zone: ZoneInfo
    person: str = ""
    hired: date | None = None
    last_day: date | None = None
    involuntary: bool = False
    inactive: bool = False
    guest: bool = False
    jobs: tuple[Job, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)

    @property
    def came_back(self) -> bool:
        """Whether they left before, and were hired again."""
        return bool(self.hired and self.last_day and self.last_day < self.hired)


def day(written: str, form: str = "") -> date | None:
    """
    Return the day that is written, None for no day at all.

    `form` is strptime's; without one it is ISO 8601, a time of day cut off. Raises
    `BadInput` for what is no day.
    """
    written = written.strip()
    if written in _NO_DATES:
        return None
    try:
        if form:
            return datetime.strptime(written, form).date()  # noqa: DTZ007 - a day has no zone
        return date.fromisoformat(written[:10])
    except ValueError:
        like = form or "YYYY-MM-DD"
        raise BadInput(f"{written[:40]!r} is no day written as {like}") from None


def zone(name: str) -> ZoneInfo:
    """Return a time zone by its IANA name. Raises `BadInput`."""
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        raise BadInput(f"{name[:60]!r} is no time zone such as Europe/Berlin") from None


def yes(written: str) -> bool:
    """Say whether a cell says yes, in the words that HR systems use for it."""
    return written.strip().casefold() in {"1", "true", "yes", "y", "x", "ja", "oui"}
