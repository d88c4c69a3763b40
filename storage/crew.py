"""
Work that takes processors and waits for nobody, done by several processes.

Python has one interpreter lock a process: whoever reads a whole log, opens every entry
and hashes it needs processes to use more than one processor.
"""

import asyncio
import gc
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Iterator
from concurrent.futures import BrokenExecutor, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from typing import TypeVar

import structlog

from storage.hot import Address, Lines

log = structlog.get_logger()

Job = TypeVar("Job")
Done = TypeVar("Done")

_MOST = 8
_AHEAD = 2  # jobs that wait for each process

# In a process of a crew, what it is connected to.
_connected: dict[Address, Lines] = {}


def _processors() -> int:
    return min(len(os.sched_getaffinity(0)), _MOST)


@dataclass(frozen=True, slots=True)
class Crew:
    """
    Up to `size` processes, which take `at_once` entries of a log at once.

    What has fewer than `least` entries is not worth starting them.
    """

    size: int = field(default_factory=_processors)
    least: int = 50_000
    at_once: int = 4096
    nice: int = 5  # messages are answered before

    def takes(self, entries: int) -> bool:
        """Whether so much work should be given to it."""
        # What multiprocessing calls a daemon may have no processes of its own.
        daemon = multiprocessing.current_process().daemon
        return self.size > 1 and entries >= self.least and not daemon

    async def results(
        self,
        work: Callable[[Job], Done],
        jobs: AsyncIterable[Job],
        address: Address,
    ) -> AsyncGenerator[Done, None]:
        """
        Yield what `work` makes of each job, in the jobs' order.

        Both have to be something that pickle knows. Few jobs are taken before they are
        needed, so memory is bounded. If processes die, what is left is done here.
        Each process is connected to `address` from the start.
        """
        loop = asyncio.get_running_loop()
        pool = ProcessPoolExecutor(
            self.size,
            multiprocessing.get_context("spawn"),
            _prepare,
            (address, self.nice),
        )
        begun: deque[tuple[Job, asyncio.Future[Done]]] = deque()
        try:
            async for job in jobs:
                begun.append((job, _given(loop, pool, work, job)))
                if len(begun) > self.size * _AHEAD:
                    yield await _done(work, *begun.popleft())
            while begun:
                yield await _done(work, *begun.popleft())
        finally:
            for _, waiting in begun:
                waiting.cancel()
            await asyncio.to_thread(pool.shutdown, cancel_futures=True)


@contextmanager
def connected(address: Address) -> Iterator[Lines]:
    """Lend a connection: in a crew's process the one that it has, else a new one."""
    if address in _connected:
        yield _connected[address]
        return
    lines = address.connect()
    try:
        yield lines
    finally:
        lines.close()


def _prepare(address: Address, nice: int) -> None:
    """Runs in each process before its first job."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # whoever asked for it says when
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os.nice(nice)
    gc.freeze()
    gc.set_threshold(50_000, 50, 50)  # many rows are held at once, and no circles
    _connected[address] = address.connect()


def _end_with_parent() -> None:
    """Whoever waits for jobs of a process that was killed would wait for ever."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _given(
    loop: asyncio.AbstractEventLoop,
    pool: ProcessPoolExecutor,
    work: Callable[[Job], Done],
    job: Job,
) -> "asyncio.Future[Done]":
    try:
        return loop.run_in_executor(pool, work, job)
    except BrokenExecutor as error:
        failed: asyncio.Future[Done] = loop.create_future()
        failed.set_exception(error)
        return failed


async def _done(
    work: Callable[[Job], Done], job: Job, coming: "asyncio.Future[Done]"
) -> Done:
    try:
        return await coming
    except BrokenExecutor:
        log.warning("a process that helped has died: its work is done here")
        return await asyncio.to_thread(work, job)
