"""Put together what speaks with Teams."""

import asyncio
import hmac
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass

from aiohttp import ClientSession, web

from bots.core import Core, Heard, clock_us
from bots.second_feed import SecondFeed
from bots.settings import TeamsSettings
from bots.teams.adapter import AtomAdapter
from bots.teams.addresses import TeamsAddresses
from bots.teams.admin_care import teams_administration
from bots.teams.admin_graph import AdminGraph
from bots.teams.announcer import TeamsAnnouncer
from bots.teams.auth import SigningKeys, TokenCheck
from bots.teams.bot import AtomBot, Parts
from bots.teams.connector import Connector
from bots.teams.drive import Drive
from bots.teams.file_source import TeamsFiles
from bots.teams.file_target import TeamsFileTarget
from bots.teams.graph import Graph
from bots.teams.herald import TeamsHerald
from bots.teams.intake import TeamsIntake
from bots.teams.invokes import Invokes
from bots.teams.members import TeamsMembers
from bots.teams.notices import Notices
from bots.teams.pacing import Pacing
from bots.teams.people import TeamsPeople
from bots.teams.prober import TeamsProber
from bots.teams.reactor import TeamsReactor
from bots.teams.recent import TeamsRecent
from bots.teams.record_place import TeamsCardPlace
from bots.teams.records import TeamsRecords
from bots.teams.rights import TeamsRights
from bots.teams.roster import TeamsRoster, Told
from bots.teams.seats import TeamsSeats
from bots.teams.sender import TeamsSender
from bots.teams.signs import TeamsSigns
from bots.teams.subscriptions import Subscriptions
from bots.teams.tokens import Tokens
from bots.their_clock import TheirClock
from bridge.identities import Identity
from bridge.messages import Platform
from bridge.places import Place
from bridge.recent import Recent
from bridge.workspaces import Administration


@dataclass(frozen=True, slots=True)
class TeamsSide:
    """What speaks with Teams."""

    settings: TeamsSettings
    session: ClientSession
    connector: Connector
    sender: TeamsSender
    reactor: TeamsReactor | None
    people: TeamsPeople
    rights: TeamsRights
    announcer: TeamsAnnouncer
    herald: TeamsHerald
    addresses: TeamsAddresses
    recent: TeamsRecent
    prober: TeamsProber
    identities: TeamsRoster
    signs: TeamsSigns
    files: TeamsFiles
    file_target: TeamsFileTarget
    members: TeamsMembers
    seats: TeamsSeats
    cards: TeamsCardPlace
    subscriptions: Subscriptions | None
    administration: Administration | None
    clock: TheirClock
    pacing: Pacing
    vocabulary: None = None

    @property
    def readers(self) -> TeamsMembers:
        return self.members

    @property
    def history(self) -> Recent:
        """What the record is compared with."""
        return self.recent


def teams_side(
    settings: TeamsSettings, built: Core, session: ClientSession
) -> TeamsSide:
    """Build Teams' side on an HTTP session that the caller owns."""
    tokens = Tokens(
        settings.app_id,
        settings.app_password.get_secret_value(),
        settings.token_url,
        "" if settings.multi_tenant_bot else settings.tenant_id,
        time.time,
        several=len(settings.tenants) > 1,
    )
    connector = Connector(session, tokens, session.timeout)
    clock = TheirClock()
    graph = Graph(session, tokens, settings.graph_url, clock)
    admin = _admin_graph(settings, session)
    told = _described_again(built)
    pacing = Pacing(built.companies, time.monotonic, asyncio.sleep)
    members = TeamsMembers(connector, built.places, asyncio.sleep, told)
    return TeamsSide(
        settings,
        session,
        connector,
        TeamsSender(connector, built.places, settings.app_id, graph),
        TeamsReactor(connector, built.places) if settings.native_reactions else None,
        TeamsPeople(connector, built.places, time.monotonic),
        TeamsRights(connector, built.places, graph),
        TeamsAnnouncer(connector, built.places, pacing),
        TeamsHerald(connector, built.places, settings.private_notices, pacing),
        TeamsAddresses(built.places),
        TeamsRecent(graph, connector, built.places, settings.app_id, asyncio.sleep),
        TeamsProber(connector, built.places, graph if settings.notice_url else None),
        TeamsRoster(connector, built.places, told=told),
        TeamsSigns(connector, built.places),
        TeamsFiles(connector, graph, built.places),
        TeamsFileTarget(connector, graph, Drive(graph), built.places, settings.app_id),
        members,
        TeamsSeats(members, admin),
        TeamsCardPlace(
            connector,
            built.places,
            settings.app_id,
            graph,
            targeted=settings.private_notices,
            pace=pacing,
        ),
        _subscriptions(settings, graph, connector, built),
        teams_administration(admin, connector, built.places) if admin else None,
        clock,
        pacing,
    )


