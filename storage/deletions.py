"""How many messages of a channel were deleted in a short time, by the log."""

from dataclasses import dataclass

from bridge.delivery import Delivery
from bridge.messages import EventKind
from storage.hot import HotStore, Statement
from storage.rows import clean_id

# Entries to look back at most. More in one minute means that ATOM has other worries.
_FAR = 50_000

_COUNT = (
    "SELECT count(*) FROM log WHERE tenant = :tenant AND seq > :first AND seq <= :seq "
    "AND cap_us >= :since AND cap_us <= :at AND conv = :conv "
    f"AND etype = '{EventKind.MESSAGE_DELETE}'"
)


@dataclass(frozen=True, slots=True)
class LoggedDeletions:
    """Implements `bridge.breaker.Deletions`."""

    store: HotStore

    async def until(self, delivery: Delivery, within_us: int) -> int:
        rows = await self.store.fetch(
            Statement(
                _COUNT,
                {
                    "tenant": delivery.tenant,
                    "first": delivery.entry - _FAR,
                    "seq": delivery.entry,
                    "since": delivery.created_us - within_us,
                    # The entry and its delivery have the same time, or nearly so.
                    "at": delivery.created_us + within_us,
                    "conv": clean_id(delivery.source.id),
                },
            )
        )
        count: int = rows[0][0]
        return count
