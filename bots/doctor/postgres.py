"""Whether PostgreSQL keeps what it said it had, when it crashes or is replaced."""

from collections.abc import Sequence

from sqlalchemy import URL, text
from sqlalchemy.ext.asyncio import AsyncEngine

from bots.doctor.findings import Finding, good, poor
from storage.database_url import servers

_ASK = text(
    "SELECT current_setting('synchronous_commit'), "
    "current_setting('synchronous_standby_names'), "
    "(SELECT count(*) FROM pg_stat_replication)"
)
_NOT_WAITED_FOR = {"off", "local"}


async def durability(engine: AsyncEngine, url: URL) -> Sequence[Finding]:
    """Look at what a commit waits for. Who has no standby needs none."""
    async with engine.connect() as connection:
        commit, names, following = (await connection.execute(_ASK)).one()
    if commit == "off":
        return [
            poor(
                "durability",
                "a crash may lose what was acknowledged: synchronous_commit is off",
                "set synchronous_commit to on in PostgreSQL",
            )
        ]
    if not following and len(servers(url)) == 1:
        return []
    if not names or commit in _NOT_WAITED_FOR:
        return [
            poor(
                "durability",
                "a failover may lose what was acknowledged: "
                "commits do not wait for the standby",
                "set synchronous_standby_names, and synchronous_commit to on",
            )
        ]
    return [good("durability", "commits wait for the standby")]
