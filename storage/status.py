"""How the links are doing, read from the outbox and its attempts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bridge.links import Link
from bridge.ports import LinkBook, LinkStatus
from storage.hot import HotStore, Row, Statement

# The newest attempt of each delivery of a link, if it has one.
_LATEST = (
    "SELECT o.seq, o.n, o.created_us, coalesce(a.state, '') AS state, "
    "coalesce(a.until_us, 0) AS until_us, coalesce(a.reason, '') AS reason, "
    "coalesce(a.at_us, 0) AS at_us "
    "FROM outbox o LEFT JOIN attempt a "
    "ON a.tenant = o.tenant AND a.seq = o.seq AND a.n = o.n AND a.attempt = ("
    "SELECT max(b.attempt) FROM attempt b "
    "WHERE b.tenant = o.tenant AND b.seq = o.seq AND b.n = o.n) "
    "WHERE o.tenant = :tenant AND o.link = :link"
)
_OPEN = "state IN ('', 'intent', 'retry', 'throttled')"
_SUMMARY = (
    f"SELECT coalesce(sum(CASE WHEN {_OPEN} THEN 1 ELSE 0 END), 0), "
    f"coalesce(min(CASE WHEN {_OPEN} THEN created_us END), 0), "
    "coalesce(sum(CASE WHEN state = 'delivered' THEN 1 ELSE 0 END), 0), "
    "coalesce(sum(CASE WHEN state = 'dead' THEN 1 ELSE 0 END), 0), "
    "coalesce(sum(CASE WHEN state = 'parked' THEN 1 ELSE 0 END), 0), "
    "coalesce(max(CASE WHEN state = 'throttled' THEN until_us END), 0), "
    "coalesce(max(CASE WHEN state = 'delivered' THEN at_us END), 0), "
    "coalesce(max(CASE WHEN state = 'delivered' AND at_us = newest "
    "THEN at_us - created_us END), 0) "
    "FROM (SELECT q.*, max(CASE WHEN state = 'delivered' THEN at_us END) "
    f"OVER () AS newest FROM ({_LATEST}) q) r"
)
_LAST_ERROR = (
    "SELECT reason FROM attempt WHERE tenant = :tenant AND link = :link "
    "AND state IN ('retry', 'throttled', 'dead', 'parked') ORDER BY at_us DESC LIMIT 1"
)


@dataclass(frozen=True, slots=True)
class StoredHealth:
    """Implements `bridge.ports.Health`."""

    store: HotStore
    links: LinkBook
    clock: Callable[[], int]

    async def status(self, tenant: str) -> Sequence[LinkStatus]:
        return [await self._one(link) for link in await self.links.all(tenant)]

    async def _one(self, link: Link) -> LinkStatus:
        parameters = {"tenant": link.tenant, "link": link.id}
        summary = (await self.store.fetch(Statement(_SUMMARY, parameters)))[0]
        errors = await self.store.fetch(Statement(_LAST_ERROR, parameters))
        return _status(link, summary, errors[0][0] if errors else "", self.clock())


def _status(link: Link, summary: Row, error: str, now_us: int) -> LinkStatus:
    queued, oldest, delivered, dead, parked, until, _, lag = (int(v) for v in summary)
    return LinkStatus(
        link=link,
        queued=queued,
        oldest_us=oldest,
        delivered=delivered,
        dead=dead,
        parked=parked,
        throttled_until_us=until if until > now_us else 0,
        last_error=error,
        lag_us=now_us - oldest if queued else lag,
    )
