"""In the demo a card's link opens: with the record's name, and nothing for the few."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from html import unescape

import aiohttp
import pytest

from bots.demo_records import Systems, business_systems
from bots.records.connected import Key, connected, hosts_of
from bots.settings_records import RecordSettings
from bridge.records.model import Record, System
from bridge.records.redaction import allowed_url
from tests.stand_ins import Account, CountingBudget

_WORDS = {
    System.SALESFORCE: "globex",
    System.SERVICENOW: "printer",
    System.JIRA: "login",
    System.HUBSPOT: "globex",
    System.HR: "frank",
}


@pytest.fixture
async def systems() -> AsyncIterator[Systems]:
    async with business_systems() as made:
        yield made


async def opened(url: str) -> tuple[int, str]:
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return answer.status, await answer.text()


async def found(systems: Systems, told: dict[Key, RecordSettings]) -> list[Record]:
    records: list[Record] = []
    async with AsyncExitStack() as stack:
        made = connected(stack, told, lambda _tenant: CountingBudget())
        for each in made.of("acme"):
            access = Account(systems.all[each.system], "alice")
            some = await each.find(access, _WORDS[each.system], 3)
            assert some, each.system
            records += some
    return records


async def test_every_systems_links_lead_to_a_page_that_names_the_record(
    systems: Systems,
) -> None:
    told = {
        ("acme", System(name), name): RecordSettings.model_validate(table)
        for name, table in systems.settings().items()
    }
    hosts = hosts_of(told)["acme"]

    for record in await found(systems, told):
        url = allowed_url(record.url, hosts)
        assert url == record.url, record.ref
        status, page = await opened(url)
        assert status == 200, url
        assert record.title in unescape(page)


@pytest.mark.parametrize(
    "path",
    [
        "jira/browse/SECRET-1",
        "jira/browse/ACME-43",
        "jira/browse/ACME-999999",
        "servicenow/nav_to.do?uri=incident.do?sys_id=" + "0" * 32,
        "hubspot/contacts/1/record/0-1/1",
        "hr/employees/employee.php?id=121",
        "hr/employees/employee.php?id=999",
        "salesforce/lightning/r/Case/5005g00000XyZabAAF/view",
    ],
)
async def test_what_few_may_see_looks_like_what_is_not_there(
    systems: Systems, path: str
) -> None:
    status, page = await opened(f"{systems.base}/{path}")

    assert status == 404
    assert "There is no such record" in page
