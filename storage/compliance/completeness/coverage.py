"""
How much of each channel's day is known to be on record: never more than was compared.

A day's coverage is the share of its time that was compared with the platform, times
the share of what the platform showed, or is known to have shown, that is held.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import orjson

from bridge.messages import Channel
from bridge.reconcile import Standing
from storage.hot import HotStore, Row, Statement

_MICRO = 1_000_000
_DAY_US = 24 * 3600 * _MICRO


@dataclass(frozen=True, slots=True)
class Compared:
    """One row of `recon_window`."""

    channel: Channel
    at_us: int
    from_us: int
    to_us: int
    attested: bool
    days: dict[str, list[int]]
    missing: int
    lost: int
    reason: str


@dataclass(frozen=True, slots=True)
class Day:
    """
    A channel's coverage on one UTC day.

    `compared` and `covered` are shares from 0 to 1; `behind` says that time passed
    that nobody has compared yet.
    """

    channel: Channel
    day: date
    shown: int
    held: int
    lost: int
    compared: float
    covered: float
    behind: bool


@dataclass(frozen=True, slots=True)
class Coverage:
    """Reads what was compared."""

    store: HotStore

    async def windows(self, tenant: str) -> list[Compared]:
        rows = await self.store.fetch(
            Statement(
                "SELECT channel, at_us, from_us, to_us, state, days, missing, lost, "
                "reason FROM recon_window WHERE tenant = :tenant ORDER BY at_us",
                {"tenant": tenant},
            )
        )
        return [_compared(row) for row in rows]

    async def standings(self, tenant: str, linked: Iterable[Channel]) -> list[Standing]:
        """Return how each channel stands; 0 for one that was never compared."""
        latest: dict[Channel, Compared] = {}
        for window in await self.windows(tenant):
            if window.attested:
                latest[window.channel] = window
        return [_standing(channel, latest.get(channel)) for channel in set(linked)]


def days(
    channel: Channel,
    windows: Sequence[Compared],
    since_us: int,
    now_us: int,
    settled_us: int = 12 * 3600 * _MICRO,
) -> list[Day]:
    """
    Return a channel's days from `since_us`, when it was linked, until now.

    Time that is younger than `settled_us` and not compared yet is not behind.
    """
    attested = [w for w in windows if w.attested and w.channel == channel]
    span = _Span(since_us, now_us, settled_us)
    return [_day(channel, attested, day, span) for day in _dates(since_us, now_us)]


@dataclass(frozen=True, slots=True)
class _Span:
    since_us: int
    now_us: int
    settled_us: int


def _day(channel: Channel, attested: Sequence[Compared], day: date, span: _Span) -> Day:
    start = _start(day)
    begin = max(start, span.since_us)
    end = min(start + _DAY_US, span.now_us)
    share = _share(attested, begin, end)
    due = max(begin, min(end, span.now_us - span.settled_us))
    behind = due > begin and _share(attested, begin, due) < 1
    shown, held, lost = _counts(attested, day)
    there = shown + lost
    held_share = held / there if there else 1.0
    covered = share * held_share
    return Day(channel, day, shown, held, lost, share, covered, behind)


def _counts(attested: Sequence[Compared], day: date) -> tuple[int, int, int]:
    """Return the counts of the comparison that saw most of the day, the last one."""
    start = _start(day)
    best = max(
        attested,
        key=lambda w: (_overlap(w, start, start + _DAY_US), w.at_us),
        default=None,
    )
    if best is None or not _overlap(best, start, start + _DAY_US):
        return 0, 0, 0
    shown, held, lost = best.days.get(day.isoformat(), [0, 0, 0])
    return shown, held, lost


def _share(attested: Sequence[Compared], begin: int, end: int) -> float:
    """Return which share of a time was compared, however windows overlap."""
    if end <= begin:
        return 1.0
    done, at = 0, begin
    for window in sorted(attested, key=lambda w: w.from_us):
        first, last = max(window.from_us, at), min(window.to_us, end)
        if last > first:
            done += last - first
            at = last
    return done / (end - begin)


def _overlap(window: Compared, begin: int, end: int) -> int:
    return max(min(window.to_us, end) - max(window.from_us, begin), 0)


def _dates(since_us: int, now_us: int) -> Iterator[date]:
    day = datetime.fromtimestamp(since_us / _MICRO, UTC).date()
    while _start(day) < now_us:
        yield day
        day += timedelta(days=1)


def _start(day: date) -> int:
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return int(midnight.timestamp()) * _MICRO


def _standing(channel: Channel, last: Compared | None) -> Standing:
    if last is None:
        return Standing(channel, 0)
    messages = sum(shown for shown, _, _ in last.days.values())
    return Standing(channel, last.to_us, last.missing + last.lost, messages)


def _compared(row: Row) -> Compared:
    channel, at_us, from_us, to_us, state, found, missing, lost, reason = row
    return Compared(
        Channel.parse(channel),
        at_us,
        from_us,
        to_us,
        state == "attested",
        orjson.loads(found),
        missing,
        lost,
        reason,
    )
