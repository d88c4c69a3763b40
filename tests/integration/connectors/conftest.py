"""Stand-ins of business systems, each on a port of its own."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import ClientSession
from aiohttp.test_utils import BaseTestServer, TestServer

from connectors.sandbox.jira.app import Jira
from tests.integration.connectors.callers import Caller


@pytest.fixture
def jira() -> Jira:
    return Jira()


@pytest.fixture
async def jira_server(jira: Jira) -> AsyncIterator[BaseTestServer]:
    async with TestServer(jira.build()) as server:
        yield server
        await jira.poster.idle()


@pytest.fixture
async def at_jira(jira: Jira, jira_server: BaseTestServer) -> AsyncIterator[Caller]:
    async with ClientSession() as session:
        yield Caller(session, str(jira_server.make_url("")), jira)
