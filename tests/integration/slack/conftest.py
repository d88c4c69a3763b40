"""A sandbox Slack and ATOM's Slack side, talking over real HTTP."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import ClientSession, ClientTimeout, web

from bots.commands.answering import Answering
from bots.commands.base import Request
from bots.sandbox.app import create_app
from bots.sandbox.slack import seed
from bots.sandbox.world import World
from bots.slack.answers import Answers
from bots.slack.clients import Clients
from bots.slack.intake import SlackIntake
from bridge.cards import Button, Card
from bridge.errors import Refused, StoreUnavailable
from bridge.messages import Event, EventKind, Platform
from bridge.ports import Receipt

DEADLINE = 60.0


async def eventually(met: Callable[[], Any]) -> Any:
    """Wait for a condition, and return what it gave; fail when it stays away."""
    async with asyncio.timeout(DEADLINE):
        while not (found := met()):
            await asyncio.sleep(0.01)
    return found


@asynccontextmanager
async def serving(app: web.Application) -> AsyncIterator[str]:
    """Serve on a free port of the loopback, and yield the address."""
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        await runner.cleanup()


@dataclass
class Store:
    """An intake that remembers; it can be down, it can break, and it can be slow."""

    events: list[Event] = field(default_factory=list)
    down: bool = False
    failure: Exception | None = None
    open: asyncio.Event = field(default_factory=asyncio.Event)

    async def receive(self, event: Event) -> Receipt:
        await self.open.wait()
        if self.down:
            raise StoreUnavailable("the store is down")
        if self.failure:
            raise self.failure
        for seq, known in enumerate(self.events):
            same_fact = event.fact_key and known.fact_key == event.fact_key
            if known.delivery_key == event.delivery_key or same_fact:
                return Receipt(seq, duplicate=True)
        self.events.append(event)
        return Receipt(len(self.events) - 1)

    def of(self, kind: EventKind) -> list[Event]:
        return [event for event in self.events if event.kind is kind]


@dataclass
class Companies:
    async def tenant_of(self, platform: Platform, account: str) -> str | None:
        return "acme" if account == "T01ACME" else None


@dataclass
class Commands:
    """Answers every command with its own words, as slowly as it is told to."""

    asked: list[Request] = field(default_factory=list)
    free: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, request: Request) -> Card:
        self.asked.append(request)
        await self.free.wait()
        return Card(f"You said {request.text}", buttons=(Button("Status", "status"),))


@dataclass
class Slack:
    """The sandbox, and what tests do in it."""

    world: World
    base: str
    session: ClientSession

    @property
    def api(self) -> str:
        return f"{self.base}/slack/api/"

    async def act(self, **wish: Any) -> dict[str, Any]:
        given = {"workspace": "T01ACME", "user": "U01ALICE", "channel": "C02FALCON"}
        url = f"{self.base}/sandbox/slack/act"
        async with self.session.post(url, json=given | wish) as response:
            answer: dict[str, Any] = await response.json()
        assert answer["ok"], answer
        return answer

    def calls(self, name: str) -> list[dict[str, Any]]:
        return [e for e in self.world.journal.since(0) if e["call"] == name]

    def fault(self, on: str, fault: str, **more: Any) -> None:
        self.world.faults.add({"on": on, "fault": fault, **more})

    def messages(self, channel: str = "C02FALCON") -> list[dict[str, Any]]:
        shown = self.world.slack.channels[channel].messages.values()
        return [{"ts": m.ts, **m.body} for m in shown if not m.deleted]

    @property
    def whispers(self) -> list[dict[str, Any]]:
        return self.world.slack.ephemerals


@pytest.fixture
async def session() -> AsyncIterator[ClientSession]:
    async with ClientSession(timeout=ClientTimeout(total=5)) as session:
        yield session


@pytest.fixture
async def slack(session: ClientSession) -> AsyncIterator[Slack]:
    world = World()
    async with serving(create_app(world)) as base:
        world.base_url = base
        world.settings.update(
            {"slack.rate_limits": False, "slack.retry_delays": [0.05, 0.05, 0.05]}
        )
        yield Slack(world, base, session)


@pytest.fixture
def store() -> Store:
    store = Store()
    store.open.set()
    return store


@pytest.fixture
def commands() -> Commands:
    commands = Commands()
    commands.free.set()
    return commands


@pytest.fixture
def token() -> Callable[[str], Awaitable[str]]:
    async def token(team: str) -> str:
        if team not in seed.TOKENS:
            raise Refused("ATOM is not installed in this Slack workspace.")
        return seed.TOKENS[team]

    return token


@pytest.fixture
async def clients(
    slack: Slack, session: ClientSession, token: Callable[[str], Awaitable[str]]
) -> AsyncIterator[Clients]:
    clients = Clients(slack.api, token, session)
    yield clients
    await clients.aclose()


@pytest.fixture
async def intake(
    slack: Slack, store: Store, commands: Commands, clients: Clients
) -> AsyncIterator[SlackIntake]:
    answers = Answers(Answering(Companies(), commands), clients)
    yield SlackIntake(
        store,
        answers,
        clients,
        signing_secret=seed.SIGNING_SECRET,
        body_limit=256 * 1024,
    )
    await answers.aclose()


@pytest.fixture
async def atom(slack: Slack, intake: SlackIntake) -> AsyncIterator[str]:
    """Where ATOM listens. The sandbox sends its events there."""
    app = web.Application()
    app.router.add_post("/slack/events", intake.handle)
    async with serving(app) as base:
        slack.world.settings.update({"atom_url": base})
        yield base
