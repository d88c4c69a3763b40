"""Every platform's seats keep the promises of `bridge.keeping.Seats`."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest
from aiohttp import ClientSession

from bots.sandbox.slack.seed import BOT_TOKEN
from bots.sandbox.teams import seed
from bots.slack.clients import Clients
from bots.slack.members import SlackMembers
from bots.slack.people import SlackPeople
from bots.slack.seats import SlackSeats
from bots.teams.admin_graph import AdminGraph
from bots.teams.connector import Connector
from bots.teams.members import TeamsMembers
from bots.teams.seats import TeamsSeats
from bots.teams.tokens import Tokens
from bridge.errors import AtomError, CannotTell, Refused
from bridge.keeping import Seats
from bridge.messages import Channel, PersonKind, Platform
from bridge.places import Place
from tests.sandbox import Sandbox, running_sandbox
from tests.teams_world import FakePlaces

BOARD = Channel(Platform.TEAMS, seed.ACME_TEAM, "19:board@thread.tacv2")
GENERAL = Channel(Platform.TEAMS, seed.ACME_TEAM, seed.ACME_TEAM)
PROJECT = Channel(Platform.TEAMS, seed.ACME_TEAM, "19:falcon@thread.tacv2")


@dataclass(frozen=True)
class Stage:
    """A channel with its seats, and what the platform calls people there."""

    seats: Seats
    sandbox: Sandbox
    channel: Channel
    inside: str  # as the list of members names them
    outside: str
    invited_as: str  # the one who is outside, as they are invited

    async def ids(self) -> set[str]:
        return {person.id for person in await self.seats.people(self.channel)}


@pytest.fixture(params=["slack", "teams private", "teams general"])
async def place(request: pytest.FixtureRequest) -> AsyncIterator[Stage]:
    if request.param == "slack":
        async with slack() as made:
            yield made
    else:
        async with teams(private="private" in request.param) as made:
            yield made


@asynccontextmanager
async def slack() -> AsyncIterator[Stage]:
    async def token(_team: str) -> str:
        return BOT_TOKEN

    with running_sandbox() as sandbox:
        await sandbox.set({"slack.rate_limits": False})
        async with ClientSession() as session:
            clients = Clients(sandbox.slack_api, token, session)
            people = SlackPeople(clients)
            members = SlackMembers(clients, asyncio.sleep)
            seats = SlackSeats(clients, members, people, asyncio.sleep)
            channel = Channel(Platform.SLACK, "T01ACME", "C02FALCON")
            await seats.remove(channel, "U02BOB")
            yield Stage(seats, sandbox, channel, "U01ALICE", "U02BOB", "U02BOB")
            await people.aclose()
            await clients.aclose()


@asynccontextmanager
async def teams(*, private: bool, admin: bool = True) -> AsyncIterator[Stage]:
    with running_sandbox() as sandbox:
        await sandbox.set({"teams.throttles": False})
        base, tenant = f"{sandbox.base}/teams", seed.ACME
        login = f"{base}/login/{tenant}/oauth2/v2.0/token"

        def tokens(app: str, password: str) -> Tokens:
            return Tokens(app, password, login, tenant, time.monotonic)

        async with ClientSession() as session:
            places = FakePlaces()
            url, group = f"{base}/connector/amer/", seed.teams()[0].group_id
            await places.remember(Place(tenant, seed.ACME_TEAM, "", url, "Acme", group))
            for channel, kind in ((BOARD, "private"), (PROJECT, "standard")):
                await places.remember(
                    Place(tenant, seed.ACME_TEAM, channel.id, url, "", group, kind)
                )
            bot = tokens(seed.BOT_APP_ID, seed.BOT_PASSWORD)
            connector = Connector(session, bot)
            graph = AdminGraph(
                session,
                tokens(seed.ADMIN_APP_ID, seed.ADMIN_PASSWORD),
                f"{base}/graph/v1.0",
                tenant,
                asyncio.sleep,
            )
            members = TeamsMembers(connector, places, asyncio.sleep)
            seats = TeamsSeats(members, graph if admin else None)
            known = {each.id: each.directory_id for each in seed.people()}
            where, inside, outside = (
                (BOARD, "29:dave", "29:erin")
                if private
                else (GENERAL, "29:erin", "29:frank")
            )
            if not private:
                await seats.remove(GENERAL, outside)
            yield Stage(seats, sandbox, where, inside, outside, known[outside])


async def test_everybody_who_is_in_is_listed(place: Stage) -> None:
    people = {each.id: each for each in await place.seats.people(place.channel)}

    assert place.inside in people
    assert place.outside not in people
    assert people[place.inside].kind is PersonKind.USER
    assert people[place.inside].platform is place.channel.platform


async def test_who_is_let_in_is_in_and_twice_is_once(place: Stage) -> None:
    before = await place.ids()

    await place.seats.invite(place.channel, place.invited_as)
    await place.seats.invite(place.channel, place.invited_as)

    assert await place.ids() == before | {place.outside}


async def test_who_is_taken_out_is_out_and_twice_is_once(place: Stage) -> None:
    before = await place.ids()

    await place.seats.remove(place.channel, place.inside)
    await place.seats.remove(place.channel, place.inside)

    assert await place.ids() == before - {place.inside}


async def test_who_was_let_in_is_taken_out_by_the_same_name(place: Stage) -> None:
    before = await place.ids()
    await place.seats.invite(place.channel, place.invited_as)

    await place.seats.remove(place.channel, place.invited_as)

    assert await place.ids() == before


async def test_who_is_in_may_be_let_in_by_the_name_they_are_listed_under(
    place: Stage,
) -> None:
    before = await place.ids()

    await place.seats.invite(place.channel, place.inside)

    assert await place.ids() == before


async def test_nobody_who_does_not_exist_is_let_in(place: Stage) -> None:
    before = await place.ids()

    with pytest.raises(AtomError):
        await place.seats.invite(place.channel, "c0000000-0000-4000-8000-00000000dead")

    assert await place.ids() == before


async def test_a_standard_channel_of_teams_is_left_to_its_team() -> None:
    async with teams(private=True) as place:
        with pytest.raises(Refused, match="whole team's members"):
            await place.seats.remove(PROJECT, "29:dave")


async def test_without_the_admin_app_nobody_is_moved_in_teams() -> None:
    async with teams(private=True, admin=False) as place:
        with pytest.raises(Refused, match="ATOM_TEAMS_ADMIN_APP_ID"):
            await place.seats.remove(BOARD, "29:dave")
        assert "29:dave" in await place.ids()


async def test_a_team_that_never_wrote_to_atom_cannot_be_told_of() -> None:
    async with teams(private=True) as place:
        with pytest.raises(CannotTell):
            await place.seats.people(Channel(Platform.TEAMS, "19:other", "19:other"))
