"""Teams is asked how a channel is, without anything that people see."""

import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
from aiohttp import ClientSession
from aiohttp.test_utils import TestServer
from aiohttp.web import Application

from bots.sandbox.teams import routes, seed
from bots.sandbox.world import World
from bots.teams.connector import Connector
from bots.teams.graph import Graph
from bots.teams.people import TeamsPeople
from bots.teams.prober import TeamsProber
from bots.teams.tokens import Tokens
from bridge.errors import ServiceUnavailable
from bridge.holds import Cause
from bridge.messages import Channel, PersonKind, Platform
from bridge.places import Place
from tests.teams_world import FakePlaces

STANDARD = Channel(Platform.TEAMS, seed.ACME_TEAM, "19:falcon@thread.tacv2")


@dataclass
class Side:
    world: World
    base: str
    session: ClientSession
    places: FakePlaces
    connector: Connector
    graph: Graph

    @property
    def prober(self) -> TeamsProber:
        return TeamsProber(self.connector, self.places)

    async def act(self, action: str, **wish: Any) -> dict[str, Any]:
        asked = {"action": action, "user": "29:carol", "team": seed.ACME_TEAM, **wish}
        url = f"{self.base}/sandbox/teams/act"
        async with self.session.post(url, json=asked) as answer:
            done: dict[str, Any] = await answer.json()
            assert answer.status == 200, done
            return done

    async def causes(self, channel: Channel = STANDARD) -> set[Cause]:
        return set((await self.prober.condition(channel)).causes)


@pytest.fixture
async def side() -> AsyncIterator[Side]:
    world, app = World(), Application()
    routes.add_routes(app, world)
    async with TestServer(app, host="127.0.0.1") as server, ClientSession() as session:
        base = world.base_url = str(server.make_url("")).rstrip("/")
        login = f"{base}/teams/login/{seed.ACME}/oauth2/v2.0/token"
        tokens = Tokens(
            seed.BOT_APP_ID, seed.BOT_PASSWORD, login, seed.ACME, time.monotonic
        )
        places = FakePlaces()
        service = f"{base}/teams/connector/amer/"
        places.kept[seed.ACME_TEAM, ""] = Place(seed.ACME, seed.ACME_TEAM, "", service)
        graph = Graph(session, tokens, f"{base}/teams/graph/v1.0")
        yield Side(world, base, session, places, Connector(session, tokens), graph)


async def test_a_channel_that_takes_posts_is_asked_without_one(side: Side) -> None:
    before = len(side.world.teams.channels[STANDARD.id].messages)

    assert await side.causes() == set()
    assert len(side.world.teams.channels[STANDARD.id].messages) == before


async def test_why_a_channel_takes_nothing_is_found_out(side: Side) -> None:
    await side.act("archive_channel", channel=STANDARD.id)
    archived = await side.causes()
    await side.act("unarchive_channel", channel=STANDARD.id)
    await side.act("delete_channel", channel=STANDARD.id)
    deleted = await side.causes()
    await side.act("restore_channel", channel=STANDARD.id)
    await side.act("uninstall")
    removed = await side.causes()

    assert (archived, deleted) == ({Cause.CLOSED}, {Cause.DELETED})
    assert removed == {Cause.ABSENT}
    unheard = Channel(Platform.TEAMS, "19:nowhere@thread.tacv2", "19:x@thread.tacv2")
    assert await side.causes(unheard) == {Cause.UNINSTALLED}


async def test_a_teams_that_is_silent_is_no_answer(side: Side) -> None:
    side.world.faults.add({"on": "teams.*", "fault": "503"})

    with pytest.raises(ServiceUnavailable):
        await side.prober.condition(STANDARD)


async def test_members_of_other_tenants_make_a_shared_channel_external(
    side: Side,
) -> None:
    side.world.settings.update({"teams.private_channel_posts": True})
    made = await side.act("create_channel", kind="shared", name="With Globex")
    channel = Channel(Platform.TEAMS, seed.ACME_TEAM, made["channel"])
    service = side.places.kept[seed.ACME_TEAM, ""].service_url
    side.places.kept[seed.ACME_TEAM, channel.id] = Place(
        seed.ACME, seed.ACME_TEAM, channel.id, service, kind="shared"
    )
    among_us = await side.prober.condition(channel)
    globex = {"with": seed.GLOBEX_TEAM, "members": ["29:heidi"]}
    await side.act("share_channel", channel=channel.id, **globex)
    people = TeamsPeople(side.connector, side.places, time.monotonic)

    known = await people.lookup(channel, ["29:heidi", "29:carol"])

    assert among_us.causes == set()
    assert "shared channel" in among_us.limits[0]
    assert await side.causes(channel) == {Cause.EXTERNAL}
    assert known["29:heidi"].kind is PersonKind.EXTERNAL
    assert known["29:heidi"].shown == "Heidi Brandt, globex.example"
    assert known["29:carol"].kind is PersonKind.USER
    # Where Graph tells, it is asked whether it lets ATOM read.
    asking = replace(side.prober, graph=side.graph)
    assert "ChannelMessage.Read.All" in (await asking.condition(channel)).limits[0]
    side.world.settings.update({"teams.graph_rsc_in_private_channels": True})
    assert (await asking.condition(channel)).limits == ()
    await side.act("unshare_channel", channel=channel.id, **globex)
    assert await side.causes(channel) == set()
