"""Events of channels that several workspaces or companies share."""

from typing import Any

import pytest
from aiohttp import ClientSession
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bots.sandbox.slack.grid_seed import ADMIN_TOKEN, ORG
from bots.sandbox.slack.seed import BOT_TOKEN
from tests.sandbox import Listener, Sandbox, eventually

FALCON = "C02FALCON"


async def said(grid: Sandbox, listener: Listener, text: str) -> list[dict[str, Any]]:
    """Let Alice write, then Bob; what arrived before Bob's message is Alice's."""
    for user, words in (("U01ALICE", text), ("U02BOB", "and so on")):
        await grid.act(action="post", user=user, channel=FALCON, text=words)
    await eventually(
        lambda: any(e.get("text") == "and so on" for e in listener.events("message"))
    )
    bodies = [one.json() for one in listener.got]
    return [body for body in bodies if body["event"].get("text") == text]


async def test_a_workspace_of_an_organisation_says_so(
    grid: Sandbox, listener: Listener
) -> None:
    [body] = await said(grid, listener, "hello")

    assert body["enterprise_id"] == body["context_enterprise_id"] == ORG
    assert body["team_id"] == body["context_team_id"] == "T01ACME"
    assert body["authorizations"] == [
        {
            "enterprise_id": ORG,
            "team_id": "T01ACME",
            "user_id": "UATOM",
            "is_bot": True,
            "is_enterprise_install": False,
        }
    ]


async def test_the_organisations_app_hears_of_a_shared_channel_once(
    grid: Sandbox, admin: AsyncWebClient, listener: Listener
) -> None:
    await grid.act(action="install_org")
    await grid.act(action="grant_access", workspaces=["T01ACME", "T03LABS"])
    await admin.admin_conversations_setTeams(
        channel_id=FALCON, target_team_ids=["T01ACME", "T03LABS"]
    )

    [body] = await said(grid, listener, "to both")

    assert body["authorizations"][0]["is_enterprise_install"] is True
    assert body["is_ext_shared_channel"] is False


@pytest.mark.parametrize(("how", "times"), [("once", 1), ("each", 2)])
async def test_how_often_a_slack_connect_event_comes_is_a_setting(
    grid: Sandbox, listener: Listener, how: str, times: int
) -> None:
    await grid.set({"slack.connect_events": how})
    with_globex = {"with": "T02GLOBEX", "members": ["U11GRACE", "UATOM2"]}
    await grid.act(action="connect", channel=FALCON, **with_globex)

    bodies = await said(grid, listener, "to the other company")

    told = [body["team_id"] for body in bodies]
    assert told == ["T01ACME", "T02GLOBEX"][:times]
    assert all(body["is_ext_shared_channel"] for body in bodies)


async def test_a_connected_channel_is_cut_and_says_so(
    grid: Sandbox, admin: AsyncWebClient, listener: Listener
) -> None:
    with_globex = {"with": "T02GLOBEX", "members": ["U11GRACE"]}
    await grid.act(action="connect", channel=FALCON, **with_globex)

    with pytest.raises(SlackApiError, match="externally_shared"):
        await admin.admin_conversations_setTeams(
            channel_id=FALCON, target_team_ids=["T01ACME", "T03LABS"]
        )
    with pytest.raises(SlackApiError, match="cannot_kick_home_team"):
        await admin.admin_conversations_disconnectShared(
            channel_id=FALCON, leaving_team_ids=["T01ACME"]
        )
    await admin.admin_conversations_disconnectShared(
        channel_id=FALCON, leaving_team_ids=["T02GLOBEX"]
    )

    await eventually(lambda: listener.events("channel_unshared"))
    assert "U11GRACE" not in (await grid.slack_channel(FALCON))["members"]


async def test_a_channel_gets_another_id(grid: Sandbox, listener: Listener) -> None:
    answer = await grid.act(action="change_channel_id", channel=FALCON)

    await eventually(lambda: listener.events("channel_id_changed"))
    [event] = listener.events("channel_id_changed")
    assert event["old_channel_id"] == FALCON
    assert event["new_channel_id"] == answer["channel"]


async def test_commands_name_the_organisation(
    grid: Sandbox, listener: Listener
) -> None:
    await grid.act(
        action="command", user="U01ALICE", channel=FALCON, command="/atom", args="help"
    )

    [command] = listener.got
    assert b"enterprise_id=E01ACME" in command.body
    assert b"is_enterprise_install=false" in command.body


