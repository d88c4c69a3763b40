"""The worker: owns shards of the outbox and sees their deliveries through."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import count
from time import monotonic

import structlog

from bots.leases import Leases, checked
from bots.metrics import DELIVERED, DELIVERY_SECONDS, ENDED, QUEUED, WAITS
from bridge.bot_digests import Digesting
from bridge.courier import Courier, Done, Later
from bridge.delivery import SHARDS, Delivery, Operation
from bridge.errors import AtomError, Fenced
from bridge.lanes import Lanes
from bridge.messages import Channel, Event
from bridge.ports import Intake, Lease, Queue, Receipt, Shards

log = structlog.get_logger()

_MICRO = 1_000_000
# Deliveries are fewer at once while an event waits for so long, and a round of the
# event loop takes so long (seconds): additive increase, multiplicative decrease.
_LONG = 0.005
_BUSY = 0.004
_FEWER, _MORE = 0.9, 0.25
_LEAST = 4
_YOUNG = 0.25  # seconds in which a delivery counts
# None is begun while an event has waited for so long and rounds take longer than
# `_IDLE`; each is held back for a moment at most. Where more comes than can be copied
# at once, longer moments make both earlier: what runs side by side ends late together.
_GIVES_WAY = 0.008
_IDLE = 0.001
_HELD_BACK = 1.0


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a worker looks after itself. Times in seconds."""

    lease: float = 10.0
    renew: float = 2.0
    poll: float = 0.25
    at_once: int = 64


@dataclass(slots=True)
class Doorkeeper:
    """
    Implements `bridge.ports.Intake`, and knows since when who is at the door waits.

    Platforms wait seconds for an acknowledgement and then come again, so fewer
    deliveries are under way at once while events wait for long.
    """

    intake: Intake
    _since: dict[int, float] = field(default_factory=dict)
    _tickets: Iterator[int] = field(default_factory=count)

    async def receive(self, event: Event) -> Receipt:
        ticket = next(self._tickets)
        self._since[ticket] = monotonic()
        try:
            return await self.intake.receive(event)
        finally:
            del self._since[ticket]

    def waited(self) -> float:
        """Return for how many seconds the first at the door has been waiting."""
        first = next(iter(self._since.values()), None)
        return 0.0 if first is None else monotonic() - first


