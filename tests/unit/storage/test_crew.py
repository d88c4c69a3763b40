"""A crew does its work in order, whatever becomes of its processes."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from storage.crew import Crew, connected
from storage.hot import Lines, Rows, Statement


@dataclass(frozen=True)
class FakeLines:
    """Implements `storage.hot.Lines`: every answer is the process it came from."""

    def fetch(self, _statement: Statement) -> Rows:
        return [(os.getpid(),)]

    def close(self) -> None:
        return None


@dataclass(frozen=True)
class FakeAddress:
    """Implements `storage.hot.Address`."""

    def connect(self) -> Lines:
        return FakeLines()


async def counted(most: int, given: list[int]) -> AsyncIterator[int]:
    for number in range(most):
        given.append(number)
        yield number


def squared(number: int) -> tuple[int, int]:
    time.sleep(0.05 if number % 3 == 0 else 0)
    with connected(FakeAddress()) as lines:
        return number * number, lines.fetch(Statement(""))[0][0]


def fatal(number: int) -> tuple[int, int]:
    """Kills every process but the one that asks."""
    if number == 2 and os.getppid() == int(os.environ["ATOM_TEST_ASKS"]):
        os.kill(os.getpid(), signal.SIGKILL)
    return number * number, os.getpid()


def asleep(_number: int) -> int:
    time.sleep(60)
    return 0


async def test_results_come_in_order_and_from_other_processes() -> None:
    given: list[int] = []

    async with aclosing(
        Crew(2).results(squared, counted(20, given), FakeAddress())
    ) as results:
        first = await anext(results)
        ahead = len(given)
        found = [first, *[each async for each in results]]

    assert [square for square, _ in found] == [n * n for n in range(20)]
    assert os.getpid() not in {process for _, process in found}
    assert ahead < 10  # what is not needed yet is not asked for


async def test_what_dying_processes_leave_is_done_here(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ATOM_TEST_ASKS", str(os.getpid()))

    async with aclosing(
        Crew(2).results(fatal, counted(9, []), FakeAddress())
    ) as results:
        found = [each async for each in results]

    assert [square for square, _ in found] == [n * n for n in range(9)]
    assert found[-1][1] == os.getpid()


async def test_nobody_stays_behind_who_is_not_wanted_any_more() -> None:
    async with aclosing(
        Crew(2).results(squared, counted(1000, []), FakeAddress())
    ) as results:
        _, process = await anext(results)

    assert not psutil.pid_exists(process)


_ASKS = """
import asyncio
from storage.crew import Crew
from tests.unit.storage.test_crew import FakeAddress, asleep, counted

async def main() -> None:
    async for _ in Crew(2).results(asleep, counted(9, []), FakeAddress()):
        pass

if __name__ == "__main__":
    asyncio.run(main())
"""


async def test_helpers_of_a_process_that_was_killed_end(tmp_path: Path) -> None:
    script = tmp_path / "asks.py"
    script.write_text(_ASKS)
    root = Path(__file__).parents[3]
    environment = os.environ | {"PYTHONPATH": str(root)}
    asking = await asyncio.create_subprocess_exec(
        sys.executable, script, env=environment
    )
    helpers = await _helpers(asking.pid)
    asking.kill()
    await asking.wait()
    for helper in helpers:
        await asyncio.to_thread(helper.wait, 30)

    assert not any(helper.is_running() for helper in helpers)


async def _helpers(pid: int) -> list[psutil.Process]:
    """Wait until both are there; the third child is multiprocessing's tracker."""
    async with asyncio.timeout(60):
        while len(found := psutil.Process(pid).children()) < 3:
            await asyncio.sleep(0.05)
    return found


def test_little_work_is_not_given_away() -> None:
    assert not Crew(2).takes(100)
    assert not Crew(1).takes(10**9)
    assert Crew(2).takes(10**9)
