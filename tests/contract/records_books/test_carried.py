"""What was carried into records is kept once, and what became of it until it is told."""

from dataclasses import replace

import pytest

from bridge.records.books import CardState, Carried
from storage.records.carried import StoredCarried
from storage.records.remarks import StoredRemarks
from tests.contract.conftest import TENANT, Store
from tests.contract.records_books.conftest import CHANGE
from tests.events import FALCON, PROJECT

ONE = Carried(
    TENANT,
    FALCON,
    "m1",
    CHANGE,
    "p-bob",
    "slack:T01ACME/U02BOB",
    deed="a" * 64,
    latest="a" * 64,
    seq=5,
    done=5,
    said_us=100,
    at_us=100,
)


@pytest.fixture
def book(store: Store) -> StoredCarried:
    return StoredCarried(store.database.hot, lambda: 200)


async def test_what_became_of_a_message_is_due_until_it_is_told(
    book: StoredCarried,
) -> None:
    await book.keep(ONE)
    await book.keep(replace(ONE, person="p-other"))  # the same again, after a crash
    assert await book.due(TENANT, 999) == []

    assert await book.became(TENANT, FALCON, "m1", 7, gone=False)
    assert not await book.became(TENANT, FALCON, "m1", 7, gone=False)
    assert not await book.became(TENANT, FALCON, "m1", 6, gone=False)
    assert not await book.became(TENANT, PROJECT, "m1", 9, gone=False)
    assert not await book.became("globex", FALCON, "m1", 9, gone=False)

    assert await book.due(TENANT, 199) == []
    [due] = await book.due(TENANT, 200)
    assert due == replace(ONE, seq=7, at_us=200)
    await book.later(due, 300)
    assert await book.due(TENANT, 299) == []
    # It is edited again while it is told: that is due afterwards.
    assert await book.became(TENANT, FALCON, "m1", 8, gone=False)
    await book.follows(due, "b" * 64)
    [due] = await book.due(TENANT, 999)
    assert (due.seq, due.done, due.latest) == (8, 7, "b" * 64)
    await book.follows(due, "c" * 64)
    assert await book.due(TENANT, 999) == []


async def test_what_was_written_from_where_is_known_before_it_is(
    book: StoredCarried,
) -> None:
    for _ in range(2):
        await book.wrote(TENANT, FALCON, CHANGE, "a" * 64)
    await book.wrote("globex", FALCON, CHANGE, "a" * 64)

    assert await book.written(TENANT, CHANGE, 200) == [(FALCON, "a" * 64, 200)]
    assert await book.written(TENANT, CHANGE, 201) == []
    assert await book.written(TENANT, replace(CHANGE, id="other"), 0) == []
    await book.sweep(999)
    assert await book.written(TENANT, CHANGE, 0) == []


async def test_a_remark_is_posted_by_one_alone(store: Store) -> None:
    first, second = (StoredRemarks(store.database.hot, lambda: 200) for _ in range(2))
    assert await first.plan(TENANT, "rmk_1", FALCON) is CardState.PLANNED
    assert await second.plan(TENANT, "rmk_1", FALCON) is CardState.PLANNED

    won = [await each.posting(TENANT, "rmk_1") for each in (first, second)]

    assert won == [True, False]
    assert await second.plan(TENANT, "rmk_1", FALCON) is CardState.POSTING
    await first.unposted(TENANT, "rmk_1")
    assert await second.posting(TENANT, "rmk_1")
    await second.posted(TENANT, "rmk_1", "m1")
    await first.unposted(TENANT, "rmk_1")  # too late
    assert await first.plan(TENANT, "rmk_1", FALCON) is CardState.POSTED
    assert await first.plan("globex", "rmk_1", FALCON) is CardState.PLANNED
    assert await first.sweep(999) == 2


async def test_what_was_deleted_stays_deleted(book: StoredCarried) -> None:
    await book.keep(ONE)

    assert await book.became(TENANT, FALCON, "m1", 7, gone=True)
    assert not await book.became(TENANT, FALCON, "m1", 8, gone=False)

    [due] = await book.due(TENANT, 999)
    assert due.gone is True
    assert await book.sweep(101) == 1
    assert await book.due(TENANT, 999) == []
