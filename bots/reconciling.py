"""
Compare what is on record with what the platforms show, now and then and when asked.

The riskiest channels come first, and what the calls do not suffice for stays behind,
and is reported as such.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

import structlog

from bots.core import Core, clock_us
from bots.settings import Tuning
from bots.slack_side import SlackSide
from bots.teams_side import TeamsSide
from bridge.catchup import CatchUp
from bridge.errors import AtomError
from bridge.links import LinkState
from bridge.messages import Channel, Platform
from bridge.ports import Intake, LinkBook
from bridge.recent import Recent
from bridge.reconcile import (
    Attested,
    Budget,
    Calls,
    Reconciler,
    Standing,
    in_risk_order,
)
from storage.compliance.completeness.attestations import StoredAttestations
from storage.compliance.completeness.coverage import Coverage

log = structlog.get_logger()

_MICRO = 1_000_000


@dataclass(slots=True)
class Reconciling:
    """
    Runs until cancelled. `companies` returns the companies' ids.

    Every channel is compared each `every` seconds; whose turn it is, is looked at
    each `beat` seconds, in whichever process looks first.
    """

    reconciler: Reconciler
    links: LinkBook
    coverage: Coverage
    companies: Callable[[], Awaitable[Sequence[str]]]
    budgets: Callable[[], Mapping[Platform, Budget]]
    clock: Callable[[], int]
    every: float
    beat: float = 300.0
    failed_us: dict[tuple[str, Channel], int] = field(default_factory=dict)

    async def run(self) -> None:
        while True:
            await asyncio.sleep(min(self.beat, self.every))
            try:
                for company in await self.companies():
                    await self.round(company)
            except AtomError as error:
                log.warning("not reconciled", reason=str(error))

    async def round(self, company: str) -> None:
        """Compare what is due, as far as the calls suffice."""
        budgets = self.budgets()
        for standing in await self.due(company):
            channel = standing.channel
            told = {"platform": channel.platform, "channel": channel.id}
            try:
                found = await self.reconciler.channel(
                    company, channel, budgets[channel.platform]
                )
            except AtomError as error:
                self.failed_us[company, channel] = self.clock()
                log.warning("channel not reconciled", **told, reason=str(error))
            else:
                _say(found, told)

    async def due(self, company: str) -> list[Standing]:
        """Return the channels whose turn it is, the riskiest first."""
        now, every = self.clock(), int(self.every * _MICRO)
        standings = await self.coverage.standings(company, await self.linked(company))
        waiting = [
            standing
            for standing in standings
            if standing.attested_to_us + every <= now
            and self.failed_us.get((company, standing.channel), 0) + every // 4 <= now
        ]
        return in_risk_order(waiting, now)

    async def linked(self, company: str) -> dict[Channel, int]:
        """Return the company's linked channels, and since when each is."""
        since: dict[Channel, int] = {}
        for link in await self.links.all(company):
            if link.state is LinkState.REMOVED:
                continue
            for channel in link.channels:
                at = link.since_us(channel)
                since[channel] = min(since.get(channel, at), at)
        return since


def _say(found: Attested | None, told: Mapping[str, str]) -> None:
    if found and not found.before.whole:
        log.error(
            "messages were missing",
            **told,
            missing=len(found.before.missing),
            filled=len(found.filled),
            vanished=len(found.before.vanished),
            lost=len(found.after.lost),
        )


def reconciling(
    built: Core,
    recent: Mapping[Platform, Recent],
    intake: Intake,
    ahead: Mapping[Platform, Callable[[], int]],
) -> Reconciling:
    """Build it on the platforms that are switched on."""
    tuning = built.settings.tuning
    look_back = int(tuning.look_back * _MICRO)
    catch_up = CatchUp(
        recent,
        intake,
        built.record,
        built.watermarks,
        built.links,
        clock_us,
        look_back,
        ahead,
    )
    hot = built.database.hot
    attestations = StoredAttestations(hot, built.acts, built.signers, clock_us)
    return Reconciling(
        Reconciler(
            catch_up,
            built.record,
            attestations,
            clock_us,
            look_back,
            int(tuning.reconcile_settled * _MICRO),
        ),
        built.links,
        Coverage(hot),
        built.company_ids,
        lambda: budgets(tuning),
        clock_us,
        tuning.reconcile_every,
    )


def histories(
    slack: SlackSide | None, teams: TeamsSide | None
) -> Mapping[Platform, Recent]:
    """Return what the record is compared with, of the platforms that are on."""
    both = {Platform.SLACK: slack, Platform.TEAMS: teams}
    return {platform: side.history for platform, side in both.items() if side}


def budgets(tuning: Tuning) -> Mapping[Platform, Budget]:
    """Return the calls of one round; only Slack has a regime that needs pauses."""
    most = tuning.reconcile_calls
    return {
        Platform.SLACK: Calls(asyncio.sleep, tuning.reconcile_apart, most),
        Platform.TEAMS: Calls(asyncio.sleep, 0, most),
    }
