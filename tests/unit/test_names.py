"""Our top-level names belong to us alone."""

from importlib.metadata import packages_distributions

import pytest

OURS = "atom-bridge"


@pytest.mark.parametrize(
    "name", ["bots", "bridge", "connectors", "manifest", "policy", "storage"]
)
def test_no_dependency_ships_our_name(name: str) -> None:
    owners = set(packages_distributions().get(name, [OURS]))

    assert owners == {OURS}
