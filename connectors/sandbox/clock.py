"""A clock that tests can move and stop."""

import time
from datetime import UTC, datetime


class Clock:
    """The stand-in's time: the real one, and what it was moved by."""

    def __init__(self) -> None:
        self._ahead = 0.0
        self._stopped: float | None = None

    def reset(self) -> None:
        """Show the real time again."""
        self._ahead, self._stopped = 0.0, None

    def now(self) -> float:
        """Return the time in seconds since 1970."""
        if self._stopped is not None:
            return self._stopped
        return time.time() + self._ahead

    def moment(self) -> datetime:
        return datetime.fromtimestamp(self.now(), UTC)

    def move(self, seconds: float) -> None:
        self._ahead += seconds
        if self._stopped is not None:
            self._stopped += seconds

    def stop(self, at: float | None = None) -> None:
        """Let time stand still, so that several things happen in one second."""
        self._stopped = self.now() if at is None else at

    def run(self) -> None:
        if self._stopped is not None:
            self._ahead = self._stopped - time.time()
            self._stopped = None
