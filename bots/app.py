"""The composition root: the one module that knows every adapter."""

import asyncio
import fcntl
import gc
import os
import secrets
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import IO, Any

import structlog
from aiohttp import ClientSession, ClientTimeout, TCPConnector, web

from bots.accounts import bind_configured
from bots.anchor_side import anchoring
from bots.catching_up import Attentive, CatchingUp
from bots.chat_search import chat_search
from bots.checkpointing import Checkpointing
from bots.clock_watch import ClockWatch
from bots.commands.backfill import Backfills
from bots.commands.base import Commands
from bots.commands.gate import Gate
from bots.commands.organisations import Organisations
from bots.commands.standard import standard_commands
from bots.connecting_side import ConnectingSide, connecting_side
from bots.core import Core, Heard, clock_us, core, steady_us
from bots.directory_desk import Desk
from bots.directory_hooks import DirectoryHooks
from bots.directory_side import Means
from bots.directory_telling import Telling
from bots.enforcing import OnRecord, compliance
from bots.erasing import Erasing
from bots.fetching_roots import root_fetcher
from bots.file_side import filing, keeping
from bots.history_side import backfilling
from bots.keeping_members import Keeping
from bots.leases import checking
from bots.lifecycle_side import lifecycle
from bots.live_health import LiveHealth
from bots.metrics import BookFigures, LinkFigures, conflicting, taken_in
from bots.naming import naming
from bots.people_side import (
    commands_about_people,
    following,
    jobs_about_people,
    keeping_members,
    linked_first,
    profiles,
)
from bots.reconciling import histories, reconciling
from bots.records.hooks import RecordHooks
from bots.records.side import RecordsSide
from bots.records_side import records_of
from bots.retaining import Retaining
from bots.review_telling import ReviewTelling
from bots.rosters import rosters
from bots.second_feed import SecondFeed
from bots.settings import Settings
from bots.slack.memberships import SlackMemberships
from bots.slack_side import SlackSide, listen_to_slack, slack_side
from bots.sleepers import guarded, watched
from bots.spooling import Spooling
from bots.teams_side import (
    TeamsSide,
    listen_to_graph,
    listen_to_teams,
    teams_side,
)
from bots.telling import Teller
from bots.watchfulness import Watchfulness
from bots.web.health import HealthPages
from bots.web.log_api import LogApi
from bots.workers import Doorkeeper, Pace, Worker
from bridge.bot_digests import Digesting
from bridge.breaker import Breaker
from bridge.catchup import CatchUp
from bridge.courier import Courier
from bridge.errors import BadInput
from bridge.lanes import Lanes
from bridge.leaving.leaving import WatchedLedger
from bridge.letters import DeadLetters
from bridge.limits import Limits
from bridge.messages import Platform
from bridge.notices import Notices, TellingJournal, TellingLedger
from bridge.ports import Announcer, Intake, Journal, Limiter, LinkBook
from bridge.reacting import Reactions
from bridge.records.hints import HintingJournal
from bridge.relay import Relay, unwatched
from bridge.search.finding import Memberships
from bridge.tuning import Tuning
from storage.companies import StoredCompanies
from storage.compliance.rights.console import LogView
from storage.courtesy import Courtesy
from storage.deletions import LoggedDeletions
from storage.janitor import Janitor
from storage.limiter import LocalLimiter, RedisLimiter
from storage.log_reader import LogReader
from storage.settled import Settled
from storage.shared_state import Wakes
from storage.spool import SpoolFolder

log = structlog.get_logger()

_BACKLOG = 1024
_DRAIN = 20.0  # seconds that calls under way may take at a stop
_WAITS = 0.002  # seconds that an event may wait before background work steps aside

Trace = Callable[[str], None]
Job = Callable[[], Coroutine[Any, Any, None]]


@dataclass(frozen=True, slots=True)
class Tools:
    """ATOM's parts for one command or for serving."""

    core: Core
    slack: SlackSide | None
    teams: TeamsSide | None
    commands: Commands
    members: Keeping
    health: LiveHealth
    session: ClientSession
    connecting: ConnectingSide
    records: RecordsSide | None = None

    @property
    def links(self) -> LinkBook:
        return self.core.links

    @property
    def letters(self) -> DeadLetters:
        return self.core.letters

    @property
    def log(self) -> LogReader:
        return self.core.log

    @property
    def companies(self) -> StoredCompanies:
        return self.core.companies

    @property
    def organisations(self) -> Organisations:
        return _organisations(self.core, self.slack, self.teams)

    @property
    def announcers(self) -> dict[Platform, Announcer]:
        return {p: side.announcer for p, side in _sides(self.slack, self.teams).items()}


