"""The sandbox's Graph tells its directory as Microsoft documents delta queries."""

from typing import Any

import pytest

from tests.sandbox import Sandbox
from tests.sandbox_graph import CAROL, DAVE, GraphClient, graph_client

TEAM_GROUP = "6a1c0de5-0000-4000-8000-000000000001"
FINANCE = "f1000000-0000-4000-8000-000000000001"
_USERS = "users/delta?$select=id,displayName,accountEnabled,department,manager"
_GROUPS = "groups/delta?$select=id,displayName,members"


async def _read(graph: GraphClient, start: str) -> tuple[list[dict[str, Any]], str]:
    items: list[dict[str, Any]] = []
    url = start
    while True:
        answered = await graph.get(url)
        assert answered.status == 200, answered.body
        items += answered.body["value"]
        if "@odata.deltaLink" in answered.body:
            return items, str(answered.body["@odata.deltaLink"])
        url = answered.body["@odata.nextLink"]


@pytest.fixture
async def graph(sandbox: Sandbox) -> GraphClient:
    return await graph_client(sandbox, "User.Read.All", "GroupMember.Read.All")


async def _do(sandbox: Sandbox, do: str, oid: str, **more: Any) -> None:
    await sandbox.act_in_teams(action="directory", do=do, id=oid, **more)


async def test_delta_tells_everybody_in_pages_and_then_what_changed(
    sandbox: Sandbox, graph: GraphClient
) -> None:
    await sandbox.set({"teams.graph_directory_page": 3})
    first, later = await _read(graph, _USERS)
    assert len(first) == 4

    await _do(sandbox, "change_user", DAVE, values={"department": "Finance"})
    changed, _ = await _read(graph, later)

    assert [(one["id"], one["department"]) for one in changed] == [(DAVE, "Finance")]


async def test_the_deleted_wait_in_the_bin_and_leave_groups_unsaid(
    sandbox: Sandbox, graph: GraphClient
) -> None:
    _, users = await _read(graph, _USERS)
    _, groups = await _read(graph, _GROUPS)

    await _do(sandbox, "delete", DAVE)

    assert (await _read(graph, users))[0] == [
        {"id": DAVE, "@removed": {"reason": "changed"}}
    ]
    assert (await _read(graph, groups))[0] == []
    binned = f"directory/deletedItems/{DAVE}/microsoft.graph.user"
    assert (await graph.get(binned)).body["id"] == DAVE


async def test_a_large_group_is_told_in_parts(
    sandbox: Sandbox, graph: GraphClient
) -> None:
    await sandbox.set({"teams.graph_directory_members": 3})

    groups, _ = await _read(graph, _GROUPS)

    parts = [one["members@delta"] for one in groups if one["id"] == TEAM_GROUP]
    assert [len(part) for part in parts] == [3, 1]


async def test_somebody_who_leaves_a_group_is_told_as_removed(
    sandbox: Sandbox, graph: GraphClient
) -> None:
    await _do(sandbox, "add_group", FINANCE, values={"displayName": "Finance"})
    await _do(sandbox, "join", FINANCE, member=CAROL)
    _, later = await _read(graph, _GROUPS)

    await _do(sandbox, "leave", FINANCE, member=CAROL)
    changed, _ = await _read(graph, later)

    assert [one["members@delta"] for one in changed] == [
        [
            {
                "@odata.type": "#microsoft.graph.user",
                "id": CAROL,
                "@removed": {"reason": "deleted"},
            }
        ]
    ]


@pytest.mark.parametrize(
    ("status", "code"), [(410, "resyncRequired"), (400, "syncStateNotFound")]
)
async def test_an_old_link_is_refused(
    sandbox: Sandbox, graph: GraphClient, status: int, code: str
) -> None:
    _, later = await _read(graph, _USERS)
    await sandbox.set(
        {
            "teams.graph_directory_token_seconds": 0.0,
            "teams.graph_directory_lost_status": status,
        }
    )

    answered = await graph.get(later)

    assert (answered.status, answered.body["error"]["code"]) == (status, code)


async def test_without_the_right_nothing_is_told(sandbox: Sandbox) -> None:
    graph = await graph_client(sandbox, "GroupMember.Read.All")

    answered = await graph.get(_USERS)

    assert answered.status == 403
    assert answered.body["error"]["code"] == "Authorization_RequestDenied"


async def test_what_delta_does_not_take_is_refused(graph: GraphClient) -> None:
    assert (await graph.get("users/delta?$expand=manager")).status == 400
