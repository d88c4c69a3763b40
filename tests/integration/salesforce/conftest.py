"""An org, ATOM's way to it, and the people who use it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from bridge.records.model import Record, RecordRef, System
from connectors.guarded import Limits
from connectors.salesforce import Salesforce, Setup
from connectors.sandbox.salesforce import Salesforce as Org
from tests.stand_ins import Account, CountingBudget, Told, running


@dataclass
class Acme:
    """The org `org`, served as `told`, and ATOM's `records` of it."""

    told: Told
    org: Org
    budget: CountingBudget
    records: Salesforce

    def account(self, name: str) -> Account:
        return Account(self.org, name)

    def ref(self, kind: str, name: str) -> RecordRef:
        return RecordRef(System.SALESFORCE, "acme", kind, self.org.ids[name])

    def row(self, kind: str, name: str) -> dict[str, object]:
        return self.org.rows.rows[kind][self.org.ids[name]]

    async def record(self, who: str, kind: str, name: str) -> Record:
        ref = self.ref(kind, name)
        found = (await self.records.read(self.account(who), [ref]))[ref]
        assert isinstance(found, Record), found
        return found


@pytest.fixture
async def told() -> AsyncIterator[Told]:
    async with running(Org()) as one:
        yield one


@pytest.fixture
async def acme(told: Told) -> AsyncIterator[Acme]:
    assert isinstance(told.stand_in, Org)
    told.stand_in.events.patience = 0.2
    budget = CountingBudget()
    setup = Setup("acme", told.url, hook_secret="hush")
    records = Salesforce(setup, budget, Limits(deadline=20.0))
    yield Acme(told, told.stand_in, budget, records)
    await records.aclose()
