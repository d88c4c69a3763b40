"""Which approvals wait for people who left, on every database."""

from dataclasses import replace

import pytest

from bridge.records.model import RecordRef, System
from bridge.records.orphans import Orphan
from storage.records.orphans import StoredOrphans
from tests.contract.conftest import TENANT, Store, ticking_clock
from tests.contract.records_books.conftest import CHANGE

OTHER = RecordRef(System.SERVICENOW, "acme", "request", "77")
ELSEWHERE = RecordRef(System.SERVICENOW, "other", "change", "77")
ONE = Orphan(TENANT, CHANGE, "appr-1", "u-alice", "p-alice", "p-dana")


@pytest.fixture
def book(store: Store) -> StoredOrphans:
    return StoredOrphans(store.database.hot, ticking_clock())


async def test_what_is_kept_last_of_an_approval_stands(book: StoredOrphans) -> None:
    await book.keep(ONE)
    await book.keep(told := replace(ONE, heir="p-bob", deputy=True, told=True))

    assert await book.all(TENANT, System.SERVICENOW, "acme") == [told]


async def test_they_are_found_by_record_company_and_instance(
    book: StoredOrphans,
) -> None:
    second = replace(ONE, approval="appr-2", approver="u-erin")
    request = replace(ONE, approval="appr-3", ref=OTHER)
    away = replace(ONE, approval="appr-1", ref=ELSEWHERE)
    theirs = replace(ONE, tenant="globex", heir="p-hugo")
    for one in (ONE, second, request, away, theirs):
        await book.keep(one)

    assert await book.of(TENANT, [CHANGE]) == [ONE, second]
    assert await book.of(TENANT, [CHANGE, OTHER]) == [ONE, second, request]
    assert await book.of(TENANT, []) == []
    assert await book.of("globex", [CHANGE, OTHER]) == [theirs]
    assert await book.all(TENANT, System.SERVICENOW, "other") == [away]


async def test_what_is_settled_is_dropped_alone(book: StoredOrphans) -> None:
    second = replace(ONE, approval="appr-2")
    for one in (ONE, second, replace(ONE, tenant="globex")):
        await book.keep(one)

    await book.drop(ONE)

    assert await book.all(TENANT, System.SERVICENOW, "acme") == [second]
    assert len(await book.all("globex", System.SERVICENOW, "acme")) == 1