@asynccontextmanager
async def tools(settings: Settings) -> AsyncIterator[Tools]:
    """Build everything but the listeners and the worker; release it in reverse."""
    owner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
    async with AsyncExitStack() as stack:
        built = await stack.enter_async_context(core(settings, owner))
        session = await stack.enter_async_context(_session(settings))
        slack = slack_side(settings.slack, built, session) if settings.slack else None
        teams = teams_side(settings.teams, built, session) if settings.teams else None
        if slack:
            closed = (slack.announcer, slack.people, slack.signs, slack.clients)
            for closing in closed:
                stack.push_async_callback(closing.aclose)
        if teams:
            stack.push_async_callback(teams.identities.aclose)
            stack.push_async_callback(teams.signs.aclose)
        sides = _sides(slack, teams)
        guarded(built, slack, teams)
        on_record = OnRecord(built.acts)
        built.duties.against.append(compliance(built.policy, on_record))
        members = keeping_members(built, sides)
        health = LiveHealth(built.health)
        connecting = await connecting_side(stack, built, session)
        connecting.places.update({p: side.cards for p, side in sides.items()})
        records = records_of(stack, built, connecting, sides)
        yield Tools(
            built,
            slack,
            teams,
            standard_commands(
                links=built.links,
                health=health,
                letters=built.letters,
                rights={p: side.rights for p, side in sides.items()},
                announcers={p: side.announcer for p, side in sides.items()},
                organisations=_organisations(built, slack, teams),
                backfills=Backfills(built.wishes, settings.tuning.history_days),
                duties=built.duties,
                approvals=built.approvals,
                legal_holds=built.retention.holds,
                reviews=built.leaving.reviews,
                finder=chat_search(
                    built,
                    {p: side.announcer for p, side in sides.items()},
                    {p: side.addresses for p, side in sides.items()},
                    _memberships(slack),
                ),
                explains=built.policies.explainer,
                policies=built.policies.desk,
                clock=clock_us,
                directory=Desk(built.sources, built.duties),
                gate=Gate(built.policy, on_record.command),
                more=(
                    *commands_about_people(built, sides, members, connecting.accounts),
                    *connecting.commands,
                    *(records.commands if records else ()),
                ),
            ),
            members,
            health,
            session,
            connecting,
            records,
        )


def _memberships(slack: SlackSide | None) -> dict[Platform, Memberships]:
    return {Platform.SLACK: SlackMemberships(slack.clients)} if slack else {}


def _organisations(
    built: Core, slack: SlackSide | None, teams: TeamsSide | None
) -> Organisations:
    """Return what can be managed: each platform whose admin app is set up."""
    managed = {p: side.administration for p, side in _sides(slack, teams).items()}
    return Organisations({p: one for p, one in managed.items() if one}, built.audit)


def _runs_about_people(built: Tools) -> list[Job]:
    """Return what does something about joiners, movers and leavers, if it is wanted."""
    managed = {
        p: side.administration for p, side in _sides(built.slack, built.teams).items()
    }
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
    _spare_the_collector()
    async with AsyncExitStack() as stack:
        built = await stack.enter_async_context(tools(settings))
        await built.core.require_company()
        if built.core.database.embedded:
            stack.enter_context(_alone(settings))
            await built.core.shards.seize()
        erasing = await _made_ready(built.core)
        teller = _teller(built)
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
        )
        catching_up = _catching_up(built, relay)
        roots = {p: s.recent for p, s in _sides(built.slack, built.teams).items()}
        fetcher = root_fetcher(built.core, roots, Attentive(relay, catching_up))
        door = Doorkeeper(fetcher)
        limiter = _limiter(stack, settings, lambda: worker.processes)
        worker = _worker(built, limiter, trace, teller)
        worker.waited = door.waited
        courtesy = Courtesy(lambda: door.waited() > _WAITS)
        built.core.search.indexing.courtesy = courtesy
        built.health.held_until = worker.held_until
        watchfulness = Watchfulness(built.core, _figures(built))
        await watchfulness.start()
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
        members = {p: s.members for p, s in _sides(built.slack, built.teams).items()}
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
            keeping(built.core, built.slack, built.teams, courtesy).run,
            reconciling(built.core, histories(built.slack, built.teams), relay).run,
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
            *jobs_about_people(built.core, built.members, built.announcers),
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
        await _run(settings, app, worker, background)


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


