"""What was asked and answered, both ways, for tests and the page to read."""

from collections import deque
from datetime import UTC, datetime
from itertools import count
from typing import Any

KEPT = 20_000  # entries; older ones are forgotten, so that memory stays flat


class Journal:
    """Every call in and out, numbered from 1."""

    def __init__(self) -> None:
        self._entries: deque[dict[str, Any]] = deque(maxlen=KEPT)
        self._numbers = count(1)

    def note(  # noqa: PLR0913, PLR0917 - one line of a table, both halves write it
        self,
        side: str,
        direction: str,
        call: str,
        status: int,
        request: Any,
        answer: Any,
        fault: str | None = None,
    ) -> None:
        """
        Remember one exchange.

        `direction` is "in" for a call to the sandbox and "out" for one by it;
        status 0 says that there was no answer.
        """
        self._entries.append(
            {
                "n": next(self._numbers),
                "at": datetime.now(UTC).isoformat(),
                "side": side,
                "direction": direction,
                "call": call,
                "status": status,
                "fault": fault,
                "request": request,
                "answer": answer,
            }
        )

    def since(self, n: int) -> list[dict[str, Any]]:
        """Return the entries after number `n`, oldest first."""
        newer: list[dict[str, Any]] = []
        for entry in reversed(self._entries):
            if entry["n"] <= n:
                break
            newer.append(entry)
        return newer[::-1]

    def clear(self) -> None:
        """Forget the entries; the numbers go on."""
        self._entries.clear()