@dataclass(slots=True)
class Worker:
    """
    Runs until cancelled. `committed` is to be called after every local commit, and
    `waited` tells for how many seconds an event has been waiting for its answer.

    Deliveries come from commits of this process directly, if nothing was missed in
    between, and from the database for everything else. `processes` is how many live
    ones share the work.
    """

    queue: Queue
    shards: Shards
    courier: Courier | Digesting
    clock: Callable[[], int]
    pace: Pace = field(default_factory=Pace)
    waited: Callable[[], float] = lambda: 0.0
    lanes: Lanes = field(default_factory=Lanes)
    processes: int = 1
    _leases: Leases = field(init=False)
    _cursor: dict[str, int] = field(default_factory=dict)
    _busy_reading: bool = False
    _news: asyncio.Event = field(default_factory=asyncio.Event)
    _look: asyncio.Event = field(default_factory=asyncio.Event)
    _room: float = 1
    _young: set[asyncio.Task[None]] = field(default_factory=set)
    _left: asyncio.Event = field(default_factory=asyncio.Event)
    _touched: set[tuple[str, int]] = field(default_factory=set)
    _calls: set[asyncio.Task[None]] = field(default_factory=set)
    _stopping: bool = False

    def __post_init__(self) -> None:
        self._leases = Leases(self.pace.lease)

    async def run(self) -> None:
        self._leases.lasts = self.pace.lease
        self._room = self.pace.at_once
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._keep_leases(), name="leases")
                group.create_task(self._read(), name="outbox")
                group.create_task(self._dispatch(group), name="dispatch")
        finally:
            await self._give_back()

    async def drain(self, seconds: float) -> None:
        """Begin nothing more, and let the platforms' answers come in."""
        self._stopping = True
        until = monotonic() + seconds
        while self._calls and (left := until - monotonic()) > 0:
            await asyncio.wait(self._calls, timeout=left)

    def committed(
        self, tenant: str, first: int, size: int, deliveries: Sequence[Delivery]
    ) -> None:
        """Take over what this process has just queued, if it is next in the log."""
        if self._busy_reading or self._cursor.get(tenant) != first:
            self._look.set()
            return
        self._cursor[tenant] = size
        self._take(deliveries)

    def wake(self) -> None:
        """Another process queued something: look now instead of at the next poll."""
        self._look.set()

    def held_until(self, channel: Channel) -> int:
        """Return until when nothing leaves for a channel, to stay inside its limits."""
        return self.lanes.closed_until(str(channel))

    def link_changed(self, link: str) -> None:
        """A link was paused, resumed or removed: look at its lanes again."""
        self.lanes.hurry(link)
        self._news.set()

    def _take(self, deliveries: Sequence[Delivery]) -> None:
        mine = [d for d in deliveries if d.shard in self._leases]
        if mine:
            self._touched |= {(d.tenant, d.shard) for d in mine}
            self.lanes.add(mine)
            self._news.set()
        QUEUED.set(len(self.lanes))

    async def _keep_leases(self) -> None:
        while True:
            await asyncio.sleep(self.pace.renew)
            try:
                await self._renew()
                await self._save_low()
            except AtomError as error:
                log.warning("leases not renewed", reason=str(error))
            self._lose(self._leases.stale())

    async def _renew(self) -> None:
        wanted, asked_at = [*self._leases], self._leases.clock()
        kept = await self.shards.renew(wanted)
        # What was lost or claimed while the renewal was under way was not asked for.
        self._leases.gain([k for k in kept if self._leases.hold(k)], asked_at)
        self._lose((set(wanted) & set(self._leases)) - {k.shard for k in kept})

    def _lose(self, shards: set[int]) -> None:
        if not shards:
            return
        log.info("shards lost", count=len(shards))
        self._leases.lose(shards)
        self.lanes.drop(shards)

    async def _read(self) -> None:
        balance_at = 0.0
        while True:
            self._look.clear()
            try:
                await self._catch_up()
                if monotonic() >= balance_at:
                    await self._balance()
                    balance_at = monotonic() + self.pace.renew
            except AtomError as error:
                log.warning("outbox not read", reason=str(error))
                await asyncio.sleep(self.pace.poll)
            try:
                async with asyncio.timeout(self.pace.poll):
                    await self._look.wait()
            except TimeoutError:
                continue

    async def _catch_up(self) -> None:
        sizes = await self.queue.sizes()
        for tenant, size in sizes.items():
            first = self._cursor.get(tenant)
            if first is None:
                # Nothing of this tenant is owned yet; a takeover reads what is older.
                self._cursor[tenant] = size if not self._leases else 0
                first = self._cursor[tenant]
            if size > first:
                await self._read_newer(tenant, first, size)

    async def _read_newer(self, tenant: str, first: int, size: int) -> None:
        self._busy_reading = True
        try:
            found = await self.queue.newer(tenant, first, size, [*self._leases])
            self._cursor[tenant] = size
            self._take(found)
        finally:
            self._busy_reading = False

    async def _balance(self) -> None:
        share = await self.shards.fair_share()
        self.processes = -(-SHARDS // share)
        missing = share - len(self._leases)
        if missing > 0:
            await self._claim(missing)
        elif missing < 0:
            await self._hand_over(-missing)

    async def _claim(self, missing: int) -> None:
        asked_at = self._leases.clock()
        leases = await self.shards.claim(missing)
        if not leases:
            return
        self._busy_reading = True
        try:
            gained = [lease.shard for lease in leases]
            found = await self.queue.unfinished(gained, dict(self._cursor))
            self._leases.gain(leases, asked_at)
            self._take(found)
        except AtomError:
            # Claimed but not read: give them up, or nobody would deliver their rows.
            await self.shards.release([lease.shard for lease in leases])
            raise
        finally:
            self._busy_reading = False
        log.info("shards gained", count=len(leases), undone=len(found))

    async def _hand_over(self, surplus: int) -> None:
        occupied = {delivery.shard for delivery in self.lanes.waiting()}
        spare = [s for s in self._leases if s not in occupied][:surplus]
        self._lose(set(spare))
        await self.shards.release(spare)

    async def _dispatch(self, group: asyncio.TaskGroup) -> None:
        while True:
            self._news.clear()
            for delivery in () if self._stopping else self.lanes.start(self.clock()):
                lease = self._leases.of(delivery.shard)
                await self._until_there_is_room()
                if lease is None or self._stopping or not self._leases.hold(lease):
                    # Lost while it waited for its turn: somebody else's now, or
                    # queued here again under another lease.
                    continue
                self._keep(group.create_task(self._see_through(delivery, lease)))
                before = monotonic()
                # Whoever came meanwhile is heard before the next one is begun.
                await asyncio.sleep(0)
                self._adjust(monotonic() - before)
            timeout = None
            if (due := self.lanes.next_us()) is not None:
                timeout = max(0.001, (due - self.clock()) / _MICRO)
            try:
                async with asyncio.timeout(timeout):
                    await self._news.wait()
            except TimeoutError:
                continue

    def _keep(self, call: asyncio.Task[None]) -> None:
        self._calls.add(call)
        self._young.add(call)
        call.add_done_callback(self._over)
        # Whatever waits for its platform by now needs no processor, and a channel that
        # is slow must not take the room of the others.
        asyncio.get_running_loop().call_later(_YOUNG, self._aged, call)

    def _over(self, call: asyncio.Task[None]) -> None:
        self._calls.discard(call)
        self._aged(call)

    def _aged(self, call: asyncio.Task[None]) -> None:
        self._young.discard(call)
        self._left.set()

    async def _until_there_is_room(self) -> None:
        while len(self._calls) >= self.pace.at_once or len(self._young) >= self._room:
            self._left.clear()
            await self._left.wait()
        await self._let_events_pass()

    async def _let_events_pass(self) -> None:
        """
        Hold back while events wait for the processor.

        What is begun one after the other between two events makes both late: the event
        waits for a turn in each of its steps, and so does every delivery.
        """
        until = monotonic() + _HELD_BACK
        while self.waited() > _GIVES_WAY and (now := monotonic()) < until:
            await asyncio.sleep(0)
            if monotonic() - now < _IDLE:
                return  # it waits for the disk, and the processor is free

    def _adjust(self, took: float) -> None:
        """
        Make room for fewer at once while events wait behind them, for more otherwise.

        `took` is how long a round of the loop took, in seconds: what waits for the
        disk alone is not helped by fewer.
        """
        if took > _BUSY and self.waited() > _LONG:
            self._room = max(_LEAST, self._room * _FEWER)
        else:
            self._room = min(self.pace.at_once, self._room + _MORE)

    async def _see_through(self, delivery: Delivery, lease: Lease) -> None:
        try:
            with checked(lambda: self._leases.check(lease)):
                ending = await self._brought(delivery, lease)
            if self._leases.hold(lease):
                self._settle(delivery, ending)
        except Fenced as fenced:
            if self._leases.hold(lease):
                log.info("delivery left to another process", reason=str(fenced))
                self._lose({lease.shard})
        finally:
            self._news.set()

    async def _brought(self, delivery: Delivery, lease: Lease) -> Done | Later:
        began = self.clock()
        try:
            return await self.courier.deliver(delivery, lease)
        except Fenced:
            raise
        except Exception as error:
            self._leases.check(lease)  # if it is not ours any more, whatever broke
            # One delivery that breaks us must not take the others down with it.
            log.exception("delivery broke", marker=delivery.marker)
            worn = self._postponed(self.courier.as_noted(delivery), began)
            if worn.tries < self.courier.tuning.tries:
                return Later(worn)
            reason = f"ATOM broke on it: {type(error).__name__}"
            return await self.courier.give_up(worn, lease, reason)

    def _settle(self, delivery: Delivery, ending: Done | Later) -> None:
        match ending:
            case Done(also=also):
                self.lanes.finish(delivery, also)
                for each in (delivery, *also):
                    DELIVERED.inc()
                    ENDED.labels(each.link).inc()
                    waited = self.clock() - each.created_us
                    DELIVERY_SECONDS.observe(max(0, waited) / _MICRO)
            case Later(delivery=later, full=full):
                self.lanes.again(later, full=full)
                if full:
                    WAITS.labels(later.target.platform).inc()
        QUEUED.set(len(self.lanes))

    def _postponed(self, delivery: Delivery, began_us: int) -> Delivery:
        """Try again later, and as if the platform may have been called already."""
        return replace(
            delivery,
            attempts=delivery.attempts + 1,
            tries=delivery.tries + 1,
            unknown_since_us=delivery.unknown_since_us or began_us,
            not_before_us=self.clock() + self.courier.tuning.longest_pause_us,
            part=0 if delivery.operation is Operation.POST else 1,
        )

    async def _save_low(self) -> None:
        """Tell the database what need not be read again at the next takeover."""
        touched, self._touched = self._touched, set()
        low = {
            (tenant, shard): self._cursor[tenant] - 1
            for tenant, shard in touched
            if shard in self._leases
        }
        for delivery in self.lanes.waiting():
            key = (delivery.tenant, delivery.shard)
            self._touched.add(key)
            if key in low:
                low[key] = min(low[key], delivery.seq - 1)
        if low:
            await self.queue.raise_low(low)

    async def _give_back(self) -> None:
        shards = [*self._leases]
        self._lose(set(shards))
        try:
            async with asyncio.timeout(2):
                await self.shards.release(shards)
                await self.shards.leave()
        except (AtomError, TimeoutError) as error:
            log.warning("shards not given back", reason=str(error))
