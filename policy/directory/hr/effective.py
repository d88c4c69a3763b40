"""
What is true of a worker at a moment, and when that changes next.

Days begin and end where the worker is: the last day of somebody in Auckland is over
half a day before that of a colleague in Lisbon. Where clocks change at midnight a day
begins at its first moment that exists, and ends at its last.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from bridge.directory.model import Entry, Kind, Standing
from policy.directory.hr.workers import Job, Worker

_DAY = timedelta(days=1)
_LAST_DAY = date(9000, 1, 1)  # "for ever", as some systems write it
_FIRST_DAY = date(1900, 1, 1)


@dataclass(frozen=True, slots=True)
class Effect:
    """
    How a worker stands at a moment. `entry` is None while nobody is to know of them.

    `until` is when it may be otherwise, None if no day that is known changes it.
    """

    entry: Entry | None
    until: datetime | None


def begins(day: date, zone: ZoneInfo) -> datetime:
    """Return the first moment of a day, in UTC."""
    midnight = datetime.combine(_within(day), time(), zone)
    return midnight.astimezone(UTC)


def is_over(day: date, zone: ZoneInfo) -> datetime:
    """Return the moment at which a day has passed, in UTC."""
    # min keeps the day after within the calendar.
    midnight = datetime.combine(_within(day) + _DAY, time(), zone)
    # Where midnight comes twice, the day is over after the second one.
    return max(midnight.astimezone(UTC), midnight.replace(fold=1).astimezone(UTC))


def effect(worker: Worker, now: datetime, ahead: timedelta) -> Effect:
    """Return how a worker stands now. New ones are known `ahead` of their first day."""
    standing = _standing(worker, now, ahead)
    later = [moment for moment in _moments(worker, ahead) if moment > now]
    entry = None if standing is None else _entry(worker, standing, now)
    return Effect(entry, min(later, default=None))


def _standing(worker: Worker, now: datetime, ahead: timedelta) -> Standing | None:
    if _ended(worker, now):
        return Standing.LEFT
    if worker.hired is None:
        return Standing.ACTIVE
    if now < begins(worker.hired, worker.zone) - ahead:
        return Standing.LEFT if worker.came_back else None
    if now < begins(worker.hired, worker.zone):
        return Standing.PENDING
    return Standing.ACTIVE


def _ended(worker: Worker, now: datetime) -> bool:
    coming = worker.hired is not None and now < begins(worker.hired, worker.zone)
    if worker.came_back:  # that end is of an earlier time
        return worker.inactive and not coming
    if worker.involuntary or (worker.inactive and not coming):
        return True
    return worker.last_day is not None and now >= is_over(worker.last_day, worker.zone)


def _moments(worker: Worker, ahead: timedelta) -> Iterator[datetime]:
    if worker.hired is not None:
        first = begins(worker.hired, worker.zone)
        yield first
        yield first - ahead
    if worker.last_day is not None:
        yield is_over(worker.last_day, worker.zone)
    for job in worker.jobs:
        if job.starts is not None:
            yield begins(job.starts, worker.zone)
        if job.ends is not None:
            yield is_over(job.ends, worker.zone)


def _entry(worker: Worker, standing: Standing, now: datetime) -> Entry:
    job = primary(worker, now)
    told = {
        **worker.attributes,
        "title": job.title,
        "department": job.department,
        "manager": job.manager,
        "employee_id": worker.attributes.get("employee_id", worker.id),
        "person_id": worker.person,
        "hired": worker.hired.isoformat() if worker.hired else "",
    }
    return Entry(
        Kind.PERSON,
        worker.id,
        worker.name or worker.id,
        attributes={name: value for name, value in told.items() if value},
        standing=standing,
        guest=worker.guest,
    )


def primary(worker: Worker, now: datetime) -> Job:
    """
    Return the job that counts now: among those held the primary one, else the oldest.

    Before the first job begins it is the next one, after the last the last one.
    """
    held = [job for job in worker.jobs if _holds(job, worker.zone, now)]
    if held:
        return min(held, key=lambda job: (not job.primary, job.starts or _FIRST_DAY))
    coming = [
        j for j in worker.jobs if j.starts and now < begins(j.starts, worker.zone)
    ]
    if coming:
        return min(coming, key=lambda job: (job.starts or _FIRST_DAY, not job.primary))
    return max(
        worker.jobs,
        key=lambda job: (job.ends or _LAST_DAY, job.primary),
        default=Job(),
    )


def _holds(job: Job, zone: ZoneInfo, now: datetime) -> bool:
    started = job.starts is None or now >= begins(job.starts, zone)
    return started and (job.ends is None or now < is_over(job.ends, zone))


def _within(day: date) -> date:
    """Keep a day where every zone has a moment for it."""
    return min(max(day, _FIRST_DAY), _LAST_DAY)
