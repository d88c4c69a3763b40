"""The composition root: the one module that knows every adapter."""

import sys
import time
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from functools import partial
from typing import Any

from aiohttp import web

from bots.accounts import bind_configured
from bots.anchor_side import anchoring
from bots.answering_side import answering_side
from bots.catching_up import Attentive, CatchingUp
from bots.checkpointing import Checkpointing
from bots.clock_watch import ClockWatch
from bots.core import Core, Heard, clock_us, steady_us
from bots.delivering import Trace, limiter_of, teller_of, worker_of
from bots.directory_hooks import DirectoryHooks
from bots.directory_side import Means
from bots.directory_telling import Telling
from bots.erasing import Erasing
from bots.fetching_roots import Rooted, root_fetcher
from bots.file_side import keeping
from bots.history_side import backfilling
from bots.joins import join_digests
from bots.lifecycle_side import lifecycle
from bots.metrics import BookFigures, LinkFigures, conflicting, taken_in
from bots.people_side import following, jobs_about_people, profiles
from bots.reconciling import histories, reconciling
from bots.records.hooks import RecordHooks
from bots.records.side import RecordsSide
from bots.retaining import Retaining
from bots.review_telling import ReviewTelling
from bots.rosters import rosters
from bots.second_feed import SecondFeed
from bots.serving import Job, alone, run_app, spare_the_collector
from bots.settings import Settings
from bots.slack_side import listen_to_slack
from bots.sleepers import watched
from bots.spooling import Spooling
from bots.starting import once_it_answers
from bots.teams_side import listen_to_graph, listen_to_teams
from bots.tools import Tools, tools
from bots.watchfulness import Watchfulness
from bots.web.health import HealthPages
from bots.web.log_api import LogApi
from bots.workers import Doorkeeper
from bridge.catchup import CatchUp
from bridge.messages import Platform
from bridge.notices import TellingJournal
from bridge.ports import Intake, Journal, Limiter
from bridge.records.hints import HintingJournal
from bridge.relay import Relay, unwatched
from storage.compliance.rights.console import LogView
from storage.courtesy import Courtesy
from storage.janitor import Janitor
from storage.settled import Settled
from storage.shared_state import Wakes
from storage.spool import SpoolFolder

_WAITS = 0.002  # seconds that an event may wait before background work steps aside


def _runs_about_people(built: Tools) -> list[Job]:
    """Return what does something about joiners, movers and leavers, if it is wanted."""
    managed = {p: side.administration for p, side in built.sides.items()}
    found = {platform: one for platform, one in managed.items() if one}
    made = lifecycle(built.core, built.members, found)
    return [made.run] if made else []


def _hinting(built: Tools) -> Journal:
    """Return the journal, which takes note of what names no record if anybody asks."""
    journal = built.core.journal
    if built.records is None:
        return journal
    follower = built.records.follower
    return HintingJournal(journal, follower.unnaming, follower.holds)


