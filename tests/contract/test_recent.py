"""
Reading a channel again tells the same facts as hearing it, on both platforms.

The sandbox delivers to ATOM's own doors, and what came in there is compared with what
is read afterwards.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import ClientSession, ClientTimeout
from aiohttp.test_utils import TestServer
from aiohttp.web import Application

from bots.commands.base import Commands
from bots.sandbox.app import create_app
from bots.sandbox.slack import messages
from bots.sandbox.slack import seed as slack_seed
from bots.sandbox.teams import seed as teams_seed
from bots.sandbox.teams.model import Content
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
from bridge.errors import CannotTell, ServiceUnavailable
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

    def known(self, *, without_deletions: bool = False) -> dict[str, Known]:
        """Return what a log would have of what was heard."""
        found: dict[str, Known] = {}
        for event in self.facts().values():
            deleted = event.kind is EventKind.MESSAGE_DELETE
            if deleted and without_deletions:
                continue
            found[event.message] = Known(event.thread, event.version_us, deleted)
        return found


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
    answers = Answers(_Companies(), Commands(()), clients)
    intake = SlackIntake(
        heard, answers, clients, signing_secret=slack_seed.SIGNING_SECRET
    )
    app = Application()
    app.router.add_post("/slack/events", intake.handle)
    recent = SlackRecent(clients, _noted(waits), now_us, page=3)
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
        heard, _Companies(), Commands(()), places, people, connector, installed
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


@pytest.fixture(params=[*SIDES])
async def side(request: pytest.FixtureRequest) -> AsyncIterator[Side]:
    async with opened_side(request.param) as made:
        yield made


async def talk(side: Side) -> str:
    """Let people say five things, edit one and delete one; returns the root's id."""
    root = await side.act("post", text="a root")
    await side.act("reply", text="a reply", thread=root)
    edited = await side.act("post", text="before")
    await side.act("edit", message=edited, text="after")
    gone = await side.act("post", text="gone soon")
    await side.act("delete", message=gone)
    await side.act("reply", text="another reply", thread=root)
    await side.until_heard(7)
    return root


async def test_what_is_read_states_the_facts_that_were_heard(side: Side) -> None:
    since = now_us() - 1_000_000
    await talk(side)

    read = await side.read(since, side.heard.known(without_deletions=True))

    heard = side.heard.facts()
    told = {event.fact_key: event for event in read if event.kind in SPOKEN}
    gone = {f for f, e in heard.items() if f not in told}
    # Slack shows nothing of what was said and deleted; it is known to have stood.
    assert {heard[f].kind for f in gone} <= {EventKind.MESSAGE_CREATE}
    assert set(told) <= set(heard)
    assert {EventKind.MESSAGE_EDIT, EventKind.MESSAGE_DELETE} <= {
        event.kind for event in told.values()
    }


async def test_what_is_read_says_who_said_what_and_when(side: Side) -> None:
    since = now_us() - 1_000_000
    await talk(side)

    read = await side.read(since)

    heard = side.heard.facts()
    for event in read:
        if event.kind is not EventKind.MESSAGE_CREATE:
            continue
        live = heard[event.fact_key]
        assert (event.author.id, event.thread) == (live.author.id, live.thread)
        assert (event.sent_us, event.account) == (live.sent_us, live.account)
        assert event.channel == side.channel
        if not any(e.message == event.message and e.version_us for e in read):
            assert event.document == live.document


async def test_every_thread_comes_in_its_order(side: Side) -> None:
    since = now_us() - 1_000_000
    root = await talk(side)

    read = await side.read(since)

    thread = [e.message for e in read if root in {e.message, e.thread}]
    assert thread == sorted(thread)
    assert thread[0] == root
    assert len(thread) == 3
    kinds = [e.kind for e in read if e.version_us or e.kind in SPOKEN]
    assert kinds.index(EventKind.MESSAGE_CREATE) < kinds.index(EventKind.MESSAGE_EDIT)


async def test_a_reply_in_an_old_thread_is_found(side: Side) -> None:
    root = await side.act("post", text="long ago")
    await side.until_heard(1)
    known = side.heard.known()
    since = now_us()
    reply = await side.act("reply", text="late", thread=root)

    read = await side.read(since, known)

    assert reply in {event.message for event in read}


