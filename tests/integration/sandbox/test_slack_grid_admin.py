"""Channels, people and workspaces of an organisation, as its admins manage them."""

import asyncio
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bots.sandbox.slack.grid_seed import ADMIN_TOKEN
from tests.sandbox import Listener, Sandbox, eventually, settled

VAULT = {"channel_id": "C23VAULT"}


async def code(client: AsyncWebClient, method: str, **args: Any) -> str:
    with pytest.raises(SlackApiError) as refused:
        await client.api_call(method, json=args)
    return str(refused.value.response["error"])


async def names(admin: AsyncWebClient, **wanted: Any) -> list[str]:
    found = await admin.admin_conversations_search(sort="name", **wanted)
    return sorted(one["name"] for one in found["conversations"])


async def teams_of(admin: AsyncWebClient, channel: str) -> list[str]:
    answer = await admin.admin_conversations_getTeams(channel_id=channel)
    return list(answer["team_ids"])


async def test_workspaces_are_listed_made_and_described(admin: AsyncWebClient) -> None:
    made = await admin.admin_teams_create(team_domain="acme-ops", team_name="Acme Ops")

    listed = await admin.admin_teams_list()
    info = await admin.admin_teams_settings_info(team_id=made["team"])
    admins = await admin.admin_teams_admins_list(team_id="T03LABS")

    assert [one["name"] for one in listed["teams"]][-1] == "Acme Ops"
    assert info["team"]["domain"] == "acme-ops"
    assert admins["admin_ids"] == ["U21NORA"]


async def test_channels_are_made_found_and_changed(
    admin: AsyncWebClient, grid: Sandbox
) -> None:
    made = await admin.admin_conversations_create(
        name="launch", is_private=False, team_id="T03LABS", description="Q3"
    )
    channel = made["channel_id"]
    await admin.admin_conversations_invite(channel_id=channel, user_ids=["U21NORA"])
    await admin.admin_conversations_rename(channel_id=channel, name="lift-off")
    await admin.admin_conversations_archive(channel_id=channel)

    assert await names(admin, query="lift") == ["lift-off"]
    assert await names(admin, team_ids=["T04SALES"]) == ["deals"]
    assert await names(admin, search_channel_types=["archived"]) == ["lift-off"]
    state = await grid.slack_channel(channel)
    assert state["members"] == ["U01ALICE", "U21NORA"]
    await admin.admin_conversations_unarchive(channel_id=channel)
    await admin.admin_conversations_convertToPrivate(channel_id=channel)
    assert await names(admin, search_channel_types=["private"]) == [
        "board",
        "lift-off",
        "vault",
    ]


async def test_setting_the_workspaces_replaces_them(admin: AsyncWebClient) -> None:
    await admin.admin_conversations_setTeams(
        channel_id="C21LAB", target_team_ids=["T03LABS", "T04SALES", "T01ACME"]
    )
    assert await teams_of(admin, "C21LAB") == ["T03LABS", "T04SALES", "T01ACME"]

    await admin.admin_conversations_setTeams(
        channel_id="C21LAB", target_team_ids=["T04SALES"]
    )

    assert await teams_of(admin, "C21LAB") == ["T04SALES"]


async def test_people_leave_with_the_last_workspace_that_they_share(
    admin: AsyncWebClient, grid: Sandbox
) -> None:
    both = ["T03LABS", "T04SALES"]
    await admin.admin_conversations_setTeams(channel_id="C21LAB", target_team_ids=both)

    await admin.admin_conversations_setTeams(
        channel_id="C21LAB", target_team_ids=["T04SALES"]
    )

    assert (await grid.slack_channel("C21LAB"))["members"] == []


async def test_a_bulk_move_answers_first_and_happens_later(
    admin: AsyncWebClient, grid: Sandbox
) -> None:
    await grid.set({"slack.bulk_delay": 0.3})
    wish: dict[str, Any] = {
        "target_team_id": "T04SALES",
        "channel_ids": ["C21LAB", "C404"],
    }

    answer = await admin.admin_conversations_bulkMove(**wish)
    at_once = await teams_of(admin, "C21LAB")
    again = await code(admin, "admin.conversations.bulkMove", **wish)

    assert answer["bulk_action_id"].startswith("Ab")
    assert answer["not_added"] == [
        {"channel_id": "C404", "errors": ["channel_not_found"]}
    ]
    assert (at_once, again) == (["T03LABS"], "action_already_in_progress")

    async def moved() -> bool:
        return await teams_of(admin, "C21LAB") == ["T04SALES"]

    await settled(moved)


async def test_a_deleted_channel_is_gone_for_everybody(
    admin: AsyncWebClient, grid: Sandbox, listener: Listener
) -> None:
    await admin.admin_conversations_delete(channel_id="C05QUIET")

    async def gone() -> bool:
        return not await names(admin, query="quiet")

    await settled(gone)


async def test_a_group_decides_who_is_in_a_private_channel(
    admin: AsyncWebClient, grid: Sandbox
) -> None:
    wish = {**VAULT, "group_id": "S21RESEARCH", "team_id": "T03LABS"}
    await admin.admin_conversations_restrictAccess_addGroup(**wish)
    linked = await admin.admin_conversations_restrictAccess_listGroups(**VAULT)
    inside = (await grid.slack_channel("C23VAULT"))["members"]

    outsider = await code(
        admin, "admin.conversations.invite", **VAULT, user_ids="U01ALICE"
    )
    await admin.admin_conversations_restrictAccess_removeGroup(**wish)

    assert linked["group_ids"] == ["S21RESEARCH"]
    assert sorted(inside) == ["U03CHEN", "U21NORA"]
    assert outsider == "failed_for_some_users"
    assert (await grid.slack_channel("C23VAULT"))["members"] == []


