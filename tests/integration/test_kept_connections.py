"""A pool's connections are kept between statements, and none that is broken."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from storage.kept_connections import KeptConnections
from tests.servers import Postgres

_PATIENCE = 60  # seconds, for a machine that is busy
_ENDING = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.AdminShutdownError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
)
_WHO = "SELECT pg_backend_pid()"


@asynccontextmanager
async def kept_at(url: str, most: int = 2) -> AsyncIterator[KeptConnections]:
    pool = await asyncpg.create_pool(url, min_size=0, max_size=most, timeout=10)
    kept = KeptConnections(pool)
    try:
        yield kept
    finally:
        await kept.give_back()
        async with asyncio.timeout(_PATIENCE):
            await pool.close()


@pytest.fixture
async def kept(postgres: Postgres) -> AsyncIterator[KeptConnections]:
    async with kept_at(postgres.url()) as kept:
        yield kept


async def who(kept: KeptConnections) -> int:
    async with kept.one() as connection:
        found: int = await connection.fetchval(_WHO)
        return found


async def test_one_statement_after_the_other_has_the_same_connection(
    kept: KeptConnections,
) -> None:
    assert len({await who(kept) for _ in range(5)}) == 1


async def test_more_than_there_are_connections_take_turns(
    kept: KeptConnections,
) -> None:
    async with asyncio.timeout(_PATIENCE):
        found = await asyncio.gather(*(who(kept) for _ in range(20)))

    assert len(set(found)) == 2


async def test_who_cannot_wait_is_told_so_and_takes_nobodys_place(
    kept: KeptConnections,
) -> None:
    async with kept.one(), kept.one():
        with pytest.raises(TimeoutError):
            async with kept.one(0.05):
                pass

    async with kept.one(), kept.one():
        pass


async def test_a_statement_that_fails_costs_nobody_a_connection(
    kept: KeptConnections,
) -> None:
    for _ in range(5):
        with pytest.raises(asyncpg.DivisionByZeroError):
            async with kept.one() as connection:
                await connection.execute("SELECT 1 / 0")

    async with kept.one(), kept.one():
        pass


async def test_who_is_cancelled_leaves_no_answer_to_the_next(
    kept: KeptConnections,
) -> None:
    async def slow() -> None:
        async with kept.one() as connection:
            await connection.fetchval("SELECT pg_sleep(600)")

    for _ in range(4):
        task = asyncio.create_task(slow())
        await asyncio.sleep(0.05)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        async with asyncio.timeout(_PATIENCE):
            assert await who(kept) > 0


async def test_what_ended_while_nobody_used_it_is_replaced(
    kept: KeptConnections, postgres: Postgres
) -> None:
    first = await who(kept)
    other = await asyncpg.connect(postgres.url(), timeout=10)
    try:
        await other.execute("SELECT pg_terminate_backend($1)", first)
    finally:
        await other.close()
    async with asyncio.timeout(_PATIENCE):
        while (found := await anew(kept)) is None:
            await asyncio.sleep(0.01)

    assert found != first


async def anew(kept: KeptConnections) -> int | None:
    """Ask, and forgive that the end of a connection is not known everywhere yet."""
    try:
        return await who(kept)
    except _ENDING:
        return None


async def test_what_was_given_back_may_be_lent_again(kept: KeptConnections) -> None:
    first = await who(kept)

    await kept.give_back()

    assert await who(kept) == first
    await kept.pool.expire_connections()
    await kept.give_back()
    assert await who(kept) != first


async def test_whoever_is_at_it_while_all_is_closed_does_not_hold_that_up(
    postgres: Postgres,
) -> None:
    async with kept_at(postgres.url()) as kept, kept.one() as connection:
        closing = asyncio.create_task(kept.pool.close())
        await asyncio.sleep(0)
        assert await connection.fetchval("SELECT 1") == 1
    async with asyncio.timeout(_PATIENCE):
        await closing
