"""A click that Teams repeats is done once."""

import asyncio
from dataclasses import dataclass, field

import pytest

from bots.teams.invokes import Invokes, click_key
from tests.teams_world import Seconds, recorded


@dataclass
class Work:
    """Counts how often it is done; waits for `go` when told to."""

    clock: Seconds
    takes: float = 0.0
    done: int = 0
    go: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self) -> int:
        await self.go.wait()
        self.clock.now += self.takes
        self.done += 1
        return self.done


@pytest.fixture
def clock() -> Seconds:
    return Seconds()


@pytest.fixture
def invokes(clock: Seconds) -> Invokes[int]:
    return Invokes(clock)


async def test_trap_click_repeated_while_it_is_answered_shares_the_answer(
    invokes: Invokes[int], clock: Seconds
) -> None:
    work = Work(clock)
    clicks = [asyncio.ensure_future(invokes.once("k", work)) for _ in range(3)]
    await asyncio.sleep(0)

    work.go.set()

    assert await asyncio.gather(*clicks) == [1, 1, 1]


async def test_trap_click_repeated_after_a_slow_answer_gets_the_same(
    invokes: Invokes[int], clock: Seconds
) -> None:
    work = Work(clock, takes=16)
    work.go.set()
    first = await invokes.once("k", work)

    clock.now += 30
    assert await invokes.once("k", work) == first

    clock.now += 31
    assert await invokes.once("k", work) != first


async def test_second_click_after_a_quick_answer_is_meant(
    invokes: Invokes[int], clock: Seconds
) -> None:
    work = Work(clock)
    work.go.set()

    assert [await invokes.once("k", work) for _ in range(2)] == [1, 2]


async def test_caller_who_hangs_up_does_not_stop_the_work(
    invokes: Invokes[int], clock: Seconds
) -> None:
    work = Work(clock)
    click = asyncio.ensure_future(invokes.once("k", work))
    await asyncio.sleep(0)
    again = asyncio.ensure_future(invokes.once("k", work))
    await asyncio.sleep(0)

    click.cancel()
    work.go.set()

    assert await again == 1


async def test_failure_is_not_kept(invokes: Invokes[int], clock: Seconds) -> None:
    async def fails() -> int:
        clock.now += 20
        raise ValueError("failed")

    work = Work(clock)
    work.go.set()
    with pytest.raises(ValueError, match="failed"):
        await invokes.once("k", fails)

    assert await invokes.once("k", work) == 1


def test_repeated_click_is_known_by_what_it_says() -> None:
    first = recorded("card_button")
    again = recorded("card_button", id="f:new", timestamp="2023-11-14T22:14:00Z")
    other = recorded("card_button", value={"action": {"verb": "atom"}})

    assert click_key(first) == click_key(again)
    assert click_key(first) != click_key(other)
