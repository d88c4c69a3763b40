"""Employees as records: what a team has to know, and nothing more."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

import pytest
from aiohttp import ClientSession
from yarl import URL

from bridge.errors import BadInput, NotAllowed
from bridge.records.forms import Deed
from bridge.records.model import NEVER, ChangeKind, Record, RecordRef, Revision, System
from connectors.hr import bamboohr, workday
from connectors.hr.bamboohr import BambooHr
from connectors.hr.employees import Company, Employee, record
from connectors.hr.records import HrRecords
from connectors.hr.systems import made
from connectors.hr.workday import Workday
from connectors.rest import Rest
from connectors.sandbox.hr.stand_in import HOOK_KEY, ISU, ISU_PASSWORD, Hr
from tests.fakes_connections import FakeAccess
from tests.hooked import listening
from tests.stand_ins import Account, CountingBudget, Told, running

COMPANY = Company("acme", "https://acme.example/employees/{id}", hook_key=HOOK_KEY)
CUSTOM = {
    "announced": "customAnnounced",
    "done": "customOnboardingDone",
    "total": "customOnboardingTotal",
}
NOBODYS = ("61000", "078-05", "Elbchaussee", "home.example", "1990-02", "not told")
TODAY = date(2026, 11, 28)


@dataclass
class World:
    hr: Hr
    told: Told
    bamboo: HrRecords
    workday: HrRecords


@pytest.fixture
async def world() -> AsyncIterator[World]:
    hr, budget = Hr(), CountingBudget()
    async with running(hr) as told:
        base = URL(f"{told.url}/bamboohr/api/gateway.php/acme/v1")
        rest = Rest(
            ClientSession(),
            "BambooHR",
            base,
            COMPANY.bucket,
            budget,
            bamboohr.MANNER,
            clock=hr.clock.now,
        )
        reports = replace(
            rest,
            session=ClientSession(),
            service="Workday",
            base=URL(f"{told.url}/workday/ccx/service/customreport2/acme"),
            manner=workday.MANNER,
        )
        whole = World(
            hr,
            told,
            HrRecords(COMPANY, BambooHr(rest, COMPANY, CUSTOM)),
            HrRecords(COMPANY, Workday(reports, COMPANY, ("isu_atom", "Employees"))),
        )
        yield whole
        await hr.poster.idle()
        await whole.bamboo.aclose()
        await whole.workday.aclose()


def ref(id_: str) -> RecordRef:
    return RecordRef(System.HR, "acme", "employee", id_)


async def one(records: HrRecords, access: Account | FakeAccess, id_: str) -> Record:
    found = (await records.read(access, [ref(id_)]))[ref(id_)]
    assert isinstance(found, Record)
    return found


async def test_somebody_who_joins_has_a_role_and_no_name_yet(world: World) -> None:
    new = await one(world.bamboo, Account(world.hr, "dana"), "121")

    shown = {each.id: (each.text, each.cls) for each in new.facts}
    starts = shown["start"][0]
    assert new.title == f"Financial Analyst, from {starts}"
    assert new.status.text == "Joining"
    assert shown["name"] == ("Nora Feld", "hr")
    assert shown["manager"] == ("Dana Fox", "public")
    assert shown["checklist"] == ("2 of 7 done", "public")
    assert "Nora" not in new.title + new.what + new.key + new.url


async def test_once_announced_the_name_is_everybodys(world: World) -> None:
    world.hr.change("121", {"customAnnounced": "Yes"})

    new = await one(world.bamboo, Account(world.hr, "dana"), "121")

    name = new.fact("name")
    assert name is not None
    assert (new.title, name.cls) == ("Nora Feld – Financial Analyst", "public")


async def test_what_is_nobodys_business_is_neither_asked_for_nor_taken(
    world: World,
) -> None:
    dana, isu = Account(world.hr, "dana"), FakeAccess(tokens=[f"{ISU}:{ISU_PASSWORD}"])
    records = [
        await one(world.bamboo, dana, "121"),
        await one(world.workday, isu, "W-121"),
        *await world.bamboo.find(dana, "analyst", 5),
        *await world.workday.find(isu, "analyst", 5),
    ]

    assert len(records) == 4
    for each in records:
        # When it was read, in microseconds, may have the digits of somebody's pay.
        told = repr(replace(each, as_of_us=0, rev=Revision(0)))
        assert not any(secret in told for secret in NOBODYS)
    asked = [e for e in world.hr.journal.all() if "bamboohr" in e.path]
    wanted = " ".join(
        [*(e.query.get("fields", "") for e in asked), *(e.body for e in asked)]
    )
    for field in (
        "payRate",
        "ssn",
        "address1",
        "homeEmail",
        "dateOfBirth",
        "ethnicity",
    ):
        assert field not in wanted


async def test_workdays_report_tells_the_same(world: World) -> None:
    isu = FakeAccess(tokens=[f"{ISU}:{ISU_PASSWORD}"])

    new = await one(world.workday, isu, "W-121")
    world.hr.company.workers = []
    gone = await world.workday.read(isu, [ref("W-121")])

    assert new.title.startswith("Financial Analyst, from ")
    shown = {each.id: each.text for each in new.facts}
    assert (shown["team"], shown["site"]) == ("Finance", "Hamburg")
    # An empty report has no list at all.
    assert str(gone[ref("W-121")]) == "gone"


async def test_nothing_is_written(world: World) -> None:
    dana = Account(world.hr, "dana")

    with pytest.raises(BadInput):
        await world.bamboo.form(dana, "edit", ref("121"))
    with pytest.raises(BadInput):
        await world.bamboo.perform(dana, Deed("edit", "k1", ref("121")))


async def test_changes_are_told_since_a_position(world: World) -> None:
    dana = Account(world.hr, "dana")
    _, first = await world.bamboo.changed(dana, "")
    _, position = await world.bamboo.changed(dana, "2025-01-01T00:00:00Z")

    world.hr.change("103", {"jobTitle": "Sales lead"})
    changes, after = await world.bamboo.changed(dana, position)
    nothing, _ = await world.bamboo.changed(dana, after)

    assert first
    assert [(each.ref, each.kind) for each in changes] == [
        (ref("103"), ChangeKind.CHANGED)
    ]
    assert nothing == []


async def test_workday_tells_that_something_changed(world: World) -> None:
    isu = FakeAccess(tokens=[f"{ISU}:{ISU_PASSWORD}"])
    _, position = await world.workday.changed(isu, "")
    same, _ = await world.workday.changed(isu, position)

    world.hr.company.workers[0]["Business_Title"] = "Chief"
    [missed], _ = await world.workday.changed(isu, position)

    assert same == []
    assert (missed.kind, missed.ref) == (ChangeKind.MISSED, None)


async def test_webhooks_are_believed_if_signed_and_fresh(world: World) -> None:
    async with listening() as ear:
        world.hr.hooks["employees"] = ear.url
        world.hr.change("103", {"jobTitle": "Sales lead", "payRate": "70000"})
        world.hr.change("103", {"payRate": "71000"})
        await world.hr.poster.idle()
    first = next(c for c in ear.heard if b"Sales lead" in c.body)
    other = next(c for c in ear.heard if c is not first)
    now = world.hr.clock.now()

    [change] = world.bamboo.heard(first.headers, first.url, first.body, now)
    nothing = world.bamboo.heard(other.headers, other.url, other.body, now)

    assert (change.ref, change.fields) == (ref("103"), ("role",))
    # When it was may have the same digits.
    assert "7" + "0000" not in repr(replace(change, event="", rev=NEVER))
    assert nothing == []  # only pay changed, which is none of ATOM's business
    for headers, body, at in (
        (first.headers, first.body + b" ", now),
        (first.headers, first.body, now + 301),
        ({**first.headers, "X-BambooHR-Signature": "é"}, first.body, now),
        ({}, first.body, now),
    ):
        with pytest.raises(NotAllowed):
            world.bamboo.heard(headers, first.url, body, at)
    with pytest.raises(NotAllowed):
        world.workday.heard(first.headers, first.url, first.body, now)


async def test_older_webhooks_name_employees_in_a_list(world: World) -> None:
    told = {"id": "103", "action": "Updated", "timestamp": "2026-11-28T10:00:00+00:00"}
    more = {"changedFields": ["location"], "fields": {"location": "Oslo"}}
    body = json.dumps({"employees": [{**told, **more}, {"id": "../1"}]}).encode()

    [change] = world.bamboo.heard(world.hr.signed(body), "", body, world.hr.clock.now())

    assert (change.ref, change.fields) == (ref("103"), ("site",))


@pytest.mark.parametrize(
    ("told", "status"),
    [
        (Employee("1", start="2026-12-01"), "Joining"),
        (Employee("1", start="2026-11-28"), "Here"),
        (Employee("1", start="2020-01-01", last_day="2026-11-28"), "Here"),
        (Employee("1", start="2020-01-01", last_day="2026-11-27"), "Left"),
        (Employee("1", inactive=True), "Left"),
        (Employee("1", start="soon"), "Here"),
    ],
)
def test_a_status_follows_the_calendar(told: Employee, status: str) -> None:
    assert record(told, COMPANY, TODAY, 1).status.text == status


@pytest.mark.parametrize(
    ("told", "known"),
    [
        (Employee("1", "Ana", start="2026-12-01", announced=False), False),
        (Employee("1", "Ana", start="2026-12-01", announced=True), True),
        # Nobody goes through those who have been there for years.
        (Employee("1", "Ana", start="2020-01-01", announced=False), True),
        (Employee("1", "Ana", announced=False), False),
        (Employee("1", "Ana"), True),
    ],
)
def test_a_name_is_everybodys_once_somebody_is_there(
    told: Employee, *, known: bool
) -> None:
    made = record(told, COMPANY, TODAY, 1)

    name = made.fact("name")
    assert name is not None
    assert (name.cls == "public", "Ana" in made.title) == (known, known)


async def test_one_search_reads_the_report_and_nothing_else(world: World) -> None:
    dana = Account(world.hr, "dana")

    found = await world.bamboo.find(dana, "finance", 8)

    assert len(found) > 1
    assert len(world.told.calls()) == 1


async def test_nobody_is_found_by_a_name_that_is_not_told_yet(world: World) -> None:
    dana = Account(world.hr, "dana")

    assert await world.bamboo.find(dana, "nora", 5) == []
    assert len(await world.bamboo.find(dana, "financial analyst", 5)) == 1


def test_that_somebody_leaves_is_hrs_to_tell() -> None:
    told = Employee("1", "Ana", last_day=str(TODAY + timedelta(days=9)))

    fact = record(told, COMPANY, TODAY, 1).fact("last_day")

    assert fact is not None
    assert (fact.cls, fact.secretive) == ("hr", True)


def test_links_name_employees_and_names_do_not() -> None:
    text = "Ana, <https://acme.example/employees/12|her>, https://x.example/employees/1"

    [mention] = COMPANY.mentions(text)

    assert mention.ref == ref("12")


async def test_an_operator_says_which_system_it_is(world: World) -> None:
    url, budget = world.told.url, CountingBudget()
    api = f"{url}/bamboohr/api/gateway.php/acme/v1"
    bamboo = made("hr", url, api, {"product": "bamboohr", **CUSTOM}, budget)
    report = {"product": "workday", "report": "isu_atom/Employees"}
    reports = f"{url}/workday/ccx/service/customreport2/acme"
    days = made("hr", url, reports, report, budget)

    isu = FakeAccess(tokens=[f"{ISU}:{ISU_PASSWORD}"])
    found = [
        *await bamboo.find(Account(world.hr, "dana"), "analyst", 5),
        *await days.find(isu, "analyst", 5),
    ]
    await bamboo.aclose()
    await days.aclose()

    assert [each.ref.id for each in found] == ["121", "W-121"]
    assert found[0].url == f"{url}/employees/employee.php?id=121"
    [mention] = bamboo.recognise(found[0].url)
    assert mention.ref == found[0].ref


@pytest.mark.parametrize(
    "options",
    [
        {"product": "payroll"},
        {"product": "bamboohr"},
        {"product": "bamboohr", "company": "../x"},
        {"product": "workday"},
        {"product": "workday", "report": "alone"},
        {"product": "bamboohr", "company": "acme", "page": "https://acme.example/"},
    ],
)
async def test_what_is_not_said_of_an_hr_system_is_asked_for(
    options: dict[str, object],
) -> None:
    with pytest.raises(BadInput):
        made("hr", "https://acme.example", "", options, CountingBudget())
