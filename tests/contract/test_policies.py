"""Versions of a policy are kept for good, and two people do not publish at once."""

import asyncio
from dataclasses import replace

import pytest

from bridge.errors import Conflict
from bridge.policy_desk import PolicyVersion, Preview
from storage.compliance.acts import Acts
from storage.policies.stored import PREVIEWS_LAST_US, StoredPolicies
from tests.contract.conftest import TENANT, Store

ONE = PolicyVersion(
    TENANT,
    1,
    "a" * 64,
    "rules: []",
    "",
    {"group|Finance": "g-1"},
    "slack:U1",
    1_000,
    "first",
)
SEEN = Preview(
    TENANT,
    "0123abcd" + "e" * 56,
    0,
    "b" * 64,
    "7",
    "rules: []",
    "",
    "a policy",
    "slack:U1",
    1_000,
)


@pytest.fixture
def policies(store: Store) -> StoredPolicies:
    return StoredPolicies(
        store.database.hot, Acts(store.journal, lambda: 1_000), lambda: 1_000
    )


async def test_nothing_is_in_force_at_first(policies: StoredPolicies) -> None:
    assert await policies.current(TENANT) is None
    assert await policies.number(TENANT) == 0
    assert list(await policies.history(TENANT)) == []
    assert await policies.body(TENANT, "a" * 64) is None


async def test_the_latest_version_is_in_force_and_the_others_stay(
    policies: StoredPolicies,
) -> None:
    two = replace(ONE, number=2, hash="c" * 64, note="second", resolved={})
    await policies.publish(ONE, "{1}")
    await policies.publish(two, "{2}")

    assert await policies.current(TENANT) == two
    assert await policies.version(TENANT, 1) == ONE
    assert await policies.version(TENANT, 3) is None
    assert list(await policies.history(TENANT)) == [two, ONE]
    assert await policies.body(TENANT, ONE.hash) == "{1}"
    assert await policies.number(TENANT) == 2


async def test_publishing_is_on_record_with_the_whole_text(
    store: Store, policies: StoredPolicies
) -> None:
    await policies.publish(ONE, "{}")

    [entry] = await store.reader.entries(TENANT, -1, 99)
    assert entry.etype == "policy.publish"
    assert entry.body["detail"]["front"] == "rules: []"
    assert entry.body["detail"]["resolved"] == {"group|Finance": "g-1"}
    assert entry.body["author"]["id"] == "slack:U1"


async def test_of_two_who_publish_at_once_one_has_to_look_again(
    store: Store, policies: StoredPolicies
) -> None:
    results = await asyncio.gather(
        policies.publish(ONE, "{}"),
        policies.publish(replace(ONE, author="slack:U2", hash="d" * 64), "{}"),
        return_exceptions=True,
    )

    assert [type(r) for r in results if r] == [Conflict]
    assert len(await policies.history(TENANT)) == 1
    assert len(await store.reader.entries(TENANT, -1, 99)) == 1


async def test_companies_do_not_see_each_others(policies: StoredPolicies) -> None:
    await policies.publish(ONE, "{}")
    await policies.keep_preview(SEEN)

    assert await policies.current("other") is None
    assert await policies.body("other", ONE.hash) is None
    assert await policies.preview("other", SEEN.hash) is None


async def test_what_a_hash_stands_for_never_changes(policies: StoredPolicies) -> None:
    await policies.keep_body(TENANT, "a" * 64, "first")
    await policies.keep_body(TENANT, "a" * 64, "second")

    assert await policies.body(TENANT, "a" * 64) == "first"


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        (SEEN.hash, True),
        ("0123abcd", True),
        ("0123ABCDE", True),
        ("0123abc", False),
        ("0123abcf", False),
        ("0123abc%", False),
        ("", False),
    ],
)
async def test_a_preview_is_found_by_enough_of_its_hash(
    policies: StoredPolicies, typed: str, *, found: bool
) -> None:
    await policies.keep_preview(SEEN)
    await policies.keep_preview(SEEN)

    assert await policies.preview(TENANT, typed) == (SEEN if found else None)


async def test_a_preview_that_two_begin_like_is_neither(
    policies: StoredPolicies,
) -> None:
    await policies.keep_preview(SEEN)
    await policies.keep_preview(replace(SEEN, hash="0123abcd" + "f" * 56))

    assert await policies.preview(TENANT, "0123abcd") is None
    assert await policies.preview(TENANT, SEEN.hash) == SEEN


async def test_a_preview_binds_for_a_day(store: Store) -> None:
    now = 1_000

    def clock() -> int:
        return now

    policies = StoredPolicies(store.database.hot, Acts(store.journal, clock), clock)
    await policies.keep_preview(SEEN)
    now = 1_000 + PREVIEWS_LAST_US
    assert await policies.preview(TENANT, SEEN.hash) == SEEN
    now += 1
    assert await policies.preview(TENANT, SEEN.hash) is None
