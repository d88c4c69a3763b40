"""What has to be tidied now and then: partitions ahead, and marks that grew old."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

import structlog
from sqlalchemy.exc import SQLAlchemyError

from bridge.errors import AtomError
from storage.database import Database
from storage.hot import Program, Statement
from storage.migrate import ensure_partitions
from storage.settled import Settled

log = structlog.get_logger()

_HOUR = 3600.0
_DAY = 24  # rounds
_AT_ONCE = 5_000
_KEEP_SEEN_US = 35 * 24 * 3600 * 1_000_000


@dataclass(frozen=True, slots=True)
class Janitor:
    """
    Runs until cancelled. Missing a round costs nothing.

    What the queue has of deliveries that ended long ago is looked at once a day.
    """

    database: Database
    clock: Callable[[], int]
    settled: Settled | None = None

    async def run(self) -> None:
        for hour in count():
            try:
                await self.tidy()
                if self.settled and hour % _DAY == 0:
                    await self.settled.forget()
            except (AtomError, SQLAlchemyError, OSError) as error:
                log.warning("not tidied", error=type(error).__name__)
            await asyncio.sleep(_HOUR)

    async def tidy(self) -> None:
        """Make partitions ahead of time, and forget what no platform repeats."""
        if made := await ensure_partitions(self.database.engine):
            log.info("partitions made", names=made)
        while await self.database.hot.run(self._forget) == _AT_ONCE:
            await asyncio.sleep(0.05)  # let messages pass

    def _forget(self) -> Program[int]:
        rows = yield Statement(
            "DELETE FROM seen WHERE (tenant, key) IN (SELECT tenant, key FROM seen "
            "WHERE at_us < :before LIMIT :most) RETURNING 1",
            {"before": self.clock() - _KEEP_SEEN_US, "most": _AT_ONCE},
        )
        return len(rows)
