"""A shard has one owner at a time, and a new owner finds what is undone."""

import asyncio

from tests.contract.conftest import Store


async def test_shards_are_shared_between_the_living(store: Store) -> None:
    other = store.another_process("two")

    assert await store.shards.fair_share() == 256
    assert await other.shards.fair_share() == 128
    assert await store.shards.fair_share() == 128


async def test_a_shard_that_is_leased_is_not_claimed_by_another(store: Store) -> None:
    mine = await store.shards.claim(100)

    theirs = await store.another_process("two").shards.claim(256)

    assert len(mine) == 100
    assert len(theirs) == 156
    assert not {lease.shard for lease in mine} & {lease.shard for lease in theirs}


async def test_what_is_given_back_can_be_claimed_at_once_under_a_new_epoch(
    store: Store,
) -> None:
    [lease] = await store.shards.claim(1)
    await store.shards.release([lease.shard])

    theirs = await store.another_process("two").shards.claim(256)

    found = {each.shard: each.epoch for each in theirs}
    assert found[lease.shard] == lease.epoch + 1


async def test_only_what_is_still_ours_is_renewed(store: Store) -> None:
    leases = await store.shards.claim(10)
    await store.shards.release([leases[0].shard])

    kept = await store.shards.renew([lease.shard for lease in leases])

    assert {lease.shard for lease in kept} == {lease.shard for lease in leases[1:]}


async def test_two_processes_never_get_the_same_shard(store: Store) -> None:
    others = [store.another_process(f"p{n}") for n in range(4)]

    claims = await asyncio.gather(*(other.shards.claim(100) for other in others))

    shards = [lease.shard for leases in claims for lease in leases]
    assert len(shards) == len(set(shards)) == 256


async def test_what_is_marked_low_is_not_read_again(store: Store) -> None:
    await store.queue.raise_low({("acme", 3): 7})
    await store.queue.raise_low({("acme", 3): 5})

    assert await store.queue.unfinished([3], {"acme": 100}) == []
