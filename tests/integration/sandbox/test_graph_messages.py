"""Messages as Graph shows them: what changed, what was pasted, how often one may ask."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.sandbox import Sandbox
from tests.sandbox_graph import BOARD, GraphClient, graph_client
from tests.sandbox_teams import FALCON, GROUP, Bot, said

MESSAGES = f"teams/{GROUP}/channels/{FALCON}/messages"


@pytest.fixture
async def graph(sandbox: Sandbox) -> GraphClient:
    await sandbox.set({"teams.throttles": False})
    return await graph_client(sandbox, "ChannelMessage.Read.All")


def ids(listing: dict[str, list[dict[str, str]]]) -> list[str]:
    return [one["id"] for one in listing["value"]]


async def test_what_was_asked_for_is_baked_into_the_token(
    sandbox: Sandbox, graph: GraphClient
) -> None:
    old = (await said(sandbox, text="old"))["id"]
    shown = (await graph.get(f"{MESSAGES}/{old}")).body["lastModifiedDateTime"]
    new = (await said(sandbox, text="new"))["id"]

    first = (
        await graph.get(f"{MESSAGES}/delta?$filter=lastModifiedDateTime gt {shown}")
    ).body
    await said(sandbox, action="react", message=old)
    again = (await graph.get(first["@odata.deltaLink"])).body

    assert ids(first) == [new]
    assert ids(again) == [old]
    assert "filter" not in again["@odata.deltaLink"]


async def test_delta_can_begin_now(sandbox: Sandbox, graph: GraphClient) -> None:
    await said(sandbox, text="old")
    now = (await graph.get(f"{MESSAGES}/delta?$deltatoken=latest")).body
    new = (await said(sandbox, text="new"))["id"]

    later = (await graph.get(now["@odata.deltaLink"])).body

    assert (ids(now), ids(later)) == ([], [new])


async def test_delta_comes_in_pages_and_ends_with_a_link(
    sandbox: Sandbox, graph: GraphClient
) -> None:
    said_now = [(await said(sandbox, text=str(n)))["id"] for n in range(3)]

    first = (await graph.get(f"{MESSAGES}/delta?$top=2")).body
    second = (await graph.get(first["@odata.nextLink"])).body

    assert ids(first) + ids(second) == said_now
    assert "@odata.deltaLink" not in first
    assert "@odata.deltaLink" in second


async def test_a_reaction_modifies_and_does_not_edit(
    sandbox: Sandbox, graph: GraphClient
) -> None:
    one = (await said(sandbox, text="hello"))["id"]
    link = (await graph.get(f"{MESSAGES}/delta")).body["@odata.deltaLink"]
    await said(sandbox, action="react", message=one)

    [changed] = (await graph.get(link)).body["value"]

    assert changed["lastModifiedDateTime"] > changed["createdDateTime"]
    assert changed["lastEditedDateTime"] is None


@pytest.mark.parametrize("touched", [False, True])
async def test_whether_a_reply_touches_its_root_is_a_setting(
    sandbox: Sandbox, graph: GraphClient, *, touched: bool
) -> None:
    await sandbox.set({"teams.graph_replies_touch_root": touched})
    root = (await said(sandbox, text="root"))["id"]
    link = (await graph.get(f"{MESSAGES}/delta")).body["@odata.deltaLink"]
    await said(sandbox, action="reply", text="reply", thread=root)

    changed = (await graph.get(link)).body

    assert ids(changed) == ([root] if touched else [])


async def test_delta_ends_at_its_horizon(sandbox: Sandbox, graph: GraphClient) -> None:
    await said(sandbox, text="old")
    await sandbox.set({"teams.graph_delta_days": 0})

    assert ids((await graph.get(f"{MESSAGES}/delta")).body) == []


async def test_delta_is_refused_if_so_set(sandbox: Sandbox, graph: GraphClient) -> None:
    await sandbox.set({"teams.graph_delta_refused": True})

    assert (await graph.get(f"{MESSAGES}/delta")).status == 400


@pytest.mark.parametrize(
    "query", ["?$filter=createdDateTime gt 2024-01-01T00:00:00Z", "?$expand=replies"]
)
async def test_delta_knows_one_filter_and_expands_nothing(
    graph: GraphClient, query: str
) -> None:
    assert (await graph.get(f"{MESSAGES}/delta{query}")).status == 400


async def test_a_filter_may_have_an_end(sandbox: Sandbox, graph: GraphClient) -> None:
    await said(sandbox, text="now")
    then = (datetime.now(UTC) - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    begin, end = "2024-01-01T00:00:00Z", then
    query = f"lastModifiedDateTime gt {begin} and lastModifiedDateTime lt {end}"

    assert ids((await graph.get(f"{MESSAGES}/delta?$filter={query}")).body) == []


async def test_replies_come_along_if_asked_for(
    sandbox: Sandbox, graph: GraphClient
) -> None:
    root = (await said(sandbox, text="root"))["id"]
    reply = (await said(sandbox, action="reply", text="re", thread=root))["id"]

    [told] = (await graph.get(f"{MESSAGES}?$expand=replies")).body["value"]

    assert [one["id"] for one in told["replies"]] == [reply]


async def test_a_pasted_picture_is_hosted_with_its_message(
    sandbox: Sandbox, graph: GraphClient
) -> None:
    sent = await said(
        sandbox,
        action="upload",
        name="p.png",
        content="pixels",
        pasted=True,
        media_type="image/png",
    )

    message = (await graph.get(f"{MESSAGES}/{sent['id']}")).body
    listed = (await graph.get(f"{MESSAGES}/{sent['id']}/hostedContents")).body["value"]
    path = f"{MESSAGES}/{sent['id']}/hostedContents/{listed[0]['id']}/$value"
    picture = await graph.get(path)

    assert f"/hostedContents/{listed[0]['id']}/$value" in message["body"]["content"]
    assert message["attachments"] == []
    assert picture.body == b"pixels"


async def test_apps_do_not_write_messages(sandbox: Sandbox) -> None:
    reader = await graph_client(sandbox, "ChannelMessage.Read.All")
    mover = await graph_client(sandbox, "Teamwork.Migrate.All")
    body = {"body": {"content": "hello"}}

    answers = [await one.post(MESSAGES, body) for one in (reader, mover)]

    assert [one.status for one in answers] == [403, 403]


@pytest.mark.parametrize(
    ("role", "status"), [("Group.Selected", 403), ("ChannelMessage.Read.All", 200)]
)
async def test_a_teams_grant_does_not_reach_into_private_channels(
    sandbox: Sandbox, role: str, status: int
) -> None:
    graph = await graph_client(sandbox, role)

    answer = await graph.get(f"teams/{GROUP}/channels/{BOARD}/messages/delta")

    assert answer.status == status


async def test_who_asks_too_often_is_told_how_long_to_wait(sandbox: Sandbox) -> None:
    await sandbox.set({"teams.throttles": True, "teams.graph_delta_windows": [[2, 60]]})
    graph = await graph_client(sandbox, "ChannelMessage.Read.All")

    answers = [await graph.get(f"{MESSAGES}/delta") for _ in range(3)]
    other = await graph.get(MESSAGES)

    assert [one.status for one in answers] == [200, 200, 429]
    assert 0 < int(answers[2].headers["Retry-After"]) <= 60
    assert answers[2].body["error"]["code"] == "TooManyRequests"
    assert other.status == 200


async def test_faults_strike_graph_as_everything_else(
    sandbox: Sandbox, graph: GraphClient
) -> None:
    await sandbox.fault("teams.graph.delta", "503")

    answers = [(await graph.get(f"{MESSAGES}/delta")).status for _ in range(2)]

    assert answers == [503, 200]
    assert len(await sandbox.journal("graph.delta")) == 2


async def test_a_tokens_tenant_is_where_it_ends(sandbox: Sandbox, bot: Bot) -> None:
    globex = "7e4a4700-0000-4000-8000-000000000002"
    graph = await graph_client(sandbox, "ChannelMessage.Read.All", tenant=globex)

    assert (await graph.get(MESSAGES)).status == 404
