"""Many who ask at once cost one question, and each gets the answer."""

import asyncio
from collections.abc import Callable

import pytest

from storage.asked_once import AskedOnce


class Book:
    """Answers when told to."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.asked: list[str] = []
        self.broken = False

    async def look_up(self, key: str) -> str:
        self.asked.append(key)
        await self.open.wait()
        if self.broken:
            raise LookupError(key)
        return f"{key} {len(self.asked)}"


async def test_those_who_ask_meanwhile_share_the_answer_and_later_ones_ask_anew() -> (
    None
):
    book = Book()
    once = AskedOnce(book.look_up)
    waiting = [asyncio.create_task(once.get("a")) for _ in range(3)]
    await asyncio.sleep(0)
    book.open.set()

    assert [await task for task in waiting] == ["a 1"] * 3
    assert await once.get("a") == "a 2"


async def test_what_is_out_of_date_is_not_waited_for() -> None:
    book = Book()
    once = AskedOnce(book.look_up)
    first = asyncio.create_task(once.get("a"))
    await _until(lambda: book.asked == ["a"])
    once.forget("a")
    second = asyncio.create_task(once.get("a"))
    await _until(lambda: len(book.asked) > 1)
    book.open.set()

    assert book.asked == ["a", "a"]
    await asyncio.gather(first, second)


async def test_one_that_gives_up_leaves_the_others_their_answer() -> None:
    book = Book()
    once = AskedOnce(book.look_up)
    hasty, patient = (asyncio.create_task(once.get("a")) for _ in range(2))
    await asyncio.sleep(0)
    hasty.cancel()
    book.open.set()

    assert await patient == "a 1"


async def test_an_error_reaches_everybody_who_waited() -> None:
    book = Book()
    book.broken = True
    once = AskedOnce(book.look_up)
    waiting = [asyncio.create_task(once.get("a")) for _ in range(2)]
    await asyncio.sleep(0)
    book.open.set()

    for task in waiting:
        with pytest.raises(LookupError):
            await task


async def _until(so: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not so():
            await asyncio.sleep(0)
