"""In-memory stand-ins for what the SCIM server needs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bridge.directory.model import Reading
from bridge.directory.scim import (
    Change,
    Kept,
    Lookup,
    Member,
    Membership,
    Receipt,
    ScimKind,
    Stale,
)
from bridge.errors import Conflict


@dataclass
class _Company:
    kept: dict[str, Kept] = field(default_factory=dict)
    change: dict[str, Change] = field(default_factory=dict)
    members: dict[str, dict[str, Member]] = field(default_factory=dict)
    newest: int = 0


@dataclass
class FakeScim:
    """Implements `bridge.directory.scim.ScimStore`; `passes` are let shrink."""

    clock: Callable[[], int]
    passes: set[str] = field(default_factory=set)
    _companies: dict[str, _Company] = field(default_factory=dict)

    def _of(self, tenant: str) -> _Company:
        return self._companies.setdefault(tenant, _Company())

    def _living(self, tenant: str, kind: ScimKind) -> list[Kept]:
        several = self._of(tenant).kept.values()
        return [kept for kept in several if kept.kind is kind and not kept.deleted]

    async def one(self, tenant: str, kind: ScimKind, resource: str) -> Kept | None:
        return next((k for k in self._living(tenant, kind) if k.id == resource), None)

    async def kinds(
        self, tenant: str, resources: Sequence[str]
    ) -> Mapping[str, ScimKind]:
        kept = self._of(tenant).kept
        living = [r for r in resources if r in kept and not kept[r].deleted]
        return {resource: kept[resource].kind for resource in living}

    async def count(self, tenant: str, kind: ScimKind) -> int:
        return len(self._living(tenant, kind))

    async def page(
        self, tenant: str, kind: ScimKind, offset: int, limit: int
    ) -> Sequence[Kept]:
        return self._living(tenant, kind)[offset : offset + limit]

    async def scan(
        self, tenant: str, kind: ScimKind, after: int, limit: int
    ) -> tuple[Sequence[Kept], int]:
        rest = self._living(tenant, kind)[after:]
        return rest[:limit], after + limit if len(rest) >= limit else 0

    async def found(
        self, tenant: str, kind: ScimKind, lookup: Lookup
    ) -> Sequence[Kept]:
        company = self._of(tenant)

        def fits(kept: Kept) -> bool:
            change = company.change[kept.id]
            inside = company.members.get(kept.id, {})
            return (
                lookup.id in {"", kept.id}
                and lookup.label in {"", change.label}
                and lookup.external in {"", change.external}
                and (not lookup.member or lookup.member in inside)
            )

        return [kept for kept in self._living(tenant, kind) if fits(kept)]

    async def members(
        self, tenant: str, groups: Sequence[str]
    ) -> Mapping[str, Sequence[Member]]:
        members = self._of(tenant).members
        return {group: list(members.get(group, {}).values()) for group in groups}

    async def memberships(
        self, tenant: str, members: Sequence[str]
    ) -> Mapping[str, Sequence[Membership]]:
        return {member: self._around(tenant, member) for member in members}

    def _around(self, tenant: str, member: str) -> list[Membership]:
        company, seen, waiting = self._of(tenant), set[str](), [member]
        while waiting:
            inner = waiting.pop()
            outer = {g for g, inside in company.members.items() if inner in inside}
            waiting += outer - seen
            seen |= outer
        return [
            Membership(
                kept.id,
                str(kept.document.get("displayName", "")),
                direct=member in company.members.get(kept.id, {}),
            )
            for kept in company.kept.values()
            if kept.id in seen
        ]

    async def changes(
        self, tenant: str, after: int, limit: int
    ) -> tuple[Sequence[Kept], int]:
        company = self._of(tenant)
        later = [kept for kept in company.kept.values() if kept.change > after]
        return sorted(later, key=lambda k: k.change)[:limit], company.newest

    async def write(self, tenant: str, change: Change) -> Kept:
        company, now = self._of(tenant), self.clock()
        before = company.kept.get(change.id)
        version = before.version if before and not before.deleted else 0
        if version != change.expected:
            raise Stale
        for kept in self._living(tenant, ScimKind.USER):
            same = change.unique and company.change[kept.id].unique == change.unique
            if same and kept.id != change.id and not change.deleted:
                raise Conflict("another user of the company has that name")
        company.newest += 1
        made = Kept(
            change.kind,
            change.id,
            version + 1,
            company.newest,
            before.created_us if before else now,
            now,
            dict(change.document),
            deleted=change.deleted,
        )
        company.kept[change.id], company.change[change.id] = made, change
        inside = company.members.setdefault(change.id, {})
        for member in change.left:
            inside.pop(member, None)
        for joined in change.joined:
            inside.setdefault(joined.id, joined)
        if change.deleted:
            company.members.pop(change.id)
            for others in company.members.values():
                others.pop(change.id, None)
        return made

    async def allowed(self, tenant: str, group: str) -> bool:
        return group in self.passes


@dataclass
class FakeReceives:
    """Implements `bridge.directory.scim.Receives`, and remembers."""

    readings: list[Reading] = field(default_factory=list)
    held: str = ""

    async def receive(self, tenant: str, reading: Reading) -> Receipt:
        self.readings.append(replace(reading))
        return Receipt(reading.cursor.decode(), self.held)
