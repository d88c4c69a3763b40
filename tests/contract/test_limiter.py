"""Every limiter keeps calls inside the limits, whatever becomes of what it counts in."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import pytest
from redis.asyncio import Redis as RedisClient

from bridge.limits import Bucket, Window
from bridge.ports import Limiter
from storage.limiter import LocalLimiter, RedisLimiter
from storage.shared_state import Wakes
from tests.servers import Redis, running_redis, running_redis_cluster

HOUR = 3_600_000_000
CHANNEL = Bucket("acme", "teams:19:team/19:falcon", (Window(6, HOUR),))
COMPANY = Bucket("acme", "teams", (Window(20, HOUR),))


def monotonic_us() -> int:
    return time.monotonic_ns() // 1000


@dataclass
class Later:
    """The process's clock, which a test can move on."""

    by_us: int = 0

    def __call__(self) -> int:
        return monotonic_us() + self.by_us


@pytest.fixture(params=["local", "redis"])
async def limiter(request: pytest.FixtureRequest) -> AsyncIterator[Limiter]:
    if request.param == "local":
        yield LocalLimiter(monotonic_us)
        return
    async with shared(request.getfixturevalue("redis_url")) as made:
        yield made


@asynccontextmanager
async def shared(
    url: str,
    *,
    processes: int = 1,
    careful_us: int = 0,
    clock: Later | None = None,
    patience: float = 10.0,
) -> AsyncIterator[RedisLimiter]:
    """A process's limiter. The tests' Redis is young, which is not minded here."""
    made = RedisLimiter.at(
        url, clock or Later(), lambda: processes, careful_us, patience
    )
    try:
        yield made
    finally:
        await made.aclose()


async def granted(limiter: Limiter, *buckets: Bucket, asked: int = 40) -> int:
    """Ask many times in a row; return how often the answer was yes."""
    answers = [await limiter.reserve(buckets) for _ in range(asked)]
    return answers.count(None)


async def test_what_is_within_the_limit_passes_and_no_more(limiter: Limiter) -> None:
    assert await granted(limiter, CHANNEL) == 6


async def test_the_one_too_many_is_told_which_bucket_is_full_and_how_long(
    limiter: Limiter,
) -> None:
    await granted(limiter, CHANNEL, COMPANY)

    wait = await limiter.reserve([CHANNEL, COMPANY])

    assert wait is not None
    assert wait.bucket == CHANNEL.name
    assert 0 < wait.us <= HOUR


async def test_what_is_refused_counts_in_no_bucket(limiter: Limiter) -> None:
    await granted(limiter, CHANNEL, COMPANY)

    assert await granted(limiter, COMPANY) == 20 - 6


async def test_many_at_once_get_no_more_than_one_after_the_other(
    limiter: Limiter,
) -> None:
    answers = await asyncio.gather(
        *(limiter.reserve([CHANNEL, COMPANY]) for _ in range(40))
    )

    assert answers.count(None) == 6


async def test_room_comes_back_when_the_window_has_moved_on(limiter: Limiter) -> None:
    quick = replace(CHANNEL, windows=(Window(1, 1_000_000),))
    assert await granted(limiter, quick, asked=2) == 1

    await eventually_granted(limiter, quick)


async def test_the_narrowest_of_several_windows_counts(limiter: Limiter) -> None:
    both = replace(CHANNEL, windows=(Window(9, HOUR), Window(2, HOUR)))

    assert await granted(limiter, both) == 2


async def test_companies_and_channels_do_not_share_their_buckets(
    limiter: Limiter,
) -> None:
    await granted(limiter, CHANNEL)

    assert await granted(limiter, replace(CHANNEL, name="another")) == 6
    assert await granted(limiter, replace(CHANNEL, tenant="another")) == 6


async def test_a_pause_holds_back_its_bucket_and_no_other(limiter: Limiter) -> None:
    await limiter.pause(CHANNEL, HOUR)
    await limiter.pause(CHANNEL, 1)

    wait = await limiter.reserve([CHANNEL, COMPANY])

    assert wait is not None
    assert wait.bucket == CHANNEL.name
    assert wait.us > HOUR // 2
    assert await granted(limiter, COMPANY) == 20


async def test_after_a_pause_calls_pass_again(limiter: Limiter) -> None:
    await limiter.pause(CHANNEL, 1_000_000)
    assert await limiter.reserve([CHANNEL]) is not None

    await eventually_granted(limiter, CHANNEL)


async def test_a_bucket_without_windows_only_pauses(limiter: Limiter) -> None:
    free = replace(CHANNEL, windows=())

    assert await granted(limiter, free) == 40