def _described_again(built: Core) -> Told:
    """Return what hears how a tenant describes its people, again and again."""

    async def told(account: str, people: Sequence[Identity]) -> None:
        if built.directory is None or not account:
            return
        tenant = await built.companies.tenant_of(Platform.TEAMS, account)
        if tenant is not None:
            await built.introducer.looked_at(tenant, account, people)

    return told


def _admin_graph(settings: TeamsSettings, session: ClientSession) -> AdminGraph | None:
    """The organisation's side, in the bot's own tenant, where an admin app is set."""
    if settings.admin_app_id is None or settings.admin_app_password is None:
        return None
    tokens = Tokens(
        settings.admin_app_id,
        settings.admin_app_password.get_secret_value(),
        settings.token_url,
        settings.tenant_id,
        time.time,
    )
    return AdminGraph(
        session, tokens, settings.graph_url, settings.tenant_id, asyncio.sleep
    )


def _subscriptions(
    settings: TeamsSettings, graph: Graph, connector: Connector, built: Core
) -> Subscriptions | None:
    if settings.notice_url is None:
        return None
    # The same in every process, and of no use to whoever learns it but for notices.
    password = settings.app_password.get_secret_value()
    secret = hmac.digest(password.encode(), b"graph-notices", "sha256").hex()
    return Subscriptions(
        graph, connector, built.places, settings.notice_url, secret, clock_us
    )


def listen_to_graph(app: web.Application, side: TeamsSide, feed: SecondFeed) -> None:
    """Serve Graph's calls, if it was told where to call."""
    if side.subscriptions:
        door = Notices(side.subscriptions.secret, feed.noticed, feed.missed)
        app.router.add_post("/hooks/graph", door.handle)


def listen_to_teams(
    stack: AsyncExitStack,
    app: web.Application,
    built: Core,
    side: TeamsSide,
    heard: Heard,
) -> None:
    """Serve Teams' requests."""
    records = None
    if heard.records:
        records = TeamsRecords(heard.records, built.companies, side.cards)
        stack.push_async_callback(records.aclose)

    async def installed(place: Place) -> None:
        await built.bind(Platform.TEAMS, place.account, "")

    bot = AtomBot(
        Parts(
            intake=heard.intake,
            tenants=built.companies,
            answering=heard.answering,
            places=built.places,
            people=side.people,
            connector=side.connector,
            on_install=installed,
            on_members=side.identities.forget,
            records=records,
        )
    )
    stack.push_async_callback(bot.aclose)
    keys = SigningKeys(
        side.session, side.settings.openid_url, time.monotonic, side.clock
    )
    intake = TeamsIntake(
        check=TokenCheck(keys, side.settings.issuer, side.settings.app_id, side.clock),
        adapter=AtomAdapter(side.connector, side.pacing),
        bot=bot,
        invokes=Invokes(time.monotonic),
        clock_us=clock_us,
        tenants=frozenset(side.settings.tenants),
        body_limit=built.settings.tuning.body_limit,
        spooling=heard.spooling,
    )
    if heard.spooling:
        heard.spooling.readers[Platform.TEAMS] = intake.take_in
    app.router.add_post("/api/messages", intake.handle)