def _spare_the_collector() -> None:
    """
    Let Python's garbage collector look at what is young, and seldom.

    What was imported lives as long as the process, and going through it took a fifth
    of the time that capturing takes. What messages leave behind goes by itself, but for few cycles.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


async def _run(
    settings: Settings,
    app: web.Application,
    worker: Worker,
    background: Sequence[Job],
) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    runner = web.AppRunner(
        app, access_log=None, keepalive_timeout=80, shutdown_timeout=5
    )
    await runner.setup()
    try:
        site = web.TCPSite(
            runner, settings.host, settings.port, backlog=_BACKLOG, reuse_port=None
        )
        try:
            await site.start()
        except OSError as error:
            raise BadInput(
                f"cannot listen on {settings.host}:{settings.port}: choose another "
                "ATOM_HOST or ATOM_PORT"
            ) from error
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_kept_up(job)) for job in background]
            log.info("serving", host=settings.host, port=settings.port)
            await stop.wait()
            log.info("stopping")
            await site.stop()
            await worker.drain(_DRAIN)
            for task in tasks:
                task.cancel()
    finally:
        await runner.cleanup()


async def _kept_up(job: Job) -> None:
    """The outermost frame of a background job: it is begun again if it breaks."""
    while True:
        try:
            await job()
        except Exception:
            log.exception("background job broke and is begun again")
            await asyncio.sleep(1)
        else:
            return


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
    heard = Heard(intake, built.commands, profiles(built.core, forget), desk, spooling)
    console = built.core.settings.console_token
    pages = LogApi(
        LogView(built.core.log, built.core.reading),
        console.get_secret_value() if console else "",
    )
    pages.add_routes(app)
    built.connecting.pages.add_routes(app)
    jobs: list[Job] = [spooling.run]
    if built.records:
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
    tenants = await built.core.company_ids()
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


def _limiter(
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


def _teller(built: Tools) -> Teller:
    sides = _sides(built.slack, built.teams)
    cooldown = built.core.settings.tuning.notice_cooldown
    heralds = {p: side.herald for p, side in sides.items()}
    return Teller(heralds, built.core.notices, cooldown)


def _worker(built: Tools, limiter: Limiter, trace: Trace, notices: Notices) -> Worker:
    tuning = built.core.settings.tuning
    micro = 1_000_000
    limits = Limits(
        teams_channel=tuning.teams_channel_limit,
        teams_tenant=tuning.teams_tenant_limit,
        slack_channel=tuning.slack_channel_limit,
        slack_workspace=tuning.slack_workspace_limit,
        slack_method=tuning.slack_method_limit,
        margin_us=int(tuning.limit_margin * micro),
    )
    sides = _sides(built.slack, built.teams)
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
        reactors={p: side.reactor for p, side in sides.items() if side.reactor},
        clock=clock_us,
        patience_us=times.longest_unknown_us,
    )
    lanes = Lanes(gates_of=limits.names)
    leaving = built.core.leaving
    courier = Courier(
        ledger=TellingLedger(
            WatchedLedger(built.core.ledger, leaving.leaving),
            notices,
            built.core.links,
        ),
        copies=built.core.copies,
        links=built.core.links,
        policy=built.core.policy,
        senders=senders,
        reactions=reactions,
        filing=filing(built.core, built.slack, built.teams, times),
        people={p: side.people for p, side in sides.items()},
        origins=built.core.origins,
        limiter=limiter,
        limits=limits,
        clock=clock_us,
        sleep=asyncio.sleep,
        tuning=times,
        trace=trace,
        holds=built.core.holds,
        breaker=Breaker(LoggedDeletions(built.core.database.hot), tuning.deletions),
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


def _catching_up(built: Tools, intake: Intake) -> CatchingUp:
    core, tuning = built.core, built.core.settings.tuning
    catch_up = CatchUp(
        recent={p: s.recent for p, s in _sides(built.slack, built.teams).items()},
        intake=intake,
        record=core.record,
        watermarks=core.watermarks,
        links=core.links,
        clock=clock_us,
        look_back_us=int(tuning.look_back * 1_000_000),
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


@asynccontextmanager
async def _session(settings: Settings) -> AsyncIterator[ClientSession]:
    timeout = ClientTimeout(total=settings.tuning.call_timeout, sock_connect=5)
    # No limit of our own: lanes are limited already, and a slow channel must not
    # take the connection of a quick one.
    connector = TCPConnector(limit=0, keepalive_timeout=60)
    async with ClientSession(
        timeout=timeout, connector=connector, trace_configs=[checking()]
    ) as session:
        yield session


@contextmanager
def _alone(settings: Settings) -> Iterator[IO[str]]:
    """Hold the home folder's lock: SQLite belongs to one serving process."""
    settings.home.mkdir(parents=True, exist_ok=True)
    with (settings.home / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise BadInput(
                f"another ATOM serves from {settings.home}: stop it, or set ATOM_HOME"
            ) from error
        yield lock


def _sides(
    slack: SlackSide | None, teams: TeamsSide | None
) -> dict[Platform, SlackSide | TeamsSide]:
    """Return the platforms that are switched on."""
    both = {Platform.SLACK: slack, Platform.TEAMS: teams}
    return {platform: side for platform, side in both.items() if side}
