"""The systems that the suite runs on."""

from collections.abc import AsyncIterator

import pytest

from connectors.sandbox.salesforce import Salesforce
from tests.contract.records.salesforce_world import SalesforceWorld
from tests.contract.records.worlds import World
from tests.stand_ins import Account, running

WORLDS = {"salesforce": (Salesforce, SalesforceWorld)}


@pytest.fixture(params=sorted(WORLDS))
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    stand_in, made = WORLDS[request.param]
    async with running(stand_in()) as told:
        one = made(told)
        yield one
        await one.aclose()


@pytest.fixture
def reader(world: World) -> Account:
    return world.account("reader")
