"""Work goes on whether somebody waits for it or not, and is done once."""

import asyncio

from bots.records.errands import TaskErrands
from bridge.errors import ServiceUnavailable


class Work:
    """Work that ends when it is let to."""

    def __init__(self) -> None:
        self.begun = 0
        self.go_on = asyncio.Event()

    async def __call__(self) -> str:
        self.begun += 1
        await self.go_on.wait()
        return "done"


async def test_what_is_slow_goes_on_and_is_there_for_who_asks_again() -> None:
    errands, slow, quick = TaskErrands(), Work(), Work()
    quick.go_on.set()
    first = await errands.all({"slow": slow, "quick": quick}, 0.05)
    assert set(first) == {"quick"}

    slow.go_on.set()
    then = await errands.all({"slow": slow, "quick": quick}, 30)

    assert {key: ended.value for key, ended in then.items()} == {
        "slow": "done",
        "quick": "done",
    }
    assert slow.begun == quick.begun == 1
    await errands.aclose()


async def test_who_waits_for_some_is_told_as_soon_as_one_has_ended() -> None:
    errands, slow, quick = TaskErrands(), Work(), Work()
    waiting = asyncio.create_task(
        errands.all({"slow": slow, "quick": quick}, 30, some=True)
    )
    await asyncio.sleep(0)

    quick.go_on.set()

    assert set(await waiting) == {"quick"}
    assert set(await errands.all({"slow": slow}, 0.05, some=True)) == set()
    await errands.aclose()


async def test_who_asks_at_the_same_time_shares_the_work() -> None:
    errands, slow = TaskErrands(), Work()
    one = asyncio.create_task(errands.all({"slow": slow}, 30))
    two = asyncio.create_task(errands.all({"slow": slow}, 30))
    await asyncio.sleep(0)

    slow.go_on.set()

    assert (await one)["slow"].value == (await two)["slow"].value == "done"
    assert slow.begun == 1


async def test_a_failure_is_told_and_tried_again() -> None:
    errands = TaskErrands()
    tries = 0

    async def fails_once() -> str:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise ServiceUnavailable("away")
        return "done"

    first = await errands.all({"a": fails_once}, 30)
    second = await errands.all({"a": fails_once}, 30)

    assert isinstance(first["a"].error, ServiceUnavailable)
    assert second["a"].value == "done"


async def test_what_breaks_is_an_error_like_another() -> None:
    errands = TaskErrands()

    async def breaks() -> str:
        raise ValueError("secret words")

    ended = (await errands.all({"a": breaks}, 30))["a"]

    assert str(ended.error) == "ValueError"


async def test_after_a_minute_it_is_asked_anew() -> None:
    now = 0.0
    errands, work = TaskErrands(steady=lambda: now), Work()
    work.go_on.set()
    await errands.all({"a": work}, 30)

    now = 61.0
    await errands.all({"a": work}, 30)

    assert work.begun == 2


async def test_not_everything_is_remembered() -> None:
    errands, work = TaskErrands(most=3), Work()
    work.go_on.set()

    for n in range(10):
        await errands.all({str(n): work}, 30)

    assert len(errands._ended) <= 3


async def test_at_the_end_nothing_goes_on() -> None:
    errands, slow = TaskErrands(), Work()
    await errands.all({"slow": slow}, 0.01)

    await errands.aclose()

    assert not errands._tasks
