"""Settings for tests that work on a core of their own: no machine is too slow."""

from pathlib import Path
from typing import Any

from bots.settings import Settings

_PATIENCE = 60.0  # seconds that an event waits for the database


def patient(home: Path, **more: Any) -> Settings:
    """Return what a command in `home` would have, but with more patience."""
    return Settings.model_validate(
        {"home": home, "tuning": {"capture_patience": _PATIENCE}, **more}
    )
