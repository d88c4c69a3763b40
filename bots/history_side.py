"""Put together what brings histories across."""

import asyncio
from collections.abc import Mapping

from bots.backfilling import Backfilling
from bots.core import Core, clock_us
from bots.slack_side import SlackSide
from bots.teams_side import TeamsSide
from bridge.history import Historian
from bridge.messages import Platform

_LEASES = 3  # so many of a shard's leases may pass before another process takes over


def backfilling(
    built: Core, slack: SlackSide | None, teams: TeamsSide | None
) -> Backfilling:
    both: Mapping[Platform, SlackSide | TeamsSide | None] = {
        Platform.SLACK: slack,
        Platform.TEAMS: teams,
    }
    sides = {platform: side for platform, side in both.items() if side}
    tuning = built.settings.tuning
    historian = Historian(
        recent={p: side.recent for p, side in sides.items()},
        people={p: side.people for p, side in sides.items()},
        announcers={p: side.announcer for p, side in sides.items()},
        policy=built.policy,
        journal=built.journal,
        links=built.links,
        wishes=built.wishes,
        archive=built.archive,
        clock=clock_us,
        sleep=asyncio.sleep,
        pause=tuning.history_pause,
        lease_us=int(_LEASES * tuning.lease * 1_000_000),
    )

    async def companies() -> list[str]:
        return [company.id for company in await built.companies.all()]

    return Backfilling(historian, built.wishes, companies)
