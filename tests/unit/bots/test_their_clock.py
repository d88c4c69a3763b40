"""What time it is elsewhere."""

from dataclasses import dataclass
from email.utils import formatdate

import pytest

from bots.their_clock import TheirClock

NOW = 1_900_000_000.0


@dataclass
class Machine:
    """A machine whose date can be wrong, and be put right."""

    date: float = NOW
    up: float = 50.0

    def clock(self) -> TheirClock:
        return TheirClock(lambda: self.date, lambda: self.up)


@pytest.mark.parametrize("date", [None, "", "soon", "Thu, 99 Foo 2030 99:99:99 GMT"])
def test_until_a_date_was_heard_it_is_ours(date: str | None) -> None:
    clock = Machine().clock()

    clock.heard(date)

    assert clock.now() == NOW
    assert clock.ahead_us() == 0


@pytest.mark.parametrize("apart", [-600, 600])
def test_it_goes_on_from_what_was_heard_whoever_sets_our_date(apart: int) -> None:
    machine = Machine()
    clock = machine.clock()

    clock.heard(formatdate(NOW + apart, usegmt=True))
    machine.up += 5
    machine.date += 5

    assert clock.now() == NOW + apart + 5
    assert clock.ahead_us() == apart * 1_000_000

    machine.date += apart
    assert clock.now() == NOW + apart + 5
    assert clock.ahead_us() == 0


def test_what_a_date_cannot_tell_is_no_difference() -> None:
    clock = Machine().clock()

    clock.heard(formatdate(NOW - 1, usegmt=True))

    assert clock.ahead_us() == 0
