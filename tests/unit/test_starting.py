"""What a start leaves for later: it would take longer than all that is its own."""

import subprocess
import sys

import pytest

# Each is loaded by whoever asks for it first.
LATER = ["alembic", "pkcs11", "reportlab", "scim2_models"]
_SAY = "import sys, bots.app, bots.demo; print(*sorted(sys.modules), sep='\\n')"


@pytest.fixture(scope="module")
def loaded() -> frozenset[str]:
    said = subprocess.run(
        [sys.executable, "-c", _SAY], capture_output=True, text=True, check=True
    )
    return frozenset(said.stdout.split())


@pytest.mark.parametrize("library", LATER)
def test_a_start_does_not_load(loaded: frozenset[str], library: str) -> None:
    assert "bots.app" in loaded
    assert library not in loaded
