"""ATOM's parts, put together for one command or for serving."""

import os
import secrets
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from aiohttp import ClientSession, ClientTimeout, TCPConnector

from bots.chat_search import chat_search
from bots.commands.backfill import Backfills
from bots.commands.base import Commands
from bots.commands.gate import Gate
from bots.commands.organisations import Organisations
from bots.commands.standard import standard_commands
from bots.connecting_side import ConnectingSide, connecting_side
from bots.core import Core, clock_us, core
from bots.directory_desk import Desk
from bots.enforcing import OnRecord, compliance
from bots.keeping_members import Keeping
from bots.leases import checking
from bots.live_health import LiveHealth
from bots.people_side import commands_about_people, keeping_members
from bots.records.side import RecordsSide
from bots.records_side import records_of
from bots.rehearsing import Rehearsal
from bots.settings import Settings
from bots.slack.memberships import SlackMemberships
from bots.slack_side import SlackSide, slack_side
from bots.sleepers import guarded
from bots.teams_side import TeamsSide, teams_side
from bridge.letters import DeadLetters
from bridge.messages import Platform
from bridge.ports import Announcer, LinkBook
from bridge.reacted import WhoReacted
from bridge.search.finding import Memberships
from storage.companies import StoredCompanies
from storage.log_reader import LogReader


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
    def ahead(self) -> dict[Platform, Callable[[], int]]:
        """Return what tells by how much each platform's clock is ahead of ours."""
        return {p: side.clock.ahead_us for p, side in self.sides.items()}

    @property
    def sides(self) -> dict[Platform, SlackSide | TeamsSide]:
        """The platforms that are switched on."""
        return _sides(self.slack, self.teams)

    @property
    def organisations(self) -> Organisations:
        return _organisations(self.core, self.slack, self.teams)

    @property
    def rehearsal(self) -> Rehearsal:
        return _rehearsal(self.core, self.sides)

    @property
    def announcers(self) -> dict[Platform, Announcer]:
        return {p: side.announcer for p, side in self.sides.items()}


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
                reactors=WhoReacted(
                    built.reactions,
                    built.copies,
                    built.links,
                    {p: side.people for p, side in sides.items()},
                    built.leaving.leaving.shown_name,
                ),
                rehearsal=_rehearsal(built, sides),
                clock=clock_us,
                directory=Desk(built.sources, built.duties),
                gate=Gate(built.policy, on_record.command),
                no_card=records.no_card if records else None,
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


def _rehearsal(
    built: Core, sides: Mapping[Platform, SlackSide | TeamsSide]
) -> Rehearsal:
    return Rehearsal(
        {p: side.prober for p, side in sides.items()},
        {p: side.announcer for p, side in sides.items()},
        {p: side.members for p, side in sides.items()},
        {p: side.readers for p, side in sides.items()},
        {p: side.recent for p, side in sides.items()},
        # Not the one that introduces whom it does not know: that writes.
        built.policies.engine,
        clock_us,
    )


def _sides(
    slack: SlackSide | None, teams: TeamsSide | None
) -> dict[Platform, SlackSide | TeamsSide]:
    """Return the platforms that are switched on."""
    both = {Platform.SLACK: slack, Platform.TEAMS: teams}
    return {platform: side for platform, side in both.items() if side}


def _memberships(slack: SlackSide | None) -> dict[Platform, Memberships]:
    return {Platform.SLACK: SlackMemberships(slack.clients)} if slack else {}


def _organisations(
    built: Core, slack: SlackSide | None, teams: TeamsSide | None
) -> Organisations:
    """Return what can be managed: each platform whose admin app is set up."""
    managed = {p: side.administration for p, side in _sides(slack, teams).items()}
    return Organisations({p: one for p, one in managed.items() if one}, built.audit)


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