async def test_who_asks_while_redis_is_asked_goes_with_others_of_the_company(
    own_redis: Redis,
) -> None:
    others = replace(CHANNEL, tenant="another")
    async with shared(own_redis.url) as here:
        await here.reserve([COMPANY])  # the script is known from now on
        before = asked_of(own_redis)

        answers = await asyncio.gather(
            *(here.reserve([bucket]) for _ in range(20) for bucket in (CHANNEL, others))
        )

    assert answers.count(None) == 12
    assert {wait.bucket for wait in answers if wait} == {CHANNEL.name}
    assert asked_of(own_redis) - before == 2


def asked_of(redis: Redis) -> int:
    """Return how often a script was run."""
    told = redis.answer("INFO commandstats")
    return int(told.split("cmdstat_evalsha:calls=")[1].split(",")[0])


async def test_who_gives_up_waiting_takes_nobody_elses_answer(limiter: Limiter) -> None:
    asking = [asyncio.create_task(limiter.reserve([CHANNEL])) for _ in range(12)]
    await asyncio.sleep(0)
    for each in asking[1::2]:
        each.cancel()

    answers = await asyncio.gather(*asking[::2])

    assert all(answer is None or answer.bucket == CHANNEL.name for answer in answers)
    assert await granted(limiter, COMPANY) == 20


async def test_two_processes_share_one_bucket(redis_url: str) -> None:
    async with shared(redis_url) as one, shared(redis_url) as other:
        answers = await asyncio.gather(
            *(each.reserve([CHANNEL]) for _ in range(20) for each in (one, other))
        )

    assert answers.count(None) == 6


async def test_what_another_process_used_up_counts_in_no_other_bucket(
    redis_url: str,
) -> None:
    async with shared(redis_url) as one, shared(redis_url) as other:
        await granted(one, CHANNEL)

        assert await granted(other, CHANNEL, COMPANY) == 0
        assert await granted(other, COMPANY) == 20


async def test_a_pause_is_heard_by_the_other_process_and_by_the_next(
    redis_url: str,
) -> None:
    async with shared(redis_url) as one, shared(redis_url) as other:
        await one.pause(CHANNEL, HOUR)
        await other.pause(CHANNEL, 1)

    async with shared(redis_url) as restarted:
        assert await granted(restarted, CHANNEL) == 0


async def test_the_processes_clocks_do_not_matter(redis_url: str) -> None:
    ahead, behind = Later(HOUR * 9), Later(HOUR)
    async with (
        shared(redis_url, clock=ahead) as one,
        shared(redis_url, clock=behind) as other,
    ):
        assert await granted(one, CHANNEL, asked=4) == 4
        assert await granted(other, CHANNEL) == 2


async def test_while_redis_is_away_each_process_keeps_to_a_careful_share(
    own_redis: Redis,
) -> None:
    async with shared(own_redis.url, processes=2, careful_us=HOUR) as here:
        own_redis.kill()

        assert await granted(here, COMPANY) == 20 / 2 / 2


async def test_what_a_process_called_before_redis_went_away_still_counts(
    own_redis: Redis,
) -> None:
    async with shared(own_redis.url) as here:
        assert await granted(here, COMPANY, asked=4) == 4
        here.careful_us = HOUR
        own_redis.kill()

        assert await granted(here, COMPANY) == 20 / 2 - 4


async def test_a_redis_that_does_not_answer_stops_nobody(own_redis: Redis) -> None:
    async with shared(own_redis.url, careful_us=HOUR, patience=0.25) as here:
        own_redis.freeze()
        try:
            assert await granted(here, COMPANY) == 20 / 2
        finally:
            own_redis.thaw()


async def test_a_redis_that_is_away_is_left_alone_for_a_while(own_redis: Redis) -> None:
    clock = Later()
    async with shared(own_redis.url, clock=clock) as here:
        own_redis.kill()
        await granted(here, replace(COMPANY, windows=()), asked=5)
        own_redis.start()

        await granted(here, replace(COMPANY, windows=()), asked=5)
        unasked = await here.redis.dbsize(), await here.redis.info("commandstats")
        clock.by_us = 3_000_000
        await granted(here, COMPANY, asked=1)

        assert "cmdstat_evalsha" not in unasked[1]
        assert await here.redis.dbsize() == 1


async def test_a_redis_that_comes_back_empty_does_not_give_everything_again(
    own_redis: Redis,
) -> None:
    async with shared(own_redis.url) as one, shared(own_redis.url) as other:
        assert await granted(one, COMPANY, asked=12) == 12
        for each in (one, other):
            each.careful_us = HOUR
        own_redis.kill()
        own_redis.start()

        # One knows of its own twelve; the other may have half of the limit.
        assert await granted(one, COMPANY) == 0
        assert await granted(other, COMPANY) == 10


