"""
The register of impact assessments (Art. 35), and what opens one.

Employees' conversations are kept as they talk: that is monitoring, and always takes
one. A link whose channels outsiders read, a kind of data that was not there before and
a kind of export that was not made before open further ones, each once.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256

from bridge.compliance import Duty, Officer
from bridge.errors import BadInput, Conflict, NotFound
from bridge.links import Link
from bridge.options import External
from storage.compliance.acts import Act, Acts
from storage.compliance.rights.duties import StoredDuties
from storage.hot import HotStore, Statement

_COLUMNS = "id, trigger, what, state, opened_us, closed_by, closed_us, outcome"
_CATEGORIES = {
    "message": "messages in all their revisions",
    "reaction": "reactions",
    "file": "files that people share",
    "member": "who is in which channel",
    "user": "people's profiles",
    "record": "records of business systems shown in chat",
}


@dataclass(frozen=True, slots=True)
class Trigger:
    """Something that takes an assessment; `kind` and `what` name it for good."""

    kind: str
    what: str

    @property
    def id(self) -> str:
        return f"D-{sha256(f'{self.kind} {self.what}'.encode()).hexdigest()[:8]}"


MONITORING = Trigger("monitoring", "employees' conversations are kept and searchable")


@dataclass(frozen=True, slots=True)
class Assessment:
    """An entry of the register. Times are microseconds UTC."""

    id: str
    trigger: str
    what: str
    state: str
    opened_us: int
    closed_by: str = ""
    closed_us: int = 0
    outcome: str = ""


@dataclass(frozen=True, slots=True)
class Register:
    """Keeps the assessments; each step is an entry of the log."""

    store: HotStore
    acts: Acts
    duties: StoredDuties
    clock: Callable[[], int]

    async def all(self, tenant: str) -> list[Assessment]:
        """Return the register, open ones first."""
        rows = await self.store.fetch(
            Statement(
                f"SELECT {_COLUMNS} FROM assessment WHERE tenant = :tenant "
                "ORDER BY state DESC, opened_us, id",
                {"tenant": tenant},
            )
        )
        return [Assessment(*row) for row in rows]

    async def look(self, tenant: str, links: Sequence[Link]) -> list[Assessment]:
        """Open an assessment for each trigger that has none, and return those."""
        known = {one.id for one in await self.all(tenant)}
        opened = []
        for trigger in await self.triggers(tenant, links):
            if trigger.id in known:
                continue
            made = Assessment(
                trigger.id, trigger.kind, trigger.what, "open", self.clock()
            )
            text = f"{made.id} opened: {trigger.what}"
            detail = {"assessment": made.id, "trigger": trigger.kind}
            act = Act(tenant, "assessment.open", "atom", text, detail)
            await self.acts.note(act, (_insert(tenant, made),), f"dpia:{made.id}")
            opened.append(made)
        return opened

    async def triggers(self, tenant: str, links: Sequence[Link]) -> list[Trigger]:
        """Return everything that takes an assessment now."""
        found = [MONITORING]
        found += [
            Trigger("external", f"link {link.id}: people of other organisations read")
            for link in links
            if link.options.external is External.ALLOW
        ]
        families = await self._families(tenant)
        found += [
            Trigger("category", text)
            for family, text in _CATEGORIES.items()
            if family in families
        ]
        if "export" in families:
            found.append(Trigger("export", "what is kept is exported"))
        return found

    async def close(
        self, tenant: str, officer: Officer, assessment: str, outcome: str
    ) -> None:
        """Say what came of it. Raises `Refused`, `NotFound`, `Conflict`, `BadInput`."""
        await self.duties.require(tenant, officer, Duty.RETAIN)
        if not outcome.strip():
            raise BadInput("say what came of the assessment: --outcome '…'")
        known = {one.id: one for one in await self.all(tenant)}
        if assessment not in known:
            raise NotFound(f"There is no assessment {assessment}.")
        if known[assessment].state != "open":
            raise Conflict(f"{assessment} is closed already.")
        detail = {"assessment": assessment, "outcome": outcome}
        text = f"{assessment} closed: {outcome}"
        act = Act(tenant, "assessment.close", officer.name, text, detail)
        changed = Statement(
            "UPDATE assessment SET state = 'closed', closed_by = :by, "
            "closed_us = :now, outcome = :outcome "
            "WHERE tenant = :tenant AND id = :id",
            {
                "tenant": tenant,
                "id": assessment,
                "by": officer.name,
                "now": self.clock(),
                "outcome": outcome,
            },
        )
        receipt = await self.acts.note(act, (changed,), f"dpia-closed:{assessment}")
        if receipt.duplicate:
            raise Conflict(f"{assessment} was closed just now by somebody else.")

    async def _families(self, tenant: str) -> set[str]:
        rows = await self.store.fetch(
            Statement(
                "SELECT DISTINCT etype FROM log WHERE tenant = :tenant",
                {"tenant": tenant},
            )
        )
        return {row[0].partition(".")[0] for row in rows}


def _insert(tenant: str, made: Assessment) -> Statement:
    return Statement(
        f"INSERT INTO assessment (tenant, {_COLUMNS}) VALUES (:tenant, :id, :trigger, "
        ":what, :state, :opened_us, '', 0, '') ON CONFLICT DO NOTHING",
        {
            "tenant": tenant,
            "id": made.id,
            "trigger": made.trigger,
            "what": made.what,
            "state": made.state,
            "opened_us": made.opened_us,
        },
    )
