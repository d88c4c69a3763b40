"""Teams and channels, made and changed through Graph."""

from typing import Any

import pytest

from tests.sandbox import Listener, Sandbox, settled
from tests.sandbox_graph import CAROL, DAVE, GraphClient, bound, graph_client
from tests.sandbox_teams import FALCON, GROUP, arrived, said

CHANNELS = f"teams/{GROUP}/channels"
GENERAL = "19:acme@thread.tacv2"
TEMPLATE = {
    "template@odata.bind": (
        "https://graph.microsoft.com/v1.0/teamsTemplates('standard')"
    )
}


@pytest.fixture
async def graph(sandbox: Sandbox) -> GraphClient:
    await sandbox.set({"teams.throttles": False})
    return await graph_client(sandbox)


async def names(graph: GraphClient, query: str = "") -> list[str]:
    listed = (await graph.get(CHANNELS + query)).body["value"]
    return [one["displayName"] for one in listed]


async def test_teams_are_those_of_the_tokens_tenant(graph: GraphClient) -> None:
    listed = (await graph.get("teams")).body["value"]

    assert [one["displayName"] for one in listed] == ["Acme", "Labs"]
    assert (await graph.get("teams/6a1c0de5-0000-4000-8000-000000000003")).status == 404


async def test_a_team_is_made_in_its_own_time(
    sandbox: Sandbox, graph: GraphClient
) -> None:
    await sandbox.set({"teams.graph_operation_seconds": 0.2})
    wish = {**TEMPLATE, "displayName": "New", "members": [bound(CAROL, "owner")]}

    begun = await graph.post("teams", wish)
    first = await graph.get(begun.headers["Location"])

    async def succeeded() -> bool:
        state = await graph.get(begun.headers["Location"])
        return bool(state.body["status"] == "succeeded")

    await settled(succeeded)
    team = first.body["targetResourceId"]
    members = (await graph.get(f"teams/{team}/members")).body["value"]
    channels = (await graph.get(f"teams/{team}/channels")).body["value"]
    assert (begun.status, first.body["status"]) == (202, "inProgress")
    assert [(one["userId"], one["roles"]) for one in members] == [(CAROL, ["owner"])]
    assert [one["displayName"] for one in channels] == ["General"]


@pytest.mark.parametrize(
    "wish",
    [
        {"displayName": "New", "members": [bound(CAROL, "owner")]},
        {**TEMPLATE, "members": [bound(CAROL, "owner")]},
        {**TEMPLATE, "displayName": "New"},
        {**TEMPLATE, "displayName": "New", "members": [bound(CAROL)]},
    ],
)
async def test_a_team_without_template_name_or_owner_is_refused(
    graph: GraphClient, wish: dict[str, Any]
) -> None:
    assert (await graph.post("teams", wish)).status == 400


async def test_the_bot_hears_what_graph_changes(
    graph: GraphClient, listener: Listener
) -> None:
    made = (await graph.post(CHANNELS, {"displayName": "Ideas"})).body["id"]
    await graph.patch(f"{CHANNELS}/{made}", {"displayName": "Good ideas"})
    await graph.delete(f"{CHANNELS}/{made}")
    await graph.patch(f"teams/{GROUP}", {"displayName": "Acme Corp"})
    await graph.post(f"teams/{GROUP}/archive")
    await graph.post(f"teams/{GROUP}/unarchive")

    told = [one["channelData"]["eventType"] for one in await arrived(listener, 6)]

    assert told == [
        "channelCreated",
        "channelRenamed",
        "channelDeleted",
        "teamRenamed",
        "teamArchived",
        "teamUnarchived",
    ]


async def test_a_deleted_team_is_gone_and_the_bot_hears_of_it(
    graph: GraphClient, listener: Listener
) -> None:
    deleted = await graph.delete(f"groups/{GROUP}")

    [told] = await arrived(listener)
    assert deleted.status == 204
    assert told["channelData"]["eventType"] == "teamDeleted"
    assert (await graph.get(f"teams/{GROUP}")).status == 404


async def test_channels_are_filtered_by_kind(graph: GraphClient) -> None:
    assert await names(graph, "?$filter=membershipType eq 'private'") == ["Board"]
    wrong = await graph.get(CHANNELS + "?$filter=displayName eq 'Board'")
    assert wrong.status == 400


