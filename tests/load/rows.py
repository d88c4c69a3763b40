"""One row of a table: offer load to a server, and say how it held up."""

import math
import time
from bisect import bisect_left
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from statistics import median

import orjson

from tests.load.generator import Plan, Samples
from tests.load.processes import Server, asked, fired

STEAL_LIMIT = 2.0  # percent; above it a row is measured again
_AGAIN = 3
_LAST_COPIES = 10.0  # seconds
_QUICK_ENOUGH = 100.0  # milliseconds at the 95th percentile

# What a search tries: twenty rates a decade, from 100 to 10,000 events a second.
RATES = [round(100 * 10 ** (step / 20), -1) for step in range(41)]

Started = Callable[[], AbstractContextManager[Server]]


@dataclass(frozen=True, slots=True)
class Spread:
    """Percentiles in milliseconds; infinite where too many events got no answer."""

    p50: float
    p95: float
    p99: float

    @classmethod
    def of(cls, times: Sequence[float], count: int) -> "Spread":
        """Rank `times` among `count` events; those without a time come last."""
        ranked = sorted(times)

        def at(share: float) -> float:
            rank = math.ceil(share * count) - 1
            return ranked[rank] if 0 <= rank < len(ranked) else math.inf

        return cls(at(0.5), at(0.95), at(0.99))


@dataclass(frozen=True, slots=True)
class Row:
    """
    What one server did at one rate.

    `late` are the answers to the second half. `copied` is the share of events whose copy reached the other platform by the end,
    and `call` how long that took.
    """

    rate: float
    answer: Spread
    late: Spread
    answered: float
    call: Spread
    copied: float
    steal: float

    @property
    def sustained(self) -> bool:
        """Whether answers were quick, and not only as long as a queue was filling."""
        return max(self.answer.p95, self.late.p95) < _QUICK_ENOUGH


@dataclass(slots=True)
class Range:
    """The place where rows are measured. `note` is told what happens next."""

    sink: int
    seconds: float
    note: Callable[[str], None]
    _volleys: int = 0

    def row(self, started: Started, rate: float, *, copies: bool = False) -> Row:
        """
        Measure a fresh server. If the host took the CPU away, measure it again.

        With `copies`, wait until every event has reached the other platform.
        """
        rows: list[Row] = []
        while len(rows) <= _AGAIN:
            self.note(f"{rate:,.0f} events/s" + " again: steal" * bool(rows))
            rows.append(self._measured(started, rate, copies=copies))
            if rows[-1].steal <= STEAL_LIMIT:
                break
        return min(rows, key=lambda row: row.steal)

    def largest(self, started: Started) -> tuple[float, Row | None]:
        """Return the largest rate of `RATES` that is acknowledged quickly enough."""
        kept: dict[float, Row] = {}

        def too_much(rate: float) -> bool:
            kept[rate] = self.row(started, rate)
            return not kept[rate].sustained

        found = bisect_left(RATES, True, key=too_much)
        if found == 0:
            return 0.0, None
        return RATES[found - 1], kept[RATES[found - 1]]

    def _measured(self, started: Started, rate: float, *, copies: bool) -> Row:
        asked(f"{self._bench}/reset", post=True)
        self._volleys += 1
        first = self._volleys * 10_000_000
        with started() as server:
            samples = fired(Plan([server.port], rate, self.seconds, first))
            arrived = self._arrivals(samples, wait=copies)
        return _row(rate, samples, arrived)

    def _arrivals(self, samples: Samples, *, wait: bool) -> dict[int, int]:
        numbers = range(samples.first, samples.first + len(samples.due))
        deadline = time.monotonic() + (_LAST_COPIES if wait else 0)
        while True:
            found = dict(orjson.loads(asked(f"{self._bench}/arrivals")))
            arrived = {n: at for n, at in found.items() if n in numbers}
            if len(arrived) == len(numbers) or time.monotonic() >= deadline:
                return arrived
            time.sleep(0.2)

    @property
    def _bench(self) -> str:
        return f"http://127.0.0.1:{self.sink}/bench"


def _row(rate: float, samples: Samples, arrived: dict[int, int]) -> Row:
    answered = [took for took in samples.took if took >= 0]
    second = samples.took[len(samples.took) // 2 :]
    due = dict(enumerate(samples.due, samples.first))
    called = [(at - due[number]) / 1e6 for number, at in arrived.items()]
    count = len(samples.due)
    return Row(
        rate=rate,
        answer=Spread.of(answered, count),
        late=Spread.of([took for took in second if took >= 0], len(second)),
        answered=len(answered) / count,
        call=Spread.of(called, count),
        copied=len(called) / count,
        steal=samples.steal,
    )


def middle(rows: Sequence[Row]) -> Row:
    """Return the medians of several runs of the same row, figure by figure."""
    return replace(
        rows[0],
        answer=_middle([row.answer for row in rows]),
        late=_middle([row.late for row in rows]),
        answered=median(row.answered for row in rows),
        call=_middle([row.call for row in rows]),
        copied=median(row.copied for row in rows),
        steal=max(row.steal for row in rows),
    )


def _middle(spreads: Sequence[Spread]) -> Spread:
    return Spread(
        median(s.p50 for s in spreads),
        median(s.p95 for s in spreads),
        median(s.p99 for s in spreads),
    )
