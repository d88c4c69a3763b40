"""How often a token may ask: a bucket each, filled evenly, that holds a minute's worth."""

from collections.abc import Callable
from dataclasses import dataclass, field

_MINUTE_US = 60_000_000
_MOST_TOKENS = 10_000


@dataclass(slots=True)
class Throttle:
    """`per_minute` requests of a token, 0 for any number. `clock` never goes back."""

    clock: Callable[[], int]
    per_minute: int = 3_000
    _buckets: dict[str, tuple[float, int]] = field(default_factory=dict)

    def wait(self, token: str) -> int:
        """Count a request; return 0, or in how many seconds there is room for it."""
        if not self.per_minute:
            return 0
        now = self.clock()
        left, since = self._buckets.get(token, (float(self.per_minute), now))
        refill = (now - since) * self.per_minute / _MINUTE_US
        left = min(float(self.per_minute), left + refill)
        if left < 1:
            return int((1 - left) * 60 / self.per_minute) + 1
        if len(self._buckets) >= _MOST_TOKENS:
            self._buckets.clear()
        self._buckets[token] = (left - 1, now)
        return 0
