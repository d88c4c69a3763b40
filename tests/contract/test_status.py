"""Status counts what goes on, and its work does not grow with what went on before."""

from dataclasses import replace

import pytest

from bridge.delivery import AttemptState, Delivery, Operation
from bridge.links import Link
from storage.hot import Insert, Program, Statement
from storage.outbox import Outbox
from storage.rows import attempt_row, outbox_row
from storage.status import StoredHealth
from storage.writes import Attempt
from tests.contract.conftest import TENANT, Store
from tests.contract.effort import Measured
from tests.contract.letters import ended, open_now, said
from tests.events import FALCON, PROJECT


@pytest.fixture
async def link(store: Store) -> Link:
    return await store.links.add(TENANT, (FALCON, PROJECT), "slack:U1")


async def test_what_waits_is_counted_with_its_oldest(store: Store, link: Link) -> None:
    for n in range(3):
        await said(store, link, f"17.{n}")

    [status] = await store.health.status(TENANT)

    assert status.queued == 3
    assert status.oldest_us == min(d.created_us for d in await open_now(store))
    assert status.lag_us > 0


async def test_what_ended_is_counted_by_how_it_ended(store: Store, link: Link) -> None:
    for n, state in enumerate(("delivered", "dead", "parked", "delivered")):
        await said(store, link, f"17.{n}")
        await ended(store, AttemptState(state), "for a reason")

    [status] = await store.health.status(TENANT)

    assert (status.queued, status.delivered) == (0, 2)
    assert (status.dead, status.parked) == (1, 1)
    assert status.last_error == "for a reason"
    assert 0 < status.delivered_since_us < store.health.clock()


async def test_a_delivery_that_waits_says_why_and_until_when(
    store: Store, link: Link
) -> None:
    await said(store, link, "17.1")
    until = store.health.clock() + 3_600_000_000
    await ended(store, AttemptState.THROTTLED, "asked to wait", until_us=until)

    [status] = await store.health.status(TENANT)

    assert (status.queued, status.throttled_until_us) == (1, until)
    assert status.last_error == "asked to wait"


async def test_an_error_is_told_as_long_as_its_letter_is_on_the_list(
    store: Store, link: Link
) -> None:
    await said(store, link, "17.1")
    await ended(store, AttemptState.DEAD, "no such channel")
    late = StoredHealth(store.database.hot, store.links, store.health.clock, recent=-1)

    [status] = await late.status(TENANT)

    assert status.last_error == "no such channel"


async def test_the_numbers_of_links_are_kept_apart(store: Store, link: Link) -> None:
    elsewhere = (replace(FALCON, id="C03RANDOM"), PROJECT)
    quiet = await store.links.add(TENANT, elsewhere, "slack:U1")
    await said(store, link, "17.1")
    await ended(store, AttemptState.DEAD, "no")

    found = {row.link.id: row for row in await store.health.status(TENANT)}

    assert (found[link.id].dead, found[quiet.id].dead) == (1, 0)
    assert found[quiet.id].last_error == ""


async def test_a_longer_history_makes_no_more_work(store: Store, link: Link) -> None:
    await _history(store, link, 100, 400)
    short = await _work(store)

    await _history(store, link, 400, 6_000)

    assert await _work(store) <= short * 1.2


async def test_what_is_undone_is_found_without_reading_what_is_done(
    store: Store, link: Link
) -> None:
    await _history(store, link, 100, 400)
    short = await _reading(store, 400)

    await _history(store, link, 400, 6_000)

    long = await _reading(store, 6_000)
    assert all(now <= before * 1.2 for now, before in zip(long, short, strict=True))


async def _reading(store: Store, size: int) -> list[int]:
    """Return what a takeover costs, and what a look at the newest."""
    takeover, look = Measured(store.database), Measured(store.database)
    undone = await Outbox(takeover).unfinished(range(256), {TENANT: size})  # type: ignore[arg-type]  # only `fetch` is asked
    newest = await Outbox(look).newer(TENANT, size - 10, size, range(256))  # type: ignore[arg-type]  # see above
    assert [row.seq for row in undone] == [row.seq for row in newest] == [size - 1]
    return [takeover.work, look.work]


async def _work(store: Store) -> int:
    measured = Measured(store.database)
    clock = store.health.clock
    health = StoredHealth(measured, store.links, clock, recent=50)  # type: ignore[arg-type]  # only `fetch` is asked
    [status] = await health.status(TENANT)
    assert (status.queued, status.delivered) == (1, 49)
    return measured.work


async def _history(store: Store, link: Link, first: int, last: int) -> None:
    """Let everything have been delivered between two log positions but the last."""
    now = store.health.clock()
    made = [
        Delivery(
            TENANT, n, 0, link.id, Operation.POST, FALCON, PROJECT, f"m{n}", "", 0, now
        )
        for n in range(first, last)
    ]
    attempts = [Attempt(d, 1, AttemptState.DELIVERED, 0, 1) for d in made]
    # Made beforehand: a transaction that stands idle for long is ended.
    queued = [outbox_row(delivery) for delivery in made]
    done = [attempt_row(each, now) for each in attempts[:-1]]

    def fill() -> Program[None]:
        yield Statement("DELETE FROM outbox WHERE seq = :first", {"first": first - 1})
        yield Insert("outbox", queued)
        yield Insert("attempt", done)
        yield Statement("UPDATE head SET size = :last", {"last": last})

    await store.database.hot.run(fill)
    await store.queue.raise_low({(TENANT, made[0].shard): last - 2})
