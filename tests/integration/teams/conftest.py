"""A scripted Teams, and what speaks to it."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientSession, ClientTimeout
from aiohttp.test_utils import TestServer
from aiohttp.web import Application

from bots.commands.answering import Answering
from bots.commands.base import Commands
from bots.spooling import Spooling
from bots.teams.adapter import AtomAdapter
from bots.teams.auth import SigningKeys, TokenCheck
from bots.teams.bot import AtomBot, Parts
from bots.teams.connector import Connector
from bots.teams.intake import TeamsIntake
from bots.teams.invokes import Invokes
from bots.teams.pacing import Pacing
from bots.teams.people import TeamsPeople
from bots.teams.records import TeamsRecords
from bridge.messages import Platform
from bridge.places import Place
from storage.spool import SpoolFolder
from tests.fakes import FakeClock
from tests.integration.teams.door import LIMIT, Door, Echo
from tests.teams_server import Said, ScriptedTeams, scripted_teams
from tests.teams_world import (
    APP,
    GROUP,
    ISSUER,
    TEAM,
    TENANT,
    FakeIntake,
    FakePlaces,
    FakeTenants,
    FakeTokens,
    public_jwk,
)


@pytest.fixture
async def teams() -> AsyncIterator[ScriptedTeams]:
    async with scripted_teams() as running:
        yield running


@pytest.fixture
async def session() -> AsyncIterator[ClientSession]:
    async with ClientSession() as opened:
        yield opened


@pytest.fixture
def tokens() -> FakeTokens:
    return FakeTokens()


@pytest.fixture
def connector(session: ClientSession, tokens: FakeTokens) -> Connector:
    return Connector(session, tokens, ClientTimeout(total=5, connect=2))


@pytest.fixture
async def places(teams: ScriptedTeams) -> FakePlaces:
    book = FakePlaces()
    await book.remember(Place(TENANT, TEAM, "", teams.url, group_id=GROUP))
    return book


@pytest.fixture
def records() -> TeamsRecords | None:
    """No business systems, unless a module has its own."""
    return None


@pytest.fixture
def spooling(tmp_path: Path) -> Spooling:
    """A spool with no room: nothing is kept, unless a test makes some."""
    return Spooling(SpoolFolder(tmp_path, 0), again=0.01)


@pytest.fixture
async def door(
    session: ClientSession,
    teams: ScriptedTeams,
    places: FakePlaces,
    tokens: FakeTokens,
    connector: Connector,
    *,
    spooling: Spooling,
    records: TeamsRecords | None,
) -> AsyncIterator[Door]:
    teams.answer("GET openid", Said(body={"jwks_uri": f"{teams.url}keys"}))
    key = public_jwk(endorsements=["msteams"])
    teams.answer("GET keys", Said(body={"keys": [key]}))
    teams.answer("POST activities", Said(201, {"id": "1700000009000"}))
    installed: list[Place] = []

    async def on_install(place: Place) -> None:
        installed.append(place)

    intake, command, tenants = FakeIntake(), Echo(), FakeTenants()
    command.go.set()
    people = TeamsPeople(connector, places, time.monotonic)
    parts = Parts(
        intake,
        tenants,
        Answering(tenants, Commands((command,))),
        places,
        people,
        connector,
        on_install,
        records=records,
    )
    keys = SigningKeys(session, f"{teams.url}openid", time.monotonic)
    teams_intake = TeamsIntake(
        TokenCheck(keys, ISSUER, APP),
        AtomAdapter(connector, Pacing(tenants, time.monotonic, asyncio.sleep)),
        AtomBot(parts),
        Invokes(time.monotonic),
        FakeClock(),
        frozenset({TENANT}),
        LIMIT,
        spooling,
    )
    spooling.readers[Platform.TEAMS] = teams_intake.take_in
    app = Application()
    app.router.add_post("/api/messages", teams_intake.handle)
    async with TestServer(app, host="127.0.0.1") as server:
        url = str(server.make_url("/api/messages"))
        yield Door(url, session, teams, intake, tenants, places, command, installed)
