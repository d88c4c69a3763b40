"""The composition root: the one module that knows every adapter."""

import asyncio
import fcntl
import os
import secrets
import signal
import socket
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import IO, Any

import structlog
from aiohttp import ClientSession, ClientTimeout, TCPConnector, web

from bots.commands.base import Commands
from bots.commands.standard import standard_commands
from bots.core import Core, clock_us, core
from bots.settings import Settings, SlackSettings, TeamsSettings
from bots.slack.announcer import SlackAnnouncer
from bots.slack.answers import Answers
from bots.slack.clients import Clients
from bots.slack.install import Installations, InstallPages, OAuth
from bots.slack.intake import SlackIntake
from bots.slack.people import SlackPeople
from bots.slack.rights import SlackRights
from bots.slack.sender import SlackSender
from bots.slack.socket import SlackSocket
from bots.teams.adapter import AtomAdapter
from bots.teams.announcer import TeamsAnnouncer
from bots.teams.auth import SigningKeys, TokenCheck
from bots.teams.bot import AtomBot, Parts
from bots.teams.connector import Connector
from bots.teams.graph import Graph
from bots.teams.intake import TeamsIntake
from bots.teams.invokes import Invokes
from bots.teams.people import TeamsPeople
from bots.teams.rights import TeamsRights
from bots.teams.sender import TeamsSender
from bots.teams.tokens import Tokens
from bots.web.health import HealthPages
from bots.web.log_api import LogApi
from bots.workers import Pace, Worker
from bridge.courier import Courier, Tuning
from bridge.errors import AtomError, BadInput, Conflict
from bridge.messages import Platform
from bridge.places import Place
from bridge.ports import (
    Announcer,
    Health,
    Intake,
    LinkBook,
    People,
    Rights,
    Sender,
)
from bridge.relay import Relay, unwatched
from storage.companies import StoredCompanies
from storage.janitor import Janitor
from storage.log_reader import LogReader
from storage.log_view import LogView
from storage.shared_state import Wakes

log = structlog.get_logger()

_BACKLOG = 1024
_DRAIN = 20.0  # seconds that calls under way may take at a stop
_AGAIN = 5.0

Trace = Callable[[str], None]
Job = Callable[[], Coroutine[Any, Any, None]]


@dataclass(frozen=True, slots=True)
class SlackSide:
    """What speaks with Slack."""

    settings: SlackSettings
    clients: Clients
    installations: Installations
    sender: SlackSender
    people: SlackPeople
    rights: SlackRights
    announcer: SlackAnnouncer


@dataclass(frozen=True, slots=True)
class TeamsSide:
    """What speaks with Teams."""

    settings: TeamsSettings
    session: ClientSession
    connector: Connector
    sender: TeamsSender
    people: TeamsPeople
    rights: TeamsRights
    announcer: TeamsAnnouncer


@dataclass(frozen=True, slots=True)
class Tools:
    """ATOM's parts for one command or for serving."""

    core: Core
    slack: SlackSide | None
    teams: TeamsSide | None
    commands: Commands

    @property
    def links(self) -> LinkBook:
        return self.core.links

    @property
    def health(self) -> Health:
        return self.core.health

    @property
    def log(self) -> LogReader:
        return self.core.log

    @property
    def companies(self) -> StoredCompanies:
        return self.core.companies

    @property
    def announcers(self) -> dict[Platform, Announcer]:
        return _announcers(self.slack, self.teams)


@asynccontextmanager
async def tools(settings: Settings) -> AsyncIterator[Tools]:
    """Build everything but the listeners and the worker; release it in reverse."""
    owner = f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
    async with AsyncExitStack() as stack:
        built = await stack.enter_async_context(core(settings, owner))
        session = await stack.enter_async_context(_session(settings))
        slack = _slack_side(settings.slack, built, session) if settings.slack else None
        teams = _teams_side(settings.teams, built, session) if settings.teams else None
        if slack:
            for closing in (slack.announcer, slack.people, slack.clients):
                stack.push_async_callback(closing.aclose)
        yield Tools(
            built,
            slack,
            teams,
            standard_commands(
                links=built.links,
                health=built.health,
                rights=_rights(slack, teams),
                announcers=_announcers(slack, teams),
                clock=clock_us,
            ),
        )


