"""Calls to business systems stay within what they take, whoever counts them."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from bridge.errors import ServiceUnavailable
from bridge.records.budgets import USUAL, Quotas, Rates
from bridge.records.model import System
from bridge.records.ports import EVERYBODY, Spent
from storage.limiter import LocalLimiter, RedisLimiter
from storage.records.budget import RecordBudget, rates_of
from storage.records.turns import RecordTurns
from storage.redis_client import redis_at
from tests.contract.conftest import TENANT
from tests.contract.records_books.conftest import CHANGE
from tests.servers import Redis

SF, HUB = "salesforce:acme", "hubspot:acme"
ALICE, BOB = "p-alice", "p-bob"
RATES = {SF: Rates(), HUB: Rates(all_calls="6/3600", each="4/3600", daily=100)}
MINUTE = 60 * 1_000_000


class Clock:
    """A clock that a test can move on."""

    by_us = 0

    def __call__(self) -> int:
        return time.monotonic_ns() // 1000 + self.by_us


Made = Callable[..., RecordBudget]


@asynccontextmanager
async def made_on(url: str | None) -> AsyncIterator[Made]:
    async with AsyncExitStack() as stack:

        def make(tenant: str = TENANT, clock: Clock | None = None) -> RecordBudget:
            now, rates = clock or Clock(), rates_of(RATES, USUAL)
            if url is None:
                return RecordBudget(tenant, LocalLimiter(now), rates, now)
            limiter = RedisLimiter.at(url, now, lambda: 1, 0)
            client = redis_at(url, socket_timeout=0.25, socket_connect_timeout=0.25)
            stack.push_async_callback(limiter.aclose)
            stack.push_async_callback(client.aclose)
            return RecordBudget(tenant, limiter, rates, now, client)

        yield make


@pytest.fixture(params=["local", "redis"])
async def made(request: pytest.FixtureRequest) -> AsyncIterator[Made]:
    url = request.getfixturevalue("redis_url") if request.param == "redis" else None
    async with made_on(url) as make:
        yield make


async def granted(
    budget: RecordBudget, bucket: str, account: str = "", *, urgent: bool = True
) -> int:
    answers = []
    for _ in range(10):
        try:
            await budget.spend(bucket, account, urgent=urgent)
        except Spent:
            answers.append(False)
        else:
            answers.append(True)
    return answers.count(True)


async def test_one_account_and_all_together_have_limits_of_their_own(
    made: Made,
) -> None:
    budget = made()

    assert await granted(budget, HUB, ALICE) == 4
    assert await granted(budget, HUB, BOB) == 2
    with pytest.raises(Spent, match="HubSpot") as refused:
        await budget.spend(HUB, BOB, urgent=True)
    assert 0 < refused.value.retry_after <= 3_600
    assert await granted(budget, SF, ALICE) == 10


async def test_companies_have_budgets_of_their_own(made: Made) -> None:
    budget = made()
    await granted(budget, HUB, ALICE)

    assert await granted(made("globex"), HUB, ALICE) == 4


async def test_many_calls_at_once_are_counted_each(made: Made) -> None:
    budget = made()

    await budget.spend(HUB, ALICE, urgent=True, calls=3)

    assert await granted(budget, HUB, ALICE) == 1


async def begun(budget: RecordBudget, *, urgent: bool = True) -> int:
    return [await budget.search(HUB, urgent=urgent) for _ in range(10)].count(0.0)


async def test_searches_are_counted_apart_and_wait_for_the_next_second(
    made: Made,
) -> None:
    clock = Clock()
    budget = made(clock=clock)

    assert await begun(budget, urgent=False) == 1  # nobody waits for it
    assert await begun(budget) == 4
    assert 0 < await budget.search(HUB, urgent=True) <= 1.25
    assert await granted(budget, HUB, ALICE) == 4
    assert await made("globex").search(HUB, urgent=True) == 0.0


async def test_searches_of_several_processes_are_counted_together(
    redis_url: str,
) -> None:
    async with made_on(redis_url) as make:
        budgets = [make(), make()]
        waits = [await each.search(HUB, urgent=True) for each in budgets * 5]

    assert waits.count(0.0) == 5


@pytest.mark.parametrize(
    ("used", "spare", "urgent"),
    [(0, 10, 10), (79, 10, 10), (80, 1, 10), (94, 1, 10), (95, 0, 10), (100, 0, 10)],
)
async def test_what_nobody_waits_for_steps_aside_when_the_day_is_nearly_used_up(
    made: Made, used: int, spare: int, urgent: int
) -> None:
    budget = made()

    await budget.told(SF, used * 1_000, 100_000)

    assert await granted(budget, SF, urgent=False) == spare
    assert await granted(budget, SF) == urgent


async def test_one_system_that_is_used_up_holds_no_other_up(made: Made) -> None:
    budget = made()
    await budget.told(SF, 99, 100)
    await budget.pause(SF, EVERYBODY, 900)

    assert await granted(budget, "jira:acme", urgent=False) == 10
    assert await granted(budget, SF) == 0


async def test_a_pause_of_an_account_concerns_it_alone(made: Made) -> None:
    budget = made()
    await budget.pause(SF, ALICE, 900)
    await budget.pause(SF, "", 900)

    assert await granted(budget, SF, "") == 0
    assert await granted(budget, SF, ALICE) == 0
    assert await granted(budget, SF, BOB) == 10
    with pytest.raises(Spent) as refused:
        await budget.spend(SF, ALICE, urgent=True)
    assert 800 < refused.value.retry_after <= 901


async def test_what_a_system_said_is_not_believed_for_ever() -> None:
    clock = Clock()
    async with made_on(None) as make:
        budget = make(clock=clock)
        await budget.told(SF, 99, 100)
        assert await granted(budget, SF, urgent=False) == 0

        clock.by_us += 16 * MINUTE

        assert await granted(budget, SF, urgent=False) == 10


async def test_a_quota_that_a_system_does_not_tell_is_counted(made: Made) -> None:
    budget = made()
    hub = "hubspot:large"
    budget.rates = rates_of({hub: Rates(daily=10)}, USUAL)

    assert await granted(budget, hub) == 10
    assert await granted(budget, hub, urgent=False) == 0
    assert await granted(budget, hub) == 10


def test_quotas_are_counted_anew_every_day() -> None:
    quotas = Quotas()
    quotas.spend(("acme", SF), 7, 0)

    assert quotas.stands(("acme", SF), 10, 86_399_000_000) == (7, 10)
    assert quotas.stands(("acme", SF), 10, 86_400_000_000) == (0, 10)


def test_each_systems_usual_rates_can_be_read() -> None:
    for rates in USUAL.values():
        assert rates.whole(TENANT, "b").windows
    assert rates_of({}, USUAL)("hubspot:acme") == USUAL[System.HUBSPOT]


async def test_processes_share_calls_quotas_and_pauses(redis_url: str) -> None:
    async with made_on(redis_url) as make:
        one, two = make(), make()

        assert await granted(one, HUB, ALICE) + await granted(two, HUB, ALICE) == 4
        await one.told(SF, 96, 100)
        assert await granted(two, SF, urgent=False) == 0
        await one.pause("jira:acme", EVERYBODY, 900)
        assert await granted(two, "jira:acme") == 0


async def test_without_redis_each_process_goes_on_by_itself(own_redis: Redis) -> None:
    async with made_on(own_redis.url) as make:
        budget = make()
        await budget.told(SF, 96, 100)
        await granted(budget, HUB, ALICE)

        own_redis.kill()

        assert await granted(budget, SF, urgent=False) == 0
        assert await granted(budget, SF) > 0
        assert await granted(budget, HUB, ALICE) == 0
        await budget.told(SF, 10, 100)
        await budget.pause("jira:acme", EVERYBODY, 900)
        assert await granted(budget, "jira:acme") == 0


@pytest.fixture(params=["local", "redis"])
async def turns(request: pytest.FixtureRequest) -> AsyncIterator[list[RecordTurns]]:
    """Two holders who have to take turns: two processes, where there is a Redis."""
    if request.param == "local":
        one = RecordTurns()
        yield [one, one]
        return
    clients = [redis_at(request.getfixturevalue("redis_url")) for _ in range(2)]
    yield [RecordTurns(client) for client in clients]
    for client in clients:
        await client.aclose()


async def test_one_at_a_time_writes_to_a_record(turns: list[RecordTurns]) -> None:
    inside, most, done = 0, 0, []

    async def write(number: int) -> None:
        nonlocal inside, most
        async with turns[number % 2].turn(TENANT, CHANGE, 30):
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0.001)
            inside -= 1
            done.append(number)

    await asyncio.gather(*map(write, range(8)))

    assert (most, sorted(done)) == (1, list(range(8)))
    assert not any(each._here for each in turns)


async def test_who_gets_no_turn_in_time_is_told_so(turns: list[RecordTurns]) -> None:
    one, two = turns
    async with one.turn(TENANT, CHANGE, 30):
        with pytest.raises(ServiceUnavailable, match="Somebody else"):
            async with two.turn(TENANT, CHANGE, 0.05):
                pytest.fail("two at once")
        async with two.turn("globex", CHANGE, 30):
            pass

    async with two.turn(TENANT, CHANGE, 30):
        pass


async def test_what_goes_wrong_within_a_turn_ends_it(turns: list[RecordTurns]) -> None:
    one, two = turns
    with pytest.raises(TimeoutError, match="mine"):
        async with one.turn(TENANT, CHANGE, 30):
            raise TimeoutError("mine")

    async with two.turn(TENANT, CHANGE, 30):
        pass


async def test_the_turn_of_a_process_that_died_ends_by_itself(redis_url: str) -> None:
    client = redis_at(redis_url)
    dead, alive = RecordTurns(client, lease=0.2), RecordTurns(client)
    await dead.turn(TENANT, CHANGE, 30).__aenter__()

    async with alive.turn(TENANT, CHANGE, 30):
        pass
    await client.aclose()


async def test_without_redis_turns_are_taken_in_the_process(own_redis: Redis) -> None:
    client = redis_at(own_redis.url, socket_timeout=0.25, socket_connect_timeout=0.25)
    turns = RecordTurns(client)
    own_redis.kill()

    async with turns.turn(TENANT, CHANGE, 30):
        with pytest.raises(ServiceUnavailable):
            async with turns.turn(TENANT, CHANGE, 0.05):
                pytest.fail("two at once")
    await client.aclose()
