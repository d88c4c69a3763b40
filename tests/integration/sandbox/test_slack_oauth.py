"""Installing the app in the sandbox's workspaces."""

from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import ClientSession
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bots.sandbox.slack.seed import CLIENT_ID, CLIENT_SECRET, SECOND_BOT_TOKEN
from tests.sandbox import Sandbox

# slack_sdk 3.48 still gives aiohttp 3.14 a BasicAuth.
pytestmark = pytest.mark.filterwarnings("ignore:BasicAuth is deprecated")

BACK = "http://127.0.0.1:1/slack/oauth_redirect"


async def allowed(sandbox: Sandbox, **more: str) -> dict[str, str]:
    """Allow the install in a browser's place, and return what it is sent back with."""
    asked = {
        "client_id": CLIENT_ID,
        "scope": "chat:write",
        "state": "s1",
        "redirect_uri": BACK,
        **more,
    }
    async with (
        ClientSession() as session,
        session.get(
            f"{sandbox.base}/slack/oauth/authorize",
            params=asked,
            allow_redirects=False,
        ) as answer,
    ):
        assert answer.status == 302
        query = parse_qs(urlsplit(answer.headers["Location"]).query)
    return {name: values[0] for name, values in query.items()}


async def exchanged(sandbox: Sandbox, code: str, **more: str) -> dict[str, object]:
    client = AsyncWebClient(base_url=sandbox.slack_api)
    args = {
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "redirect_uri": BACK,
        **more,
    }
    answer = await client.oauth_v2_access(code=code, **args)
    data = answer.data
    assert isinstance(data, dict)
    return data


async def test_a_code_is_exchanged_for_the_workspaces_token(sandbox: Sandbox) -> None:
    back = await allowed(sandbox, team="T02GLOBEX", allow="1")

    grant = await exchanged(sandbox, back["code"])

    assert back["state"] == "s1"
    assert grant["access_token"] == SECOND_BOT_TOKEN
    assert grant["team"] == {"id": "T02GLOBEX", "name": "Globex"}
    assert grant["bot_user_id"] == "UATOM2"
    assert grant["scope"] == "chat:write"


async def test_a_code_is_good_once_and_for_the_same_address(sandbox: Sandbox) -> None:
    first = await allowed(sandbox, team="T01ACME", allow="1")
    second = await allowed(sandbox, team="T01ACME", allow="1")
    await exchanged(sandbox, first["code"])

    with pytest.raises(SlackApiError, match="invalid_code"):
        await exchanged(sandbox, first["code"])
    with pytest.raises(SlackApiError, match="bad_redirect_uri"):
        await exchanged(sandbox, second["code"], redirect_uri="http://127.0.0.1:2/")


async def test_wrong_credentials_are_named(sandbox: Sandbox) -> None:
    back = await allowed(sandbox, team="T01ACME", allow="1")

    with pytest.raises(SlackApiError, match="bad_client_secret"):
        await exchanged(sandbox, back["code"], client_secret="wrong")
    with pytest.raises(SlackApiError, match="invalid_client_id"):
        await exchanged(sandbox, back["code"], client_id="wrong")


async def test_a_refusal_goes_back_too(sandbox: Sandbox) -> None:
    back = await allowed(sandbox, deny="1")

    assert back == {"error": "access_denied", "state": "s1"}


async def test_a_browser_is_asked_for_the_workspace(sandbox: Sandbox) -> None:
    url = f"{sandbox.base}/slack/oauth/authorize?client_id={CLIENT_ID}&state=s1"

    async with ClientSession() as session, session.get(url) as answer:
        page = await answer.text()

    assert "Allow in Acme" in page
    assert "team=T02GLOBEX" in page
