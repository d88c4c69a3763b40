"""A worker sees the deliveries of its shards through."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from time import sleep, time_ns

import pytest

from bots import workers
from bots.workers import Doorkeeper
from bridge.courier import Done, Later
from bridge.delivery import Delivery
from bridge.errors import StoreUnavailable
from bridge.messages import Channel, Event, Platform
from bridge.ports import Receipt
from bridge.tuning import Tuning
from tests.events import PROJECT, message
from tests.unit.bots.office import (
    ACME,
    PATIENT,
    QUICK,
    Office,
    eventually,
    fails,
    others_had_their_turn,
    returns_at,
    row,
    waits_for,
)

OTHER = Channel(Platform.TEAMS, "19:acme@thread.tacv2", "19:random@thread.tacv2")


@pytest.fixture
def office() -> Office:
    return Office()


async def test_what_a_previous_owner_left_undone_is_taken_over(office: Office) -> None:
    office.queue.put(row(0), row(1), row(2))
    office.queue.ended = {row(1).key}

    async with office.open(PATIENT):
        await eventually(lambda: len(office.courier.ended) == 2)

    assert office.courier.ended == [0, 2]
    assert office.queue.reads == []


async def test_a_local_commit_that_is_next_in_the_log_needs_no_reading(
    office: Office,
) -> None:
    office.queue.put(row(0))

    async with office.open(PATIENT) as worker:
        worker.committed(ACME, 1, 3, [row(1), row(2)])
        await eventually(lambda: len(office.courier.ended) == 3)

    assert office.courier.ended == [0, 1, 2]
    assert office.queue.reads == []


async def test_a_local_commit_after_others_is_read_with_them_in_log_order(
    office: Office,
) -> None:
    office.queue.put(row(0))

    async with office.open(PATIENT) as worker:
        office.queue.put(row(1), row(2), row(3))
        worker.committed(ACME, 3, 4, [row(3)])
        await eventually(lambda: len(office.courier.ended) == 4)

    assert office.courier.ended == [0, 1, 2, 3]
    assert office.queue.reads == [(1, 4)]


async def test_a_company_never_heard_of_is_read_from_its_first_entry(
    office: Office,
) -> None:
    async with office.open(PATIENT) as worker:
        office.queue.put(row(0), row(1))
        worker.committed(ACME, 0, 2, [row(0), row(1)])
        await eventually(lambda: len(office.courier.ended) == 2)

    assert office.courier.begun == [0, 1]
    assert office.queue.reads == [(0, 2)]


async def test_a_commit_that_is_being_read_already_is_delivered_once(
    office: Office,
) -> None:
    office.queue.put(row(0))

    async with office.open() as worker:
        office.queue.gate.clear()
        office.queue.put(row(1))
        await eventually(lambda: office.queue.reads)
        worker.committed(ACME, 1, 2, [row(1)])
        await others_had_their_turn()
        office.queue.gate.set()
        await eventually(lambda: 1 in office.courier.ended)
        await office.rounds()

    assert office.courier.begun == [0, 1]


async def test_what_another_process_queued_is_found_when_it_says_so(
    office: Office,
) -> None:
    office.queue.put(row(0))

    async with office.open(PATIENT) as worker:
        office.queue.put(row(1))
        worker.wake()
        await eventually(lambda: 1 in office.courier.ended)


async def test_what_another_process_queued_is_found_by_looking(office: Office) -> None:
    async with office.open():
        office.queue.put(row(0))
        await eventually(lambda: office.courier.ended)


async def test_a_broken_delivery_does_not_stop_the_others(office: Office) -> None:
    office.courier.plays = {0: [fails(ZeroDivisionError())]}
    office.queue.put(row(0), row(1, link="L2"))

    async with office.open() as worker:
        await eventually(lambda: office.courier.ended)
        office.queue.put(row(2, link="L2"))
        await eventually(lambda: office.courier.ended == [1, 2])

        [broken] = worker.lanes.waiting()
    pause = office.courier.tuning.longest_pause_us
    assert broken.seq == 0
    assert broken.not_before_us == office.clock() + pause


async def test_a_broken_delivery_is_looked_up_before_it_is_made_again(
    office: Office,
) -> None:
    office.courier.plays = {0: [fails(ZeroDivisionError())]}
    office.queue.put(row(0))

    async with office.open() as worker:
        await eventually(lambda: any(d.tries for d in worker.lanes.waiting()))

        [broken] = worker.lanes.waiting()
    assert broken.unknown_since_us == office.clock()


async def test_a_delivery_that_keeps_breaking_is_given_up_and_its_lane_goes_on(
    office: Office,
) -> None:
    office.courier.tuning = Tuning(tries=2, longest_pause_us=0)
    office.courier.plays = {0: [fails(ZeroDivisionError())] * 2}
    office.queue.put(row(0), row(1))

    async with office.open(PATIENT):
        await eventually(lambda: office.courier.ended)

    assert office.courier.given_up == [(0, "ATOM broke on it: ZeroDivisionError")]
    assert office.courier.begun == [0, 0, 1]


async def test_a_throttled_channel_holds_back_only_what_is_for_that_channel(
    office: Office,
) -> None:
    wait = office.courier.tuning.longest_pause_us
    office.courier.plays = {0: [returns_at(office.clock() + wait, full=str(PROJECT))]}
    office.queue.put(row(0))

    async with office.open(PATIENT) as worker:
        await eventually(worker.lanes.next_us)
        worker.committed(ACME, 1, 2, [row(1, link="L2")])
        worker.committed(ACME, 2, 3, [row(2, link="L3", target=OTHER)])
        await eventually(lambda: office.courier.ended == [2])
        office.clock.advance(wait / 1_000_000)

        def all_over() -> bool:
            office.clock.advance(0.1)
            worker.link_changed("any")
            return sorted(office.courier.ended) == [0, 1, 2]

        await eventually(all_over)

    assert office.courier.begun[:2] == [0, 2]


async def test_what_waits_for_its_time_leaves_when_it_has_come(office: Office) -> None:
    office.worker.clock = lambda: time_ns() // 1000
    office.courier.plays = {0: [returns_at(office.worker.clock() + 5_000)]}
    office.queue.put(row(0))

    async with office.open(PATIENT):
        await eventually(lambda: office.courier.ended == [0])

    assert office.courier.begun == [0, 0]


async def test_a_resumed_link_goes_on_at_once(office: Office) -> None:
    office.courier.plays = {0: [returns_at(office.clock() + 60_000_000)]}
    office.queue.put(row(0))

    async with office.open(PATIENT) as worker:
        await eventually(worker.lanes.next_us)
        worker.link_changed("L1")
        await eventually(lambda: office.courier.ended == [0])


async def test_never_more_calls_than_allowed_are_under_way(office: Office) -> None:
    gate = asyncio.Event()
    office.courier.plays = {seq: [waits_for(gate)] for seq in range(4)}
    office.queue.put(*(row(seq, thread=f"t{seq}") for seq in range(4)))

    async with office.open(replace(QUICK, at_once=2)):
        await eventually(lambda: len(office.courier.begun) == 2)
        await office.rounds()
        assert office.courier.begun == [0, 1]
        gate.set()
        await eventually(lambda: len(office.courier.ended) == 4)


async def test_draining_waits_for_the_calls_under_way_and_begins_no_other(
    office: Office,
) -> None:
    gate = asyncio.Event()
    office.courier.plays = {0: [waits_for(gate)]}
    office.queue.put(row(0), row(1))

    async with office.open() as worker:
        await eventually(lambda: office.courier.begun)
        draining = asyncio.create_task(worker.drain(10))
        await office.rounds()
        assert not draining.done()
        gate.set()
        await draining
        assert office.courier.ended == [0]
        await office.rounds()

    assert office.courier.begun == [0]


async def test_draining_begins_nothing_that_waited_for_another_call_to_end(
    office: Office,
) -> None:
    gate = asyncio.Event()
    office.courier.plays = {0: [waits_for(gate)]}
    office.queue.put(row(0), row(1, link="L2"))

    async with office.open(replace(QUICK, at_once=1)) as worker:
        await eventually(lambda: office.courier.begun)
        draining = asyncio.create_task(worker.drain(10))
        await office.rounds()
        gate.set()
        await draining
        await office.rounds()

    assert office.courier.begun == [0]


async def test_draining_ends_when_an_answer_takes_too_long(office: Office) -> None:
    office.courier.plays = {0: [waits_for(asyncio.Event())]}
    office.queue.put(row(0))

    async with office.open() as worker:
        await eventually(lambda: office.courier.begun)
        await worker.drain(0.005)

    assert office.courier.ended == []


@asynccontextmanager
async def other_work() -> AsyncIterator[None]:
    """Keep the process busy with something else."""

    async def work() -> None:
        while True:
            sleep(0.005)  # noqa: ASYNC251 - it is to be in the way
            await asyncio.sleep(0)

    job = asyncio.create_task(work())
    yield
    job.cancel()
    await asyncio.gather(job, return_exceptions=True)


def elsewhere(n: int) -> Delivery:
    """Return a delivery that waits for no other one."""
    target = Channel(Platform.TEAMS, "19:acme@thread.tacv2", f"19:{n}@thread.tacv2")
    return row(n, link=f"L{n}", target=target)


async def takes_a_moment(_delivery: Delivery) -> Done | Later:
    await asyncio.sleep(0.1)
    return Done()


async def test_fewer_are_under_way_while_events_wait_for_the_processor(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "_HELD_BACK", 0.1)
    office.worker.waited = lambda: 1.0
    office.courier.plays = {n: [takes_a_moment] for n in range(80)}
    office.queue.put(*map(elsewhere, range(80)))

    most = 0
    async with other_work(), office.open(replace(QUICK, at_once=40)):
        await eventually(lambda: len(office.courier.ended) >= 40)
        while len(office.courier.ended) < 80:
            most = max(most, len(office.courier.begun) - len(office.courier.ended))
            await asyncio.sleep(0)

    assert 1 <= most <= 8


async def test_none_is_begun_before_an_event_that_waits_for_the_processor(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "_HELD_BACK", 60.0)
    waits = [1.0]
    office.worker.waited = lambda: waits[0]
    office.queue.put(row(0))

    async with other_work(), office.open():
        await office.rounds()
        assert not office.courier.begun
        waits[0] = 0.0
        await eventually(lambda: office.courier.begun)


async def test_calls_that_hang_take_no_room_from_the_others(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "_HELD_BACK", 0.1)
    office.worker.waited = lambda: 1.0
    forever = asyncio.Event()
    office.courier.plays = {n: [waits_for(forever)] for n in range(10)}
    office.queue.put(*map(elsewhere, range(60)))

    async with other_work(), office.open(replace(QUICK, at_once=40)):
        await eventually(lambda: len(office.courier.ended) == 50)


async def test_as_many_as_ever_are_under_way_while_events_wait_for_the_disk(
    office: Office,
) -> None:
    office.worker.waited = lambda: 1.0
    gate = asyncio.Event()
    office.courier.plays = {n: [waits_for(gate)] for n in range(60)}
    office.queue.put(*map(elsewhere, range(60)))

    async with office.open(replace(QUICK, at_once=40)):
        await eventually(lambda: len(office.courier.begun) == 40)
        gate.set()
        await eventually(lambda: len(office.courier.ended) == 60)


@dataclass
class FakeIntake:
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    down: bool = False

    async def receive(self, event: Event) -> Receipt:
        await self.gate.wait()
        if self.down:
            raise StoreUnavailable("down")
        return Receipt(7)


@pytest.mark.parametrize("down", [False, True])
async def test_whoever_waits_at_the_door_is_known_until_answered(*, down: bool) -> None:
    intake = FakeIntake(down=down)
    door = Doorkeeper(intake)
    calls = [asyncio.create_task(door.receive(message())) for _ in range(2)]
    await eventually(lambda: door.waited() > 0)

    intake.gate.set()
    answers = await asyncio.gather(*calls, return_exceptions=True)

    assert door.waited() == 0
    assert [isinstance(answer, Receipt) for answer in answers] == [not down] * 2
