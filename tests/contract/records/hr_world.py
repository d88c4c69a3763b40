"""HR out of BambooHR, for the suite. Nothing is written there."""

from collections.abc import Mapping
from typing import Any

from aiohttp import ClientSession
from yarl import URL

from bridge.records.model import RecordRef, System
from connectors.hr.bamboohr import MANNER, BambooHr
from connectors.hr.employees import Company
from connectors.hr.records import HrRecords
from connectors.rest import Rest
from connectors.sandbox.hr.stand_in import Hr
from tests.contract.records.worlds import Sample
from tests.stand_ins import Account, CountingBudget, Told

_PEOPLE = {"reader": "bob", "insider": "dana", "onlooker": "chen"}
FRANK, NEW = "108", "121"


class HrWorld:
    """Implements `tests.contract.records.worlds.World`."""

    writes = "PUT "
    adds = "PUT *"
    deletes = rewords = words = ""
    batch = 3  # one each

    def __init__(self, told: Told) -> None:
        assert isinstance(told.stand_in, Hr)
        self.told = told
        self.hr = told.stand_in
        self.budget = CountingBudget()
        company = Company("acme", f"{told.url}/employees/employee.php?id={{id}}")
        base = URL(f"{told.url}/bamboohr/api/gateway.php/acme/v1")
        rest = Rest(
            ClientSession(),
            "BambooHR",
            base,
            company.bucket,
            self.budget,
            MANNER,
            clock=told.stand_in.clock.now,
        )
        self.records = HrRecords(company, BambooHr(rest, company))
        self.sample = Sample(
            open=(ref(FRANK), ref("101"), ref("104")),
            secret=ref(NEW),
            gone=ref("999"),
            title_word="frank",
            url=f"{told.url}/employees/employee.php?id={FRANK}",
            key="",
            keyed=None,
            edit="",
            values={},
            other={},
            add="",
            commented=ref(FRANK),
            addition={},
            create_kind="",
            new={},
            wrong={},
            wrong_inputs=frozenset(),
            money="last_day",
        )

    def account(self, name: str) -> Account:
        return Account(self.hr, _PEOPLE[name])

    def change_behind(self, values: Mapping[str, str]) -> None:
        self.hr.change(FRANK, values)

    def change_of(self, ref: RecordRef) -> None:
        raise AssertionError("nothing is made there")

    def forbid_deleting(self, account: Account) -> None:
        raise AssertionError("nothing is deleted there")

    def other_of(self, ref: RecordRef) -> str:
        raise AssertionError("nothing is made there")

    def reword_behind(self, words: str) -> None:
        raise AssertionError("nothing is added there")

    def remark(self, text: str) -> int:
        raise AssertionError("nothing is said there")

    def remark_inside(self, text: str) -> None:
        raise AssertionError("nothing is said there")

    def added(self, words: str = "") -> int:
        return 0

    def value(self, name: str) -> Any:
        return self.hr.company.employees[FRANK][name]

    async def aclose(self) -> None:
        await self.records.aclose()


def ref(id_: str) -> RecordRef:
    return RecordRef(System.HR, "acme", "employee", id_)
