"""What time it is where the platforms are, as their answers say."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

from bots.leases import elapsed

_AGREES = 30.0  # seconds; a Date is cut to seconds, and was on its way


@dataclass(slots=True)
class TheirClock:
    """
    A platform's clock, to about a second; ours until an answer of theirs was heard.

    What they sign bears their time. Ours may be wrong by more than a signature is good
    for, and their answers, which come over TLS, tell theirs in the Date header.
    `ours` gives seconds since 1970, `steady` seconds since any moment.
    """

    ours: Callable[[], float] = time.time
    steady: Callable[[], float] = elapsed
    _apart: float | None = None

    def heard(self, date: str | None) -> None:
        """Take an answer's Date header. One that cannot be read changes nothing."""
        try:
            theirs = parsedate_to_datetime(date or "").timestamp()
        except (ValueError, OverflowError):
            return
        self._apart = theirs - self.steady()

    def now(self) -> float:
        """Return their time, in seconds since 1970."""
        return self.ours() if self._apart is None else self.steady() + self._apart

    def ahead_us(self) -> int:
        """Return by how much it is ahead of ours, 0 if they agree as far as we know."""
        ahead = self.now() - self.ours()
        return int(ahead * 1_000_000) if abs(ahead) > _AGREES else 0

    def times(self) -> tuple[float, float]:
        """Return what may count as now: their time, and ours."""
        return self.now(), self.ours()
