"""Bearer tokens for identity providers, on every database."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from bridge.compliance import Officer
from bridge.errors import BadInput, Conflict, NotFound
from storage.compliance.acts import Acts
from storage.hot import Statement
from storage.scim.tokens import StoredTokens, well_formed
from tests.contract.conftest import TENANT, Store

ADMIN = Officer("cli:root")
DAY = 86_400_000_000
FORM = "AbCd0123_" + "s" * 43 + "31J8eI"


@dataclass
class Time:
    now: int = 1_900_000_000_000_000

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def tokens(store: Store, time: Callable[[], int]) -> StoredTokens:
    acts = Acts(store.journal, time)
    return StoredTokens(store.database.hot, acts, time)


async def test_a_token_opens_its_company_and_no_text_that_is_near_it(
    tokens: StoredTokens,
) -> None:
    made = await tokens.create(TENANT, ADMIN, "Entra")

    found = await tokens.tenant_of(made.text)

    assert found is not None
    assert found.tenant == TENANT
    wrong = made.text.replace(made.text[30], "A" if made.text[30] != "A" else "B")
    for text in ("", "atom_scim_", wrong, made.text + "x", made.text[:-1], "é" * 68):
        assert await tokens.tenant_of(text) is None


async def test_neither_the_table_nor_the_log_has_the_token(
    tokens: StoredTokens, store: Store
) -> None:
    made = await tokens.create(TENANT, ADMIN, "Entra")
    secret = made.text.split("_")[3]

    rows = await store.database.hot.fetch(Statement("SELECT * FROM scim_token"))
    entries = [e.body for e in await store.reader.entries(TENANT, -1, 99)]

    assert secret not in str([tuple(row) for row in rows])
    assert secret not in str(entries)
    assert "made SCIM token" in str(entries)
    assert secret not in repr(made)


async def test_two_live_at_most_and_the_first_ends_within_a_week(
    tokens: StoredTokens, time: Time
) -> None:
    first = await tokens.create(TENANT, ADMIN, "old")
    second = await tokens.create(TENANT, ADMIN, "new")

    with pytest.raises(Conflict, match=first.token.id):
        await tokens.create(TENANT, ADMIN, "third")

    assert await tokens.tenant_of(first.text)
    time.now += 7 * DAY
    assert await tokens.tenant_of(first.text) is None
    assert await tokens.tenant_of(second.text)
    await tokens.create(TENANT, ADMIN, "third")


async def test_two_who_make_one_at_once_do_not_make_three(
    tokens: StoredTokens,
) -> None:
    await tokens.create(TENANT, ADMIN, "first")

    outcomes = await asyncio.gather(
        *(tokens.create(TENANT, ADMIN, f"n{n}") for n in range(4)),
        return_exceptions=True,
    )

    assert sum(1 for each in outcomes if isinstance(each, Conflict)) == 3
    assert len(await tokens.all(TENANT)) == 2


async def test_a_token_ends_by_itself_and_when_it_is_revoked(
    tokens: StoredTokens, time: Time
) -> None:
    short = await tokens.create(TENANT, ADMIN, "short", days=1)
    time.now += DAY
    assert await tokens.tenant_of(short.text) is None

    other = await tokens.create(TENANT, ADMIN, "other")
    await tokens.revoke(TENANT, ADMIN, other.token.id)
    await tokens.revoke(TENANT, ADMIN, other.token.id)
    assert await tokens.tenant_of(other.text) is None


async def test_another_companys_token_cannot_be_revoked(tokens: StoredTokens) -> None:
    made = await tokens.create(TENANT, ADMIN, "")

    with pytest.raises(NotFound):
        await tokens.revoke("other", ADMIN, made.token.id)

    assert await tokens.tenant_of(made.text)


@pytest.mark.parametrize("days", [0, -1, 91])
async def test_no_token_lives_for_ever(tokens: StoredTokens, days: int) -> None:
    with pytest.raises(BadInput, match="90"):
        await tokens.create(TENANT, ADMIN, "", days=days)


async def test_use_is_written_down_but_not_each_time(
    tokens: StoredTokens, time: Time
) -> None:
    made = await tokens.create(TENANT, ADMIN, "")
    await tokens.tenant_of(made.text)
    first = time.now
    time.now += 60_000_000
    await tokens.tenant_of(made.text)

    assert [each.used_us for each in await tokens.all(TENANT)] == [first]


def test_a_token_has_the_form_that_scanners_look_for() -> None:
    assert not well_formed("atom_scim_" + "a" * 58)
    assert well_formed("atom_scim_" + FORM)
