"""Who was trusted with what, in memory: small enough to trust by reading."""

from dataclasses import dataclass, field, replace

from bridge.compliance import Asked, Duty, Officer
from bridge.errors import NotFound, Refused
from bridge.legal_holds import GRACE_US, HoldScope, LegalHold, Matter


@dataclass
class FakeTrust:
    """
    Duties and approvals: everybody whose name ends in /admin has every duty.

    `refused` keeps what was denied, `spent` the digests whose approval was used.
    """

    given: dict[str, set[Duty]] = field(default_factory=dict)
    asked: dict[str, Asked] = field(default_factory=dict)
    agreed: set[str] = field(default_factory=set)
    refused: list[tuple[str, Duty]] = field(default_factory=list)

    async def require(self, _tenant: str, officer: Officer, duty: Duty) -> None:
        has = officer.name.endswith("/admin") or duty in self.given.get(
            officer.name, ()
        )
        if not has:
            self.refused.append((officer.name, duty))
            raise Refused(f"{officer.name} may not {duty}.")

    async def holders(self, _tenant: str) -> list[tuple[str, Duty]]:
        return sorted((name, d) for name, duties in self.given.items() for d in duties)

    async def give(self, tenant: str, actor: Officer, officer: str, duty: str) -> str:
        await self.require(tenant, actor, Duty.ASSIGN)
        self.given.setdefault(officer, set()).add(Duty(f"compliance.{duty}"))
        return f"{officer} has the duty to {duty}."

    async def take(self, tenant: str, actor: Officer, officer: str, duty: str) -> str:
        await self.require(tenant, actor, Duty.ASSIGN)
        self.given.get(officer, set()).discard(Duty(f"compliance.{duty}"))
        return f"{officer} has the duty to {duty} no longer."

    async def ask(self, _tenant: str, officer: Officer, act: str, digest: str) -> str:
        self.asked.setdefault(digest, Asked(f"A-{digest[:8]}", act, officer.name))
        return self.asked[digest].id

    async def spend(self, _tenant: str, officer: Officer, digest: str) -> str:
        known = self.asked.get(digest)
        if known is None or known.id not in self.agreed:
            raise Refused(f"Nobody agreed to what {officer.name} wants.")
        self.agreed.discard(known.id)
        return known.id

    async def pending(self, tenant: str, officer: Officer) -> list[Asked]:
        await self.require(tenant, officer, Duty.APPROVE)
        return [one for one in self.asked.values() if one.id not in self.agreed]

    async def agree(self, tenant: str, officer: Officer, approval: str) -> str:
        await self.require(tenant, officer, Duty.APPROVE)
        known = self._known(approval)
        if known.asked_by == officer.name:
            raise Refused("Who asks cannot approve.")
        self.agreed.add(known.id)
        return known.act

    async def decline(self, tenant: str, officer: Officer, approval: str) -> str:
        await self.require(tenant, officer, Duty.APPROVE)
        known = self._known(approval)
        self.asked = {d: one for d, one in self.asked.items() if one.id != approval}
        return known.act

    def _known(self, approval: str) -> Asked:
        for one in self.asked.values():
            if one.id == approval:
                return one
        raise NotFound(f"There is no approval {approval}.")


@dataclass
class FakeHolds:
    """Holds of officers whose name ends in /admin."""

    made: list[LegalHold] = field(default_factory=list)
    now_us: int = 1_900_000_000_000_000

    async def listed(self, _tenant: str, officer: Officer) -> list[LegalHold]:
        _only_admins(officer)
        return self.made

    async def create(
        self, _tenant: str, officer: Officer, name: str, scope: HoldScope
    ) -> LegalHold:
        _only_admins(officer)
        matter = Matter(f"H{len(self.made) + 1}", name, officer.name, self.now_us)
        self.made.append(LegalHold(matter, (scope,)))
        return self.made[-1]

    async def release(self, _tenant: str, officer: Officer, hold: str) -> LegalHold:
        _only_admins(officer)
        for n, known in enumerate(self.made):
            if known.matter.id == hold:
                until = self.now_us + GRACE_US
                gone = replace(known.matter, released_us=self.now_us, until_us=until)
                self.made[n] = replace(known, matter=gone)
                return self.made[n]
        raise NotFound(f"there is no hold {hold}")


def _only_admins(officer: Officer) -> None:
    if not officer.name.endswith("/admin"):
        raise Refused(f"{officer.name} may not {Duty.HOLD}.")
