"""Lets go of the locks of a process that stands still, on PostgreSQL."""

import asyncio
from dataclasses import dataclass, field

import asyncpg
import structlog

log = structlog.get_logger()

APPLICATION = "atom"
KEPT_ALIVE = {
    "application_name": APPLICATION,
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}
"""Settings of ATOM's sessions: 25 s after the last sign of a host they end."""

_PATIENCE = 2.0  # seconds
_STILL = 5.0  # seconds after which a session does not go on by itself
# Who has prepared a statement without running it, or is asked for what it copies, is not
# idle to PostgreSQL: none of its timeouts (before version 17) ends such a session.
_END = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE datname = current_database() AND usename = current_user
  AND application_name = $1 AND pid <> pg_backend_pid()
  AND state = 'active' AND wait_event = 'ClientRead'
  AND state_change < clock_timestamp() - make_interval(secs => $2)
  AND xact_start < clock_timestamp() - make_interval(secs => $2)
"""


@dataclass(slots=True)
class Frozen:
    """Ends what stands still in the midst of its work, when somebody waits for it."""

    dsn: str = field(repr=False)  # it has a password in it
    _ending: asyncio.Task[None] | None = None

    def suspect(self) -> None:
        """Look for such sessions, beside whatever goes on; a look at a time."""
        if self._ending is None or self._ending.done():
            self._ending = asyncio.create_task(self._end())

    async def close(self) -> None:
        if self._ending is not None:
            self._ending.cancel()
            await asyncio.wait([self._ending])

    async def _end(self) -> None:
        try:
            async with asyncio.timeout(2 * _PATIENCE):
                connection = await asyncpg.connect(self.dsn, timeout=_PATIENCE)
                try:
                    ended = await connection.fetch(_END, APPLICATION, _STILL)
                finally:
                    connection.terminate()
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return  # the database is away: that is told by whoever needs it
        if ended:
            log.warning("sessions that stood still are ended", sessions=len(ended))
