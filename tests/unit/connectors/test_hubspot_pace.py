"""Searches wait for their turn, and who is in no hurry leaves places to the others."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from connectors.hubspot.pace import Pace


@dataclass
class Time:
    """A clock that goes on only while somebody sleeps."""

    now: float = 100.0
    began: list[tuple[str, float]] = field(default_factory=list)

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        until = self.now + seconds
        await asyncio.sleep(0)
        self.now = max(self.now, until)

    async def search(self, pace: Pace, name: str, *, urgent: bool) -> None:
        async with pace.turn(urgent=urgent):
            self.began.append((name, round(self.now - 100, 3)))

    def of(self, name: str) -> Sequence[float]:
        return [at for who, at in self.began if who == name]


async def test_five_begin_in_a_second_and_the_sixth_waits() -> None:
    time = Time()
    pace = Pace(time.clock, time.sleep)

    for _ in range(11):
        await time.search(pace, "find", urgent=True)

    assert time.of("find") == [0.0] * 5 + [1.0] * 5 + [2.0]


async def test_who_is_in_no_hurry_takes_one_place_a_second() -> None:
    time = Time()
    pace = Pace(time.clock, time.sleep)

    for _ in range(3):
        await time.search(pace, "poll", urgent=False)
    at = time.now
    for _ in range(4):
        await time.search(pace, "find", urgent=True)

    assert time.of("poll") == [0.0, 1.0, 2.0]
    assert time.now == at  # nobody who waits for an answer had to wait for a place


async def test_a_search_that_breaks_gives_its_place_back() -> None:
    time = Time()
    pace = Pace(time.clock, time.sleep, most=1)
    for urgent in (True, False, False):
        with suppress(ZeroDivisionError):
            async with pace.turn(urgent=urgent):
                _ = 1 // 0

    await time.search(pace, "find", urgent=True)

    assert time.of("find") == [3.0]
