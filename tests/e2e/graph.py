"""ATOM with Graph's notices, its second feed."""

import asyncio

from tests.e2e.world import World


async def told_by_graph(here: World, step: str = "") -> None:
    """Start ATOM so that Graph tells it soon what the bot did not hear."""
    here.more["ATOM_TEAMS_NOTICE_URL"] = f"{here.atom}/hooks/graph"
    here.more["ATOM_TUNING_GRACE"] = "0.5"
    await here.start(step)
    async with asyncio.timeout(60):
        while not [e for e in await here.journal() if e["call"] == "graph.subscribe"]:
            await asyncio.sleep(0.05)
