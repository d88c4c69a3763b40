"""Late answers in Teams stand where the command was given."""

import json

import pytest

from bots.teams.connector import Connector
from bots.teams.late import TeamsLate
from bridge.cards import Card
from bridge.errors import Refused
from bridge.messages import Channel, Person, Platform
from bridge.places import Place
from bridge.unanswered import AskedFor
from tests.teams_server import Said, ScriptedTeams
from tests.teams_world import TEAM, TENANT, FakePlaces

CHANNEL = Channel(Platform.TEAMS, TEAM, "19:falcon@thread.tacv2")
NOTE = "You asked at 12:03 UTC: this answer is late."


def asked(raw: bytes = b"", channel: Channel = CHANNEL) -> AskedFor:
    carol = Person(Platform.TEAMS, "29:carol")
    return AskedFor("acme", TENANT, channel, carol, "status", "", "1700", 0, raw)


def told(teams: ScriptedTeams) -> list[str]:
    return [path.split("/v3/conversations/")[1] for path in teams.paths("POST")]


async def test_it_stands_in_the_thread_that_the_activity_named(
    teams: ScriptedTeams, connector: Connector
) -> None:
    teams.answer("POST activities", Said(201, {"id": "1"}))
    conversation = {"id": "19:falcon@thread.tacv2;messageid=1700"}
    raw = json.dumps({"serviceUrl": teams.url, "conversation": conversation}).encode()

    await TeamsLate(connector, FakePlaces()).tell(asked(raw), Card("All well"), NOTE)

    assert told(teams) == ["19:falcon@thread.tacv2;messageid=1700/activities"]
    [card] = teams.calls[-1].json["attachments"]
    first, *_ = card["content"]["body"]
    assert NOTE in json.dumps(first)


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"[]", b'{"conversation": 1}'], ids=range(4)
)
async def test_without_the_activity_it_stands_where_the_log_says(
    teams: ScriptedTeams, connector: Connector, raw: bytes
) -> None:
    teams.answer("POST activities", Said(201, {"id": "1"}))
    places = FakePlaces()
    await places.remember(Place(TENANT, TEAM, CHANNEL.id, teams.url))
    own = Channel(Platform.TEAMS, TEAM, "a:carol")
    await places.remember(Place(TENANT, TEAM, own.id, teams.url, kind="chat"))
    late = TeamsLate(connector, places)

    await late.tell(asked(raw), Card("All well"), "")
    await late.tell(asked(raw, own), Card("All well"), "")

    assert told(teams) == [
        "19:falcon@thread.tacv2;messageid=1700/activities",
        "a:carol/activities",
    ]


async def test_where_atom_was_never_heard_from_nothing_is_said(
    teams: ScriptedTeams, connector: Connector
) -> None:
    with pytest.raises(Refused):
        await TeamsLate(connector, FakePlaces()).tell(asked(), Card("All well"), "")

    assert teams.calls == []