@pytest.mark.parametrize("removes", [True, False])
async def test_whether_linking_a_group_puts_others_out_is_a_setting(
    admin: AsyncWebClient, grid: Sandbox, *, removes: bool
) -> None:
    await grid.set({"slack.group_link_removes": removes})
    board = {"channel_id": "C04BOARD", "team_id": "T01ACME"}

    await admin.admin_conversations_restrictAccess_addGroup(
        group_id="S21RESEARCH", **board
    )

    left = "U04DANA" not in (await grid.slack_channel("C04BOARD"))["members"]
    assert left is removes


@pytest.mark.parametrize(
    "prefs",
    [
        '{"who_can_post":"type:admin,user:U02BOB","can_thread":"type:ra"}',
        "{'who_can_post':'type:admin,user:U02BOB','can_thread':'type:ra'}",
    ],
)
async def test_prefs_are_json_or_what_the_documentation_shows(
    admin: AsyncWebClient, prefs: str
) -> None:
    await admin.admin_conversations_setConversationPrefs(**VAULT, prefs=prefs)

    kept = await admin.admin_conversations_getConversationPrefs(**VAULT)

    assert kept["prefs"]["who_can_post"] == {"type": ["admin"], "user": ["U02BOB"]}


async def test_people_are_assigned_removed_and_invited(
    admin: AsyncWebClient, grid: Sandbox
) -> None:
    await admin.admin_users_assign(team_id="T03LABS", user_id="U02BOB")
    await admin.admin_users_invite(
        team_id="T04SALES", email="new@acme.example", channel_ids=["C22DEALS"]
    )

    labs = await admin.admin_users_list(team_id="T03LABS")
    sales = await admin.admin_users_list(team_id="T04SALES")
    await admin.admin_users_remove(team_id="T03LABS", user_id="U02BOB")
    after = await admin.admin_users_list(team_id="T03LABS")

    assert "U02BOB" in [one["id"] for one in labs["users"]]
    assert "new@acme.example" in [one["email"] for one in sales["users"]]
    assert "U02BOB" not in [one["id"] for one in after["users"]]


async def test_sessions_are_listed_ended_and_reset(
    admin: AsyncWebClient, grid: Sandbox
) -> None:
    first = await grid.act(action="sign_in", user="U02BOB")
    await grid.act(action="sign_in", user="U02BOB", mobile=True)
    await admin.admin_users_session_invalidate(
        team_id="T01ACME", session_id=first["session"], user_id="U02BOB"
    )
    left = (await admin.admin_users_session_list())["active_sessions"]

    await admin.admin_users_session_reset(user_id="U02BOB")

    assert len(left) == 1
    assert (await admin.admin_users_session_list())["active_sessions"] == []


async def test_pages_follow_a_cursor_that_fits_its_question(
    admin: AsyncWebClient,
) -> None:
    first = await admin.admin_conversations_search(limit=2, sort="name")
    second = await admin.admin_conversations_search(
        limit=2, sort="name", cursor=first["next_cursor"]
    )
    misused = await code(
        admin,
        "admin.conversations.search",
        limit=2,
        sort="created",
        cursor=first["next_cursor"],
    )

    seen = [one["id"] for page in (first, second) for one in page["conversations"]]
    assert len(set(seen)) == 4
    assert misused == "invalid_cursor"


async def test_both_of_slacks_clients_are_understood(
    admin: AsyncWebClient, grid: Sandbox
) -> None:
    def blocking() -> list[str]:
        client = WebClient(ADMIN_TOKEN, base_url=grid.slack_api)
        client.admin_conversations_setTeams(
            channel_id="C21LAB", target_team_ids=["T03LABS", "T04SALES"]
        )
        answer = client.admin_conversations_restrictAccess_listGroups(**VAULT)
        assert answer["group_ids"] == []
        return list(
            client.admin_conversations_getTeams(channel_id="C21LAB")["team_ids"]
        )

    assert await asyncio.to_thread(blocking) == ["T03LABS", "T04SALES"]
    assert await teams_of(admin, "C21LAB") == ["T03LABS", "T04SALES"]


async def test_changes_are_told_to_the_app_in_the_channel(
    admin: AsyncWebClient, listener: Listener
) -> None:
    here: dict[str, Any] = {"channel_id": "C02FALCON"}
    await admin.admin_conversations_rename(**here, name="project-owl")
    await admin.admin_conversations_setTeams(
        **here, target_team_ids=["T01ACME", "T03LABS"]
    )
    await admin.admin_conversations_setTeams(**here, target_team_ids=["T01ACME"])
    await admin.admin_conversations_archive(**here)
    await admin.admin_conversations_unarchive(**here)
    await admin.admin_conversations_delete(**here)

    kinds = [
        "channel_rename",
        "channel_shared",
        "channel_unshared",
        "channel_archive",
        "channel_unarchive",
        "channel_deleted",
    ]
    await eventually(lambda: len(listener.events()) >= len(kinds))
    assert [event["type"] for event in listener.events()] == kinds
    assert listener.events("channel_shared")[0]["connected_team_id"] == "T03LABS"
