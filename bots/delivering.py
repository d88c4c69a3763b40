"""The way out: the worker, and all that its deliveries go through."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack

from bots.attributing import Attributing, attributing
from bots.core import clock_us, steady_us
from bots.counting import CountingLedger
from bots.file_side import filing
from bots.naming import naming
from bots.people_side import linked_first
from bots.settings import Settings
from bots.settings import Tuning as Chosen
from bots.telling import Teller
from bots.tools import Tools
from bots.workers import Pace, Worker
from bridge.bot_digests import Digesting
from bridge.breaker import Breaker
from bridge.courier import Courier
from bridge.lanes import Lanes
from bridge.leaving.leaving import WatchedLedger
from bridge.limits import UNLIMITED, Limits
from bridge.messages import Platform
from bridge.notices import Notices, TellingLedger
from bridge.ports import Limiter
from bridge.reacting import Reactions
from bridge.tuning import Tuning
from policy.people import PeopleByAddress
from storage.changes import LoggedChanges
from storage.limiter import LocalLimiter, RedisLimiter

Trace = Callable[[str], None]


def limiter_of(
    stack: AsyncExitStack, settings: Settings, processes: Callable[[], int]
) -> Limiter:
    """Count calls together with the other processes, or alone if there are none."""
    if settings.redis_url is None:
        return LocalLimiter(steady_us)
    url = settings.redis_url.get_secret_value()
    limiter = RedisLimiter.at(
        url,
        steady_us,
        processes,
        int(settings.tuning.limit_care * 1_000_000),
        settings.tuning.limit_patience,
    )
    stack.push_async_callback(limiter.aclose)
    return limiter


def teller_of(built: Tools) -> Teller:
    sides = built.sides
    cooldown = built.core.settings.tuning.notice_cooldown
    heralds = {p: side.herald for p, side in sides.items()}
    return Teller(heralds, built.core.notices, cooldown)


def _attributes(built: Tools) -> Attributing | None:
    speaking = (
        {Platform.TEAMS} if built.teams and built.teams.settings.on_behalf_of else ()
    )
    identities = {p: side.identities for p, side in built.sides.items()}
    who = linked_first(built.core)(PeopleByAddress(identities))
    return attributing(built.core, who, speaking)


def limits_of(tuning: Chosen, *, reacts: bool) -> Limits:
    """Return the limits that are set. In Teams ATOM `reacts` only if it is told to."""
    return Limits(
        teams_channel=tuning.teams_channel_limit,
        teams_tenant=tuning.teams_tenant_limit,
        teams_reaction=tuning.teams_reaction_limit if reacts else UNLIMITED,
        slack_channel=tuning.slack_channel_limit,
        slack_workspace=tuning.slack_workspace_limit,
        slack_method=tuning.slack_method_limit,
        margin_us=int(tuning.limit_margin * 1_000_000),
    )


def worker_of(built: Tools, limiter: Limiter, trace: Trace, notices: Notices) -> Worker:
    tuning = built.core.settings.tuning
    micro = 1_000_000
    sides = built.sides
    reactors = {p: side.reactor for p, side in sides.items() if side.reactor}
    limits = limits_of(tuning, reacts=Platform.TEAMS in reactors)
    if built.teams:
        built.teams.pacing.limits, built.teams.pacing.limiter = limits, limiter
    senders = {p: side.sender for p, side in sides.items()}
    times = Tuning(
        tries=tuning.tries,
        first_pause_us=int(tuning.first_pause * micro),
        longest_pause_us=int(tuning.longest_pause * micro),
        reconcile_after_us=int(tuning.reconcile_after * micro),
        longest_call_us=int(tuning.call_timeout * micro),
        orphan_patience_us=int(tuning.orphan_patience * micro),
        paused_link_us=int(tuning.paused_link * micro),
        dormant_us=int(tuning.dormant * micro),
        slack_part=tuning.slack_part,
        teams_part=tuning.teams_part,
    )
    reactions = Reactions(
        log=built.core.reactions,
        copies=built.core.copies,
        links=built.core.links,
        senders=senders,
        reactors=reactors,
        clock=clock_us,
        patience_us=times.longest_unknown_us,
    )
    lanes = Lanes(gates_of=limits.names)
    leaving = built.core.leaving
    attributes = _attributes(built)
    courier = Courier(
        ledger=CountingLedger(
            TellingLedger(
                WatchedLedger(built.core.ledger, leaving.leaving),
                notices,
                built.core.links,
            )
        ),
        copies=built.core.copies,
        links=built.core.links,
        policy=built.core.policy,
        senders=senders,
        reactions=reactions,
        filing=filing(built.core, built.slack, built.teams, times, attributes),
        people={p: side.people for p, side in sides.items()},
        origins=built.core.origins,
        limiter=limiter,
        limits=limits,
        clock=clock_us,
        sleep=asyncio.sleep,
        tuning=times,
        trace=trace,
        holds=built.core.holds,
        breaker=Breaker(
            LoggedChanges(built.core.database.hot), tuning.deletions, tuning.edits
        ),
        attributes=attributes,
        naming=naming(
            sides, built.core.links, built.core.policy, linked_first(built.core)
        ),
        addresses={p: side.addresses for p, side in sides.items()},
        companions=lanes.companions,
        labels=leaving.inspector,
        leaving=leaving.leaving,
    )
    pace = Pace(
        lease=tuning.lease,
        renew=tuning.lease / 5,
        poll=tuning.poll,
        at_once=tuning.at_once,
    )
    return Worker(
        built.core.queue,
        built.core.shards,
        Digesting(
            courier,
            built.core.digests,
            int(tuning.digest_every * micro),
            tuning.digest_lines,
        ),
        clock_us,
        pace,
        lanes=lanes,
    )