async def test_our_own_posts_are_left_out(side: Side) -> None:
    since = now_us() - 1_000_000
    if side.platform is Platform.SLACK:
        channel = side.world.slack.channels[FALCON.id]
        bot = side.world.slack.installations[FALCON.team].bot_id
        ours = {"subtype": "bot_message", "bot_id": bot, "text": "ours"}
        messages.post(side.world.slack, channel, ours)
    else:
        state = side.world.teams
        own = Content("<p>ours</p>", [], [], {"type": "message", "text": "ours"})
        state.post(state.channels[PROJECT.id], f"28:{teams_seed.BOT_APP_ID}", own)

    assert await side.read(since) == []


async def test_a_platform_that_asks_to_wait_is_waited_for(side: Side) -> None:
    since = now_us() - 1_000_000
    said = await side.act("post", text="hello")
    side.fault(side.listing, "429", retry_after=7, times=2)

    read = await side.read(since)

    assert [event.message for event in read] == [said]
    assert side.waits == [7.0, 7.0]


async def test_a_platform_that_does_not_answer_is_unavailable(side: Side) -> None:
    side.fault(side.listing, "reset", times=9)

    with pytest.raises(ServiceUnavailable):
        await side.read(now_us())


async def test_a_channel_that_may_not_be_read_cannot_be_told_of(side: Side) -> None:
    if side.platform is Platform.SLACK:
        members = side.world.slack.channels[FALCON.id].members
        members.remove(side.world.slack.installations[FALCON.team].bot_user)
    else:
        side.world.settings.update({"teams.graph_roles": []})

    with pytest.raises(CannotTell):
        await side.read(now_us())


async def test_a_long_thread_is_read_to_its_end(side: Side) -> None:
    side.world.settings.update({"teams.graph_expanded_replies": 2})
    since = now_us() - 1_000_000
    root = await side.act("post", text="root")
    replies = [await side.act("reply", text=str(n), thread=root) for n in range(7)]

    read = await side.read(since)

    assert [event.message for event in read] == [root, *replies]


async def test_teams_is_read_without_delta_as_well() -> None:
    async with opened_side("teams") as side:
        side.world.settings.update({"teams.graph_delta_refused": True})
        since = now_us() - 1_000_000
        said = await side.act("post", text="hello")

        assert [event.message for event in await side.read(since)] == [said]


async def test_an_old_message_that_was_never_captured_is_found(side: Side) -> None:
    said = await side.act("post", text="long ago")
    since = now_us() + 600_000_000

    read = await side.read(since)

    assert [event.message for event in read] == [said]


async def test_a_restored_message_is_told_of_in_teams() -> None:
    async with opened_side("teams") as side:
        since = now_us() - 1_000_000
        said = await side.act("post", text="hello")
        await side.act("delete", message=said)
        await side.act("undelete", message=said)
        await side.until_heard(3)

        read = await side.read(since, {said: Known(deleted=True)})

        restored = [e for e in read if e.kind is EventKind.MESSAGE_RESTORE]
        assert [e.fact_key for e in restored] == [
            fact
            for fact, e in side.heard.facts().items()
            if e.kind is EventKind.MESSAGE_RESTORE
        ]


async def test_a_mass_of_missing_messages_is_not_taken_for_deletions() -> None:
    async with opened_side("slack") as side:
        since = now_us()
        known = {f"{since // 1_000_000}.{n:06}": Known() for n in range(101)}

        assert await side.read(since - 5_000_000, known) == []
        few = dict([*known.items()][:100])
        assert len(await side.read(since - 5_000_000, few)) == 100


async def test_a_buried_root_is_a_deleted_one() -> None:
    async with opened_side("slack") as side:
        since = now_us() - 1_000_000
        root = await side.act("post", text="root")
        await side.act("reply", text="reply", thread=root)
        await side.act("delete", message=root)

        read = await side.read(since)

        assert [(e.kind, e.message) for e in read if e.message == root] == [
            (EventKind.MESSAGE_DELETE, root)
        ]
