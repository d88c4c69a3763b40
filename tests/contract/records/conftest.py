"""The systems that the suite runs on."""

from collections.abc import AsyncIterator, Callable, Mapping

import pytest

from connectors.sandbox.hr.stand_in import Hr
from connectors.sandbox.hubspot.app import HubSpot
from connectors.sandbox.jira.app import Jira
from connectors.sandbox.salesforce import Salesforce
from connectors.sandbox.servicenow.app import ServiceNow
from connectors.sandbox.stand_in import StandIn
from tests.contract.records.hr_world import HrWorld
from tests.contract.records.hubspot_world import HubSpotWorld
from tests.contract.records.jira_world import JiraWorld
from tests.contract.records.salesforce_world import SalesforceWorld
from tests.contract.records.servicenow_world import ServiceNowWorld
from tests.contract.records.worlds import World
from tests.stand_ins import Account, Told, running

WORLDS: Mapping[str, tuple[Callable[[], StandIn], Callable[[Told], World]]] = {
    "salesforce": (Salesforce, SalesforceWorld),
    "servicenow": (ServiceNow, ServiceNowWorld),
    "hr": (Hr, HrWorld),
    "hubspot": (HubSpot, HubSpotWorld),
    "jira": (Jira, JiraWorld),
}


def written() -> list[str]:
    """Return the systems that people write to through ATOM."""
    return sorted(set(WORLDS) - {"hr"})


def numbered() -> list[str]:
    """Return the systems of which people say numbers."""
    return sorted(set(WORLDS) - {"hr", "hubspot"})


def classed() -> list[str]:
    """Return the systems that show some fields to some accounts alone."""
    return sorted(set(WORLDS) - {"jira"})


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
