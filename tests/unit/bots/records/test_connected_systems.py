"""What an operator says of a system makes its adapter, or asks for what is missing."""

from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Any

import pytest

from bots.records.connected import connected
from bots.settings_records import RecordSettings
from bridge.errors import BadInput
from bridge.records.model import System
from bridge.records.ports import Records
from bridge.records.systems import the
from tests.stand_ins import CountingBudget


async def made(stack: AsyncExitStack, told: Mapping[str, Any]) -> Records:
    settings = RecordSettings.model_validate({"auth": "token", "token": "t", **told})
    key = ("acme", settings.kind, "one")
    systems = connected(stack, {key: settings}, lambda _: CountingBudget())
    return the(systems, "acme", settings.kind, "one")


@pytest.mark.parametrize(
    ("told", "link"),
    [
        (
            {
                "system": "jira",
                "url": "https://acme.atlassian.net",
                "options": {"projects": "OPS, WEB"},
            },
            "https://acme.atlassian.net/browse/OPS-7",
        ),
        (
            {
                "system": "hubspot",
                "url": "https://app.hubspot.com",
                "options": {"portal": 42},
            },
            "https://app.hubspot.com/contacts/42/record/0-3/30101",
        ),
        (
            {
                "system": "hr",
                "url": "https://acme.bamboohr.com",
                "options": {"company": "acme"},
            },
            "https://acme.bamboohr.com/employees/employee.php?id=7",
        ),
        (
            {
                "system": "hr",
                "url": "https://wd5.myworkday.com/acme",
                "api_url": "https://wd5.myworkday.com/ccx/service/customreport2/acme",
                "options": {"product": "workday", "report": "isu/Employees"},
            },
            "https://wd5.myworkday.com/acme/d/employee/W-7.htmld",
        ),
    ],
)
async def test_a_system_knows_its_links(told: Mapping[str, Any], link: str) -> None:
    async with AsyncExitStack() as stack:
        records = await made(stack, told)

        assert records.system is System(told["system"])
        assert [each.instance for each in records.recognise(f"see {link}.")] == ["one"]


async def test_fields_that_are_none_are_refused_with_where_they_stand() -> None:
    told = {
        "system": "salesforce",
        "url": "https://acme.my.salesforce.com",
        "client_id": "a",
        "client_secret": "b",
        "options": {"contact_emails": "Email, Phone"},
    }
    async with AsyncExitStack() as stack:
        with pytest.raises(BadInput, match=r"records\.one.*Email is no field"):
            await made(stack, told)
