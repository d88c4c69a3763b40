"""
Approvals that wait for people who do not work here any more, and who is to decide now.

An orphan is such an approval. ATOM finds it and tells people; whose it becomes is
written by a person, as that person, like everything else.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

from bridge.directory.accounts import Account
from bridge.records.model import Absence, Record, RecordRef, System
from bridge.records.ports import Access, Records

GIVE = "give"
"""The act that makes somebody else the approver. Its values are the next three."""
APPROVAL, FROM, TO = "approval", "from", "to"
APPROVALS = "approvals"
"""The fact that says how far approvals are; plainly, the ids of who is waited for."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """
    An approval that waits: `id` and `approver` are the system's own ids.

    `address` is the approver's, `keeper` that of who manages the group that was asked;
    empty where the system does not tell it.
    """

    id: str
    ref: RecordRef
    approver: str
    address: str
    keeper: str = ""


@runtime_checkable
class HandsOn(Records, Protocol):
    """
    A system whose approvals wait for people, and can be given to others (`GIVE`).

    Raises what `Records` raises.
    """

    async def waiting(self, access: Access) -> Sequence[Waiting]:
        """Return every approval that waits, in as few calls as the system allows."""
        ...

    async def deputies(
        self, access: Access, approvers: Collection[str]
    ) -> Mapping[str, Sequence[str]]:
        """Return by approver the addresses of who may decide in their place now."""
        ...

    async def accounts_of(
        self, access: Access, addresses: Collection[str]
    ) -> Mapping[str, str]:
        """Return the system's ids of active accounts, by addresses that are one's."""
        ...


@dataclass(frozen=True, slots=True)
class Orphan:
    """
    An approval of somebody who left, and who is to decide: people by ATOM's ids.

    `heir` is empty if nobody is known. A `deputy` may decide already, by the system's
    own rules. `told` says that everybody concerned was told.
    """

    tenant: str
    ref: RecordRef
    approval: str
    approver: str
    leaver: str
    heir: str = ""
    deputy: bool = False
    told: bool = False

    def same(self, other: "Orphan | None") -> bool:
        """Say whether it is for the same people to decide, told of it or not."""
        return other is not None and replace(self, told=other.told) == other


class OrphanBook(Protocol):
    """The orphans that are known. Raises `StoreUnavailable`."""

    async def all(
        self, tenant: str, system: System, instance: str
    ) -> Sequence[Orphan]: ...

    async def of(
        self, tenant: str, refs: Collection[RecordRef]
    ) -> Sequence[Orphan]: ...

    async def keep(self, orphan: Orphan) -> None:
        """Keep it in place of what was known of the same approval."""
        ...

    async def drop(self, orphan: Orphan) -> None:
        """It waits for that person no more, or they are back."""
        ...


class Staff(Protocol):
    """Who works in a company, as its directory says. People are ATOM's ids of them."""

    def leavers(self, tenant: str) -> Mapping[str, str]:
        """
        Return people who do not work here any more, by their addresses in lower case.

        An address that somebody has who works here is not among them, and nobody is
        whom the directory does not know.
        """
        ...

    def at_work(self, tenant: str, address: str) -> str:
        """Return who has an address and works here; empty if that is nobody for sure."""
        ...

    def manager(self, tenant: str, person: str) -> str:
        """Return somebody's manager, if they work here; empty else."""
        ...

    def address(self, tenant: str, person: str) -> str: ...

    def name(self, tenant: str, person: str) -> str: ...

    async def chats(self, tenant: str, person: str) -> Sequence[Account]:
        """Return the accounts under which somebody can be told something alone."""
        ...


@dataclass(frozen=True, slots=True)
class Annotating:
    """Says on cards whom an approval waits on, where that is not who the system names."""

    book: OrphanBook
    staff: Staff

    async def annotated(
        self, tenant: str, seen: Mapping[RecordRef, Record | Absence]
    ) -> Mapping[RecordRef, Record | Absence]:
        """Return records with what is known of their orphans. Raises `StoreUnavailable`."""
        waiting = {
            ref: one
            for ref, one in seen.items()
            if isinstance(one, Record) and (fact := one.fact(APPROVALS)) and fact.raw
        }
        if not waiting:
            return seen
        for orphan in await self.book.of(tenant, list(waiting)):
            waiting[orphan.ref] = self._with(waiting[orphan.ref], orphan)
        return {**seen, **waiting}

    def _with(self, record: Record, orphan: Orphan) -> Record:
        facts = tuple(
            replace(fact, text=f"{fact.text} · {self.line(orphan)}")
            if fact.id == APPROVALS and orphan.approver in fact.raw.split()
            else fact
            for fact in record.facts
        )
        return replace(record, facts=facts)

    def line(self, orphan: Orphan) -> str:
        """Return in one line who left, and whom it waits on."""
        tenant = orphan.tenant
        leaver = self.staff.name(tenant, orphan.leaver) or "An approver"
        heir = self.staff.name(tenant, orphan.heir) if orphan.heir else ""
        if not heir:
            return f"{leaver} has left: waiting on an admin to say who decides"
        if orphan.deputy:
            return f"{leaver} has left: waiting on {heir}, who stands in for them"
        return f"{leaver} has left: waiting on {heir}"
