"""Officers for tests of what takes two of them."""

from dataclasses import dataclass

from bridge.compliance import Duty, Officer
from storage.compliance.acts import Acts
from storage.compliance.rights.approvals import StoredApprovals
from storage.compliance.rights.duties import StoredDuties
from tests.contract.conftest import TENANT, Store

ADA, BEN, CLARA = Officer("cli:ada"), Officer("cli:ben"), Officer("cli:clara")


@dataclass(frozen=True)
class Office:
    """What acts on record take: Ada may erase, and Ben agrees."""

    acts: Acts
    duties: StoredDuties
    approvals: StoredApprovals

    @classmethod
    def of(cls, store: Store) -> "Office":
        hot, clock = store.database.hot, store.journal.clock
        acts = Acts(store.journal, clock)
        duties = StoredDuties(hot, acts, clock)
        return cls(acts, duties, StoredApprovals(hot, acts, duties, clock))

    async def open(self) -> None:
        await self.duties.assign(TENANT, CLARA, CLARA, Duty.ASSIGN)
        await self.duties.assign(TENANT, CLARA, ADA, Duty.ERASE)
        await self.duties.assign(TENANT, CLARA, BEN, Duty.APPROVE)

    async def agree(self, approval: str) -> None:
        await self.approvals.approve(TENANT, BEN, approval)
