"""Configured systems become adapters, or the settings are told what they lack."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack

import pytest

from bots.metrics import RECORD_ALARMS
from bots.records.connected import connected, hosts_of
from bots.settings_records import RecordSettings
from bridge.errors import BadInput
from bridge.records.model import System
from bridge.records.ports import Budget
from connectors.sandbox.servicenow.app import ServiceNow
from tests.stand_ins import Account, running

TENANT = "acme"


class Freely:
    """A budget that never ends."""

    async def spend(
        self, bucket: str, account: str, *, urgent: bool, calls: int = 1
    ) -> None:
        """Nothing is counted."""

    async def search(self, bucket: str, *, urgent: bool) -> float:
        return 0.0

    async def told(self, bucket: str, used: int, most: int) -> None:
        """Nothing is kept."""

    async def pause(self, bucket: str, account: str, seconds: float) -> None:
        """Nobody waits."""


def settings(system: str, **more: object) -> RecordSettings:
    given = {
        "system": system,
        "url": "https://acme.example",
        "auth": "token",
        "token": "t" * 20,
    }
    return RecordSettings.model_validate(given | more)


@pytest.fixture
async def stack() -> AsyncIterator[AsyncExitStack]:
    async with AsyncExitStack() as made:
        yield made


def budgets() -> Callable[[str], Budget]:
    return lambda _tenant: Freely()


async def test_every_system_has_its_adapter(
    stack: AsyncExitStack,
) -> None:
    told = {
        (TENANT, System.SALESFORCE, "crm"): settings("salesforce"),
        (TENANT, System.SERVICENOW, "itsm"): settings("servicenow"),
        (TENANT, System.JIRA, "dev"): settings(
            "jira", options={"projects": "ops, web"}
        ),
        (TENANT, System.HUBSPOT, "hub"): settings("hubspot", options={"portal": 4711}),
        ("other", System.SERVICENOW, "itsm"): settings("servicenow"),
        (TENANT, System.HR, "people"): settings("hr", options={"company": "acme"}),
    }

    made = connected(stack, told, budgets())

    assert [(r.system, r.instance) for r in made.of(TENANT)] == [
        (System.SALESFORCE, "crm"),
        (System.SERVICENOW, "itsm"),
        (System.JIRA, "dev"),
        (System.HUBSPOT, "hub"),
        (System.HR, "people"),
    ]
    assert [r.instance for r in made.of("other")] == ["itsm"]
    assert made.of("nobody") == ()


@pytest.mark.parametrize(
    ("system", "says"),
    [("jira", "which projects"), ("hubspot", "which portal"), ("hr", "which company")],
)
async def test_what_is_not_told_is_asked_for(
    stack: AsyncExitStack, system: str, says: str
) -> None:
    with pytest.raises(BadInput, match=says):
        connected(stack, {(TENANT, System(system), "x"): settings(system)}, budgets())


def test_links_lead_to_the_hosts_of_the_companys_systems_alone() -> None:
    told = {
        (TENANT, System.SALESFORCE, "crm"): settings(
            "salesforce",
            url="https://acme.my.salesforce.com",
            page_hosts=("acme.lightning.force.com",),
        ),
        ("other", System.JIRA, "dev"): settings("jira", url="https://x.example/jira"),
        ("own", System.JIRA, "dev"): settings("jira", url="http://127.0.0.1:81/jira"),
    }

    assert hosts_of(told) == {
        TENANT: {"acme.my.salesforce.com", "acme.lightning.force.com"},
        "other": {"x.example"},
        "own": {"127.0.0.1", "http://127.0.0.1:81"},
    }


async def test_a_system_that_answers_another_question_is_counted(
    stack: AsyncExitStack,
) -> None:
    told = await stack.enter_async_context(running(ServiceNow()))
    assert isinstance(told.stand_in, ServiceNow)
    told.stand_in.instance.blind.add("number")  # part of the question is passed over
    at = settings("servicenow", url=told.url)
    made = connected(stack, {(TENANT, System.SERVICENOW, "itsm"): at}, budgets())
    [records] = made.of(TENANT)
    counted = RECORD_ALARMS.labels(System.SERVICENOW, "query_ignored")
    before = counted._value.get()

    found = await records.resolve(
        Account(told.stand_in, "erin"), records.recognise("INC0010003")
    )

    assert found == {}
    assert counted._value.get() > before
