"""The login, as msal and others use it."""

import asyncio
import time
from typing import Any

import jwt
import msal
import pytest
import requests

from bots.sandbox.teams.keys import Keys
from bots.sandbox.teams.seed import ACME, BOT_APP_ID, BOT_PASSWORD
from tests.sandbox import Sandbox, eventually
from tests.sandbox_teams import BOT_SCOPE, GRAPH_SCOPE, asked, token_answer

REAL = "https://login.microsoftonline.com"


class Redirected:
    """An HTTP client for msal that finds the login in the sandbox."""

    def __init__(self, base: str) -> None:
        self._base = f"{base}/teams/login"
        self.asked: list[str] = []

    def get(self, url: str, **how: Any) -> requests.Response:
        self.asked.append(url)
        return requests.get(self._there(url), timeout=10, **_known(how))

    def post(self, url: str, **how: Any) -> requests.Response:
        self.asked.append(url)
        return requests.post(self._there(url), timeout=10, **_known(how))

    def close(self) -> None:
        """Nothing is held open."""

    def _there(self, url: str) -> str:
        return url.replace(REAL, self._base)


def _known(how: dict[str, Any]) -> dict[str, Any]:
    return {key: how[key] for key in ("params", "data", "headers") if key in how}


def application(client: Redirected, secret: str = BOT_PASSWORD) -> Any:
    return msal.ConfidentialClientApplication(
        BOT_APP_ID,
        client_credential=secret,
        authority=f"{REAL}/{ACME}",
        instance_discovery=False,
        http_client=client,
    )


async def test_msal_gets_a_token_and_keeps_it(sandbox: Sandbox) -> None:
    client = Redirected(sandbox.base)
    app = await asyncio.to_thread(application, client)

    first = await asyncio.to_thread(app.acquire_token_for_client, [GRAPH_SCOPE])
    second = await asyncio.to_thread(app.acquire_token_for_client, [GRAPH_SCOPE])

    claims = jwt.decode(first["access_token"], options={"verify_signature": False})
    assert claims["aud"] == "https://graph.microsoft.com"
    assert (claims["appid"], claims["tid"]) == (BOT_APP_ID, ACME)
    assert claims["roles"] == ["Group.Selected"]
    assert second["token_source"] == "cache"
    assert len(client.asked) == 2


async def test_msal_is_told_that_the_secret_is_wrong(sandbox: Sandbox) -> None:
    app = await asyncio.to_thread(application, Redirected(sandbox.base), "wrong")

    answer = await asyncio.to_thread(app.acquire_token_for_client, [BOT_SCOPE])

    assert answer["error"] == "invalid_client"
    assert answer["error_codes"] == [7000215]
    assert answer["error_description"].startswith("AADSTS7000215: ")


@pytest.mark.parametrize(
    ("changes", "status", "error", "number"),
    [
        ({"client_id": "nobody"}, 400, "unauthorized_client", 700016),
        ({"client_secret": "wrong"}, 401, "invalid_client", 7000215),
        ({"grant_type": "password"}, 400, "unsupported_grant_type", 70003),
        ({"scope": "User.Read"}, 400, "invalid_scope", 1002012),
        ({"tenant": "no-such-tenant"}, 400, "invalid_request", 90002),
    ],
)
async def test_the_login_refuses_by_number(
    sandbox: Sandbox, changes: dict[str, str], status: int, error: str, number: int
) -> None:
    answer = await token_answer(sandbox, **{"scope": BOT_SCOPE, **changes})

    assert (answer.status, answer.body["error"]) == (status, error)
    assert answer.body["error_codes"] == [number]


@pytest.mark.parametrize(
    ("tenancy", "tenant", "status"),
    [
        ("any", "botframework.com", 200),
        ("single", ACME, 200),
        ("single", "botframework.com", 400),
        ("multi", ACME, 400),
    ],
)
async def test_bots_of_one_tenant_and_of_many_sign_in_elsewhere(
    sandbox: Sandbox, tenancy: str, tenant: str, status: int
) -> None:
    await sandbox.set({"teams.bot_tenancy": tenancy})

    answer = await token_answer(sandbox, BOT_SCOPE, tenant)

    assert answer.status == status


async def test_tokens_are_signed_with_the_logins_published_key(
    sandbox: Sandbox,
) -> None:
    token = (await token_answer(sandbox, BOT_SCOPE)).body["access_token"]
    url = f"{sandbox.base}/teams/login/{ACME}/v2.0/.well-known/openid-configuration"
    metadata = (await asked("GET", url, "")).body
    there = metadata["jwks_uri"].replace(REAL, f"{sandbox.base}/teams/login")
    keys = (await asked("GET", there, "")).body["keys"]

    claims = jwt.decode(
        token,
        jwt.PyJWK(keys[0]).key,
        algorithms=["RS256"],
        audience="https://api.botframework.com",
    )

    assert claims["appid"] == BOT_APP_ID


async def test_neither_tokens_nor_secrets_are_in_the_journal(sandbox: Sandbox) -> None:
    answer = await token_answer(sandbox, BOT_SCOPE)

    entries = str(await sandbox.journal("token"))
    assert BOT_PASSWORD not in entries
    assert answer.body["access_token"] not in entries


def test_a_token_that_was_read_before_is_still_looked_at() -> None:
    keys = Keys("tests")
    lasting = int(time.time()) + 3600
    token = keys.sign({"aud": "one", "exp": lasting, "roles": "few"})
    keys.claims(token, "one")["roles"] = "many"

    assert keys.claims(token, "one")["roles"] == "few"
    with pytest.raises(jwt.InvalidAudienceError):
        keys.claims(token, "another")
    keys.rotate()
    assert keys.claims(token, "one")["roles"] == "few"
    keys.rotate(forget=True)
    with pytest.raises(jwt.InvalidKeyError):
        keys.claims(token, "one")


async def test_a_token_that_was_read_before_ends_when_it_says() -> None:
    keys = Keys("tests")
    end = int(time.time()) + 2
    token = keys.sign({"aud": "one", "exp": end})
    assert keys.claims(token, "one")["exp"] == end

    await eventually(lambda: time.time() >= end)

    with pytest.raises(jwt.ExpiredSignatureError):
        keys.claims(token, "one")
