"""Graph's calls: who makes them, what they say, and what ATOM asks Graph to tell."""

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import ClientSession
from aiohttp.test_utils import TestServer
from aiohttp.web import Application
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from bots.sandbox.app import create_app
from bots.sandbox.teams import seed
from bots.sandbox.world import World
from bots.teams.connector import Connector
from bots.teams.graph import Graph
from bots.teams.notices import Noticed, Notices
from bots.teams.subscriptions import Subscriptions
from bots.teams.tokens import Tokens
from bridge.places import Place
from tests.fakes import FakeClock
from tests.teams_world import FALCON, GROUP, TEAM, TENANT, FakePlaces

SECRET = "s3cret"
CHANNEL = f"teams('{GROUP}')/channels('{FALCON.id}')"
PATH = f"teams/{GROUP}/channels/{FALCON.id}/messages"


def refused(reason: str) -> float:
    labels = {"platform": "graph", "reason": reason}
    return REGISTRY.get_sample_value("atom_refused_total", labels) or 0.0


@dataclass
class Door:
    """ATOM's door for Graph, and what came through it."""

    session: ClientSession
    url: str = ""
    noticed: list[Noticed] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)

    async def knock(self, body: Any, query: str = "") -> tuple[int, str]:
        data = body if isinstance(body, bytes) else None
        sent: Any = {"data": data} if data is not None else {"json": body}
        async with self.session.post(self.url + query, **sent) as answer:
            return answer.status, await answer.text()

    async def tell(self, **value: Any) -> int:
        given = {"clientState": SECRET, "changeType": "created"} | value
        return (await self.knock({"value": [given]}))[0]


@pytest.fixture
async def door(session: ClientSession) -> AsyncIterator[Door]:
    made = Door(session)
    notices = Notices(
        SECRET,
        made.noticed.append,
        made.missed.append,
        body_limit=10_000,
    )
    app = Application()
    app.router.add_post("/hooks/graph", notices.handle)
    async with TestServer(app, host="127.0.0.1") as server:
        made.url = str(server.make_url("/hooks/graph"))
        yield made


async def test_the_word_is_repeated_as_plain_text(door: Door) -> None:
    status, said = await door.knock({}, "?validationToken=Validation%3A%20one%20two")

    assert (status, said) == (200, "Validation: one two")


async def test_a_word_that_could_be_anything_is_not_repeated(door: Door) -> None:
    status, said = await door.knock({}, "?validationToken=a%0d%0ab")

    assert (status, said) == (400, "")


async def test_roots_and_replies_are_noticed(door: Door) -> None:
    await door.tell(resource=f"{CHANNEL}/messages('17')")
    await door.tell(resource=f"{CHANNEL}/messages('17')/replies('18')")
    await door.tell(resource=f"{CHANNEL}/messages('17')", changeType="deleted")

    assert door.noticed == [
        Noticed(FALCON.id, "17", "17"),
        Noticed(FALCON.id, "17", "18"),
        Noticed(FALCON.id, "17", "17", changed=True),
    ]


@pytest.mark.parametrize("event", ["missed", "subscriptionRemoved"])
async def test_what_graph_could_not_tell_is_a_gap(door: Door, event: str) -> None:
    status = await door.tell(lifecycleEvent=event, resource=PATH)

    assert (status, door.missed) == (202, [FALCON.id])


async def test_a_reminder_is_no_gap(door: Door) -> None:
    await door.tell(lifecycleEvent="reauthorizationRequired", resource=PATH)

    assert (door.missed, door.noticed) == ([], [])


async def test_a_call_without_the_secret_changes_nothing(door: Door) -> None:
    resource = f"{CHANNEL}/messages('17')"

    before = refused("secret")

    with capture_logs() as lines:
        statuses = [
            await door.tell(resource=resource, clientState="guess"),
            await door.tell(resource=resource, clientState=None),
        ]

    assert (statuses, door.noticed) == ([403, 403], [])
    assert refused("secret") == before + 2
    assert [line["reason"] for line in lines] == ["secret", "secret"]
    assert "guess" not in str(lines)


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        (b"", 400, "malformed"),
        (b"{", 400, "malformed"),
        (b"[" * 5000, 400, "malformed"),
        (b" " * 20_000, 413, "too_large"),
    ],
    ids=["nothing", "no JSON", "nested", "too large"],
)
async def test_nonsense_is_refused_counted_and_changes_nothing(
    door: Door, body: bytes, status: int, reason: str
) -> None:
    before = refused(reason)

    with capture_logs() as lines:
        answered, _ = await door.knock(body)

    assert answered == status
    assert refused(reason) == before + 1
    assert [(line["event"], line["reason"]) for line in lines] == [
        ("request refused", reason)
    ]
    assert (door.missed, door.noticed) == ([], [])


async def test_a_call_that_tells_nothing_changes_nothing(door: Door) -> None:
    status, _ = await door.knock(b"[]")

    assert status == 202
    assert (door.missed, door.noticed) == ([], [])


async def test_a_resource_that_is_no_message_is_passed_over(door: Door) -> None:
    assert await door.tell(resource="users('1')") == 202
    assert door.noticed == []


@pytest.fixture
async def world() -> AsyncIterator[World]:
    made = World()
    async with TestServer(create_app(made), host="127.0.0.1") as server:
        made.base_url = str(server.make_url("")).rstrip("/")
        made.settings.update({"teams.throttles": False})
        yield made


async def subscriptions(world: World, door: Door, clock: FakeClock) -> Subscriptions:
    base = f"{world.base_url}/teams"
    login = f"{base}/login/{TENANT}/oauth2/v2.0/token"
    tokens = Tokens(seed.BOT_APP_ID, seed.BOT_PASSWORD, login, TENANT, time.monotonic)
    places = FakePlaces()
    await places.remember(Place(TENANT, TEAM, "", f"{base}/connector/amer/"))
    return Subscriptions(
        Graph(door.session, tokens, f"{base}/graph/v1.0"),
        Connector(door.session, tokens),
        places,
        door.url,
        SECRET,
        clock,
    )


def calls(world: World) -> list[str]:
    about = {"graph.subscribe", "graph.renew"}
    return [e["call"] for e in world.journal.since(0) if e["call"] in about]


def now() -> FakeClock:
    return FakeClock(time.time_ns() // 1000)


async def test_a_channel_is_subscribed_to_once(world: World, door: Door) -> None:
    keeper = await subscriptions(world, door, now())

    await keeper.keep([FALCON])
    await keeper.keep([FALCON])

    assert calls(world) == ["graph.subscribe"]


async def test_a_subscription_is_renewed_at_half_of_its_life(
    world: World, door: Door
) -> None:
    clock = now()
    keeper = await subscriptions(world, door, clock)
    await keeper.keep([FALCON])
    clock.advance(40 * 3600)
    world.settings.update({"teams.graph_subscription_minutes": 10_000})

    await keeper.keep([FALCON])

    assert calls(world) == ["graph.subscribe", "graph.renew"]


async def test_a_channel_that_graph_refuses_does_not_keep_others_from_it(
    world: World, door: Door
) -> None:
    keeper = await subscriptions(world, door, now())
    world.faults.add({"on": "teams.graph.subscribe", "fault": "503"})
    random = type(FALCON)(FALCON.platform, FALCON.team, "19:random@thread.tacv2")

    await keeper.keep([FALCON, random])

    assert calls(world) == ["graph.subscribe", "graph.subscribe"]
