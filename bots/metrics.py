"""
What ATOM counts. Labels never hold what people said or who they are.

What stands in the database is read when somebody asks, and then not again for some
seconds, however many ask.
"""

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import structlog
from prometheus_client import Counter, Gauge, Histogram

from bridge.delivery import Delivery
from bridge.errors import AtomError
from bridge.ports import LinkStatus
from bridge.records.knowing import Figure

log = structlog.get_logger()

REFUSED = Counter(
    "atom_refused_total", "Requests refused before capture", ["platform", "reason"]
)
IGNORED = Counter(
    "atom_ignored_total", "Events that state nothing to capture", ["platform", "reason"]
)
UNKNOWN = Counter(
    "atom_unknown_total",
    "Events of kinds that ATOM has no word for: on record, and nothing follows",
    ["platform"],
)
SPOOLED = Counter(
    "atom_spooled_total", "Events kept on the disk: the database was away", ["platform"]
)
SPOOLED_BYTES = Gauge("atom_spool_bytes", "Bytes on the disk that are to be taken in")
SIGNED = Gauge(
    "atom_checkpoints_current_timestamp_seconds",
    "When every company's log was last found signed as it should be",
)
SPOOL_DAMAGED = Gauge(
    "atom_spool_damaged_files", "Files of the spool that were put aside, not whole"
)
CONFLICTS = Counter(
    "atom_conflicts_total", "Events that contradict one with the same id", ["platform"]
)
POLICY_ALARMS = Counter(
    "atom_policy_alarms_total",
    "Denials because the policy could not be read or worked out",
    ["rule"],
)
RECORD_ALARMS = Counter(
    "atom_record_alarms_total",
    "Answers of business systems to other questions than they were asked",
    ["system", "what"],
)
_BY_KIND = ["system", "instance", "kind"]
BOOK_RECORDS = Gauge(
    "atom_record_book_records", "Accounts and contacts that the book knows", _BY_KIND
)
BOOK_AGE = Gauge(
    "atom_record_book_age_seconds",
    "Since they were last read to the end, and up to now if they never were",
    _BY_KIND,
)
DELIVERED = Counter("atom_deliveries_ended_total", "Deliveries brought to an end")
QUEUED = Gauge("atom_deliveries_queued", "Deliveries this process has yet to end")
WAITS = Counter(
    "atom_limit_waits_total",
    "Deliveries held back to stay inside a platform's limits, or as it asked",
    ["platform"],
)
DELIVERY_SECONDS = Histogram(
    "atom_delivery_seconds",
    "From an event's capture to the end of its delivery",
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 300),
)

_BY_LINK = ["link"]
TAKEN_IN = Counter(
    "atom_link_intake_total", "Deliveries queued for a link by this process", _BY_LINK
)
ENDED = Counter(
    "atom_link_deliveries_total",
    "Deliveries of a link that this process brought to an end",
    _BY_LINK,
)
FAILURES = Counter(
    "atom_link_failures_total",
    "Attempts of this process that failed: to be made again, or given up",
    _BY_LINK,
)
FAILED_AT = Gauge(
    "atom_link_last_failure_timestamp_seconds",
    "When the last of them failed",
    _BY_LINK,
)
THROTTLES = Counter(
    "atom_link_throttles_total",
    "Attempts of this process that a platform answered by asking to wait",
    _BY_LINK,
)
DEPTH = Gauge("atom_link_depth", "Deliveries that wait", _BY_LINK)
OLDEST = Gauge(
    "atom_link_oldest_seconds", "How long the oldest one has been waiting", _BY_LINK
)
LAG = Gauge(
    "atom_link_lag_seconds",
    "From capture to copy: of the oldest that waits, else of the last one delivered",
    _BY_LINK,
)
DEAD = Gauge("atom_link_dead_letters", "Dead letters, given up", _BY_LINK)
PARKED = Gauge("atom_link_parked", "Dead letters of unknown outcome", _BY_LINK)
THROTTLED = Gauge(
    "atom_link_throttled_seconds", "How long the link has to wait yet", _BY_LINK
)
DORMANT = Gauge(
    "atom_link_dormant", "1 for what keeps a link from carrying", ["link", "cause"]
)
ECHOES = Gauge(
    "atom_link_echoes", "Messages cut lately because they were echoes", _BY_LINK
)
ECHOING = Gauge(
    "atom_link_echoing", "1 if these are more than ATOM_TUNING_ECHOES", _BY_LINK
)
STORE_UP = Gauge("atom_store_up", "Whether the database answered when last asked")

