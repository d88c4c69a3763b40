"""
A time that a wrong clock cannot move forward.

Whether something is due is told by the host's clock and by the platforms' together: it
counts as late as both agree on. A clock that was set forward makes nothing go early, and
a forged claim of a platform neither.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from storage.hot import HotStore, Statement

_NEWEST = 200

Witness = Callable[[str], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class TrustedTime:
    """
    `more` are other clocks than the host's: each returns when it was last heard of,
    such as the newest checkpoint that somebody else dated.
    """

    store: HotStore
    clock: Callable[[], int]
    more: Sequence[Witness] = ()

    async def now_us(self, tenant: str) -> int:
        """Return the newest time that is certain; 0 while nobody vouches for any."""
        vouched = [await self._platforms(tenant)]
        vouched += [await witness(tenant) for witness in self.more]
        return min(self.clock(), max(vouched))

    async def _platforms(self, tenant: str) -> int:
        """
        Return the newest time that a platform gave to what it pushed.

        What is imported or read later says when it was said, not what time it is.
        """
        rows = await self.store.fetch(
            Statement(
                "SELECT max(src_us) FROM (SELECT src_us FROM log "
                "WHERE tenant = :tenant AND via = 'push' AND etype LIKE 'message.%' "
                "ORDER BY seq DESC LIMIT :newest) n",
                {"tenant": tenant, "newest": _NEWEST},
            )
        )
        return int(rows[0][0] or 0) if rows else 0
