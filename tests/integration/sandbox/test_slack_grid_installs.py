"""One app for a whole organisation: installing it, its tokens, where it may work."""

from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bots.sandbox.slack.grid_seed import ORG, ORG_BOT_TOKEN
from bots.sandbox.slack.seed import BOT_TOKEN, CLIENT_ID, CLIENT_SECRET
from tests.integration.sandbox.test_slack_oauth import allowed, exchanged
from tests.sandbox import Listener, Sandbox, eventually

# slack_sdk 3.48 still gives aiohttp 3.14 a BasicAuth.
pytestmark = pytest.mark.filterwarnings("ignore:BasicAuth is deprecated")


@pytest.fixture
async def grid(sandbox: Sandbox) -> Sandbox:
    await sandbox.set({"slack.grid": True})
    return sandbox


@pytest.fixture
async def org(grid: Sandbox) -> AsyncWebClient:
    """The app, installed in the organisation and in none of its workspaces yet."""
    await grid.act(action="install_org")
    return AsyncWebClient(ORG_BOT_TOKEN, base_url=grid.slack_api, retry_handlers=[])


async def code(client: AsyncWebClient, method: str, **args: Any) -> str:
    with pytest.raises(SlackApiError) as refused:
        await client.api_call(method, params=args)
    return str(refused.value.response["error"])


async def refreshed(grid: Sandbox, token: str) -> dict[str, Any]:
    client = AsyncWebClient(base_url=grid.slack_api)
    answer = await client.oauth_v2_access(
        client_id=CLIENT_ID,
        client_secret=CLIENT_SECRET,
        grant_type="refresh_token",
        refresh_token=token,
    )
    assert isinstance(answer.data, dict)
    return answer.data


async def test_the_grant_names_the_organisation_and_no_workspace(grid: Sandbox) -> None:
    back = await allowed(grid, team=ORG, allow="1")

    grant = await exchanged(grid, back["code"])

    assert grant["is_enterprise_install"] is True
    assert grant["enterprise"] == {"id": ORG, "name": "Acme Group"}
    assert grant["team"] is None
    assert "refresh_token" not in grant


async def test_the_app_is_in_no_workspace_until_it_is_let_in(
    grid: Sandbox, org: AsyncWebClient, listener: Listener
) -> None:
    before = (await org.auth_teams_list())["teams"]
    refusal = await code(org, "conversations.list", team_id="T03LABS")

    await grid.act(action="grant_access", workspaces=["T03LABS"])

    await eventually(lambda: listener.events("team_access_granted"))
    after = (await org.auth_teams_list())["teams"]
    listed = await org.conversations_list(team_id="T03LABS")
    assert (before, refusal) == ([], "team_access_not_granted")
    assert after == [{"id": "T03LABS", "name": "Acme Labs"}]
    assert [one["name"] for one in listed["channels"]] == ["lab-notes"]
    [event] = listener.events("team_access_granted")
    assert event["team_ids"] == ["T03LABS"]


async def test_access_can_be_taken_away_again(
    grid: Sandbox, org: AsyncWebClient, listener: Listener
) -> None:
    await grid.act(action="grant_access", workspaces=["T03LABS", "T04SALES"])

    await grid.act(action="revoke_access", workspaces=["T03LABS"])

    await eventually(lambda: listener.events("team_access_revoked"))
    assert (await org.auth_teams_list())["teams"][0]["id"] == "T04SALES"
    assert await code(org, "conversations.info", channel="C21LAB") == (
        "team_access_not_granted"
    )


@pytest.mark.parametrize(
    "method",
    ["conversations.list", "users.list", "usergroups.list", "users.conversations"],
)
async def test_the_organisations_token_must_name_the_workspace(
    grid: Sandbox, org: AsyncWebClient, method: str
) -> None:
    await grid.act(action="grant_access", workspaces=["T03LABS"])

    assert await code(org, method) == "missing_argument"
    assert await code(org, method, team_id="T02GLOBEX") == "team_not_found"


async def test_the_workspaces_own_installation_is_replaced(
    grid: Sandbox, org: AsyncWebClient
) -> None:
    own = AsyncWebClient(BOT_TOKEN, base_url=grid.slack_api)

    assert await code(own, "auth.test") == "invalid_auth"
    await grid.act(action="grant_access", workspaces=["T01ACME"])
    await org.chat_postMessage(channel="C02FALCON", text="from the organisation's app")


async def test_refresh_tokens_are_good_once_and_two_tokens_live(grid: Sandbox) -> None:
    await grid.set({"slack.token_rotation": True})
    back = await allowed(grid, team=ORG, allow="1")
    first = await exchanged(grid, back["code"])
    second = await refreshed(grid, str(first["refresh_token"]))
    third = await refreshed(grid, second["refresh_token"])

    with pytest.raises(SlackApiError, match="invalid_refresh_token"):
        await refreshed(grid, second["refresh_token"])

    lives = []
    for grant in (first, second, third):
        client = AsyncWebClient(str(grant["access_token"]), base_url=grid.slack_api)
        try:
            await client.auth_test()
        except SlackApiError as error:
            lives.append(error.response["error"])
        else:
            lives.append("ok")
    assert lives == ["invalid_auth", "ok", "ok"]
    assert str(third["access_token"]).startswith("xoxe.xoxb-1-")
    assert third["expires_in"] == 43_200


async def test_a_token_that_is_too_old_says_so(grid: Sandbox) -> None:
    await grid.set({"slack.token_rotation": True, "slack.token_seconds": -1.0})
    back = await allowed(grid, team=ORG, allow="1")
    grant = await exchanged(grid, back["code"])
    client = AsyncWebClient(str(grant["access_token"]), base_url=grid.slack_api)

    assert await code(client, "auth.test") == "token_expired"


async def test_uninstalling_is_told_once_and_ends_the_token(
    grid: Sandbox, org: AsyncWebClient, listener: Listener
) -> None:
    await grid.act(action="grant_access", workspaces=["T01ACME", "T03LABS"])

    await grid.act(action="uninstall", workspace=ORG)

    await eventually(lambda: listener.events("app_uninstalled"))
    assert len(listener.events("app_uninstalled")) == 1
    assert len(listener.events("tokens_revoked")) == 1
    assert await code(org, "auth.test") == "invalid_auth"
