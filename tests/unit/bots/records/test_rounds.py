"""Every company has its turn, whatever becomes of the others'."""

import pytest

from bots.records.rounds import Rounds
from bridge.errors import StoreUnavailable


@pytest.mark.parametrize("failure", [StoreUnavailable("away"), TimeoutError()])
async def test_a_turn_that_fails_keeps_no_other_company_waiting(
    failure: Exception,
) -> None:
    had: list[str] = []

    async def tenants() -> list[str]:
        return ["acme", "globex"]

    async def turn(tenant: str) -> None:
        had.append(tenant)
        if tenant == "acme":
            raise failure

    rounds = Rounds(tenants, turn, 5.0, "nothing is done")
    await rounds.once()
    await rounds.once()

    assert had == ["acme", "globex"] * 2


async def test_a_round_without_the_companies_is_none() -> None:
    async def away() -> list[str]:
        raise StoreUnavailable("away")

    async def turn(_tenant: str) -> None:
        raise AssertionError

    await Rounds(away, turn, 5.0, "nothing is done").once()
