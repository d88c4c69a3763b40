"""Two persons for one act: who asks, and somebody else who agrees to exactly that."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from secrets import token_hex

from bridge.compliance import Asked, Duty, Officer
from bridge.errors import BadInput, Conflict, NotFound, Refused
from storage.compliance.acts import Act, Acts
from storage.compliance.rights.duties import StoredDuties
from storage.hot import HotStore, Row, Statement

LIFETIME_US = 24 * 3600 * 1_000_000
_DIGEST = re.compile(r"[0-9a-f]{64}")
_COLUMNS = (
    "id, digest, act, state, asked_by, asked_us, expires_us, decided_by, decided_us"
)


@dataclass(frozen=True, slots=True)
class Approval:
    """
    An act that somebody asked to do.

    `state` is asked, agreed, refused or spent. Times are microseconds UTC; after
    `expires_us` it can be neither agreed to nor spent.
    """

    id: str
    digest: str
    act: str
    state: str
    asked_by: str
    asked_us: int
    expires_us: int
    decided_by: str = ""
    decided_us: int = 0


@dataclass(frozen=True, slots=True)
class _Step:
    """A step of an approval's life; `once` names what can happen to it only once."""

    etype: str
    approval: Approval
    change: Statement
    once: str = ""


@dataclass(frozen=True, slots=True)
class StoredApprovals:
    """Implements `bridge.compliance.Approvals`, and lets others decide."""

    store: HotStore
    acts: Acts
    duties: StoredDuties
    clock: Callable[[], int]
    lifetime_us: int = LIFETIME_US

    async def ask(self, tenant: str, officer: Officer, act: str, digest: str) -> str:
        if not _DIGEST.fullmatch(digest):
            raise BadInput("an approval is bound to 64 hexadecimal digits of SHA-256")
        now = self.clock()
        for known in await self._of(tenant, digest):
            if known.asked_by == officer.name and _open(known, now):
                return known.id
        made = Approval(
            f"A-{token_hex(4)}",
            digest,
            act,
            "asked",
            officer.name,
            now,
            now + self.lifetime_us,
        )
        step = _Step("approval.ask", made, _insert(tenant, made))
        await self._note(tenant, officer, step)
        return made.id

    async def spend(self, tenant: str, officer: Officer, digest: str) -> str:
        now, reasons = self.clock(), []
        for known in await self._of(tenant, digest):
            if known.asked_by != officer.name:
                continue
            if reason := await self._in_the_way(tenant, known, now):
                reasons.append(reason)
                continue
            spent = _update(tenant, known, "spent", known.decided_by, known.decided_us)
            step = _Step("approval.spend", known, spent, once="spent")
            if await self._note(tenant, officer, step):
                return known.id
            reasons.append("it was used already")
        reason = reasons[0] if reasons else "nobody was asked"
        detail = {"digest": digest, "reason": reason}
        await self.acts.note(
            Act(
                tenant,
                "access.refused",
                officer.name,
                f"no approval: {reason}",
                detail,
                outcome="deny",
            )
        )
        raise Refused(
            f"This takes a second person, and {reason}. Somebody else with the duty "
            "to approve says 'atom compliance approvals approve ID', or /atom approve."
        )

    async def all(self, tenant: str) -> list[Approval]:
        """Return what was asked, newest first."""
        rows = await self.store.fetch(
            Statement(
                f"SELECT {_COLUMNS} FROM approval WHERE tenant = :tenant "
                "ORDER BY asked_us DESC, id",
                {"tenant": tenant},
            )
        )
        return [_approval(row) for row in rows]

    async def waiting(self, tenant: str) -> list[Approval]:
        """Return what waits for somebody to decide, newest first."""
        now = self.clock()
        found = await self.all(tenant)
        return [a for a in found if a.state == "asked" and a.expires_us > now]

    async def approve(self, tenant: str, officer: Officer, approval: str) -> Approval:
        """Agree to what somebody else asked. Raises `Refused`, `NotFound`, `Conflict`."""
        return await self._decide(tenant, officer, approval, "agreed")

    async def refuse(self, tenant: str, officer: Officer, approval: str) -> Approval:
        """Say no to it, for good: whoever still wants it has to ask anew."""
        return await self._decide(tenant, officer, approval, "refused")

    async def pending(self, tenant: str, officer: Officer) -> list[Asked]:
        """Implements `bridge.compliance.ApprovalDesk`, as the next two do."""
        await self.duties.require(tenant, officer, Duty.APPROVE)
        return [Asked(a.id, a.act, a.asked_by) for a in await self.waiting(tenant)]

    async def agree(self, tenant: str, officer: Officer, approval: str) -> str:
        return (await self.approve(tenant, officer, approval)).act

    async def decline(self, tenant: str, officer: Officer, approval: str) -> str:
        return (await self.refuse(tenant, officer, approval)).act

    async def _decide(
        self, tenant: str, officer: Officer, approval: str, state: str
    ) -> Approval:
        await self.duties.require(tenant, officer, Duty.APPROVE)
        known = await self._one(tenant, approval)
        if known.asked_by == officer.name and state == "agreed":
            detail = {"approval": known.id, "digest": known.digest}
            text = f"approved {known.id}, which they asked for themselves"
            await self.acts.note(
                Act(
                    tenant, "access.refused", officer.name, text, detail, outcome="deny"
                )
            )
            raise Refused("Who asks cannot approve: it takes a second person.")
        if known.state != "asked":
            raise Conflict(f"{known.id} was decided already: it is {known.state}.")
        if known.expires_us <= self.clock():
            raise Conflict(f"{known.id} has expired: it has to be asked for again.")
        now = self.clock()
        etype = "approval.agree" if state == "agreed" else "approval.refuse"
        change = _update(tenant, known, state, officer.name, now)
        step = _Step(etype, known, change, once="decided")
        if not await self._note(tenant, officer, step):
            raise Conflict(f"{known.id} was decided just now by somebody else.")
        return await self._one(tenant, approval)

    async def _in_the_way(self, tenant: str, known: Approval, now_us: int) -> str:
        """Say what keeps an approval from being spent; nothing, if nothing does."""
        if known.state == "spent":
            return "it was used already"
        if known.state == "refused":
            return f"{known.decided_by} refused {known.id}"
        if known.expires_us <= now_us:
            return f"{known.id} has expired"
        if known.state == "asked":
            return f"{known.id} waits for an answer"
        decider = Officer(known.decided_by)
        if not await self.duties.has(tenant, decider, Duty.APPROVE):
            return f"{decider.name}, who agreed, may not approve any more"
        return ""

    async def _note(self, tenant: str, officer: Officer, step: "_Step") -> bool:
        """Write a step of an approval's life; False if somebody else was quicker."""
        known = step.approval
        text = f"{step.etype.removeprefix('approval.')} {known.id}: {known.act}"
        detail = {
            "approval": known.id,
            "digest": known.digest,
            "act": known.act,
            "asked_by": known.asked_by,
            "expires_us": known.expires_us,
        }
        key = f"approval:{step.once}:{known.id}" if step.once else ""
        act = Act(tenant, step.etype, officer.name, text, detail)
        receipt = await self.acts.note(act, (step.change,), key)
        return not receipt.duplicate

    async def _one(self, tenant: str, approval: str) -> Approval:
        rows = await self.store.fetch(
            Statement(
                f"SELECT {_COLUMNS} FROM approval WHERE tenant = :tenant AND id = :id",
                {"tenant": tenant, "id": approval},
            )
        )
        if not rows:
            raise NotFound(f"There is no approval {approval}.")
        return _approval(rows[0])

    async def _of(self, tenant: str, digest: str) -> list[Approval]:
        rows = await self.store.fetch(
            Statement(
                f"SELECT {_COLUMNS} FROM approval WHERE tenant = :tenant "
                "AND digest = :digest ORDER BY asked_us DESC, id",
                {"tenant": tenant, "digest": digest},
            )
        )
        return [_approval(row) for row in rows]


def _open(known: Approval, now_us: int) -> bool:
    return known.state in {"asked", "agreed"} and known.expires_us > now_us


def _approval(row: Row) -> Approval:
    return Approval(*row)


def _insert(tenant: str, made: Approval) -> Statement:
    return Statement(
        f"INSERT INTO approval (tenant, {_COLUMNS}) VALUES (:tenant, :id, :digest, "
        ":act, :state, :asked_by, :asked_us, :expires_us, :decided_by, :decided_us)",
        {
            "tenant": tenant,
            "id": made.id,
            "digest": made.digest,
            "act": made.act,
            "state": made.state,
            "asked_by": made.asked_by,
            "asked_us": made.asked_us,
            "expires_us": made.expires_us,
            "decided_by": made.decided_by,
            "decided_us": made.decided_us,
        },
    )


def _update(
    tenant: str, known: Approval, state: str, decided_by: str, decided_us: int
) -> Statement:
    return Statement(
        "UPDATE approval SET state = :state, decided_by = :decided_by, "
        "decided_us = :decided_us WHERE tenant = :tenant AND id = :id",
        {
            "tenant": tenant,
            "id": known.id,
            "state": state,
            "decided_by": decided_by,
            "decided_us": decided_us,
        },
    )
