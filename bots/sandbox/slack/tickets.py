"""Short-lived things that are handed out and come back: codes, triggers, addresses."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

_KEPT = 10_000


class NoSuchTicket(Exception):
    """Nothing of this name was given out, or for another purpose."""


class TicketExpired(Exception):
    """It came back too late."""


class TicketUsed(Exception):
    """It came back once too often."""


@dataclass(slots=True)
class _Ticket:
    purpose: str
    holds: Any
    until: float
    uses: int


class Tickets:
    """What was given out. The oldest are forgotten when there are too many."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._given: dict[str, _Ticket] = {}

    def issue(self, purpose: str, holds: Any, *, seconds: float, uses: int = 1) -> str:
        if len(self._given) >= _KEPT:
            del self._given[next(iter(self._given))]
        name = uuid4().hex
        self._given[name] = _Ticket(purpose, holds, self._clock() + seconds, uses)
        return name

    def redeem(self, purpose: str, name: str) -> Any:
        """Return what a ticket holds, and count the use."""
        ticket = self._given.get(name)
        if ticket is None or ticket.purpose != purpose:
            raise NoSuchTicket(purpose)
        if self._clock() > ticket.until:
            raise TicketExpired(purpose)
        if ticket.uses < 1:
            raise TicketUsed(purpose)
        ticket.uses -= 1
        return ticket.holds

    def clear(self) -> None:
        self._given.clear()
