"""A worker among fakes of the outbox, of the shards and of the courier."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from time import monotonic

from bots.leases import elapsed
from bots.workers import Pace, Worker
from bridge.courier import Done, Later
from bridge.delivery import SHARDS, Delivery, Operation
from bridge.errors import StoreUnavailable
from bridge.messages import Channel
from bridge.ports import Lease
from bridge.tuning import Tuning
from tests.events import FALCON, PROJECT
from tests.fakes import FakeClock

ACME = "acme"
QUICK = Pace(lease=60, renew=0.005, poll=0.002)
PATIENT = Pace(lease=60, renew=60, poll=60)

Play = Callable[[Delivery], Awaitable[Done | Later]]


@dataclass
class FakeQueue:
    """An outbox in a list, which counts how often it is read."""

    rows: list[Delivery] = field(default_factory=list)
    ended: set[tuple[str, int, int]] = field(default_factory=set)
    low: dict[tuple[str, int], int] = field(default_factory=dict)
    size: int = 0
    looks: int = 0
    takeovers: int = 0
    failures: int = 0
    reads: list[tuple[int, int]] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.gate.set()

    def put(self, *rows: Delivery) -> None:
        self.rows += rows
        self.size = max(self.size, *(row.seq + 1 for row in rows))

    async def sizes(self) -> Mapping[str, int]:
        self.looks += 1
        return {ACME: self.size} if self.size else {}

    async def unfinished(
        self, shards: Collection[int], upto: Mapping[str, int]
    ) -> list[Delivery]:
        if self.failures:
            self.failures -= 1
            raise StoreUnavailable("down")
        self.takeovers += 1
        return self._undone(0, upto.get(ACME, 0), shards)

    async def newer(
        self, tenant: str, first: int, upto: int, shards: Collection[int]
    ) -> list[Delivery]:
        self.reads.append((first, upto))
        found = self._undone(first, upto, shards)
        await self.gate.wait()
        return found

    async def raise_low(self, low: Mapping[tuple[str, int], int]) -> None:
        self.low |= low

    def _undone(self, first: int, upto: int, shards: Collection[int]) -> list[Delivery]:
        return [
            row
            for row in self.rows
            if first <= row.seq < upto
            and row.shard in shards
            and row.key not in self.ended
        ]


@dataclass
class FakeShards:
    """Every shard belongs to this process, to another one, or to nobody."""

    share: int = SHARDS
    mine: dict[int, int] = field(default_factory=dict)
    theirs: set[int] = field(default_factory=set)
    epoch: int = 0
    requests: int = 0
    renewals: int = 0
    down: bool = False
    left: bool = False
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    meanwhile: Callable[[], object] = lambda: None

    def __post_init__(self) -> None:
        self.gate.set()

    async def fair_share(self) -> int:
        self._check()
        return self.share

    async def claim(self, most: int) -> list[Lease]:
        self._check()
        owned = self.theirs | set(self.mine)
        free = [shard for shard in range(SHARDS) if shard not in owned]
        self.epoch += 1
        gained = dict.fromkeys(free[:most], self.epoch)
        self.mine |= gained
        self.meanwhile()
        return [Lease(*each) for each in gained.items()]

    async def renew(self, wanted: Collection[int]) -> list[Lease]:
        self._check()
        self.requests += 1
        await self.gate.wait()
        self.renewals += 1
        return [
            Lease(shard, self.mine[shard]) for shard in wanted if shard in self.mine
        ]

    async def release(self, shards: Collection[int]) -> None:
        self._check()
        for shard in shards:
            self.mine.pop(shard, None)

    async def leave(self) -> None:
        self._check()
        self.left = True

    def seized(self, shard: int) -> None:
        del self.mine[shard]
        self.theirs.add(shard)

    def _check(self) -> None:
        if self.down:
            raise StoreUnavailable("down")


@dataclass
class FakeCourier:
    """Delivers at once, unless there is a play for that log entry; plays go in turn."""

    queue: FakeQueue
    plays: dict[int, list[Play]] = field(default_factory=dict)
    tuning: Tuning = field(default_factory=Tuning)
    begun: list[int] = field(default_factory=list)
    ended: list[int] = field(default_factory=list)
    given_up: list[tuple[int, str]] = field(default_factory=list)

    async def deliver(self, delivery: Delivery, lease: Lease) -> Done | Later:
        self.begun.append(delivery.seq)
        if plays := self.plays.get(delivery.seq):
            ending = await plays.pop(0)(delivery)
        else:
            ending = Done()
        if isinstance(ending, Done):
            self.queue.ended.add(delivery.key)
            self.ended.append(delivery.seq)
        return ending

    def as_noted(self, delivery: Delivery) -> Delivery:
        return delivery

    async def give_up(
        self, delivery: Delivery, lease: Lease, reason: str
    ) -> Done | Later:
        self.given_up.append((delivery.seq, reason))
        self.queue.ended.add(delivery.key)
        return Done()


class Office:
    """A worker among fakes."""

    def __init__(self) -> None:
        self.queue = FakeQueue()
        self.shards = FakeShards()
        self.courier = FakeCourier(self.queue)
        self.clock = FakeClock()
        self.worker = Worker(
            self.queue,
            self.shards,
            self.courier,  # type: ignore[arg-type]  # only `deliver` is asked
            self.clock,
            QUICK,
        )

        self.worker._leases.clock = lambda: elapsed() + self.passed
        self.passed = 0.0

    def freeze(self, seconds: float) -> None:
        """Let time pass of which the process notices nothing."""
        self.passed += seconds

    @asynccontextmanager
    async def open(self, pace: Pace = QUICK) -> AsyncIterator[Worker]:
        """Let the worker run from its first takeover on."""
        self.worker.pace = pace
        running = asyncio.create_task(self.worker.run())
        try:
            await eventually(lambda: self.queue.takeovers)
            yield self.worker
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running

    async def rounds(self) -> None:
        """Let the worker look at everything a few times more."""
        wanted = self.queue.looks + 3

        def looked() -> bool:
            self.worker.wake()
            return self.queue.looks >= wanted

        await eventually(looked)


async def eventually(condition: Callable[[], object]) -> None:
    deadline = monotonic() + 10
    while not condition():
        assert monotonic() < deadline, "it did not happen"
        await asyncio.sleep(0.001)


async def others_had_their_turn() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def row(
    seq: int, *, link: str = "L1", thread: str = "", target: Channel = PROJECT
) -> Delivery:
    return Delivery(
        ACME, seq, 0, link, Operation.POST, FALCON, target, f"m{seq}", thread, 0, 0
    )


def fails(error: Exception) -> Play:
    async def play(delivery: Delivery) -> Done | Later:
        raise error

    return play


async def works(delivery: Delivery) -> Done | Later:
    return Done()


def waits_for(gate: asyncio.Event, then: Play = works) -> Play:
    async def play(delivery: Delivery) -> Done | Later:
        await gate.wait()
        return await then(delivery)

    return play


def returns_at(until_us: int, *, full: str = "") -> Play:
    async def play(delivery: Delivery) -> Done | Later:
        return Later(replace(delivery, not_before_us=until_us), full=full)

    return play