async def serve(settings: Settings, trace: Trace = unwatched) -> None:
    """
    Serve until SIGTERM or SIGINT.

    Raises `BadInput` if it cannot start as configured. `trace` is told the steps of
    every message's way; only tests watch them.
    """
    async with AsyncExitStack() as stack:
        built = await stack.enter_async_context(tools(settings))
        await built.core.require_company()
        if built.core.database.embedded:
            stack.enter_context(_alone(settings))
            await built.core.shards.seize()
        worker = _worker(built, trace)
        relay = Relay(
            built.core.companies,
            built.core.links,
            built.core.policy,
            built.core.journal,
            trace,
        )
        built.core.journal.trace = trace
        built.core.journal.on_commit.append(worker.committed)
        built.core.links.on_change.append(worker.link_changed)
        background: list[Job] = [
            worker.run,
            Janitor(built.core.database, clock_us).run,
            partial(_bind_accounts, built),
        ]
        if settings.redis_url:
            wakes = Wakes.at(settings.redis_url.get_secret_value())
            stack.push_async_callback(wakes.close)
            wakes.listeners.append(worker.wake)
            built.core.journal.on_commit.append(
                lambda _t, _f, _s, queued: wakes.announce() if queued else None
            )
            background.append(wakes.run)
        app = web.Application(client_max_size=settings.tuning.body_limit)
        await _listeners(stack, app, built, relay)
        await _run(settings, app, worker, background)


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
    runner = web.AppRunner(app, access_log=None, keepalive_timeout=80)
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


async def _listeners(
    stack: AsyncExitStack, app: web.Application, built: Tools, relay: Intake
) -> None:
    console = built.core.settings.console_token
    pages = LogApi(
        LogView(built.core.log), console.get_secret_value() if console else ""
    )
    pages.add_routes(app)
    built.core.journal.on_commit.append(lambda *_: pages.committed())
    HealthPages(built.core.require_company).add_routes(app)
    if built.slack:
        await _listen_to_slack(stack, app, built, built.slack, relay)
    if built.teams:
        _listen_to_teams(app, built, built.teams, relay)


async def _listen_to_slack(
    stack: AsyncExitStack,
    app: web.Application,
    built: Tools,
    side: SlackSide,
    relay: Intake,
) -> None:
    answers = Answers(built.core.companies, built.commands, side.clients)
    stack.push_async_callback(answers.aclose)
    secret = side.settings.signing_secret

    async def uninstalled(team: str) -> None:
        await side.installations.remove(team)
        await built.core.companies.unbind(Platform.SLACK, team)

    intake = SlackIntake(
        relay,
        answers,
        side.clients,
        signing_secret=secret.get_secret_value() if secret else "",
        body_limit=built.core.settings.tuning.body_limit,
        uninstalled=uninstalled,
    )
    if secret:
        app.router.add_post("/slack/events", intake.handle)
    if side.settings.socket_mode and side.settings.app_token:
        connection = SlackSocket(
            intake.app,
            side.settings.app_token.get_secret_value(),
            side.settings.api_url,
        )
        await connection.start()
        stack.push_async_callback(connection.aclose)
    if side.installations.oauth:
        app.router.add_routes(
            InstallPages(
                side.installations,
                side.settings.api_url,
                side.clients.session,
                lambda team, name: _bind(built.core, Platform.SLACK, team, name),
            ).routes()
        )


def _listen_to_teams(
    app: web.Application, built: Tools, side: TeamsSide, relay: Intake
) -> None:
    async def installed(place: Place) -> None:
        await _bind(built.core, Platform.TEAMS, place.account, place.name)

    bot = AtomBot(
        Parts(
            intake=relay,
            tenants=built.core.companies,
            commands=built.commands,
            places=built.core.places,
            people=side.people,
            connector=side.connector,
            on_install=installed,
        )
    )
    keys = SigningKeys(side.session, side.settings.openid_url, time.monotonic)
    intake = TeamsIntake(
        check=TokenCheck(keys, side.settings.issuer, side.settings.app_id),
        adapter=AtomAdapter(side.connector),
        bot=bot,
        invokes=Invokes(time.monotonic),
        clock_us=clock_us,
        tenant_id=side.settings.tenant_id,
        body_limit=built.core.settings.tuning.body_limit,
    )
    app.router.add_post("/api/messages", intake.handle)


