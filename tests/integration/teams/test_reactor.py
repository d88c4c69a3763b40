"""ATOM reacts in Teams, where it may."""

from dataclasses import replace

import pytest

from bots.teams.connector import Connector
from bots.teams.reactor import TeamsReactor
from bridge.errors import Ambiguous, NotSent, Refused, Throttled
from bridge.messages import Channel, Platform
from bridge.reactions import Spot
from tests.teams_server import Said, ScriptedTeams
from tests.teams_world import FALCON, FakePlaces

SPOT = Spot(FALCON, "17", "12")


@pytest.fixture
def reactor(connector: Connector, places: FakePlaces) -> TeamsReactor:
    return TeamsReactor(connector, places)


async def test_a_reaction_is_put_and_deleted_inside_its_thread(
    reactor: TeamsReactor, teams: ScriptedTeams
) -> None:
    teams.answer("PUT reactions", Said(200))
    teams.answer("DELETE reactions", Said(204))

    assert await reactor.react(SPOT, "👋🏼", standing=True)
    assert await reactor.react(SPOT, "👋🏼", standing=False)

    path = f"{FALCON.id};messageid=12/activities/17/reactions/1f44b_wavinghand-tone2"
    assert [call.path.endswith(path) for call in teams.calls] == [True, True]


async def test_a_root_is_its_own_thread(
    reactor: TeamsReactor, teams: ScriptedTeams
) -> None:
    teams.answer("PUT reactions", Said(200))

    await reactor.react(replace(SPOT, thread=""), "👍", standing=True)

    assert ";messageid=17/activities/17/reactions/like" in teams.calls[0].path


async def test_an_emoji_without_an_id_is_not_asked_for(
    reactor: TeamsReactor, teams: ScriptedTeams
) -> None:
    assert not await reactor.react(SPOT, ":parrot:", standing=True)
    assert await reactor.react(SPOT, ":parrot:", standing=False)

    assert teams.calls == []


@pytest.mark.parametrize("status", [400, 405])
async def test_trap_where_bots_may_not_react_yet_it_is_not_taken(
    reactor: TeamsReactor, teams: ScriptedTeams, status: int
) -> None:
    teams.answer("PUT reactions", Said(status))
    teams.answer("DELETE reactions", Said(status))

    assert not await reactor.react(SPOT, "👍", standing=True)
    assert await reactor.react(SPOT, "👍", standing=False)


async def test_on_a_message_that_is_gone_nothing_stands(
    reactor: TeamsReactor, teams: ScriptedTeams
) -> None:
    teams.answer("PUT reactions", Said(404))
    teams.answer("DELETE reactions", Said(404))

    with pytest.raises(Refused):
        await reactor.react(SPOT, "👍", standing=True)
    assert await reactor.react(SPOT, "👍", standing=False)


@pytest.mark.parametrize(
    ("said", "error"),
    [
        (Said(429), Throttled),
        (Said(412), Throttled),
        (Said(502), Ambiguous),
        (Said(cut=True), Ambiguous),
        (Said(401), NotSent),
        (Said(403), Refused),
    ],
)
async def test_failures_are_told_apart(
    reactor: TeamsReactor, teams: ScriptedTeams, said: Said, error: type[Exception]
) -> None:
    teams.answer("PUT reactions", said)

    with pytest.raises(error):
        await reactor.react(SPOT, "👍", standing=True)


async def test_a_team_never_heard_from_is_refused(reactor: TeamsReactor) -> None:
    nowhere = Channel(Platform.TEAMS, "19:nowhere@thread.tacv2", "19:no@thread.tacv2")

    with pytest.raises(Refused, match="never heard from"):
        await reactor.react(Spot(nowhere, "17"), "👍", standing=True)