async def serve(settings: Settings, trace: Trace = unwatched) -> None:
    """
    Serve until SIGTERM or SIGINT.

    Raises `BadInput` if it cannot start as configured. `trace` is told the steps of
    every message's way; only tests watch them.
    """
    # SQLite's threads ask for the interpreter many times in a commit; they should not
    # wait the default 5 ms for it each time.
    sys.setswitchinterval(0.0005)
    spare_the_collector()
    async with AsyncExitStack() as stack:
        built = await stack.enter_async_context(tools(settings))
        await once_it_answers(built.core.require_company)
        if built.core.database.embedded:
            stack.enter_context(alone(settings))
            await once_it_answers(built.core.shards.seize)
        erasing = await once_it_answers(partial(_made_ready, built.core))
        teller = teller_of(built)
        dormancy = watched(built.core, built.slack, built.teams)
        relay = Relay(
            built.core.companies,
            built.core.links,
            built.core.policy,
            TellingJournal(_hinting(built), teller, built.core.links),
            trace,
            built.core.others,
            following(dormancy.followed, built.members),
            labels=built.core.leaving.inspector,
            guarded=built.core.guarded,
            leaving=built.core.leaving.leaving,
            echoed=built.core.echoes.heard,
        )
        roots = {p: s.recent for p, s in built.sides.items()}
        fetcher = root_fetcher(built.core, roots, relay)
        heard = Rooted(relay, fetcher)
        catching_up = _catching_up(built, heard)
        door = Doorkeeper(Attentive(heard, catching_up))
        limiter = limiter_of(stack, settings, lambda: worker.processes)
        worker = worker_of(built, limiter, trace, teller)
        worker.waited = door.waited
        courtesy = Courtesy(lambda: door.waited() > _WAITS)
        built.core.search.indexing.courtesy = courtesy
        built.health.held_until = worker.held_until
        watchfulness = Watchfulness(built.core, _figures(built))
        await once_it_answers(watchfulness.start)
        stack.push_async_callback(watchfulness.stop)
        built.core.journal.trace = trace
        signing = Checkpointing(built.core.publisher, built.core.company_ids, courtesy)
        built.core.journal.on_commit += [
            worker.committed,
            taken_in,
            signing.committed,
            built.core.search.indexing.committed,
            *([built.records.follower.committed] if built.records else ()),
        ]
        built.core.journal.on_conflict = conflicting
        members = {p: s.members for p, s in built.sides.items()}
        listing = rosters(built.core, members, courtesy)
        built.core.links.on_change += [
            each.link_changed for each in (worker, catching_up, dormancy, listing)
        ]
        background: list[Job] = [
            worker.run,
            erasing.run,
            built.core.leaving.rules.run,
            _janitor(built.core).run,
            Retaining(built.core.retention, built.core.company_ids).run,
            partial(bind_configured, built.core, built.slack, built.teams),
            catching_up.run,
            teller.run,
            dormancy.run,
            signing.run,
            watchfulness.run,
            anchoring(built.core, built.session, built.announcers).run,
            ClockWatch(
                built.core.acts, built.core.company_ids, clock_us, steady_us
            ).run,
            fetcher.run,
            backfilling(built.core, built.slack, built.teams).run,
            join_digests(built.core, {p: s.people for p, s in built.sides.items()}).run,
            keeping(built.core, built.slack, built.teams, courtesy).run,
            reconciling(
                built.core, histories(built.slack, built.teams), heard, built.ahead
            ).run,
            built.core.search.indexing.run,
            listing.run,
            Telling(built.core.sources, built.announcers).run,
            ReviewTelling(
                built.core.leaving.reviews,
                built.core.acts,
                built.announcers,
                built.core.company_ids,
                settings.directory.tell,
            ).run,
            *built.core.sources.jobs(
                Means(built.session, clock_us, built.core.scim.source)
            ),
            built.core.policies.follow,
            *jobs_about_people(
                built.core,
                built.members,
                built.announcers,
                {side: each.cards for side, each in built.sides.items()},
            ),
            *_runs_about_people(built),
            *built.connecting.jobs,
            *(built.records.jobs if built.records else (built.connecting.let_go,)),
        ]
        if settings.redis_url:
            wakes = Wakes.at(settings.redis_url.get_secret_value())
            stack.push_async_callback(wakes.close)
            wakes.listeners.append(worker.wake)
            built.core.journal.on_commit.append(
                lambda _t, _f, _s, queued: wakes.announce() if queued else None
            )
            background.append(wakes.run)
        if built.slack and built.slack.grid:
            background.append(built.slack.grid.run)
        app = web.Application(client_max_size=settings.tuning.body_limit)
        if feed := _second_feed(app, built, catching_up):
            background.append(feed.run)
        HealthPages(built.core.require_company, watchfulness.refresh).add_routes(app)
        _directory_pages(app, built.core, limiter)
        background += await _listeners(
            stack, app, built, door, lambda: worker.processes
        )
        await run_app(settings, app, worker, background)


def _figures(built: Tools) -> Callable[[], Coroutine[Any, Any, None]]:
    """Return what brings the figures up to date that stand in the database."""
    links = LinkFigures(built.core.all_statuses, clock_us)
    contacts = BookFigures(built.connecting.figures, clock_us)

    async def refresh() -> None:
        await links.refresh()
        await contacts.refresh()

    return refresh


