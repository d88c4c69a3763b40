"""Names, owners and channel names, asked for as rarely as can be."""

import pytest

from bots.teams.announcer import TeamsAnnouncer
from bots.teams.connector import Connector
from bots.teams.graph import Graph
from bots.teams.people import TeamsPeople
from bots.teams.rights import TeamsRights
from bridge.cards import Card
from bridge.errors import Refused, ServiceUnavailable
from bridge.messages import Channel, Person, PersonKind, Platform
from bridge.places import Place
from tests.teams_server import Said, ScriptedTeams
from tests.teams_world import (
    FALCON,
    GROUP,
    TEAM,
    TENANT,
    FakePlaces,
    FakeTokens,
    Seconds,
)

CAROL = Person(Platform.TEAMS, "29:carol", "Carol Díaz")
CAROL_IN_THE_DIRECTORY = "c0000000-0000-4000-8000-000000000001"
ELSEWHERE = Channel(Platform.TEAMS, "19:other@thread.tacv2", "19:x@thread.tacv2")


@pytest.fixture
def clock() -> Seconds:
    return Seconds()


@pytest.fixture
def people(connector: Connector, places: FakePlaces, clock: Seconds) -> TeamsPeople:
    return TeamsPeople(connector, places, clock)


@pytest.fixture
def rights(
    connector: Connector, places: FakePlaces, teams: ScriptedTeams, tokens: FakeTokens
) -> TeamsRights:
    member = {"id": CAROL.id, "aadObjectId": CAROL_IN_THE_DIRECTORY}
    teams.answer(f"GET members/{CAROL.id}", Said(body=member))
    graph = Graph(connector.session, tokens, f"{teams.url}v1.0")
    return TeamsRights(connector, places, graph)


def roster(*owners: str) -> Said:
    members = [{"userId": owner, "roles": ["owner"]} for owner in owners]
    others = [{"userId": "somebody", "roles": []}, {"userId": None, "roles": None}]
    return Said(body={"value": [*members, *others]})


async def test_unknown_people_are_asked_for_once(
    people: TeamsPeople, teams: ScriptedTeams
) -> None:
    guest = {"id": "29:g", "name": "Gus Guest", "userRole": "guest"}
    teams.answer("GET members/29:g", Said(body=guest))

    await people.lookup(FALCON, {"29:g"})
    found = await people.lookup(FALCON, ["29:g"])

    assert found == {
        "29:g": Person(Platform.TEAMS, "29:g", "Gus Guest", kind=PersonKind.GUEST)
    }
    assert len(teams.calls) == 1


async def test_people_that_activities_named_are_not_asked_for(
    people: TeamsPeople, teams: ScriptedTeams
) -> None:
    people.learn([CAROL])

    assert await people.lookup(FALCON, [CAROL.id]) == {CAROL.id: CAROL}
    assert teams.calls == []


async def test_platform_that_does_not_answer_makes_people_unknown_for_a_minute(
    people: TeamsPeople, teams: ScriptedTeams, clock: Seconds
) -> None:
    teams.answer("GET members", Said(503))
    assert await people.lookup(FALCON, ["29:x"]) == {}
    assert await people.lookup(FALCON, ["29:x"]) == {}
    assert len(teams.calls) == 1

    clock.now += 61
    teams.answer("GET members", Said(body={"name": "Xenia"}))

    assert (await people.lookup(FALCON, ["29:x"]))["29:x"].name == "Xenia"


async def test_known_name_outlives_an_outage(
    people: TeamsPeople, teams: ScriptedTeams, clock: Seconds
) -> None:
    people.learn([CAROL])
    clock.now += 4000
    teams.answer("GET members", Said(503))

    assert await people.lookup(FALCON, [CAROL.id]) == {CAROL.id: CAROL}


async def test_bots_and_unknown_teams_are_left_out(
    people: TeamsPeople, teams: ScriptedTeams
) -> None:
    assert await people.lookup(FALCON, ["28:bot", "", "U01"]) == {}
    assert await people.lookup(ELSEWHERE, ["29:x"]) == {}
    assert teams.calls == []


