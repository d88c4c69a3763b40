"""Members by address and channels by id, by Teams' own word, asked for rarely."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from bots.teams.connector import Connector
from bots.teams.roster import TeamsRoster, roster
from bots.teams.signs import TeamsSigns
from bridge.identities import Identity
from bridge.messages import Channel, PersonKind, Platform
from bridge.naming import Seen
from tests.teams_server import Said, ScriptedTeams
from tests.teams_world import FALCON, GROUP, TEAM, TENANT, FakePlaces

ELSEWHERE = Channel(Platform.TEAMS, "19:other@thread.tacv2", "19:x@thread.tacv2")


def member(name: str, **more: str) -> dict[str, Any]:
    address = f"{name}@acme.example"
    known = {
        "id": f"29:{name}",
        "name": name.title(),
        "email": address,
        "userPrincipalName": address,
        "aadObjectId": f"c-{name}",
        "tenantId": TENANT,
        "userRole": "user",
    }
    return known | more


def listing(*members: dict[str, Any], then: str = "") -> Said:
    more = {"continuationToken": then} if then else {}
    return Said(body={"members": [*members], **more})


@pytest.fixture
def accounts(connector: Connector, places: FakePlaces) -> TeamsRoster:
    return TeamsRoster(connector, places)


async def test_whoever_wants_hears_how_everybody_is_described(
    connector: Connector, places: FakePlaces, teams: ScriptedTeams
) -> None:
    heard: dict[str, frozenset[str]] = {}

    async def told(tenant: str, people: Sequence[Identity]) -> None:
        heard.update({f"{tenant}/{one.person.id}": one.addresses for one in people})

    teams.answer("GET pagedmembers", listing(member("ann"), member("ben")))

    await TeamsRoster(connector, places, told=told).described(FALCON, ["29:ann"])

    assert heard == {
        f"{TENANT}/29:ann": {"ann@acme.example"},
        f"{TENANT}/29:ben": {"ben@acme.example"},
    }


async def test_a_team_is_listed_once_page_by_page(
    accounts: TeamsRoster, teams: ScriptedTeams
) -> None:
    teams.answer(
        "GET pagedmembers",
        listing(member("ann"), then="a+b/c="),
        listing(member("ben", email="Ben.Stone@Acme.Example")),
    )

    found = await accounts.holders(FALCON, ["ann@acme.example"])
    by_mail = await accounts.holders(FALCON, ["ben.stone@acme.example"])
    described = await accounts.described(FALCON, ["29:ben", "29:nobody"])

    assert [one.person.id for one in (*found, *by_mail)] == ["29:ann", "29:ben"]
    assert described["29:ben"].addresses == {
        "ben@acme.example",
        "ben.stone@acme.example",
    }
    first, second = (call.path for call in teams.calls)
    assert first == f"/v3/conversations/{TEAM}/pagedmembers?pageSize=500"
    assert second == f"{first}&continuationToken=a%2Bb%2Fc%3D"


async def test_a_private_channel_has_members_of_its_own(
    accounts: TeamsRoster, teams: ScriptedTeams, places: FakePlaces
) -> None:
    team = places.kept[TEAM, ""]
    private = replace(team, channel=FALCON.id, kind="private")
    places.kept[TEAM, FALCON.id] = private
    teams.answer("GET pagedmembers", listing(member("ann")))

    await accounts.described(FALCON, ["29:ann"])

    assert FALCON.id in teams.calls[0].path


async def test_teams_that_does_not_answer_is_left_alone_for_a_while(
    accounts: TeamsRoster, teams: ScriptedTeams
) -> None:
    teams.answer("GET pagedmembers", Said(503))

    for _ in range(3):
        assert await accounts.holders(FALCON, ["ann@acme.example"]) == []

    assert len(teams.calls) == 1


async def test_nobody_is_known_in_a_team_that_is_not(
    accounts: TeamsRoster, teams: ScriptedTeams
) -> None:
    assert await accounts.described(ELSEWHERE, ["29:ann"]) == {}
    assert teams.calls == []


def test_addresses_in_the_domains_that_members_sign_in_with_are_proven() -> None:
    known = roster([member("ann", email="ann@elsewhere.example")], TENANT)

    ann = known.by_id["29:ann"]
    assert ann.addresses == {"ann@acme.example", "ann@elsewhere.example"}
    assert ann.proven == {"ann@acme.example"}


@pytest.mark.parametrize(
    ("more", "kind"),
    [
        ({"userRole": "guest"}, PersonKind.GUEST),
        ({"userRole": "anonymous"}, PersonKind.GUEST),
        (
            {"userPrincipalName": "gus_else.example#EXT#@acme.example"},
            PersonKind.GUEST,
        ),
        ({"tenantId": "another"}, PersonKind.EXTERNAL),
        ({"tenantId": TENANT.upper()}, PersonKind.USER),
    ],
)
def test_guests_and_other_tenants_people_are_told_apart(
    more: dict[str, str], kind: PersonKind
) -> None:
    known = roster([member("gus", **more)], TENANT)

    assert known.by_id["29:gus"].person.kind is kind


def test_a_guests_domain_proves_nothing() -> None:
    guest = member("gus", userRole="guest", userPrincipalName="gus@evil.example")
    other = member("eve", email="eve@evil.example")

    known = roster([guest, other], TENANT)

    assert known.by_id["29:eve"].proven == {"eve@acme.example"}


def test_an_address_that_two_people_have_is_nobodys() -> None:
    other = member("bob", email="ann@acme.example")

    known = roster([member("ann"), other], TENANT)

    assert known.by_id["29:ann"].addresses == frozenset()
    assert known.by_id["29:bob"].addresses == {"bob@acme.example"}
    assert len(known.by_address["ann@acme.example"]) == 2


@pytest.fixture
def signs(connector: Connector, places: FakePlaces) -> TeamsSigns:
    return TeamsSigns(connector, places)


async def test_a_teams_channels_are_listed_once(
    signs: TeamsSigns, teams: ScriptedTeams, places: FakePlaces
) -> None:
    listed = [
        {"id": TEAM, "name": None, "type": "standard"},
        {"id": FALCON.id, "name": "Falcon", "type": "standard"},
        {"id": "19:board@thread.tacv2", "name": "Board", "type": "private"},
    ]
    teams.answer("GET conversations", Said(body={"conversations": listed}))
    wanted = [TEAM, FALCON.id, "19:board@thread.tacv2", "19:gone@thread.tacv2"]

    await signs.channels(FALCON, wanted)
    seen = await signs.channels(FALCON, wanted)

    opens = "https://teams.microsoft.com/l/channel/"
    query = f"?groupId={GROUP}&tenantId={TENANT}"
    assert seen[FALCON.id] == Seen(
        "Falcon", public=True, url=f"{opens}19%3Afalcon%40thread.tacv2/Falcon{query}"
    )
    assert seen[TEAM].name == "General"
    assert not seen["19:board@thread.tacv2"].public
    assert "19:gone@thread.tacv2" not in seen
    assert len(teams.calls) == 1


async def test_channels_of_a_silent_teams_are_not_named(
    signs: TeamsSigns, teams: ScriptedTeams
) -> None:
    teams.answer("GET conversations", Said(503))

    assert await signs.channels(FALCON, ["19:new@thread.tacv2"]) == {}


@pytest.mark.parametrize(
    ("url", "channel"),
    [
        (
            "https://teams.microsoft.com/l/channel/19%3aplans%40thread.tacv2/Plans?x=1",
            "19:plans@thread.tacv2",
        ),
        (
            "https://teams.cloud.microsoft/l/channel/19:a@thread.tacv2",
            "19:a@thread.tacv2",
        ),
        ("https://teams.microsoft.com/l/message/19:a@thread.tacv2/1", ""),
        ("https://teams.microsoft.com.evil.example/l/channel/19:a/x", ""),
        ("https://[broken", ""),
    ],
)
def test_a_deep_link_opens_a_channel(signs: TeamsSigns, url: str, channel: str) -> None:
    assert signs.channel_in(url) == channel
