"""What tests of the connector share."""

from collections.abc import AsyncIterator

import pytest

from tests.unit.connectors.servicenow.world import World, world


@pytest.fixture
async def snow() -> AsyncIterator[World]:
    async with world() as running:
        yield running
