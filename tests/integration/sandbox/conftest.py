"""A sandbox shared by the tests, fresh for each; and a listener that it calls."""

from collections.abc import AsyncIterator, Iterator

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bots.sandbox.slack.defaults import DEFAULTS as SLACK
from bots.sandbox.slack.grid_seed import ADMIN_TOKEN
from bots.sandbox.slack.seed import BOT_TOKEN
from bots.sandbox.teams.defaults import DEFAULTS as TEAMS
from tests.sandbox import Listener, Sandbox, listening, running_sandbox
from tests.sandbox_teams import Bot, signed_in


@pytest.fixture(scope="session")
def sandbox_server() -> Iterator[Sandbox]:
    with running_sandbox() as sandbox:
        yield sandbox


@pytest.fixture
async def sandbox(sandbox_server: Sandbox) -> Sandbox:
    """A sandbox as it starts; nobody listens to it."""
    await sandbox_server.set({"atom_url": "", **SLACK, **TEAMS})
    await sandbox_server.set({"slack.post_burst": 1000})
    await sandbox_server.call("POST", "/sandbox/reset")
    return sandbox_server


@pytest.fixture
async def listener(sandbox: Sandbox) -> AsyncIterator[Listener]:
    """Where the sandbox delivers to."""
    async with listening() as one:
        await sandbox.set({"atom_url": one.url})
        yield one
        await sandbox.set({"atom_url": ""})


@pytest.fixture
def slack(sandbox: Sandbox) -> AsyncWebClient:
    return AsyncWebClient(BOT_TOKEN, base_url=sandbox.slack_api, retry_handlers=[])


@pytest.fixture
async def grid(sandbox: Sandbox) -> Sandbox:
    """A sandbox where Acme is the first workspace of an organisation."""
    await sandbox.set({"slack.grid": True, "slack.rate_limits": False})
    return sandbox


@pytest.fixture
def admin(grid: Sandbox) -> AsyncWebClient:
    """The organisation's admin app."""
    return AsyncWebClient(ADMIN_TOKEN, base_url=grid.slack_api, retry_handlers=[])


@pytest.fixture
async def bot(sandbox: Sandbox) -> Bot:
    """ATOM's bot in Teams, with fresh tokens and no throttles."""
    await sandbox.set({"teams.throttles": False})
    return await signed_in(sandbox)
