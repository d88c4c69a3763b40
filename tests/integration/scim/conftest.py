"""A SCIM server that is called over HTTP."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bots.settings import Settings
from tests.scim_client import ScimServer, scim_server


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[ScimServer]:
    async with scim_server(tmp_path) as running:
        yield running


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)
