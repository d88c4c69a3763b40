"""A worker works on the shards it holds a lease of, and on no others."""

import asyncio
from dataclasses import replace

import pytest

from bots.leases import Leases, last_check
from bridge.courier import Done, Later
from bridge.delivery import SHARDS, Delivery
from bridge.errors import Fenced
from bridge.ports import Lease
from tests.unit.bots.office import (
    ACME,
    PATIENT,
    QUICK,
    Office,
    Play,
    eventually,
    fails,
    others_had_their_turn,
    returns_at,
    row,
    waits_for,
    works,
)


@pytest.fixture
def office() -> Office:
    return Office()


async def test_shards_whose_rows_cannot_be_read_are_given_up_and_claimed_again(
    office: Office,
) -> None:
    office.queue.put(row(0))
    office.queue.failures = 1

    async with office.open():
        await eventually(lambda: office.courier.ended)

        assert office.shards.epoch == 2
        assert len(office.shards.mine) == SHARDS


async def test_shards_of_another_process_are_left_alone(office: Office) -> None:
    office.queue.put(row(0))
    office.shards.theirs = {row(0).shard}

    async with office.open() as worker:
        worker.committed(ACME, 1, 2, [row(1)])
        await office.rounds()

        assert len(worker.lanes) == 0
    assert office.courier.begun == []


async def test_a_lost_lease_drops_the_shards_lanes_and_no_others(
    office: Office,
) -> None:
    lost, kept = row(0), row(1, link="L2")
    assert lost.shard != kept.shard
    later = office.clock() + 60_000_000
    office.courier.plays = {0: [returns_at(later)], 1: [returns_at(later)]}
    office.queue.put(lost, kept)

    async with office.open() as worker:
        await eventually(lambda: len(office.courier.begun) == 2)
        office.shards.seized(lost.shard)
        await eventually(lambda: len(worker.lanes) == 1)

        assert [each.seq for each in worker.lanes.waiting()] == [kept.seq]


async def test_whoever_is_fenced_off_stops_working_on_that_shard_only(
    office: Office,
) -> None:
    office.courier.plays = {0: [fails(Fenced("another owner"))]}
    office.queue.put(row(0), row(1), row(2, link="L2"))

    async with office.open(PATIENT) as worker:
        await eventually(lambda: office.courier.ended)
        await office.rounds()

        assert [*worker.lanes.waiting()] == []
    assert office.courier.begun == [0, 2]
    assert office.courier.ended == [2]


async def test_a_call_of_an_earlier_lease_does_no_harm_to_the_new_one(
    office: Office,
) -> None:
    shard, gate = row(0).shard, asyncio.Event()
    office.courier.plays = {0: [waits_for(gate, fails(Fenced("an earlier epoch")))]}
    office.queue.put(row(0))

    async with office.open():
        await eventually(lambda: office.courier.begun)
        office.shards.seized(shard)
        office.shards.theirs.clear()
        await eventually(lambda: office.courier.ended == [0])
        gate.set()
        await office.rounds()
        office.queue.put(row(1))
        await eventually(lambda: 1 in office.courier.ended)

    assert office.shards.epoch == 2


async def test_a_call_of_an_earlier_lease_does_not_end_the_call_of_the_new_one(
    office: Office,
) -> None:
    shard, early, late = row(0).shard, asyncio.Event(), asyncio.Event()
    office.courier.plays = {0: [waits_for(early, returns_at(0)), waits_for(late)]}
    office.queue.put(row(0))

    async with office.open():
        await eventually(lambda: office.courier.begun == [0])
        office.shards.seized(shard)
        office.shards.theirs.clear()
        await eventually(lambda: office.courier.begun == [0, 0])
        early.set()
        await office.rounds()
        late.set()
        await eventually(lambda: office.courier.ended)

    assert office.courier.begun == [0, 0]


async def test_leases_that_cannot_be_renewed_are_given_up_before_they_run_out(
    office: Office,
) -> None:
    office.courier.plays = {0: [returns_at(office.clock() + 60_000_000)]}
    office.queue.put(row(0))

    async with office.open(replace(QUICK, lease=0.05)) as worker:
        await eventually(lambda: office.courier.begun)
        office.shards.down = True
        await eventually(lambda: not len(worker.lanes))
        office.shards.mine.clear()
        office.shards.down = False
        await eventually(lambda: office.courier.ended)


async def test_shards_gained_while_leases_are_renewed_are_kept(office: Office) -> None:
    office.shards.share = 10

    async with office.open():
        office.shards.gate.clear()
        before = office.shards.requests
        await eventually(lambda: office.shards.requests > before)
        office.shards.share = 20
        await eventually(lambda: len(office.shards.mine) == 20)
        office.shards.gate.set()
        done = office.shards.renewals
        await eventually(lambda: office.shards.renewals > done + 2)
        await office.rounds()

        assert sorted(office.shards.mine) == [*range(20)]
    assert office.queue.takeovers == 2


async def test_surplus_shards_are_handed_over_but_none_that_has_work(
    office: Office,
) -> None:
    office.courier.plays = {0: [returns_at(office.clock() + 60_000_000)]}
    office.queue.put(row(0))

    async with office.open() as worker:
        await eventually(lambda: office.courier.begun)
        office.shards.share = 1
        await eventually(lambda: len(office.shards.mine) == 1)

        assert [*office.shards.mine] == [row(0).shard]
        assert len(worker.lanes) == 1