def _worker(built: Tools, trace: Trace) -> Worker:
    tuning = built.core.settings.tuning
    micro = 1_000_000
    courier = Courier(
        ledger=built.core.ledger,
        copies=built.core.copies,
        links=built.core.links,
        policy=built.core.policy,
        senders=_senders(built.slack, built.teams),
        people=_people(built.slack, built.teams),
        clock=clock_us,
        sleep=asyncio.sleep,
        tuning=Tuning(
            tries=tuning.tries,
            first_pause_us=int(tuning.first_pause * micro),
            longest_pause_us=int(tuning.longest_pause * micro),
            reconcile_after_us=int(tuning.reconcile_after * micro),
            orphan_patience_us=int(tuning.orphan_patience * micro),
            paused_link_us=int(tuning.paused_link * micro),
        ),
        trace=trace,
    )
    pace = Pace(
        lease=tuning.lease,
        renew=tuning.lease / 5,
        poll=tuning.poll,
        at_once=tuning.at_once,
    )
    return Worker(built.core.queue, built.core.shards, courier, clock_us, pace)


def _slack_side(
    settings: SlackSettings, built: Core, session: ClientSession
) -> SlackSide:
    oauth = None
    if settings.client_id and settings.client_secret:
        oauth = OAuth(settings.client_id, settings.client_secret.get_secret_value())
    token = settings.bot_token
    installations = Installations(
        built.database.engine, oauth, token.get_secret_value() if token else ""
    )
    clients = Clients(settings.api_url, installations.token, session)
    return SlackSide(
        settings,
        clients,
        installations,
        SlackSender(clients),
        SlackPeople(clients),
        SlackRights(clients),
        SlackAnnouncer(clients),
    )


def _teams_side(
    settings: TeamsSettings, built: Core, session: ClientSession
) -> TeamsSide:
    tokens = Tokens(
        settings.app_id,
        settings.app_password.get_secret_value(),
        settings.token_url,
        settings.tenant_id,
        time.time,
    )
    connector = Connector(session, tokens)
    graph = Graph(session, tokens, settings.graph_url)
    return TeamsSide(
        settings,
        session,
        connector,
        TeamsSender(connector, built.places, settings.app_id, graph),
        TeamsPeople(connector, built.places, time.monotonic),
        TeamsRights(connector, built.places, graph),
        TeamsAnnouncer(connector, built.places),
    )


async def _bind_accounts(built: Tools) -> None:
    """
    Make the configured workspace and tenant the company's, if there is just one.

    A platform that does not answer at start-up is asked again; nothing waits for it.
    """
    while True:
        try:
            if built.teams:
                tenant = built.teams.settings.tenant_id
                await _bind(built.core, Platform.TEAMS, tenant, "")
            if built.slack and built.slack.settings.bot_token:
                identity = await built.slack.clients.identity("")
                await _bind(built.core, Platform.SLACK, identity.team, identity.name)
        except AtomError as error:
            log.warning("accounts not known yet", reason=str(error))
            await asyncio.sleep(_AGAIN)
        else:
            return


async def _bind(built: Core, platform: Platform, account: str, name: str) -> None:
    company = await built.only_company()
    if company is None:
        log.warning("account belongs to no company", platform=platform, account=account)
        return
    try:
        await built.companies.bind(company.id, platform, account, name)
    except Conflict as error:
        log.warning("account not bound", reason=str(error))


@asynccontextmanager
async def _session(settings: Settings) -> AsyncIterator[ClientSession]:
    timeout = ClientTimeout(total=settings.tuning.call_timeout, sock_connect=5)
    # No limit of our own: lanes are limited already, and a slow channel must not
    # take the connection of a quick one.
    connector = TCPConnector(limit=0, keepalive_timeout=60)
    async with ClientSession(timeout=timeout, connector=connector) as session:
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


def _senders(
    slack: SlackSide | None, teams: TeamsSide | None
) -> dict[Platform, Sender]:
    found: dict[Platform, Sender] = {}
    if slack:
        found[Platform.SLACK] = slack.sender
    if teams:
        found[Platform.TEAMS] = teams.sender
    return found


def _people(slack: SlackSide | None, teams: TeamsSide | None) -> dict[Platform, People]:
    found: dict[Platform, People] = {}
    if slack:
        found[Platform.SLACK] = slack.people
    if teams:
        found[Platform.TEAMS] = teams.people
    return found


def _rights(slack: SlackSide | None, teams: TeamsSide | None) -> dict[Platform, Rights]:
    found: dict[Platform, Rights] = {}
    if slack:
        found[Platform.SLACK] = slack.rights
    if teams:
        found[Platform.TEAMS] = teams.rights
    return found


def _announcers(
    slack: SlackSide | None, teams: TeamsSide | None
) -> dict[Platform, Announcer]:
    found: dict[Platform, Announcer] = {}
    if slack:
        found[Platform.SLACK] = slack.announcer
    if teams:
        found[Platform.TEAMS] = teams.announcer
    return found