async def test_another_redis_than_before_is_noticed_though_no_call_failed(
    own_redis: Redis,
) -> None:
    now = monotonic_us()
    async with shared(own_redis.url) as here:
        here.clock = lambda: now  # whatever lasts, lasts for ever
        here.careful_us = 1
        await old_enough(here)
        assert await granted(here, COMPANY, asked=1) == 1
        assert isinstance(here.redis, RedisClient)
        await here.redis.connection_pool.disconnect()
        own_redis.stop()
        own_redis.start()
        await old_enough(here)

        assert await granted(here, COMPANY) == 10 - 1


async def test_care_ends_when_redis_is_old_enough(own_redis: Redis) -> None:
    clock = Later()
    async with shared(own_redis.url, careful_us=HOUR, clock=clock) as here:
        assert await granted(here, CHANNEL) == 3
        here.careful_us = 0

        clock.by_us = HOUR

        assert await granted(here, CHANNEL) == 3


async def test_a_pause_outlives_the_loss_of_redis(own_redis: Redis) -> None:
    async with shared(own_redis.url) as here:
        await here.pause(CHANNEL, HOUR)
        own_redis.kill()
        own_redis.start()

        assert await granted(here, CHANNEL) == 0


async def test_a_pause_without_redis_holds_in_its_process(own_redis: Redis) -> None:
    async with shared(own_redis.url) as here:
        own_redis.kill()
        await here.pause(CHANNEL, HOUR)

        assert await granted(here, CHANNEL) == 0


async def test_after_redis_clock_went_back_calls_are_counted_as_just_made(
    redis_url: str,
) -> None:
    async with shared(redis_url) as here:
        await granted(here, CHANNEL, asked=1)
        [key] = await here.redis.keys("atom:limit:*")
        future = int(await here.redis.lindex(key, 0) or 0) + 100 * HOUR
        await here.redis.lset(key, 0, str(future))
        await here.redis.rpush(key, str(future + 1))

    async with shared(redis_url) as other:
        assert await granted(other, CHANNEL) == 4
        wait = await other.reserve([CHANNEL])

    assert wait is not None
    assert wait.us <= HOUR


async def test_a_call_touches_one_slot_of_a_cluster() -> None:
    with running_redis("--cluster-enabled", "yes") as server:
        server.own_every_slot()
        for url in (server.url, f"redis+cluster://127.0.0.1:{server.port}"):
            server.forget()
            async with shared(url) as here:
                assert await granted(here, CHANNEL, COMPANY) == 6
                await here.pause(COMPANY, HOUR)
                assert here._failures == 0


async def test_processes_wake_each_other_through_a_cluster() -> None:
    with running_redis("--cluster-enabled", "yes") as server:
        server.own_every_slot()
        url, woken = f"redis+cluster://127.0.0.1:{server.port}", asyncio.Event()
        one, other = Wakes.at(url), Wakes.at(url)
        other.listeners.append(woken.set)
        running = [asyncio.create_task(wakes.run()) for wakes in (one, other)]
        async with asyncio.timeout(20):
            while not woken.is_set():
                one.announce()
                await asyncio.sleep(0.05)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await one.close()
        await other.close()


async def test_three_nodes_of_a_cluster_count_as_one_and_one_of_them_may_go() -> None:
    with running_redis_cluster() as nodes:
        url = f"redis+cluster://127.0.0.1:{nodes[0].port}"
        companies = [f"company-{n}" for n in range(30)]
        many = [replace(CHANNEL, tenant=company) for company in companies]
        async with shared(url) as here, shared(url) as other:
            for bucket in many:
                assert await granted(here, bucket, asked=4) == 4
                assert await granted(other, bucket, asked=4) == 2
            sizes = [int(node.answer("DBSIZE").removeprefix(":")) for node in nodes]
            assert all(sizes)
            assert sum(sizes) >= len(many)

            nodes[2].kill()
            # What cannot be shared any more each counts for itself, on top of its own.
            for bucket in many:
                assert await granted(here, bucket, asked=4) <= 2
                assert await granted(other, bucket, asked=4) <= 4


async def test_nothing_stays_in_redis_of_what_counts_no_more(redis_url: str) -> None:
    async with shared(redis_url) as here:
        quick = replace(CHANNEL, windows=(Window(2, 50_000),))
        await granted(here, quick)
        await here.pause(quick, 50_000)

        await eventually(here.redis.dbsize, 0)


async def old_enough(here: RedisLimiter) -> None:
    """Wait until this Redis is no more taken for a new one by its age."""

    async def aged() -> bool:
        server = await here.redis.info("server")
        return int(server["uptime_in_seconds"]) > 0

    await eventually(aged, wanted=True)


async def eventually_granted(limiter: Limiter, bucket: Bucket) -> None:
    await eventually(lambda: limiter.reserve([bucket]), None)


async def eventually(ask: Callable[[], object], wanted: object) -> None:
    async with asyncio.timeout(15):
        while await ask() != wanted:  # type: ignore[misc]
            await asyncio.sleep(0.01)
