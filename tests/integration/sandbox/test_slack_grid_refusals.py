"""What an organisation's Slack refuses to its admins, and to who is none."""

from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bots.sandbox.slack.grid_seed import ADMIN_TOKEN, WORKSPACE_USER_TOKEN
from bots.sandbox.slack.methods import load_methods
from bots.sandbox.slack.seed import BOT_TOKEN
from tests.sandbox import Sandbox

VAULT = {"channel_id": "C23VAULT"}


async def code(client: AsyncWebClient, method: str, **args: Any) -> str:
    with pytest.raises(SlackApiError) as refused:
        await client.api_call(method, json=args)
    return str(refused.value.response["error"])


CONVERSATIONS, USERS = "admin.conversations.", "admin.users."
REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("create", {"name": "x", "is_private": False}, "team_id_or_org_required"),
    ("create", {"is_private": False}, "invalid_arguments"),
    ("create", {"name": "A b", "is_private": 0, "team_id": "T03LABS"}, "invalid_name"),
    ("create", {"name": "vault", "is_private": 0, "team_id": "T03LABS"}, "name_taken"),
    ("create", {"name": "x", "is_private": 0, "team_id": "T9"}, "team_not_found"),
    ("search", {"limit": 21}, "invalid_arguments"),
    ("search", {"sort": "size"}, "invalid_sort"),
    ("search", {"search_channel_types": "odd"}, "invalid_search_channel_type"),
    ("archive", {"channel_id": "C01GENERAL"}, "cant_archive_general"),
    ("archive", {"channel_id": "C11GENERAL"}, "channel_not_found"),
    ("unarchive", {"channel_id": "C21LAB"}, "channel_not_archived"),
    ("convertToPublic", {"channel_id": "C21LAB"}, "could_not_convert_channel"),
    (
        "setTeams",
        {"channel_id": "C21LAB", "target_team_ids": "T04SALES"},
        "cannot_move_local_channel",
    ),
    (
        "setTeams",
        {"channel_id": "C21LAB", "target_team_ids": "T02GLOBEX,T03LABS"},
        "invalid_target_team",
    ),
    (
        "setTeams",
        {"channel_id": "C01GENERAL", "target_team_ids": ["T01ACME", "T02GLOBEX"]},
        "invalid_target_team",
    ),
    ("disconnectShared", {"channel_id": "C21LAB"}, "no_teams_to_disconnect"),
    (
        "bulkMove",
        {"channel_ids": "C21LAB", "target_team_id": "T02GLOBEX"},
        "target_team_not_found",
    ),
    ("setConversationPrefs", {**VAULT, "prefs": "{nonsense"}, "invalid_value"),
    (
        "restrictAccess.addGroup",
        {"channel_id": "C21LAB", "group_id": "S21RESEARCH", "team_id": "T03LABS"},
        "channel_is_not_private",
    ),
    (
        "restrictAccess.addGroup",
        {**VAULT, "group_id": "S22NOBODY", "team_id": "T03LABS"},
        "group_must_not_be_empty",
    ),
    (
        "restrictAccess.removeGroup",
        {**VAULT, "group_id": "S21RESEARCH", "team_id": "T03LABS"},
        "link_not_found",
    ),
]


@pytest.mark.parametrize(("method", "args", "expected"), REFUSED)
async def test_what_slack_refuses_is_refused_with_its_code(
    admin: AsyncWebClient, method: str, args: dict[str, Any], expected: str
) -> None:
    assert await code(admin, CONVERSATIONS + method, **args) == expected


@pytest.mark.parametrize(
    ("method", "args", "expected"),
    [
        (
            "assign",
            {"team_id": "T01ACME", "user_id": "U02BOB"},
            "user_already_team_member",
        ),
        ("assign", {"team_id": "T01ACME", "user_id": "U404"}, "user_not_found"),
        ("session.list", {"user_id": "U02BOB"}, "missing_team"),
        ("session.list", {"team_id": "T01ACME"}, "missing_user"),
        ("session.reset", {"user_id": "UATOM"}, "cannot_reset_bot"),
        (
            "session.invalidate",
            {"user_id": "U02BOB", "session_id": 1},
            "session_not_found",
        ),
        ("list", {"limit": 101}, "invalid_arguments"),
    ],
)
async def test_what_concerns_people_is_refused_with_its_code(
    admin: AsyncWebClient, method: str, args: dict[str, Any], expected: str
) -> None:
    assert await code(admin, USERS + method, **args) == expected


async def test_only_a_token_of_the_organisations_admin_will_do(
    admin: AsyncWebClient, grid: Sandbox
) -> None:
    bot = AsyncWebClient(BOT_TOKEN, base_url=grid.slack_api)
    of_workspace = AsyncWebClient(WORKSPACE_USER_TOKEN, base_url=grid.slack_api)

    refusals = [
        await code(bot, "admin.teams.list"),
        await code(of_workspace, "admin.teams.list"),
    ]
    await grid.act(action="change_org_admin", user="U01ALICE", is_org_admin=False)
    refusals.append(await code(admin, "admin.teams.list"))
    await grid.act(action="change_user", user="U01ALICE", deleted=True)
    refusals.append(await code(admin, "admin.teams.list"))

    assert refusals == [
        "not_allowed_token_type",
        "not_an_enterprise",
        "not_an_admin",
        "account_inactive",
    ]


async def test_a_missing_scope_is_named(admin: AsyncWebClient, grid: Sandbox) -> None:
    await grid.set({"slack.admin_scopes": ["admin.teams:read"]})

    with pytest.raises(SlackApiError) as refused:
        await admin.admin_conversations_search()

    assert refused.value.response["needed"] == "admin.conversations:read"
    assert refused.value.response["provided"] == "admin.teams:read"


async def test_without_an_organisation_there_is_no_admin(sandbox: Sandbox) -> None:
    client = AsyncWebClient(ADMIN_TOKEN, base_url=sandbox.slack_api)

    assert await code(client, "admin.teams.list") == "invalid_auth"


async def test_the_tiers_are_those_of_the_documentation(grid: Sandbox) -> None:
    tiers = {name: one.tier for name, one in load_methods().items()}

    assert tiers["admin.teams.create"] == "1"
    assert tiers["admin.conversations.search"] == "2"
    assert tiers["admin.conversations.setConversationPrefs"] == "3"
    assert tiers["admin.users.list"] == "4"


async def test_a_tiers_calls_run_out(admin: AsyncWebClient, grid: Sandbox) -> None:
    await grid.set({"slack.rate_limits": True})
    wish = {"team_domain": "a", "team_name": "A"}
    await admin.admin_teams_create(**wish)

    assert await code(admin, "admin.teams.create", **wish) == "ratelimited"
