"""The install guide speaks of commands and settings that exist."""

import re
import tomllib
from pathlib import Path

import pytest

from bots.cli import app, log_app, manifest_app
from bots.command_line.accounts import accounts_app
from bots.command_line.organisation import channels_app, sessions_app, workspaces_app
from bots.settings import Settings
from bots.settings_sources import setting_names

GUIDE = (Path(__file__).parents[3] / "docs/install.md").read_text("utf-8")
BLOCKS = re.findall(r"```toml\n(.*?)```", GUIDE, re.DOTALL)


def names() -> set[str]:
    def of(group: object) -> set[str]:
        commands = getattr(group, "registered_commands", [])
        return {c.name or c.callback.__name__ for c in commands}

    groups = {
        "accounts": accounts_app,
        "log": log_app,
        "manifest": manifest_app,
        "workspaces": workspaces_app,
        "channels": channels_app,
        "sessions": sessions_app,
    }
    longer = {f"{name} {n}" for name, group in groups.items() for n in of(group)}
    return of(app) | longer


def test_every_command_in_it_exists() -> None:
    typed = re.findall(r"(?:^\$ |`)atom ([a-z]+(?: [a-z]+)?)", GUIDE, re.MULTILINE)

    unknown = {line for line in typed if not {line, line.split()[0]} & names()}

    assert typed
    assert unknown == set()


def test_every_setting_in_it_exists() -> None:
    known = {*setting_names(), *(f"{name}_FILE" for name in setting_names())}

    assert set(re.findall(r"ATOM_[A-Z_]*[A-Z]", GUIDE)) <= known


@pytest.mark.parametrize("block", BLOCKS)
def test_every_settings_file_in_it_has_the_right_names(block: str) -> None:
    tables = tomllib.loads(block.replace("the ", "the-").replace(" ", ""))

    for name, value in tables.items():
        field = Settings.model_fields[name]
        if isinstance(value, dict):
            assert all(f"ATOM_{name}_{key}".upper() in setting_names() for key in value)
        else:
            assert field.description


def test_the_paths_that_are_let_in_are_those_that_the_manifests_name() -> None:
    for path in ("/slack/", "/api/messages", "/healthz"):
        assert GUIDE.count(path) >= 3
