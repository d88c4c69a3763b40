"""A stage on which a message "m1" is known, and nothing has happened yet."""

import pytest

from tests.unit.bridge.stage import Stage


@pytest.fixture
def stage() -> Stage:
    made = Stage()
    made.knows()
    return made
