"""Making, widening and releasing legal holds: a row each, and an entry of the log."""

from collections.abc import AsyncIterator, Callable, Collection, Sequence
from dataclasses import dataclass
from secrets import token_hex

from bridge.compliance import Duties, Duty, Officer
from bridge.errors import BadInput, Conflict, NotFound
from bridge.legal_holds import GRACE_US, HoldScope, LegalHold, Matter
from storage.compliance.acts import Act, Acts
from storage.compliance.retention import barrier, hold_rows
from storage.compliance.retention.holding import Holding, read
from storage.compliance.retention.trusted_time import TrustedTime


@dataclass(frozen=True, slots=True)
class StoredLegalHolds:
    """
    Implements `bridge.compliance.Holds` and `bridge.legal_holds.HoldDesk`.

    A hold is as many rows as it has scopes, however much it keeps. It counts from the
    commit of its log entry on, for what is on record and for what will be.
    `grace_us` is how long a released hold goes on holding.
    """

    holding: Holding
    acts: Acts
    duties: Duties
    time: TrustedTime
    clock: Callable[[], int]
    grace_us: int = GRACE_US

    async def create(
        self, tenant: str, officer: Officer, name: str, scope: HoldScope
    ) -> LegalHold:
        """Hold all that a scope is about. Raises `Refused` and `BadInput`."""
        await self.duties.require(tenant, officer, Duty.HOLD)
        if not name.strip():
            raise BadInput("a hold needs a name: that of the matter it is for")
        self._check(scope)
        now = self.clock()
        matter = Matter(f"H{token_hex(5)}", name.strip(), officer.name, now)
        await self.acts.note(
            Act(
                tenant,
                "hold.create",
                officer.name,
                f"hold {matter.id} was made: {matter.name}",
                {"hold": matter.id, "name": matter.name, **hold_rows.as_data(scope)},
            ),
            (
                hold_rows.created(tenant, matter),
                hold_rows.scoped(tenant, matter.id, scope, now),
                barrier.raised(tenant),
            ),
        )
        return LegalHold(matter, (scope,))

    async def widen(
        self, tenant: str, officer: Officer, hold: str, scope: HoldScope
    ) -> LegalHold:
        """Let a hold keep more. What it kept before, it keeps."""
        await self.duties.require(tenant, officer, Duty.HOLD)
        self._check(scope)
        known = await self.called(tenant, hold)
        if known.matter.released_us:
            raise Conflict(f"hold {hold} was released: make another one")
        await self.acts.note(
            Act(
                tenant,
                "hold.scope",
                officer.name,
                f"hold {hold} keeps more",
                {"hold": hold, **hold_rows.as_data(scope)},
            ),
            (
                hold_rows.scoped(tenant, hold, scope, self.clock()),
                barrier.raised(tenant),
            ),
        )
        return LegalHold(known.matter, (*known.scopes, scope))

    async def release(self, tenant: str, officer: Officer, hold: str) -> LegalHold:
        """Release a hold; it goes on holding until its grace is over."""
        await self.duties.require(tenant, officer, Duty.HOLD)
        known = await self.called(tenant, hold)
        if known.matter.released_us:
            raise Conflict(f"hold {hold} was released before")
        now = self.clock()
        until = now + self.grace_us
        await self.acts.note(
            Act(
                tenant,
                "hold.release",
                officer.name,
                f"hold {hold} was released: {known.matter.name}",
                {"hold": hold, "name": known.matter.name, "until_us": until},
            ),
            (
                hold_rows.released(tenant, hold, officer.name, now, until),
                barrier.raised(tenant),
            ),
            key=f"hold.release:{hold}",
        )
        return await self.called(tenant, hold)

    async def listed(self, tenant: str, officer: Officer) -> list[LegalHold]:
        """Return every hold to an officer who may hold. Raises `Refused`."""
        await self.duties.require(tenant, officer, Duty.HOLD)
        return await self.all(tenant)

    async def all(self, tenant: str) -> list[LegalHold]:
        """Return every hold that there ever was, oldest first."""
        matters = await read(self.holding.store, hold_rows.matters(tenant))
        scopes = await read(self.holding.store, hold_rows.scopes(tenant))
        return [
            LegalHold(m, tuple(scope for hold, scope in scopes if hold == m.id))
            for m in matters
        ]

    async def called(self, tenant: str, hold: str) -> LegalHold:
        """Return one hold, or raise `NotFound`."""
        for known in await self.all(tenant):
            if known.matter.id == hold:
                return known
        raise NotFound(f"there is no hold {hold[:40]}: 'hold list' shows them")

    async def active(self, tenant: str) -> Sequence[str]:
        now = await self.time.now_us(tenant)
        matters = await read(self.holding.store, hold_rows.matters(tenant))
        return sorted(matter.id for matter in matters if matter.holds(now))

    async def version(self, tenant: str) -> int:
        return await self.holding.version(tenant)

    async def held(
        self, tenant: str, references: Collection[str]
    ) -> AsyncIterator[tuple[int, str]]:
        now = await self.time.now_us(tenant)
        async for seq, matter in self.holding.held(tenant, references, now):
            yield seq, matter

    def _check(self, scope: HoldScope) -> None:
        scope.checked()
        if scope.query:
            self.holding.matcher.check(scope.query)
