"""The host's clock may be set back or forward at any time; the record stays in order."""

import asyncio
from itertools import pairwise
from pathlib import Path

import pytest

from bots.clock_watch import ClockWatch
from storage.compliance.acts import Acts
from storage.compliance.proofs.publisher import ClockBehind
from storage.journal import Journal
from storage.partitions import ensure_partitions
from tests.contract.conftest import PATIENCE, TENANT, Store
from tests.contract.proofs import START, Clock, Proofs, proofs_of
from tests.contract.test_journal import commitment
from tests.events import message

_HOUR = 3600
_MICRO = 1_000_000


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(autouse=True)
async def _prepared(store: Store) -> None:
    """What is tested is the order of things, and no partition made in the middle."""
    await ensure_partitions(store.database.engine, START * _MICRO)


@pytest.fixture
def journal(store: Store, clock: Clock) -> Journal:
    return Journal(store.database.hot, store.ring, clock, patience=PATIENCE)


@pytest.fixture
def proofs(store: Store, clock: Clock, tmp_path: Path) -> Proofs:
    return proofs_of(store, tmp_path, clock)


async def say(journal: Journal, count: int, first: int, at: int) -> None:
    """Have the platform tell of messages that were said at `at`, one batch."""
    await asyncio.gather(
        *(
            journal.append(
                commitment(
                    message(ts=f"{at}.{n:06}", text=str(n), sent_us=at * _MICRO + n)
                )
            )
            for n in range(first, first + count)
        )
    )


@pytest.mark.parametrize("step", [-2 * _HOUR, 2 * _HOUR])
async def test_a_step_changes_neither_order_nor_proofs_and_is_flagged(
    store: Store, journal: Journal, proofs: Proofs, clock: Clock, step: int
) -> None:
    await say(journal, 3, 0, START)
    clock.now += step
    await say(journal, 3, 3, START + 1)
    clock.now += 1 - step
    await say(journal, 3, 6, START + 2)

    entries = await store.reader.entries(TENANT, -1, 99)

    assert [entry.body["text"] for entry in entries] == [str(n) for n in range(9)]
    captured = [entry.row["cap_us"] for entry in entries]
    assert all(before < after for before, after in pairwise(captured))
    ahead = step > 0
    assert [entry.skewed for entry in entries] == [False] * 3 + [ahead] * 6
    assert await proofs.verified() is None


async def test_a_step_within_a_batch_keeps_times_rising(
    store: Store, clock: Clock
) -> None:
    steps = iter([0, -7200, 7200, -1, 0, 3600, -3600, 0] * 20)

    def unsteady() -> int:
        return (START + next(steps)) * _MICRO

    journal = Journal(store.database.hot, store.ring, unsteady, patience=PATIENCE)
    for first in range(0, 12, 3):
        await say(journal, 3, first, START)

    rows = [entry.row for entry in await store.reader.entries(TENANT, -1, 99)]

    assert [row["seq"] for row in rows] == list(range(12))
    captured = [row["cap_us"] for row in rows]
    assert all(before < after for before, after in pairwise(captured))
    assert (await store.reader.verify(TENANT)).intact


async def test_a_clock_set_back_signs_nothing_before_the_last_time(
    journal: Journal, proofs: Proofs, clock: Clock
) -> None:
    await say(journal, 1, 0, START)
    await proofs.publisher.publish(TENANT)
    clock.now -= 2 * _HOUR
    await say(journal, 1, 1, START)

    with pytest.raises(ClockBehind):
        await proofs.publisher.publish(TENANT)

    clock.now += 2 * _HOUR
    assert (await proofs.publisher.publish(TENANT)).checkpoint.size == 2


@pytest.mark.parametrize(
    ("step", "said"),
    [(-7200, "the clock was set back by 7200 s"), (7200, "set forward by 7200 s")],
)
async def test_a_step_is_an_entry_and_the_passing_of_time_is_none(
    store: Store, journal: Journal, clock: Clock, step: int, said: str
) -> None:
    ticks = Clock(0)

    async def companies() -> list[str]:
        return [TENANT]

    watch = ClockWatch(Acts(journal, clock), companies, clock, ticks)
    for moved in (1, 5000, step, 1):
        clock.now += moved
        ticks.now += moved if moved != step else 0
        await watch.look()

    [entry] = await store.reader.entries(TENANT, -1, 9)
    assert entry.etype == "clock.step"
    assert said in entry.body["text"]
    assert abs(entry.body["detail"]["step_us"] - step * _MICRO) <= _MICRO