async def test_owner_of_the_team_is_its_admin(
    rights: TeamsRights, teams: ScriptedTeams
) -> None:
    teams.answer(f"GET teams/{GROUP}/members", roster(CAROL_IN_THE_DIRECTORY))

    assert await rights.is_admin(CAROL, FALCON)


async def test_member_is_no_admin(rights: TeamsRights, teams: ScriptedTeams) -> None:
    teams.answer(f"GET teams/{GROUP}/members", roster("another"))

    assert not await rights.is_admin(CAROL, FALCON)


async def test_nobody_administers_what_atom_never_heard_of(rights: TeamsRights) -> None:
    assert not await rights.is_admin(CAROL, ELSEWHERE)
    assert not await rights.is_admin(Person(Platform.SLACK, "U1"), FALCON)


async def test_who_is_not_in_the_team_is_no_admin(
    rights: TeamsRights, teams: ScriptedTeams
) -> None:
    stranger = Person(Platform.TEAMS, "29:stranger")

    assert not await rights.is_admin(stranger, FALCON)


async def test_missing_right_says_which_one_to_grant(
    rights: TeamsRights, teams: ScriptedTeams
) -> None:
    teams.answer(f"GET teams/{GROUP}/members", Said(403))

    with pytest.raises(ServiceUnavailable, match=r"TeamMember\.Read\.Group"):
        await rights.is_admin(CAROL, FALCON)


@pytest.mark.parametrize("status", [429, 500])
async def test_platform_that_does_not_answer_is_not_a_no(
    rights: TeamsRights, teams: ScriptedTeams, status: int
) -> None:
    teams.answer(f"GET teams/{GROUP}/members", Said(status))

    with pytest.raises(ServiceUnavailable):
        await rights.is_admin(CAROL, FALCON)


async def test_group_that_no_activity_named_is_asked_for_and_kept(
    rights: TeamsRights, places: FakePlaces, teams: ScriptedTeams
) -> None:
    places.kept = {(TEAM, ""): Place(TENANT, TEAM, "", teams.url)}
    teams.answer(f"GET v3/teams/{TEAM}", Said(body={"aadGroupId": GROUP}))
    teams.answer(f"GET teams/{GROUP}/members", roster(CAROL_IN_THE_DIRECTORY))

    assert await rights.is_admin(CAROL, FALCON)
    assert {place.group_id for place in places.kept.values()} >= {GROUP}


async def test_card_is_announced_in_a_new_thread(
    connector: Connector, places: FakePlaces, teams: ScriptedTeams
) -> None:
    teams.answer("POST activities", Said(201, {"id": "1"}))

    await TeamsAnnouncer(connector, places).announce(FALCON, Card("Linked"))

    (call,) = teams.calls
    assert call.path == f"/v3/conversations/{FALCON.id}/activities"
    assert call.json["attachments"][0]["content"]["type"] == "AdaptiveCard"
    assert "text" not in call.json


async def test_announcement_where_atom_is_not_is_refused(
    connector: Connector, places: FakePlaces
) -> None:
    with pytest.raises(Refused):
        await TeamsAnnouncer(connector, places).announce(ELSEWHERE, Card("Linked"))


async def test_channel_names_are_learned_when_one_is_wanted(
    connector: Connector, places: FakePlaces, teams: ScriptedTeams
) -> None:
    listed = [{"id": TEAM, "name": None}, {"id": FALCON.id, "name": "Project Falcon"}]
    path = f"GET v3/teams/{TEAM}/conversations"
    teams.answer(path, Said(body={"conversations": listed}))
    announcer = TeamsAnnouncer(connector, places)
    general = Channel(Platform.TEAMS, TEAM, TEAM)

    names = [await announcer.channel_name(c) for c in (FALCON, general, FALCON)]

    assert names == ["Project Falcon", "General", "Project Falcon"]
    assert len(teams.calls) == 1


async def test_channel_whose_name_cannot_be_learned_is_called_by_its_id(
    connector: Connector, places: FakePlaces, teams: ScriptedTeams
) -> None:
    teams.answer("GET conversations", Said(500))
    announcer = TeamsAnnouncer(connector, places)

    assert await announcer.channel_name(FALCON) == FALCON.id
    assert await announcer.channel_name(ELSEWHERE) == ELSEWHERE.id
