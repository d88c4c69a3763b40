"""Put together what holds, keeps and disposes, and let it run while ATOM serves."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog

from bridge.compliance import Duties, Forgets, Matches
from bridge.errors import AtomError
from storage.compliance.acts import Acts
from storage.compliance.keys import Keyring
from storage.compliance.retention.custodians import KeyedCustodians
from storage.compliance.retention.disposition import Disposer
from storage.compliance.retention.holding import Holding
from storage.compliance.retention.judging import Judge
from storage.compliance.retention.legal_holds import StoredLegalHolds
from storage.compliance.retention.rules import StoredRules
from storage.compliance.retention.trusted_time import TrustedTime
from storage.database import Database
from storage.journal import Journal
from storage.log_reader import LogReader

log = structlog.get_logger()

_FIRST, _HOUR = 300.0, 3600.0


@dataclass(frozen=True, slots=True)
class Retention:
    """Everything about keeping and disposing that ways in may need."""

    rules: StoredRules
    holds: StoredLegalHolds
    disposer: Disposer


def retention_on(  # noqa: PLR0913 - what retention stands on
    *,
    database: Database,
    ring: Keyring,
    journal: Journal,
    reader: LogReader,
    acts: Acts,
    duties: Duties,
    matcher: Matches,
    forgets: Sequence[Forgets],
    clock: Callable[[], int],
    grace_us: int,
) -> Retention:
    """Build what keeps and disposes on a database."""
    hot = database.hot
    time = TrustedTime(hot, clock)
    holding = Holding(reader, KeyedCustodians(ring), matcher)
    return Retention(
        rules=StoredRules(hot, acts, duties, clock),
        holds=StoredLegalHolds(holding, acts, duties, time, clock, grace_us),
        disposer=Disposer(Judge(holding), journal, time, clock, forgets),
    )


@dataclass(frozen=True, slots=True)
class Retaining:
    """Disposes of what is due, every hour; a round that fails costs an hour."""

    retention: Retention
    companies: Callable[[], Awaitable[list[str]]]

    async def run(self) -> None:
        await asyncio.sleep(_FIRST)  # whatever was missed comes before it goes
        while True:
            try:
                await self.round()
            except AtomError as error:
                log.warning("not disposed", reason=str(error))
            await asyncio.sleep(_HOUR)

    async def round(self) -> None:
        """Dispose of what is due, for every company."""
        for tenant in await self.companies():
            done = await self.retention.disposer.run(tenant)
            if done.shredded:
                log.info("disposed", company=tenant, entries=done.shredded)
