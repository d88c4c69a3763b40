"""
The load generator: sends events when they are due, whatever became of the others.

    python -m tests.load.generator < PLAN > SAMPLES

An open loop: latency counts from the moment an event was due, so a server that
stalls cannot hide the events that waited. HTTP is written by hand, because on few
cores a comfortable client would take the server's.
"""

import asyncio
import gc
import math
import random
import sys
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from itertools import accumulate
from typing import cast

import orjson
import uvloop

from tests.load.machine import CpuTime
from tests.load.traffic import PLAIN, Mix, requests

_CONNECTIONS = 256
_LAST_ANSWERS = 5.0  # seconds after the last event was due
_WARM_UP = 1.0  # seconds
_WARM_RATE = 100.0
_BURST = 8  # events sent in one go when behind; then answers are read
_HOPELESS = 3.0  # seconds of events that wait for a connection


@dataclass(frozen=True, slots=True)
class Plan:
    """
    What to send: `rate` events a second, numbered from `first`, to all ports in turn.

    `warm_up` says whether a second of slow traffic goes before, which is not counted.
    """

    ports: Sequence[int]
    rate: float
    seconds: float
    first: int
    mix: Mix = PLAIN
    warm_up: bool = True

    @classmethod
    def read(cls, text: bytes) -> "Plan":
        given = orjson.loads(text)
        return cls(**given | {"mix": Mix(**given["mix"])})


@dataclass(frozen=True, slots=True)
class Samples:
    """
    What came of it, an element an event.

    `due` in nanoseconds of the monotonic clock, `took` in milliseconds from then to
    the 200, -1 for events that got none.
    """

    first: int
    due: list[int]
    took: list[float]
    steal: float

    @classmethod
    def read(cls, text: bytes) -> "Samples":
        return cls(**orjson.loads(text))


@dataclass(slots=True)
class _Shot:
    due: int
    took: float = -1.0


@dataclass(slots=True)
class Gun:
    """Connections to one server. An event takes a free one, or waits for it."""

    port: int
    free: list["_Connection"] = field(default_factory=list)
    opened: int = 0
    waiting: deque[tuple[bytes, _Shot]] = field(default_factory=deque)
    pending: int = 0
    done: asyncio.Event = field(default_factory=asyncio.Event)
    openings: set[asyncio.Task[None]] = field(default_factory=set)

    def fire(self, request: bytes, shot: _Shot) -> None:
        self.pending += 1
        if self.free:
            self.free.pop().send(request, shot)
            return
        self.waiting.append((request, shot))
        if self.opened < _CONNECTIONS:
            self.open()

    def open(self) -> None:
        self.opened += 1
        task = asyncio.create_task(self._open())
        self.openings.add(task)
        task.add_done_callback(self.openings.discard)

    async def _open(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            _, connection = await loop.create_connection(
                lambda: _Connection(self), "127.0.0.1", self.port
            )
        except OSError:
            self.opened -= 1
            return
        self.ready(connection)

    def ready(self, connection: "_Connection") -> None:
        if self.waiting:
            connection.send(*self.waiting.popleft())
        else:
            self.free.append(connection)

    def answered(self, connection: "_Connection", shot: _Shot, status: int) -> None:
        if status == 200:
            shot.took = (time.monotonic_ns() - shot.due) / 1e6
        self._ended()
        self.ready(connection)

    def broken(self, connection: "_Connection", *, busy: bool) -> None:
        self.opened -= 1
        if connection in self.free:
            self.free.remove(connection)
        if busy:
            self._ended()

    def _ended(self) -> None:
        self.pending -= 1
        self.done.set()

    async def settled(self, seconds: float) -> None:
        """Wait until every event has its answer, but not longer than that."""
        try:
            async with asyncio.timeout(seconds):
                while self.pending:
                    self.done.clear()
                    await self.done.wait()
        except TimeoutError:
            return


class _Connection(asyncio.Protocol):
    """One request at a time; just enough HTTP to know when its answer is complete."""

    def __init__(self, gun: Gun) -> None:
        self._gun = gun
        self._shot: _Shot | None = None
        self._answer = b""
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's own transport, which is none of asyncio's by its ancestry.
        self._transport = cast(asyncio.WriteTransport, transport)

    def send(self, request: bytes, shot: _Shot) -> None:
        self._shot = shot
        assert self._transport
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._answer += data
        head, end, body = self._answer.partition(b"\r\n\r\n")
        if end and len(body) >= _content_length(head) and self._shot:
            shot, self._shot, self._answer = self._shot, None, b""
            self._gun.answered(self, shot, int(head[9:12]))

    def connection_lost(self, _error: Exception | None) -> None:
        self._gun.broken(self, busy=self._shot is not None)


def _content_length(head: bytes) -> int:
    _, _, rest = head.lower().partition(b"content-length:")
    return int(rest.partition(b"\r\n")[0] or 0)


def moments(plan: Plan) -> list[float]:
    """
    Return when events are due, in seconds: at random (Poisson), as people write.

    The same numbers give the same moments, so that every server gets the same.
    """
    count = math.ceil(plan.rate * plan.seconds)
    dice = random.Random(count)
    return list(accumulate(dice.expovariate(plan.rate) for _ in range(count)))


async def run(plan: Plan) -> Samples:
    """Warm the servers up, then offer them what is planned."""
    guns = [Gun(port) for port in plan.ports]
    first, now_us = plan.first, time.time_ns() // 1000
    plan = replace(plan, mix=plan.mix.beginning(first, now_us, plan.rate))
    if plan.warm_up:
        warm = replace(plan, rate=_WARM_RATE, seconds=_WARM_UP)
        first += len(await _volley(guns, warm))
        await _settled(guns)
    before = CpuTime.now()
    shots = await _volley(guns, replace(plan, first=first))
    steal = CpuTime.now().stolen_since(before)
    await _settled(guns)
    return Samples(first, [s.due for s in shots], [s.took for s in shots], steal)


async def _settled(guns: Sequence[Gun]) -> None:
    for gun in guns:
        await gun.settled(_LAST_ANSWERS)


async def _volley(guns: Sequence[Gun], plan: Plan) -> Sequence[_Shot]:
    due = moments(plan)
    numbers = range(plan.first, plan.first + len(due))
    ready = requests(numbers, "127.0.0.1", int(time.time()), plan.mix)
    gc.collect()
    gc.freeze()
    start = time.monotonic_ns() + 50_000_000
    shots = [_Shot(start + int(at * 1e9)) for at in due]
    for n, (request, shot) in enumerate(zip(ready, shots, strict=True)):
        if n % _BURST == 0:
            await asyncio.sleep(0)
        while (early := shot.due - time.monotonic_ns()) > 0:
            # The loop's clock has whole milliseconds: rounded up, which counts as
            # latency, because rounded down it would spin and take the server's core.
            await asyncio.sleep(math.ceil(early / 1e6) / 1e3)
        guns[n % len(guns)].fire(request, shot)
        if sum(len(gun.waiting) for gun in guns) > _HOPELESS * plan.rate:
            break
    return shots


def main() -> None:
    plan = Plan.read(sys.stdin.buffer.read())
    gc.disable()
    samples = uvloop.run(run(plan))
    sys.stdout.buffer.write(orjson.dumps(asdict(samples)))


if __name__ == "__main__":
    main()
