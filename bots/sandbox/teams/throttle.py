"""Teams' throttles: so many calls in so many seconds, several windows at once."""

import math
import time
from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Sequence

from bots.sandbox.teams.errors import Throttled
from bots.sandbox.teams.state import TeamsState

Windows = Sequence[Sequence[float]]


class Throttle:
    """
    Remembers when calls were made, by bucket.

    A refused call does not count: it had no effect. After a reset of the state
    nothing counts that was before.
    """

    def __init__(
        self, state: TeamsState, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._state = state
        self._generation = state.generation
        self._clock = clock
        self._calls: defaultdict[Hashable, deque[float]] = defaultdict(deque)

    def spend(self, buckets: Sequence[tuple[Hashable, str]]) -> None:
        """
        Count one call in each bucket (its key, its setting), or raise Throttled.

        It counts in every bucket or in none.
        """
        if not self._state.setting("throttles"):
            return
        if self._generation != self._state.generation:
            self._generation = self._state.generation
            self._calls.clear()
        now = self._clock()
        waits = [self._wait(key, self._windows(name), now) for key, name in buckets]
        if max(waits, default=0.0) > 0:
            told = self._state.setting("retry_after")
            raise Throttled(math.ceil(max(waits)) if told else None)
        for key, _ in buckets:
            self._calls[key].append(now)

    def _windows(self, name: str) -> Windows:
        windows: Windows = self._state.setting(f"{name}_windows")
        return windows

    def _wait(self, key: Hashable, windows: Windows, now: float) -> float:
        """Return the seconds until one more call fits into every window."""
        calls = self._calls[key]
        longest = max((seconds for _, seconds in windows), default=0)
        while calls and calls[0] <= now - longest:
            calls.popleft()
        return max((_over(calls, *window, now=now) for window in windows), default=0.0)


def _over(calls: deque[float], limit: float, seconds: float, *, now: float) -> float:
    """Return how long a window stays full; 0.0 when there is room."""
    if len(calls) < limit:
        return 0.0
    return max(0.0, calls[-int(limit)] + seconds - now)