async def test_the_next_owner_is_told_what_it_need_not_read(office: Office) -> None:
    gate = asyncio.Event()
    office.courier.plays = {1: [waits_for(gate)]}
    office.queue.put(row(0), row(1), row(2, link="L2"))
    busy, idle = (ACME, row(1).shard), (ACME, row(2, link="L2").shard)

    async with office.open():
        await eventually(lambda: office.queue.low == {busy: 0, idle: 2})
        gate.set()
        await eventually(lambda: office.queue.low == {busy: 2, idle: 2})


async def test_a_worker_that_stops_gives_its_shards_back(office: Office) -> None:
    office.queue.put(row(0))

    async with office.open() as worker:
        await eventually(lambda: office.courier.ended)

    assert office.shards.mine == {}
    assert office.shards.left
    assert len(worker.lanes) == 0


async def test_a_worker_stops_even_if_the_database_is_away(office: Office) -> None:
    async with office.open(PATIENT):
        office.shards.down = True

    assert len(office.shards.mine) == SHARDS
    assert not office.shards.left


async def test_what_waits_for_its_turn_is_not_begun_when_its_shard_is_lost(
    office: Office,
) -> None:
    gate = asyncio.Event()
    office.courier.plays = {0: [waits_for(gate)]}
    office.queue.put(row(0), row(1, link="L2"))

    async with office.open(replace(QUICK, at_once=1)) as worker:
        await eventually(lambda: office.courier.begun)
        office.shards.seized(row(1, link="L2").shard)
        await eventually(lambda: len(worker.lanes) == 1)
        gate.set()
        await eventually(lambda: office.courier.ended == [0])
        await office.rounds()

    assert office.courier.begun == [0]


@pytest.mark.parametrize(
    "ending", [works, fails(ZeroDivisionError()), fails(Fenced("other owner"))]
)
async def test_an_answer_that_comes_after_the_shard_was_lost_changes_nothing_here(
    office: Office, ending: Play
) -> None:
    gate = asyncio.Event()
    office.courier.plays = {0: [waits_for(gate, ending)]}
    office.queue.put(row(0), row(1))

    async with office.open() as worker:
        await eventually(lambda: office.courier.begun)
        office.shards.seized(row(0).shard)
        await eventually(lambda: not len(worker.lanes))
        gate.set()
        office.queue.put(row(2, link="L2"))
        await eventually(lambda: 2 in office.courier.ended)

        assert len(worker.lanes) == 0
    assert office.courier.begun == [0, 2]


async def test_a_frozen_process_sends_nothing_once_its_lease_may_have_run_out(
    office: Office,
) -> None:
    sent: list[int] = []

    async def freezes_and_sends(delivery: Delivery) -> Done | Later:
        office.freeze(PATIENT.lease)
        last_check()
        sent.append(delivery.seq)
        return Done()

    office.courier.plays = {0: [freezes_and_sends]}
    office.queue.put(row(0), row(1))

    async with office.open(PATIENT) as worker:
        await eventually(lambda: office.courier.begun)
        await eventually(lambda: not len(worker.lanes))

    assert sent == []
    assert office.courier.begun == [0]


async def test_what_breaks_once_the_lease_may_have_run_out_is_another_ones_business(
    office: Office,
) -> None:
    async def freezes_and_breaks(delivery: Delivery) -> Done | Later:
        office.freeze(PATIENT.lease)
        raise ZeroDivisionError

    office.courier.plays = {0: [freezes_and_breaks]}
    office.queue.put(row(0))

    async with office.open(PATIENT) as worker:
        await eventually(lambda: office.courier.begun)
        await eventually(lambda: not len(worker.lanes))

    assert office.courier.given_up == []


async def test_a_lease_counts_from_when_it_was_asked_for(office: Office) -> None:
    sent: list[int] = []

    async def sends(delivery: Delivery) -> Done | Later:
        last_check()
        sent.append(delivery.seq)
        return Done()

    office.courier.plays = {0: [sends]}
    office.queue.put(row(0))
    office.shards.meanwhile = lambda: office.freeze(PATIENT.lease)

    async with office.open(PATIENT):
        await eventually(lambda: office.courier.begun)
        await others_had_their_turn()

    assert sent == []


async def test_claiming_more_shards_does_not_lengthen_older_leases() -> None:
    now = 0.0
    leases = Leases(10, lambda: now)
    leases.gain([Lease(1, 1)], 0)
    leases.gain([Lease(2, 1)], 5)

    now = 8.0

    assert leases.stale() == {1}
    with pytest.raises(Fenced):
        leases.check(Lease(1, 1))
    leases.check(Lease(2, 1))


async def test_a_lease_of_an_earlier_epoch_is_no_lease() -> None:
    leases = Leases(10, lambda: 0.0)
    leases.gain([Lease(1, 2)], 0)

    with pytest.raises(Fenced):
        leases.check(Lease(1, 1))
    leases.lose([1])
    with pytest.raises(Fenced):
        leases.check(Lease(1, 2))
