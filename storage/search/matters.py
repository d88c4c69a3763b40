"""What is held and what is labelled, for searches that ask for it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bridge.legal_holds import HoldScope
from bridge.search.fields import resolved
from bridge.search.grammar import read
from bridge.search.syntax import (
    Anything,
    Condition,
    Expression,
    Span,
    both,
    either,
)
from bridge.search.times import ALWAYS
from storage.compliance.retention import hold_rows
from storage.hot import HotStore, Program, Statement, T


@dataclass(frozen=True, slots=True)
class StoredMatters:
    """Implements `storage.search.resolving.Matters` and `Labels`."""

    store: HotStore
    clock: Callable[[], int]

    async def queries(self, tenant: str) -> Mapping[str, Expression]:
        now = self.clock()
        matters = await self._read(lambda: hold_rows.matters(tenant))
        scopes = await self._read(lambda: hold_rows.scopes(tenant))
        return {
            matter.id: either(
                *(_asked(scope) for hold, scope in scopes if hold == matter.id)
            )
            for matter in matters
            if matter.holds(now) and any(hold == matter.id for hold, _ in scopes)
        }

    async def labelled(self, tenant: str, label: str) -> Sequence[tuple[str, str]]:
        rows = await self.store.fetch(
            Statement(
                "SELECT conv, msg FROM item_label WHERE tenant = :tenant "
                "AND lower(label) = :label",
                {"tenant": tenant, "label": label.lower()},
            )
        )
        return [(conv, msg) for conv, msg in rows]

    async def _read(self, program: Callable[[], Program[T]]) -> T:
        return await self.store.run(program)


def _asked(scope: HoldScope) -> Expression:
    """Return a hold's scope as a search. A person is known by the id alone here."""
    parts: list[Expression] = []
    if scope.people:
        ids = sorted(person.rpartition("/")[2] for person in scope.people)
        parts.append(either(*(Condition("from", id_, literal=True) for id_ in ids)))
    if scope.channels:
        parts.append(either(*(Condition("in", c) for c in sorted(scope.channels))))
    if scope.query:
        parts.append(resolved(read(scope.query), 0).expression)
    if scope.from_us or scope.to_us:
        parts.append(
            Span(scope.from_us or ALWAYS.start_us, scope.to_us or ALWAYS.end_us)
        )
    return both(*parts) if parts else Anything()
