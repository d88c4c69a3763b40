"""Where the soak takes place: a sandbox, a company, a link, and ATOM in a hurry."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from bots.core import core
from tests.e2e.files import KEEPING
from tests.e2e.world import COMPANY, world
from tests.servers import free_port
from tests.soak.driver import Driver

# Failures are tried again soon and for ever: nothing that these faults do is final.
_TUNING = {
    "ATOM_TUNING_LEASE": "2",
    "ATOM_TUNING_DELETIONS": "none",
    "ATOM_TUNING_EDITS": "none",
    "ATOM_TUNING_TRIES": "50",
    "ATOM_TUNING_FIRST_PAUSE": "0.05",
    "ATOM_TUNING_LONGEST_PAUSE": "0.4",
    "ATOM_TUNING_RECONCILE_AFTER": "0.2",
    "ATOM_TUNING_PAUSED_LINK": "0.1",
    # Longer than a root that has to be said again may come after its reply.
    "ATOM_TUNING_ORPHAN_PATIENCE": "6",
    # So few calls that some messages have to wait, and cross in one.
    "ATOM_TUNING_TEAMS_CHANNEL_LIMIT": "12/1",
}


@asynccontextmanager
async def driver(
    home: Path, database_url: str, redis_url: str = "", processes: int = 1
) -> AsyncIterator[Driver]:
    """A sandbox, a company, a link and as many processes, all of them running."""
    async with world(home, database_url, redis_url, **_TUNING) as here:
        await here.set(teams__graph_roles=KEEPING)  # before ATOM has a token
        await here.link()
        await here.set(
            teams__reactions_on_user_messages=True,
            slack__order_wait=0.2,
            teams__order_wait=0.2,
            slack__retry_delays=[0.3] * 300,
        )
        others = [
            replace(here, port=free_port(), process=None) for _ in range(1, processes)
        ]
        try:
            for process in (here, *others):
                await process.start()
            async with core(here.settings, "soak") as built:
                [link] = await built.links.all(COMPANY)
                yield Driver((here, *others), built, link)
        finally:
            for process in others:
                await process.stop()
