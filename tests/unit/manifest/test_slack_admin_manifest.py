"""The admin app's manifest: its form, its sense, and that it asks for what is used."""

import re
from pathlib import Path
from typing import Any

import pytest

from bots.sandbox.slack.methods import load_methods
from manifest import slack_rules
from manifest.build import slack_admin_manifest

ROOT = Path(__file__).parents[3]


@pytest.fixture
def manifest() -> dict[str, Any]:
    return slack_admin_manifest("https://atom.example.com")


def needed() -> set[str]:
    """The scopes of the admin methods that the code calls, by slack_sdk's names."""
    methods = {name.replace(".", "_"): one for name, one in load_methods().items()}
    called: set[str] = set()
    for path in (ROOT / "bots").rglob("*.py"):
        if "sandbox" not in path.parts:
            called |= set(re.findall(r"\.(admin_\w+)\(", path.read_text("utf-8")))
    return {scope for name in called for scope in methods[name].user}


def test_it_has_the_right_form_and_makes_sense(manifest: dict[str, Any]) -> None:
    assert slack_rules.problems(manifest) == []


def test_it_asks_for_exactly_the_scopes_that_are_used(
    manifest: dict[str, Any],
) -> None:
    scopes = manifest["oauth_config"]["scopes"]

    assert set(scopes["user"]) == needed()
    # Slack installs an app on an organisation only if it has a bot that asks for
    # something; this is the least there is.
    assert scopes["bot"] == ["team:read"]


def test_it_is_the_organisations_and_hears_no_events(manifest: dict[str, Any]) -> None:
    assert manifest["settings"]["org_deploy_enabled"] is True
    assert "event_subscriptions" not in manifest["settings"]
    assert "slash_commands" not in manifest["features"]
