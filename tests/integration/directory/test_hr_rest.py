"""Workers are read from BambooHR and Workday over HTTP, whatever goes wrong there."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import ClientSession

from bridge.directory.model import Gone, Reading, Standing
from connectors.sandbox.hr.app import create_app
from connectors.sandbox.hr.company import Company
from policy.directory.hr.bamboohr import BambooFeed, BambooLayout
from policy.directory.hr.source import HrSource
from policy.directory.hr.workday import WorkdayFeed, WorkdayLayout, WorkdayTokens
from policy.directory.rest import Rest
from tests.sandbox import serving

_NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
_ANA = {
    "displayName": "Ana Smith",
    "firstName": "Ana",
    "lastName": "Smith",
    "workEmail": "ana@acme.example",
    "jobTitle": "Controller",
    "department": "Finance",
    "supervisorEId": "1",
    "hireDate": "2024-03-01",
    "status": "Active",
}


@dataclass
class Hr:
    """Both stand-ins, and how ATOM reads them."""

    base: str
    company: Company
    session: ClientSession
    pauses: list[float]

    @property
    def rest(self) -> Rest:
        async def sleep(seconds: float) -> None:
            self.pauses.append(seconds)

        return Rest(self.session, "BambooHR", sleep=sleep)

    def bamboo(self, **layout: Any) -> HrSource:
        base = f"{self.base}/bamboohr/api/gateway.php/acme/v1"
        feed = BambooFeed(
            self.rest, base, self.company.bamboo_key, BambooLayout(**layout)
        )
        return HrSource("bamboohr", feed, lambda: _NOW)

    def workday(self, path: str = "", **layout: Any) -> HrSource:
        tokens = WorkdayTokens(
            self.rest,
            f"{self.base}/workday/ccx/oauth2/acme/token",
            *self.company.client,
            self.company.refresh_token,
            time.monotonic,
        )
        path = path or "api/staffing/v6/acme/workers"
        url = f"{self.base}/workday/ccx/{path}"
        feed = WorkdayFeed(self.rest, tokens, url, WorkdayLayout(**layout))
        return HrSource("workday", feed, lambda: _NOW)

    async def do(self, **wish: Any) -> None:
        async with self.session.post(f"{self.base}/sandbox/hr", json=wish) as answer:
            assert answer.status == 200

    async def fault(self, on: str, kind: str, **more: Any) -> None:
        await self.do(fault={"on": on, "kind": kind, **more})


@pytest.fixture
async def hr() -> AsyncIterator[Hr]:
    company = Company()
    async with serving(create_app(company)) as base, ClientSession() as session:
        yield Hr(base, company, session, [])


async def read(source: HrSource, cursor: bytes = b"") -> Reading:
    [reading] = [one async for one in source.read(cursor)]
    return reading


async def woken(source: HrSource, cursor: bytes) -> Reading:
    """Push, and return what the follower says."""
    following = source.follow(cursor)
    source.wake()
    async with asyncio.timeout(15):
        return await anext(following)


def standings(reading: Reading) -> dict[str, Standing]:
    return {one.id: one.standing for one in reading.entries}


async def test_bamboohr_tells_of_the_hired_the_leaving_and_the_left(hr: Hr) -> None:
    await hr.do(
        change={
            "7": _ANA,
            "8": {**_ANA, "hireDate": "2026-12-03", "status": "Inactive"},
            "9": {**_ANA, "terminationDate": "2026-11-20", "status": "Inactive"},
        }
    )

    reading = await read(hr.bamboo())

    assert reading.complete
    assert standings(reading) == {
        "7": Standing.ACTIVE,
        "8": Standing.PENDING,
        "9": Standing.LEFT,
    }
    [ana] = [one for one in reading.entries if one.id == "7"]
    assert ana.name == "Ana Smith"
    assert ana.attributes == {
        "given_name": "Ana",
        "family_name": "Smith",
        "mail": "ana@acme.example",
        "title": "Controller",
        "department": "Finance",
        "manager": "1",
        "employee_id": "7",
        "hired": "2024-03-01",
    }


async def test_bamboohrs_own_fields_are_mapped(hr: Hr) -> None:
    own = {"customPersonId": "p-1", "customTimeZone": "Pacific/Auckland"}
    kind = {"customReason": "Involuntary", "customBadge": "B7"}
    ended = {"terminationDate": "2026-12-31", "employmentHistoryStatus": "Contractor"}
    await hr.do(change={"7": {**_ANA, **own, **kind, **ended}})
    fields = {
        "person": "customPersonId",
        "zone": "customTimeZone",
        "involuntary": "customReason",
    }

    reading = await read(hr.bamboo(fields=fields, attributes={"badge": "customBadge"}))

    [ana] = reading.entries
    assert ana.standing is Standing.LEFT  # at once: it was not her wish
    assert ana.guest
    assert (ana.attributes["person_id"], ana.attributes["badge"]) == ("p-1", "B7")


async def test_bamboohr_is_asked_for_what_changed_only(hr: Hr) -> None:
    await hr.do(change={"7": _ANA, "8": _ANA})
    source = hr.bamboo()
    first = await read(source)
    await hr.do(change={"8": {"department": "Sales"}}, remove=["7"])

    reading = await woken(source, first.cursor)

    [moved] = reading.entries
    assert (moved.id, moved.attributes["department"]) == ("8", "Sales")
    assert not reading.whole
    assert reading.gone == (Gone("7"),)
    assert (await woken(source, reading.cursor)).entries == ()


async def test_without_the_right_to_reports_employees_are_read_one_by_one(
    hr: Hr,
) -> None:
    await hr.do(change={"7": _ANA, "8": _ANA}, set={"reports": False})

    reading = await read(hr.bamboo())

    assert reading.complete
    assert set(standings(reading)) == {"7", "8"}


@pytest.mark.parametrize(
    ("on", "kind", "why"),
    [
        ("bamboohr.report", "page", "text/html, not JSON"),
        ("bamboohr.report", "half", "does not answer"),
        ("bamboohr.report", "500", "said 500"),
        ("bamboohr.changed", "reset", "does not answer"),
    ],
)
async def test_a_bamboohr_that_fails_removes_nobody(
    hr: Hr, on: str, kind: str, why: str
) -> None:
    await hr.do(change={"7": _ANA})
    source = hr.bamboo()
    first = await read(source)
    await hr.fault(on, kind, times=50)

    reading = await read(source, first.cursor)

    assert not reading.complete
    assert why in reading.why
    assert reading.cursor == first.cursor
    assert reading.gone == ()


async def test_bamboohr_is_waited_for_when_it_asks_to(hr: Hr) -> None:
    await hr.do(change={"7": _ANA})
    await hr.fault("bamboohr.report", "503", retry_after=11)

    assert (await read(hr.bamboo())).complete
    assert hr.pauses == [11.0]


async def test_a_wrong_key_is_told_with_what_to_do(hr: Hr) -> None:
    source = hr.bamboo()
    await hr.do(set={"bamboo_key": "another"})

    reading = await read(source)

    assert reading.why == "bamboohr: BambooHR refuses the API key: make a new one there"


async def test_a_day_that_is_none_is_a_problem_of_one_employee(hr: Hr) -> None:
    await hr.do(change={"7": {**_ANA, "hireDate": "soon"}, "8": _ANA})

    reading = await read(hr.bamboo())

    assert set(standings(reading)) == {"8"}
    assert not reading.complete
    assert "employee 7: 'soon' is no day" in reading.why


def _worker(number: int, **more: Any) -> dict[str, Any]:
    told = {
        "workerId": str(number),
        "descriptor": f"Worker {number}",
        "person": {"id": f"p-{number}", "email": f"w{number}@acme.example"},
        "workerType": {"descriptor": "Employee"},
        "hireDate": "2020-01-01",
        "isActive": True,
        "location": {"timeZone": "Europe/Berlin"},
        "jobs": [
            {
                "businessTitle": "Clerk",
                "supervisoryOrganization": {"descriptor": "Finance"},
                "manager": {"workerId": "1"},
                "isPrimary": True,
                "endDate": "2026-11-30",
            },
            {
                "businessTitle": "Seller",
                "supervisoryOrganization": {"descriptor": "Sales"},
                "effectiveDate": "2026-12-01",
            },
        ],
    }
    return {**told, **more}


async def test_workday_is_read_page_by_page_with_dates_of_effect(hr: Hr) -> None:
    await hr.do(workers=[_worker(number) for number in range(2, 252)])
    source = hr.workday()

    today = await read(source)
    source.clock = lambda: datetime(2026, 12, 1, tzinfo=UTC)
    later = await read(source, today.cursor)

    assert today.complete
    assert len(today.entries) == 250
    assert today.entries[0].attributes["department"] == "Finance"
    assert today.entries[0].attributes["manager"] == "1"
    assert later.entries[0].attributes["department"] == "Sales"


async def test_a_list_that_changes_under_the_reader_is_read_again(hr: Hr) -> None:
    """Whoever moved to a page that was read already would look gone."""
    await hr.do(workers=[_worker(n) for n in range(250)], set={"vanishing": 1})

    reading = await read(hr.workday())

    assert reading.complete
    assert len(reading.entries) == 249


async def test_a_list_that_never_holds_still_removes_nobody(hr: Hr) -> None:
    await hr.do(workers=[_worker(n) for n in range(250)], set={"vanishing": 50})

    reading = await read(hr.workday())

    assert not reading.complete
    assert "changed while it was read" in reading.why


async def test_a_report_with_other_places_is_read_too(hr: Hr) -> None:
    entry = {
        "Employee_ID": "21",
        "Name": "Ana",
        "Org": "Legal",
        "Last_Day": "2026-11-01-08:00",
        "Contingent": "Contractor",
    }
    await hr.do(workers=[entry])
    places = {
        "id": "Employee_ID",
        "name": "Name",
        "last_day": "Last_Day",
        "kind": "Contingent",
    }

    source = hr.workday(
        "service/customreport2/acme/isu/Workers",
        places=places,
        job_places={"department": "Org"},
    )
    reading = await read(source)

    [ana] = reading.entries
    assert (ana.id, ana.standing, ana.guest) == ("21", Standing.LEFT, True)
    assert ana.attributes["department"] == "Legal"


async def test_a_token_that_ended_early_is_renewed(hr: Hr) -> None:
    await hr.do(workers=[_worker(2)])
    source = hr.workday()
    await read(source)
    await hr.do(forget_tokens=True)

    assert (await read(source)).complete


async def test_a_refused_refresh_token_is_told(hr: Hr) -> None:
    source = hr.workday()
    await hr.do(set={"refresh_token": "another"})

    reading = await read(source)

    assert "Workday refuses ATOM's API client or its refresh token" in reading.why
    assert "sandbox-refresh-token" not in reading.why


@pytest.mark.parametrize("kind", ["page", "half", "429"])
async def test_a_workday_that_breaks_off_on_page_two_removes_nobody(
    hr: Hr, kind: str
) -> None:
    await hr.do(workers=[_worker(n) for n in range(250)])
    source = hr.workday()
    first = await read(source)
    await hr.fault("workday.workers", kind, skip=1, times=50)

    reading = await read(source, first.cursor)

    assert not reading.complete
    assert reading.gone == ()
    assert reading.cursor == first.cursor


async def test_secrets_are_in_no_representation(hr: Hr) -> None:
    shown = repr(hr.workday()) + repr(hr.bamboo())

    for secret in (hr.company.refresh_token, hr.company.client[1]):
        assert secret not in shown
    assert hr.company.bamboo_key not in shown


async def test_two_sources_do_not_share_what_they_know(hr: Hr) -> None:
    await hr.do(change={"7": _ANA})
    first = hr.bamboo()
    second = replace(hr.bamboo(), name="other")
    await read(first)

    assert (await read(second)).source == "other"
