"""How many messages of a channel were deleted or edited in a short time, by the log."""

from collections.abc import Mapping
from dataclasses import dataclass

from bridge.delivery import Delivery, Operation
from bridge.messages import EventKind
from storage.hot import HotStore, Statement
from storage.rows import clean_id
from storage.schema import CHANGES

# Entries to look back at most. More in one minute means that ATOM has other worries.
# Edits are many, and nobody waits for a deletion.
_FAR: Mapping[Operation, int] = {Operation.DELETE: 50_000, Operation.EDIT: 5_000}

_DAY_US = 24 * 3600 * 1_000_000  # clocks are never that far apart

# Said twice, because SQLite takes an index of some rows for nothing else.
_IN_CHANNEL = (
    "FROM log WHERE tenant = :tenant AND seq > :first AND seq <= :seq AND conv = :conv "
    f"AND {CHANGES} "
)
_COUNTS: Mapping[Operation, str] = {
    Operation.DELETE: f"SELECT count(*) {_IN_CHANNEL}"
    "AND cap_us >= :since AND cap_us <= :until "
    f"AND etype = '{EventKind.MESSAGE_DELETE}'",
    # Messages and not edits: a clock that an app edits every second is one message.
    # By the time of the edit: after an outage those of hours come at once. When they
    # were captured only spares PostgreSQL the months that have none.
    Operation.EDIT: f"SELECT count(DISTINCT msg) {_IN_CHANNEL}"
    "AND cap_us >= :earliest AND cap_us <= :latest "
    "AND version_us >= :since AND version_us <= :until "
    f"AND etype = '{EventKind.MESSAGE_EDIT}' AND outcome = 'allow'",
}


@dataclass(frozen=True, slots=True)
class LoggedChanges:
    """Implements `bridge.breaker.Changes`."""

    store: HotStore

    async def until(self, delivery: Delivery, within_us: int) -> int:
        editing = delivery.operation is Operation.EDIT
        # A deletion's entry and its delivery have the same time, or nearly so.
        at = delivery.version_us if editing else delivery.created_us
        wanted = {
            "tenant": delivery.tenant,
            "first": delivery.entry - _FAR[delivery.operation],
            "seq": delivery.entry,
            "since": at - within_us,
            "until": at + within_us,
            "conv": clean_id(delivery.source.id),
        }
        if editing:
            wanted |= {
                "earliest": at - within_us - _DAY_US,
                "latest": delivery.created_us + _DAY_US,
            }
        rows = await self.store.fetch(Statement(_COUNTS[delivery.operation], wanted))
        count: int = rows[0][0]
        return count