async def _made_ready(built: Core) -> Erasing:
    """Finish what was begun, and read what has to hold from the first message on."""
    erasing = Erasing(built.eraser, built.company_ids)
    await erasing.before_serving()
    await built.leaving.rules.read()
    return erasing


def _janitor(core: Core) -> Janitor:
    days = core.settings.tuning.settled_days
    settled = Settled(core.database, core.acts, clock_us, days)
    return Janitor(core.database, clock_us, settled)


def _nobody_known(_team: str, _user: str) -> None:
    """Without Slack nothing is remembered of its people."""


async def _listeners(
    stack: AsyncExitStack,
    app: web.Application,
    built: Tools,
    intake: Intake,
    processes: Callable[[], int],
) -> list[Job]:
    """Listen to whoever calls; returns what has to run for it."""
    settings = built.core.settings
    spooling = Spooling(SpoolFolder(settings.home, settings.tuning.spool))
    forget = built.slack.people.forget if built.slack else _nobody_known
    desk = built.records.desk if built.records else None
    answering, late_answers = answering_side(built)
    heard = Heard(intake, answering, profiles(built.core, forget), desk, spooling)
    console = built.core.settings.console_token
    pages = LogApi(
        LogView(built.core.log, built.core.reading),
        console.get_secret_value() if console else "",
    )
    pages.add_routes(app)
    built.connecting.pages.add_routes(app)
    jobs: list[Job] = [spooling.run, late_answers.run]
    if built.records:
        if built.core.database.embedded:
            # Whoever ran before has ended, and gives nothing back if it was killed.
            await once_it_answers(built.records.following.seize)
        await once_it_answers(built.records.follower.begin)
        jobs.append(await _record_hooks(built, built.records, app))
    built.connecting.processes.append(processes)
    built.core.journal.on_commit.append(lambda *_: pages.committed())
    if built.slack:
        await listen_to_slack(stack, app, built.core, built.slack, heard)
    if built.teams:
        listen_to_teams(stack, app, built.core, built.teams, heard)
    return jobs


async def _record_hooks(
    built: Tools, records: RecordsSide, app: web.Application
) -> Job:
    tenants = await once_it_answers(built.core.company_ids)
    known = {tenant: records.systems.of(tenant) for tenant in tenants}
    public = (built.core.settings.public_url or "").rstrip("/")
    hooks = RecordHooks(known, records.told, time.time, public)
    hooks.add_routes(app)
    return hooks.run


def _directory_pages(app: web.Application, built: Core, limiter: Limiter) -> None:
    """Let directories tell what changed, and identity providers write."""
    secrets = built.sources.hook_secrets()
    DirectoryHooks(built.sources.live, secrets, time.time).add_routes(app)
    built.scim.pages(limiter).add_routes(app)


def _catching_up(built: Tools, intake: Intake) -> CatchingUp:
    core, tuning = built.core, built.core.settings.tuning
    catch_up = CatchUp(
        recent={p: s.recent for p, s in built.sides.items()},
        intake=intake,
        record=core.record,
        watermarks=core.watermarks,
        links=core.links,
        clock=clock_us,
        look_back_us=int(tuning.look_back * 1_000_000),
        ahead=built.ahead,
        single={Platform.TEAMS: built.teams.recent} if built.teams else {},
        reacted=core.reactions.reacted,
    )
    return CatchingUp(
        catch_up, core.links, core.watermarks, core.company_ids, clock_us, tuning.beat
    )


def _second_feed(
    app: web.Application, built: Tools, catching_up: CatchingUp
) -> SecondFeed | None:
    """Let Graph tell of what the bot did not hear, if it was told where to call."""
    if built.teams is None or built.teams.subscriptions is None:
        return None
    feed = SecondFeed(
        catching_up,
        built.core.record,
        built.core.copies,
        built.teams.subscriptions.keep,
        clock_us,
        grace=built.core.settings.tuning.grace,
    )
    listen_to_graph(app, built.teams, feed)
    return feed