@pytest.mark.parametrize("kind", ["private", "shared"])
async def test_a_closed_channel_needs_an_owner(graph: GraphClient, kind: str) -> None:
    wish = {"displayName": "Closed", "membershipType": kind}

    without = await graph.post(CHANNELS, wish)
    made = await graph.post(CHANNELS, wish | {"members": [bound(DAVE, "owner")]})

    assert (without.status, made.status) == (400, 201 if kind == "private" else 202)
    assert await names(graph, f"?$filter=membershipType eq '{kind}'") == (
        ["Board", "Closed"] if kind == "private" else ["Closed"]
    )


async def test_a_name_is_taken_for_ever(graph: GraphClient) -> None:
    made = (await graph.post(CHANNELS, {"displayName": "Ideas"})).body["id"]
    await graph.delete(f"{CHANNELS}/{made}")

    again = await graph.post(CHANNELS, {"displayName": "ideas"})

    assert (again.status, again.body["error"]["code"]) == (400, "NameAlreadyExists")


@pytest.mark.parametrize("name", ["", "x" * 51, "a/b", "what?"])
async def test_unfit_names_are_refused(graph: GraphClient, name: str) -> None:
    assert (await graph.post(CHANNELS, {"displayName": name})).status == 400


async def test_a_new_channel_is_found_late_if_so_set(
    sandbox: Sandbox, graph: GraphClient
) -> None:
    await sandbox.set({"teams.graph_visible_after": 60.0})
    made = (await graph.post(CHANNELS, {"displayName": "Ideas"})).body["id"]

    hidden = await graph.get(f"{CHANNELS}/{made}")
    await sandbox.set({"teams.graph_visible_after": 0.0})

    assert hidden.status == 404
    assert (await graph.get(f"{CHANNELS}/{made}")).status == 200


async def test_the_general_channel_stays_as_it_is(graph: GraphClient) -> None:
    path = f"{CHANNELS}/{GENERAL}"

    answers = [
        await graph.patch(path, {"displayName": "Lobby"}),
        await graph.delete(path),
        await graph.post(f"{path}/archive"),
    ]

    assert [one.status for one in answers] == [400, 400, 400]


async def test_nobody_posts_into_an_archived_channel(
    sandbox: Sandbox, graph: GraphClient
) -> None:
    archived = await graph.post(f"{CHANNELS}/{FALCON}/archive")

    wish = {"action": "post", "user": "29:carol", "channel": FALCON, "text": "x"}
    status, _ = await sandbox.call("POST", "/sandbox/teams/act", wish)
    shown = (await graph.get(f"{CHANNELS}/{FALCON}")).body
    await graph.post(f"{CHANNELS}/{FALCON}/unarchive")
    await said(sandbox, text="open again")

    assert (archived.status, status, shown["isArchived"]) == (202, 400, True)


async def test_a_grant_of_the_team_does_not_archive_channels(sandbox: Sandbox) -> None:
    await sandbox.set({"teams.graph_grants": ["ChannelSettings.ReadWrite.Group"]})
    graph = await graph_client(sandbox, "Group.Selected")

    renamed = await graph.patch(f"{CHANNELS}/{FALCON}", {"displayName": "Eagle"})
    archived = await graph.post(f"{CHANNELS}/{FALCON}/archive")

    assert (renamed.status, archived.status) == (204, 403)


async def test_a_refusal_tells_when_and_which_request_it_was(sandbox: Sandbox) -> None:
    graph = await graph_client(sandbox, "User.Read.All")

    error = (await graph.get("teams")).body["error"]

    assert error["code"] == "Forbidden"
    assert {"date", "request-id", "client-request-id"} == set(error["innerError"])
    assert "Roles on the request 'User.Read.All'" in error["message"]


async def test_users_are_found_by_filter_and_in_pages(graph: GraphClient) -> None:
    found = await graph.get("users?$filter=mail eq 'dave@acme.example'")
    first = await graph.get("users?$top=3")
    second = await graph.get(first.body["@odata.nextLink"])
    foreign = await graph.get("users/heidi@globex.example")

    assert [one["id"] for one in found.body["value"]] == [DAVE]
    assert len(first.body["value"]) + len(second.body["value"]) == 4
    assert (foreign.status, foreign.body["error"]["code"]) == (
        404,
        "Request_ResourceNotFound",
    )
