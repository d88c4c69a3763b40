"""Put together what speaks with Slack."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

from aiohttp import ClientSession, web

from bots.core import Core, Heard
from bots.grid import GridSync, discovery, grid_sync
from bots.homes import Homes
from bots.settings import SlackSettings
from bots.slack.addresses import SlackAddresses
from bots.slack.admin_care import slack_administration
from bots.slack.announcer import SlackAnnouncer
from bots.slack.answers import Answers
from bots.slack.clients import Clients
from bots.slack.discovery import SlackDiscovery
from bots.slack.file_source import SlackFiles
from bots.slack.file_target import SlackFileTarget
from bots.slack.flexpane import Flexpane
from bots.slack.herald import SlackHerald
from bots.slack.install import Installations, InstallPages, OAuth
from bots.slack.intake import SlackIntake
from bots.slack.members import SlackMembers
from bots.slack.people import SlackPeople
from bots.slack.previews import Previews
from bots.slack.prober import Noticed, SlackProber
from bots.slack.reactor import SlackReactor
from bots.slack.readers import SlackReaders
from bots.slack.recent import SlackRecent
from bots.slack.record_place import SlackCardPlace
from bots.slack.records import SlackRecords
from bots.slack.rights import SlackRights
from bots.slack.seats import SlackSeats
from bots.slack.sender import SlackSender
from bots.slack.signs import SlackSigns
from bots.slack.socket import SlackSocket
from bots.slack.tokens import is_organisation, workspaces_of
from bots.slack.work_objects import WorkObjects
from bots.their_clock import TheirClock
from bridge.errors import NotSent, StoreUnavailable
from bridge.messages import Platform
from bridge.recent import Recent
from bridge.workspaces import Administration


@dataclass(frozen=True, slots=True)
class SlackSide:
    """What speaks with Slack."""

    settings: SlackSettings
    clients: Clients
    installations: Installations
    sender: SlackSender
    reactor: SlackReactor
    people: SlackPeople
    rights: SlackRights
    announcer: SlackAnnouncer
    herald: SlackHerald
    addresses: SlackAddresses
    recent: SlackRecent
    prober: SlackProber
    noticed: Noticed
    signs: SlackSigns
    files: SlackFiles
    file_target: SlackFileTarget
    members: SlackMembers
    administration: Administration | None
    grid: GridSync | None
    discovery: SlackDiscovery | None
    readers: SlackReaders
    seats: SlackSeats
    cards: SlackCardPlace
    on_install: list[Callable[[str], Awaitable[None]]] = field(default_factory=list)

    @property
    def clock(self) -> TheirClock:
        return self.clients.clock

    @property
    def history(self) -> Recent:
        """What the record is compared with: the one that tells the most."""
        return self.discovery or self.recent

    @property
    def identities(self) -> SlackPeople:
        return self.people

    @property
    def vocabulary(self) -> SlackSigns:
        return self.signs


def slack_side(
    settings: SlackSettings, built: Core, session: ClientSession
) -> SlackSide:
    """Build Slack's side on an HTTP session that the caller owns."""
    oauth = None
    if settings.client_id and settings.client_secret:
        oauth = OAuth(settings.client_id, settings.client_secret.get_secret_value())
    token = settings.bot_token
    installations = Installations(
        built.database.engine,
        oauth,
        token.get_secret_value() if token else "",
        workspaces_of(settings.api_url, session),
    )

    async def moved(team: str) -> Mapping[str, str]:
        tenant = await built.companies.tenant_of(Platform.SLACK, team)
        return await built.links.moved(tenant, team) if tenant else {}

    clients = Clients(settings.api_url, installations.token, session, moved)

    async def secret(team: str) -> bytes:
        try:
            tenant = await built.companies.tenant_of(Platform.SLACK, team)
            if tenant is None:
                raise NotSent("the workspace is no company's any more")
            return (await built.ring.company(tenant)).secret("slack-copies")
        except StoreUnavailable as error:
            raise NotSent(str(error)) from error

    noticed = Noticed()
    recent = SlackRecent(
        clients,
        asyncio.sleep,
        lambda: int(clients.clock.now() * 1_000_000),
        page=settings.history_page,
        settled=built.settings.tuning.reconcile_after,
        noticed=noticed,
    )
    people = SlackPeople(clients)
    members = SlackMembers(clients, asyncio.sleep)
    return SlackSide(
        settings,
        clients,
        installations,
        SlackSender(clients, secret),
        SlackReactor(clients),
        people,
        SlackRights(clients),
        SlackAnnouncer(clients),
        SlackHerald(clients),
        SlackAddresses(clients),
        recent,
        SlackProber(clients),
        noticed,
        SlackSigns(clients),
        SlackFiles(clients),
        SlackFileTarget(clients),
        members,
        _administration(settings, clients),
        grid_sync(built, settings, session),
        discovery(settings, session, recent),
        SlackReaders(members, people),
        SlackSeats(clients, members, people, asyncio.sleep),
        SlackCardPlace(clients, WorkObjects(settings.work_objects)),
    )


def _administration(settings: SlackSettings, clients: Clients) -> Administration | None:
    """The organisation's side, where the admin app's token is set."""
    token = settings.admin_token
    if token is None:
        return None
    return slack_administration(settings.api_url, token.get_secret_value(), clients)


async def listen_to_slack(
    stack: AsyncExitStack,
    app: web.Application,
    built: Core,
    side: SlackSide,
    heard: Heard,
) -> None:
    """Serve Slack's requests, or open a socket where Slack may not call in."""
    answers = Answers(heard.answering, side.clients)
    stack.push_async_callback(answers.aclose)
    secret = side.settings.signing_secret

    async def uninstalled(team: str) -> None:
        # It stays the company's: its links wake when ATOM is installed there again.
        await side.installations.remove(team)

    async def installed(team: str, name: str) -> None:
        await built.bind(Platform.SLACK, team, name)
        for listener in side.on_install:
            await listener("" if is_organisation(team) else team)

    intake = SlackIntake(
        heard.intake,
        answers,
        side.clients,
        signing_secret=secret.get_secret_value() if secret else "",
        body_limit=built.settings.tuning.body_limit,
        uninstalled=uninstalled,
        at_home=Homes(built.companies, built.links).of,
        access_changed=side.installations.granted,
        profile_changed=heard.profile_changed,
        spooling=heard.spooling,
    )
    if heard.spooling:
        heard.spooling.readers[Platform.SLACK] = intake.take_in
    if heard.records:
        desk = heard.records
        intake.records = SlackRecords(
            desk, built.companies, side.clients, people=side.people
        )
        intake.previews = Previews(
            desk, built.companies, side.clients, side.cards.objects
        )
        # It answers whether objects are sent now or not: earlier ones still stand.
        intake.flexpane = Flexpane(desk, built.companies, side.clients, side.people)
        stack.push_async_callback(intake.records.aclose)
        stack.push_async_callback(intake.previews.aclose)
        stack.push_async_callback(intake.flexpane.aclose)
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
                installed,
            ).routes()
        )