async def test_a_person_is_invited_or_nobody_is(grid: Sandbox) -> None:
    bot = AsyncWebClient(BOT_TOKEN, base_url=grid.slack_api, retry_handlers=[])
    quiet = (await bot.conversations_create(name="new-one"))["channel"]["id"]

    with pytest.raises(SlackApiError) as refused:
        await bot.conversations_invite(channel=quiet, users=["U02BOB", "U404"])
    nobody = (await grid.slack_channel(quiet))["members"]
    forced = await bot.conversations_invite(
        channel=quiet, users=["U02BOB", "U404"], force=True
    )

    assert refused.value.response["errors"] == [
        {"user": "U404", "ok": False, "error": "user_not_found"}
    ]
    assert nobody == ["UATOM"]
    assert forced["errors"][0]["user"] == "U404"
    assert (await grid.slack_channel(quiet))["members"] == ["UATOM", "U02BOB"]


@pytest.mark.parametrize(
    ("user", "more", "expected"),
    [
        ("U404", {}, "user_not_found"),
        ("UATOM", {}, "cant_kick_self"),
        ("U21NORA", {}, "not_in_channel"),
        ("U02BOB", {"slack.kick_restricted": True}, "restricted_action"),
        ("U02BOB", {"slack.scopes": ["groups:write"]}, "missing_scope"),
    ],
)
async def test_kicking_is_refused_with_slacks_code(
    grid: Sandbox, user: str, more: dict[str, Any], expected: str
) -> None:
    await grid.set(more)
    bot = AsyncWebClient(BOT_TOKEN, base_url=grid.slack_api, retry_handlers=[])

    with pytest.raises(SlackApiError) as refused:
        await bot.conversations_kick(channel=FALCON, user=user)

    assert refused.value.response["error"] == expected


async def test_a_kick_is_told_and_an_invitation_names_who_invited(
    grid: Sandbox, listener: Listener
) -> None:
    bot = AsyncWebClient(BOT_TOKEN, base_url=grid.slack_api, retry_handlers=[])
    await bot.conversations_kick(channel=FALCON, user="U02BOB")
    await bot.conversations_invite(channel=FALCON, users="U02BOB")

    await eventually(lambda: listener.events("member_joined_channel"))
    assert listener.events("member_left_channel")[0]["user"] == "U02BOB"
    assert listener.events("member_joined_channel")[0]["inviter"] == "UATOM"


async def scim(
    grid: Sandbox, verb: str, path: str, body: Any = None, token: str = ADMIN_TOKEN
) -> tuple[int, Any]:
    url = f"{grid.base}/slack/scim/{path}"
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        ClientSession() as session,
        session.request(verb, url, json=body, headers=headers) as answer,
    ):
        text = await answer.text()
        return answer.status, await answer.json() if text else None


async def test_a_group_that_the_identity_provider_keeps_changes_its_channels(
    grid: Sandbox, admin: AsyncWebClient
) -> None:
    _, made = await scim(
        grid,
        "POST",
        "v2/Groups",
        {"displayName": "Vault", "members": [{"value": "U21NORA"}]},
    )
    await admin.admin_conversations_restrictAccess_addGroup(
        channel_id="C23VAULT", group_id=made["id"], team_id="T03LABS"
    )

    status, _ = await scim(
        grid,
        "PATCH",
        f"v2/Groups/{made['id']}",
        {
            "Operations": [
                {"op": "remove", "path": "members[value eq U21NORA]"},
                {"op": "add", "path": "members", "value": [{"value": "U03CHEN"}]},
            ]
        },
    )
    linked = await scim(grid, "DELETE", f"v2/Groups/{made['id']}")

    assert status == 204
    assert (await grid.slack_channel("C23VAULT"))["members"] == ["U03CHEN"]
    assert linked[1]["detail"] == "idp_group_linked_to_channels"


async def test_scims_first_version_speaks_its_own_way(grid: Sandbox) -> None:
    _, listed = await scim(grid, "GET", "v1/Groups?count=1")
    _, found = await scim(grid, "GET", 'v1/Groups?filter=displayName eq "Nobody"')
    status, missing = await scim(grid, "GET", "v1/Groups/S404")
    unsigned = await scim(grid, "GET", "v2/Groups", token="wrong")
    await scim(
        grid,
        "PATCH",
        "v1/Groups/S21RESEARCH",
        {"members": [{"value": "U03CHEN", "operation": "delete"}]},
    )
    _, left = await scim(grid, "GET", "v1/Groups/S21RESEARCH")

    assert (listed["totalResults"], len(listed["Resources"])) == (2, 1)
    assert [one["id"] for one in found["Resources"]] == ["S22NOBODY"]
    assert (status, missing["Errors"]["code"]) == (404, 404)
    assert unsigned[0] == 401
    assert [one["value"] for one in left["members"]] == ["U21NORA"]
