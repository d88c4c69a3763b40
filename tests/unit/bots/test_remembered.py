"""Answers are remembered for a while, and asked for once."""

import asyncio
from dataclasses import dataclass, field

import pytest

from bots.remembered import Remembered


@dataclass
class Oracle:
    """Answers in capitals, counts the questions, and may be held or broken."""

    questions: list[str] = field(default_factory=list)
    free: asyncio.Event = field(default_factory=asyncio.Event)
    broken: bool = False

    async def answer(self, question: str) -> str:
        self.questions.append(question)
        await self.free.wait()
        if self.broken:
            raise ConnectionError
        return question.upper()


@dataclass
class Clock:
    time: float = 0.0

    def now(self) -> float:
        return self.time


@pytest.fixture
def oracle() -> Oracle:
    free = Oracle()
    free.free.set()
    return free


async def test_answer_is_asked_for_once_while_it_is_fresh(oracle: Oracle) -> None:
    clock = Clock()
    known = Remembered(oracle.answer, seconds=10, now=clock.now)

    answers = [await known.get("a"), await known.get("a")]
    clock.time = 11
    answers.append(await known.get("a"))

    assert answers == ["A", "A", "A"]
    assert oracle.questions == ["a", "a"]


async def test_all_who_ask_at_once_share_one_question() -> None:
    oracle = Oracle()
    known = Remembered(oracle.answer, seconds=10)
    waiting = [asyncio.create_task(known.get("a")) for _ in range(5)]
    await asyncio.sleep(0)

    oracle.free.set()

    assert await asyncio.gather(*waiting) == ["A"] * 5
    assert oracle.questions == ["a"]


async def test_one_who_gives_up_leaves_the_others_their_answer() -> None:
    oracle = Oracle()
    known = Remembered(oracle.answer, seconds=10)
    first, second = (asyncio.create_task(known.get("a")) for _ in range(2))
    await asyncio.sleep(0)

    first.cancel()
    oracle.free.set()

    assert await second == "A"


async def test_errors_are_not_remembered(oracle: Oracle) -> None:
    oracle.broken = True
    known = Remembered(oracle.answer, seconds=10)
    with pytest.raises(ConnectionError):
        await known.get("a")

    oracle.broken = False

    assert await known.get("a") == "A"


async def test_no_more_is_remembered_than_allowed(oracle: Oracle) -> None:
    known = Remembered(oracle.answer, seconds=10, most=2)

    for question in ("a", "b", "c", "b", "a"):
        await known.get(question)

    assert oracle.questions == ["a", "b", "c", "a"]


async def test_answer_that_comes_after_forgetting_is_not_remembered() -> None:
    oracle = Oracle()
    known = Remembered(oracle.answer, seconds=10)
    early = asyncio.create_task(known.get("a"))
    await asyncio.sleep(0)

    known.forget("a")
    oracle.free.set()
    await early
    await known.get("a")

    assert oracle.questions == ["a", "a"]