_OF_LINKS = (DEPTH, OLDEST, LAG, DEAD, PARKED, THROTTLED, DORMANT, ECHOES, ECHOING)
_FRESH = 5.0
_FRESH_BOOK = 60.0  # counting takes longer
_MICRO = 1_000_000


def taken_in(
    _tenant: str, _first: int, _size: int, deliveries: Sequence[Delivery]
) -> None:
    """Count what a commit queued."""
    for delivery in deliveries:
        TAKEN_IN.labels(delivery.link).inc()


def conflicting(platform: str) -> None:
    """Count an event that contradicts an earlier one: somebody should look."""
    CONFLICTS.labels(platform).inc()


@dataclass(slots=True)
class LinkFigures:
    """
    Keeps the links' gauges at most five seconds old.

    A database that does not answer leaves no figures behind: unknown is not zero.
    """

    statuses: Callable[[], Awaitable[Sequence[LinkStatus]]]
    clock: Callable[[], int]
    timer: Callable[[], float] = time.monotonic
    _next: float = field(default=-1.0)

    async def refresh(self) -> None:
        if self.timer() < self._next:
            return
        self._next = self.timer() + _FRESH
        try:
            statuses = await self.statuses()
        except AtomError as error:
            log.warning("no figures of the links", reason=str(error))
            statuses = ()
            STORE_UP.set(0)
        else:
            STORE_UP.set(1)
        for gauge in _OF_LINKS:
            gauge.clear()
        for status in statuses:
            self._show(status)

    def _show(self, status: LinkStatus) -> None:
        now, link = self.clock(), status.link.id
        waits = now - status.oldest_us if status.queued else 0
        throttled = max(0, status.throttled_until_us - now)
        DEPTH.labels(link).set(status.queued)
        OLDEST.labels(link).set(waits / _MICRO)
        LAG.labels(link).set(status.lag_us / _MICRO)
        DEAD.labels(link).set(status.dead)
        PARKED.labels(link).set(status.parked)
        THROTTLED.labels(link).set(throttled / _MICRO)
        ECHOES.labels(link).set(status.echoes)
        ECHOING.labels(link).set(status.echoing)
        for hold in status.link.held_by:
            DORMANT.labels(link, hold.cause).set(1)


@dataclass(slots=True)
class BookFigures:
    """Keeps the figures of the book of accounts and contacts a minute old at most."""

    figures: Callable[[], Awaitable[Sequence[Figure]]]
    clock: Callable[[], int]
    timer: Callable[[], float] = time.monotonic
    _next: float = field(default=-1.0)

    async def refresh(self) -> None:
        if self.timer() < self._next:
            return
        self._next = self.timer() + _FRESH_BOOK
        try:
            figures = await self.figures()
        except AtomError as error:
            log.warning("no figures of contacts", reason=str(error))
            figures = ()
        for gauge in (BOOK_RECORDS, BOOK_AGE):
            gauge.clear()
        now = self.clock()
        for each in figures:
            chapter, since = each.progress.chapter, each.progress.since_us
            labels = (chapter.system, chapter.instance, chapter.kind)
            BOOK_RECORDS.labels(*labels).set(each.many)
            BOOK_AGE.labels(*labels).set(max(0, now - since) / _MICRO)
