"""A running stand-in with connectors to it, and what tests ask of both."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

from bridge.records.forms import Deed
from bridge.records.model import Record, RecordRef, Revision, System
from connectors.sandbox.servicenow import seed
from connectors.sandbox.servicenow.app import SECRET
from connectors.sandbox.servicenow.app import ServiceNow as StandIn
from connectors.servicenow.connector import ServiceNow, Settings
from tests.stand_ins import Account, CountingBudget, Told, running


def ref(kind: str, id_: str) -> RecordRef:
    return RecordRef(System.SERVICENOW, "acme", kind, id_)


INC1 = ref("incident", seed.sys_id("INC0010001"))
INC2 = ref("incident", seed.sys_id("INC0010002"))
WAITING = ref("change", seed.sys_id(seed.WAITING))
ANY_OF = ref("change", seed.sys_id(seed.ANY_OF))
LAPTOP = ref("item", seed.item_id("Developer laptop"))


@dataclass
class World:
    """One instance, one connector, and people with accounts."""

    stand_in: StandIn
    told: Told
    records: ServiceNow
    budget: CountingBudget
    alerts: list[tuple[str, str]] = field(default_factory=list)
    accounts: dict[str, Account] = field(default_factory=dict)

    def as_(self, name: str) -> Account:
        return self.accounts.setdefault(name, Account(self.stand_in, name))

    async def one(self, ref_: RecordRef, name: str = "erin") -> Record:
        found = (await self.records.read(self.as_(name), [ref_]))[ref_]
        assert isinstance(found, Record), found
        return found

    def row(self, table: str, id_: str) -> dict[str, str]:
        return self.stand_in.instance.rows[table][id_]

    def writes(self) -> list[str]:
        """Return what was written, as `PATCH /path`: batches only read."""
        return [
            call
            for call in self.told.calls()
            if not call.startswith("GET ") and not call.endswith("/batch")
        ]


def deed(act: str, ref_: RecordRef | None, key: str = "k1", **values: str) -> Deed:
    return Deed(act, key, ref_, values=values)


def tried(once: Deed) -> Deed:
    """Return another try of a deed."""
    return replace(once, tried_us=1)


def edit(record: Record, seen: dict[str, str], **values: str) -> Deed:
    return Deed("edit", "k1", record.ref, values=values, seen=seen, base=record.rev)


def rev(count: int) -> Revision:
    return Revision(count, str(count))


@asynccontextmanager
async def world() -> AsyncIterator[World]:
    stand_in = StandIn()
    budget = CountingBudget()
    alerts: list[tuple[str, str]] = []
    async with running(stand_in) as told:
        records = ServiceNow(
            Settings("acme", told.url, (SECRET,)),
            budget,
            lambda what, table: alerts.append((what, table)),
            stand_in.clock.now,
        )
        try:
            yield World(stand_in, told, records, budget, alerts)
        finally:
            await records.aclose()
