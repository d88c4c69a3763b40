"""
A sandbox of one platform, ATOM's own door to it, and what reads it again.

What came in by the door can be compared with what is read afterwards.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import ClientSession, ClientTimeout
from aiohttp.test_utils import TestServer
from aiohttp.web import Application

from bots.commands.answering import Answering
from bots.commands.base import Commands
from bots.sandbox.app import create_app
from bots.sandbox.slack import seed as slack_seed
from bots.sandbox.teams import seed as teams_seed
from bots.sandbox.world import World
from bots.slack.answers import Answers
from bots.slack.clients import Clients
from bots.slack.intake import SlackIntake
from bots.slack.recent import SlackRecent
from bots.teams.adapter import AtomAdapter
from bots.teams.auth import SigningKeys, TokenCheck
from bots.teams.bot import AtomBot, Parts
from bots.teams.connector import Connector
from bots.teams.graph import Graph
from bots.teams.intake import TeamsIntake
from bots.teams.invokes import Invokes
from bots.teams.people import TeamsPeople
from bots.teams.recent import TeamsRecent
from bots.teams.tokens import Tokens
from bridge.messages import Channel, Event, EventKind, Platform
from bridge.places import Place
from bridge.ports import Receipt
from bridge.recent import Gap, Known, Recent
from tests.e2e.world import FALCON, PROJECT
from tests.teams_world import FakePlaces

SPOKEN = {
    EventKind.MESSAGE_CREATE,
    EventKind.MESSAGE_EDIT,
    EventKind.MESSAGE_DELETE,
    EventKind.MESSAGE_RESTORE,
}


def now_us() -> int:
    return time.time_ns() // 1000


@dataclass
class Heard:
    """An intake that keeps the facts that came in by the front door."""

    events: dict[str, Event] = field(default_factory=dict)

    async def receive(self, event: Event) -> Receipt:
        known = event.delivery_key in self.events
        self.events.setdefault(event.delivery_key, event)
        return Receipt(len(self.events), known)

    def facts(self) -> dict[str, Event]:
        spoken = [e for e in self.events.values() if e.kind in SPOKEN]
        return {event.fact_key: event for event in spoken}

    def said(self) -> dict[str, Known]:
        """Return what a log would have that knows nothing of edits and deletions."""
        created = EventKind.MESSAGE_CREATE
        said = [e for e in self.facts().values() if e.kind is created]
        return {event.message: Known(event.thread) for event in said}


@dataclass
class Side:
    """One platform's sandbox, ATOM's door to it, and what reads it again."""

    platform: Platform
    channel: Channel
    world: World
    session: ClientSession
    recent: Recent
    heard: Heard
    waits: list[float]

    async def act(self, action: str, **more: Any) -> str:
        slack = self.platform is Platform.SLACK
        given: dict[str, Any] = {"action": action, "channel": self.channel.id}
        given["user"] = "U01ALICE" if slack else "29:carol"
        url = f"{self.world.base_url}/sandbox/{self.platform}/act"
        async with self.session.post(url, json=given | self._worded(more)) as answer:
            said: dict[str, Any] = await answer.json()
        assert answer.status == 200, said
        return str(said.get("ts") or said.get("id") or "")

    def _worded(self, more: Mapping[str, Any]) -> dict[str, Any]:
        """Slack calls a message its ts, and a thread its thread_ts."""
        if self.platform is Platform.TEAMS:
            return dict(more)
        names = {"message": "ts", "thread": "thread_ts"}
        return {"workspace": self.channel.team} | {
            names.get(name, name): value for name, value in more.items()
        }

    async def until_heard(self, count: int) -> None:
        async with asyncio.timeout(15):
            while len(self.heard.facts()) < count:
                await asyncio.sleep(0.01)

    async def read(
        self, since_us: int, known: Mapping[str, Known] | None = None
    ) -> list[Event]:
        gap = Gap(self.channel, since_us, since_us - 3_600_000_000, known or {})
        return [event async for event in self.recent.within(gap)]

    def fault(self, on: str, fault: str, **more: Any) -> None:
        self.world.faults.add({"on": on, "fault": fault, **more})

    @property
    def listing(self) -> str:
        """The call by which a channel is read."""
        if self.platform is Platform.SLACK:
            return "slack.conversations.history"
        return "teams.graph.messages"


@asynccontextmanager
async def slack_side(world: World, session: ClientSession) -> AsyncIterator[Side]:
    async def token(team: str) -> str:
        return slack_seed.TOKENS[team]

    heard, waits = Heard(), list[float]()
    clients = Clients(f"{world.base_url}/slack/api/", token, session)
    answers = Answers(Answering(_Companies(), Commands(())), clients)
    intake = SlackIntake(
        heard, answers, clients, signing_secret=slack_seed.SIGNING_SECRET
    )
    app = Application()
    app.router.add_post("/slack/events", intake.handle)
    recent = SlackRecent(clients, _noted(waits), now_us, page=3, settled=0.0)
    async with TestServer(app, host="127.0.0.1") as atom:
        world.settings.update({"atom_url": str(atom.make_url("")).rstrip("/")})
        yield Side(Platform.SLACK, FALCON, world, session, recent, heard, waits)
    await answers.aclose()
    await clients.aclose()


@asynccontextmanager
async def teams_side(world: World, session: ClientSession) -> AsyncIterator[Side]:
    base, tenant = f"{world.base_url}/teams", teams_seed.ACME
    login = f"{base}/login/{tenant}/oauth2/v2.0/token"
    app_id = teams_seed.BOT_APP_ID
    tokens = Tokens(app_id, teams_seed.BOT_PASSWORD, login, tenant, time.monotonic)
    connector = Connector(session, tokens)
    graph = Graph(session, tokens, f"{base}/graph/v1.0")
    heard, places, waits = Heard(), FakePlaces(), list[float]()
    await places.remember(Place(tenant, PROJECT.team, "", f"{base}/connector/amer/"))

    async def installed(_place: Place) -> None:
        return

    people = TeamsPeople(connector, places, time.monotonic)
    parts = Parts(
        heard,
        _Companies(),
        Answering(_Companies(), Commands(())),
        places,
        people,
        connector,
        installed,
    )
    keys = SigningKeys(
        session, f"{base}/openid/.well-known/openidconfiguration", time.monotonic
    )
    door = TeamsIntake(
        TokenCheck(keys, "https://api.botframework.com", app_id),
        AtomAdapter(connector),
        AtomBot(parts),
        Invokes(time.monotonic),
        now_us,
    )
    app = Application()
    app.router.add_post("/api/messages", door.handle)
    recent = TeamsRecent(graph, connector, places, app_id, _noted(waits))
    async with TestServer(app, host="127.0.0.1") as atom:
        world.settings.update({"atom_url": str(atom.make_url("")).rstrip("/")})
        yield Side(Platform.TEAMS, PROJECT, world, session, recent, heard, waits)


@dataclass
class _Companies:
    async def tenant_of(self, platform: Platform, account: str) -> str | None:
        return "acme"


def _noted(waits: list[float]) -> Callable[[float], Any]:
    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    return sleep


SIDES = {"slack": slack_side, "teams": teams_side}


@asynccontextmanager
async def opened_side(name: str) -> AsyncIterator[Side]:
    world = World()
    async with AsyncExitStack() as stack:
        outside = TestServer(create_app(world), host="127.0.0.1")
        await stack.enter_async_context(outside)
        world.base_url = str(outside.make_url("")).rstrip("/")
        world.settings.update({"slack.rate_limits": False, "teams.throttles": False})
        opened = ClientSession(timeout=ClientTimeout(total=10))
        session = await stack.enter_async_context(opened)
        yield await stack.enter_async_context(SIDES[name](world, session))
