"""Who is in a team or a closed channel, read and changed through Graph."""

from typing import Any

import pytest

from tests.sandbox import Listener, Sandbox
from tests.sandbox_graph import (
    BOARD,
    CAROL,
    DAVE,
    ERIN,
    GraphClient,
    bound,
    graph_client,
)
from tests.sandbox_teams import FALCON, GROUP, arrived

MEMBERS = f"teams/{GROUP}/members"
INSIDE = f"teams/{GROUP}/channels/{BOARD}/members"


@pytest.fixture
async def graph(sandbox: Sandbox) -> GraphClient:
    await sandbox.set({"teams.throttles": False})
    return await graph_client(sandbox)


async def people(graph: GraphClient, path: str) -> dict[str, dict[str, Any]]:
    listed = (await graph.get(path)).body["value"]
    return {one["userId"]: one for one in listed}


async def test_a_member_leaves_the_team_and_its_private_channels(
    graph: GraphClient, listener: Listener
) -> None:
    dave = (await people(graph, MEMBERS))[DAVE]

    removed = await graph.delete(f"{MEMBERS}/{dave['id']}")

    [told] = await arrived(listener)
    assert removed.status == 204
    assert DAVE not in await people(graph, MEMBERS)
    assert DAVE not in await people(graph, INSIDE)
    assert told["membersRemoved"][0]["aadObjectId"] == DAVE


async def test_a_member_comes_back_by_address(
    graph: GraphClient, listener: Listener
) -> None:
    erin = (await people(graph, MEMBERS))[ERIN]
    await graph.delete(f"{MEMBERS}/{erin['id']}")

    added = await graph.post(MEMBERS, bound("erin@acme.example"))

    told = await arrived(listener, 2)
    assert (added.status, added.body["userId"]) == (201, ERIN)
    assert told[1]["membersAdded"][0]["aadObjectId"] == ERIN


async def test_many_are_added_and_who_is_unknown_is_named(graph: GraphClient) -> None:
    answer = await graph.post(
        f"{MEMBERS}/add", {"values": [bound(ERIN), bound("nobody@acme.example")]}
    )

    errors = [one["error"] for one in answer.body["value"]]
    assert answer.status == 207
    assert errors[0] is None
    assert errors[1]["code"] == "Request_ResourceNotFound"


async def test_an_owner_is_made_and_the_last_one_stays(graph: GraphClient) -> None:
    known = await people(graph, MEMBERS)
    carol, dave = f"{MEMBERS}/{known[CAROL]['id']}", f"{MEMBERS}/{known[DAVE]['id']}"

    kept = await graph.delete(carol)
    promoted = await graph.patch(dave, {"roles": ["owner"]})
    gone = await graph.delete(carol)

    assert (kept.status, promoted.body["roles"], gone.status) == (400, ["owner"], 204)


async def test_standard_channels_have_no_members_of_their_own(
    graph: GraphClient,
) -> None:
    path = f"teams/{GROUP}/channels/{FALCON}/members"

    added = await graph.post(path, bound(ERIN))

    assert added.status == 400
    assert "team" in added.body["error"]["message"]
    assert set(await people(graph, path)) == set(await people(graph, MEMBERS))


async def test_a_private_channel_takes_members_of_the_team(graph: GraphClient) -> None:
    frank = "c0000000-0000-4000-8000-000000000004"
    known = await people(graph, MEMBERS)
    await graph.delete(f"{MEMBERS}/{known[frank]['id']}")

    inside = await graph.post(INSIDE, bound(ERIN))
    outside = await graph.post(INSIDE, bound(frank))

    assert (inside.status, outside.status) == (201, 404)
    assert set(await people(graph, INSIDE)) == {CAROL, DAVE, ERIN}


async def test_the_last_owner_of_a_channel_stays(graph: GraphClient) -> None:
    known = await people(graph, INSIDE)

    owner = await graph.delete(f"{INSIDE}/{known[CAROL]['id']}")
    member = await graph.delete(f"{INSIDE}/{known[DAVE]['id']}")

    assert (owner.status, member.status) == (400, 204)


async def test_a_membership_has_another_id_in_each_channel(graph: GraphClient) -> None:
    team, channel = await people(graph, MEMBERS), await people(graph, INSIDE)

    crossed = await graph.delete(f"{INSIDE}/{team[DAVE]['id']}")

    assert team[DAVE]["id"] != channel[DAVE]["id"]
    assert crossed.status == 404


async def test_access_is_told_by_any_name(graph: GraphClient) -> None:
    path = f"teams/{GROUP}/channels/{BOARD}/doesUserHaveAccess"

    dave = await graph.get(f"{path}(userId='{DAVE}')")
    erin = await graph.get(f"{path}(userPrincipalName='erin@acme.example')")

    assert (dave.body, erin.body) == ({"value": True}, {"value": False})


@pytest.mark.parametrize("allowed", [False, True])
async def test_whether_a_grant_changes_members_of_closed_channels_is_a_setting(
    sandbox: Sandbox, *, allowed: bool
) -> None:
    await sandbox.set(
        {
            "teams.graph_grants": ["ChannelMember.ReadWrite.Group"],
            "teams.graph_rsc_member_writes": allowed,
        }
    )
    graph = await graph_client(sandbox, "Group.Selected")

    read = await graph.get(INSIDE)
    added = await graph.post(INSIDE, bound(ERIN))

    assert (read.status, added.status) == (200, 201 if allowed else 403)


async def test_there_is_no_grant_by_which_to_change_a_team(sandbox: Sandbox) -> None:
    graph = await graph_client(sandbox, "Group.Selected")

    assert (await graph.post(MEMBERS, bound(ERIN))).status == 403
