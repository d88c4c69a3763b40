"""ATOM's own tokens come from the login address of the settings, through msal."""

import asyncio
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs

import pytest

from bots.teams.tokens import Tokens
from bridge.errors import BadInput, ServiceUnavailable
from tests.servers import free_port
from tests.teams_server import Said, ScriptedTeams
from tests.teams_world import APP, TENANT, Seconds

SECRET = "sandbox-secret"


@pytest.fixture
def clock() -> Seconds:
    return Seconds()


@pytest.fixture
def login(teams: ScriptedTeams, clock: Seconds) -> Tokens:
    teams.answer("POST token", granted("one"), granted("two"), granted("three"))
    url = f"{teams.url}login/{{tenant}}/oauth2/v2.0/token"
    return Tokens(APP, SECRET, url, TENANT, clock)


def granted(token: str) -> Said:
    body = {"token_type": "Bearer", "expires_in": 3599, "access_token": token}
    return Said(body=body)


def form(teams: ScriptedTeams, n: int = 0) -> dict[str, Any]:
    return parse_qs(teams.calls[n].body.decode())


async def test_trap_http_login_on_loopback_works_without_any_discovery(
    login: Tokens, teams: ScriptedTeams
) -> None:
    token = await login.connector()

    assert token == "one"
    assert teams.paths("GET") == []
    assert teams.paths("POST") == [f"/login/{TENANT}/oauth2/v2.0/token"]
    assert form(teams)["scope"] == ["https://api.botframework.com/.default"]
    assert form(teams)["grant_type"] == ["client_credentials"]
    assert form(teams)["client_id"] == [APP]


async def test_trap_asking_for_a_token_does_not_block_the_loop(
    login: Tokens, teams: ScriptedTeams
) -> None:
    """msal blocks, and this very loop serves what it waits for."""
    teams.answer("POST token", Said(hang=True, body=granted("one").body))
    waiting = asyncio.ensure_future(login.connector())
    async with asyncio.timeout(60):
        await teams.called.wait()

    teams.held.set()

    assert await waiting == "one"


async def test_token_is_asked_for_once_until_five_minutes_before_its_end(
    login: Tokens, teams: ScriptedTeams, clock: Seconds
) -> None:
    first = await asyncio.gather(*(login.connector() for _ in range(10)))
    clock.now += 3290

    assert {*first, await login.connector()} == {"one"}
    assert len(teams.calls) == 1


async def test_refused_token_is_asked_for_anew(
    login: Tokens, teams: ScriptedTeams
) -> None:
    login.forget(await login.connector())

    assert await login.connector() == "two"


async def test_graph_token_is_another_one(login: Tokens, teams: ScriptedTeams) -> None:
    await login.connector()

    assert await login.graph(TENANT) == "two"
    assert form(teams, 1)["scope"] == ["https://graph.microsoft.com/.default"]


async def test_bot_of_many_tenants_asks_each_tenants_login(
    teams: ScriptedTeams, clock: Seconds
) -> None:
    teams.answer("POST token", granted("any"))
    url = f"{teams.url}{{tenant}}/token"
    many = Tokens(APP, SECRET, url, "", clock)

    await many.connector()
    await many.graph("8f5b5800-0000-4000-8000-000000000002")

    assert teams.paths("POST") == [
        "/botframework.com/token",
        "/8f5b5800-0000-4000-8000-000000000002/token",
    ]


async def test_single_tenant_bot_of_several_tenants_gets_its_own_token_at_home(
    teams: ScriptedTeams, clock: Seconds
) -> None:
    teams.answer("POST token", granted("any"))
    url = f"{teams.url}{{tenant}}/token"
    several = Tokens(APP, SECRET, url, TENANT, clock, several=True)

    await several.connector()
    await several.graph("8f5b5800-0000-4000-8000-000000000002")

    assert teams.paths("POST") == [
        f"/{TENANT}/token",
        "/8f5b5800-0000-4000-8000-000000000002/token",
    ]


async def test_wrong_secret_is_told_by_its_code_and_without_the_secret(
    login: Tokens, teams: ScriptedTeams
) -> None:
    refusal = {
        "error": "invalid_client",
        "error_description": f"AADSTS7000215: Invalid client secret {SECRET}",
    }
    teams.answer("POST token", Said(401, refusal))

    with pytest.raises(ServiceUnavailable) as caught:
        await login.connector()

    assert str(caught.value).endswith(": AADSTS7000215")


@pytest.mark.parametrize(
    "said",
    [
        Said(500),
        Said(503, {"error": "temporarily_unavailable"}),
        Said(cut=True),
        Said(302, headers={"Location": "https://elsewhere.example/"}),
        Said(body="nonsense"),
        Said(body={"access_token": 5}),
    ],
    ids=str,
)
async def test_login_that_fails_is_a_service_that_is_away(
    login: Tokens, teams: ScriptedTeams, said: Said
) -> None:
    teams.answer("POST token", said)

    with pytest.raises(ServiceUnavailable):
        await login.connector()


@pytest.mark.parametrize(
    "said", [Said(503, {}), Said(429, {"error": {"code": "TooManyRequests"}})], ids=str
)
async def test_trap_login_that_is_back_is_asked_at_once_whatever_msal_remembers(
    login: Tokens, teams: ScriptedTeams, said: Said
) -> None:
    teams.answer("POST token", said, granted("one"))
    for _ in range(2):
        with suppress(ServiceUnavailable):
            await login.connector()

    assert await login.connector()


async def test_login_that_is_not_there_is_a_service_that_is_away(
    clock: Seconds,
) -> None:
    url = f"http://127.0.0.1:{free_port()}/token"

    with pytest.raises(ServiceUnavailable):
        await Tokens(APP, SECRET, url, TENANT, clock).connector()


def test_login_address_without_encryption_is_refused_at_once(clock: Seconds) -> None:
    with pytest.raises(BadInput, match="ATOM_TEAMS_TOKEN_URL"):
        Tokens(APP, SECRET, "http://login.example/token", TENANT, clock)


def test_secret_is_not_shown(login: Tokens) -> None:
    assert SECRET not in repr(login)
