"""Every setting that is declared does something."""

from pathlib import Path

import pytest

from bots.sandbox.slack import defaults

SOURCES = Path(defaults.__file__).parent.glob("*.py")
CODE = "".join(path.read_text() for path in SOURCES if path.stem != "defaults")


@pytest.mark.parametrize("name", sorted(defaults.DEFAULTS))
def test_a_setting_is_read_somewhere(name: str) -> None:
    short = name.removeprefix("slack.")

    assert f'"{short}"' in CODE or f'"{name}"' in CODE
