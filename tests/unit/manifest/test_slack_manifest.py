"""Slack's manifest: its form, its sense, and that it asks for what the code uses."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bots.commands.base import Commands
from bots.slack import install, interactions, record_asked, record_objects
from bots.slack.translate import EVENTS
from manifest import slack_rules
from manifest.build import slack_manifest
from manifest.slack_names import EVENTS as KNOWN_EVENTS
from tests.unit.bots.commands.conftest import Office

URL = "https://atom.example.com"
ROOT = Path(__file__).parents[3]
Change = Callable[[dict[str, Any]], None]
# Which scopes let a bot call a method: any one of those that are named.
METHOD_SCOPES: dict[str, list[str]] = json.loads(
    (ROOT / "tests/fixtures/slack/method_scopes.json").read_text()
)
# What no method's documentation names: how slash commands come, other people's names
# on our posts, and what kind of message may be read where.
BEYOND_METHODS = {"commands", "chat:write.customize"}


@pytest.fixture
def manifest() -> dict[str, Any]:
    return slack_manifest(URL)


def test_it_has_the_right_form_and_makes_sense(manifest: dict[str, Any]) -> None:
    assert slack_rules.problems(manifest) == []


def test_for_socket_mode_it_makes_sense_too_and_names_no_address() -> None:
    manifest = slack_manifest(URL, socket_mode=True)

    assert slack_rules.problems(manifest) == []
    assert manifest["settings"]["socket_mode_enabled"] is True
    assert f"{URL}/slack/events" not in json.dumps(manifest)


def test_no_placeholder_is_left(manifest: dict[str, Any]) -> None:
    assert "{{" not in json.dumps(manifest)


def change(path: str, value: Any) -> Change:
    """Put `value` at a path; a `+` at its end adds it to a list instead."""

    def apply(manifest: dict[str, Any]) -> None:
        *parents, last = path.split("/")
        part: Any = manifest
        for name in parents:
            part = part[int(name)] if name.isdecimal() else part.setdefault(name, {})
        if last == "+":
            part.append(value)
        elif value is None:
            del part[last]
        else:
            part[last] = value

    return apply


SCOPES, SUBSCRIBED = "oauth_config/scopes/bot", "settings/event_subscriptions"
COMMAND = "features/slash_commands/0"
SHORTCUT = {"name": "A", "type": "global", "callback_id": "a", "description": "d"}

FORM: list[tuple[str, Any, str]] = [
    ("display_information/name", "x" * 36, "/display_information/name"),
    ("display_information/name", None, "is missing"),
    ("display_information/description", "x" * 141, "1 to 140"),
    ("display_information/long_description", "short", "175 to 4000"),
    ("features/surprise", {}, "/features/surprise: is not known"),
    ("features/bot_user/always_online", "yes", "true or false"),
    ("features/unfurl_domains", ["https://x.example"], "/features/unfurl_domains/0"),
    ("features/shortcuts", [], "1 to 10 entries"),
    ("features/rich_previews/entity_types", ["item"], "/features/rich_previews"),
    (f"{COMMAND}/command", "atom", f"/{COMMAND}/command"),
    (f"{SCOPES}/+", "x" * 51, "1 to 50"),
    (f"{SUBSCRIBED}/bot_events", "all", "must be a list"),
    ("settings", [], "must be an object"),
    ("_metadata/major_version", "2", "whole number"),
]


@pytest.mark.parametrize(("path", "value", "said"), FORM)
def test_a_wrong_form_is_found(
    manifest: dict[str, Any], path: str, value: Any, said: str
) -> None:
    change(path, value)(manifest)

    assert any(said in problem for problem in slack_rules.problems(manifest))


SENSE: list[tuple[str, Any, str]] = [
    ("display_information/background_color", "navy", "background_color"),
    ("features/bot_user/display_name", "ATOM bot", "display_name"),
    ("features/bot_user", None, "no bot_user"),
    ("features/shortcuts", [SHORTCUT, SHORTCUT], "callback_id a"),
    (f"{COMMAND}/command", "/Atom", "lower case"),
    (f"{COMMAND}/url", None, "/atom needs a url"),
    (f"{COMMAND}/url", "http://atom.example.com/", "https://"),
    (f"{SUBSCRIBED}/request_url", "http://atom.example.com/", "https://"),
    ("oauth_config/redirect_urls/+", "http://atom.example.com/", "https://"),
    ("oauth_config/scopes/user", ["chat:everything"], "no scope of a person"),
    (SCOPES, ["commands"], "links:read"),
    (f"{SUBSCRIBED}/bot_events", ["link_shared"], "entity_details_requested"),
    (f"{SCOPES}/+", "chat:shout", "chat:shout is no scope"),
    (f"{SCOPES}/+", "chat:write", "chat:write is asked for twice"),
    (SCOPES, ["chat:write"], "slash commands need the scope"),
    ("oauth_config/scopes/bot_optional", ["dnd:read"], "dnd:read is optional"),
    (f"{SUBSCRIBED}/bot_events/+", "message.everywhere", "is no event"),
    (f"{SUBSCRIBED}/bot_events/+", "message.im", "needs the scope im:history"),
    (f"{SUBSCRIBED}/bot_events/+", "app_mention", "subscribed to twice"),
    (f"{SUBSCRIBED}/request_url", None, "event_subscriptions need"),
    ("settings/interactivity/request_url", None, "interactivity needs"),
    (
        f"{SUBSCRIBED}/metadata_subscriptions",
        [{"app_id": "*", "event_type": "x"}],
        "metadata.message:read",
    ),
]


@pytest.mark.parametrize(("path", "value", "said"), SENSE)
def test_what_makes_no_sense_is_found(
    manifest: dict[str, Any], path: str, value: Any, said: str
) -> None:
    change(path, value)(manifest)

    assert any(said in problem for problem in slack_rules.problems(manifest))


def test_an_organisation_cannot_install_without_a_bot(
    manifest: dict[str, Any],
) -> None:
    change(SCOPES, [])(manifest)
    change("settings/org_deploy_enabled", value=True)(manifest)

    assert any("org_deploy" in problem for problem in slack_rules.problems(manifest))


def test_every_rule_has_a_mutation_that_breaks_it() -> None:
    broken = set()
    for path, value, _ in SENSE:
        mutated = slack_manifest(URL)
        change(path, value)(mutated)
        broken |= {rule for rule in slack_rules.RULES if list(rule(mutated))}

    assert set(slack_rules.RULES) - broken == {slack_rules.organisation_installs_a_bot}


def methods_called() -> Iterator[str]:
    """Find the Web API methods that the Slack code calls, by slack_sdk's names."""
    known = {name.replace(".", "_"): name for name in METHOD_SCOPES}
    for path in (ROOT / "bots/slack").glob("*.py"):
        text = path.read_text("utf-8")
        names = {
            *re.findall(r"\.([a-z]+(?:_[A-Za-z]+)+)\(", text),
            *(n.replace(".", "_") for n in re.findall(r'"([a-z]+\.[A-Za-z.]+)"', text)),
        }
        yield from (known[name] for name in names if name in known)


def events_need(event: str) -> frozenset[str]:
    return KNOWN_EVENTS[event]


def test_every_method_that_is_called_is_allowed(manifest: dict[str, Any]) -> None:
    granted = set(manifest["oauth_config"]["scopes"]["bot"])

    called = set(methods_called())

    assert "chat.postMessage" in called
    refused = {
        method
        for method in called
        if METHOD_SCOPES[method] and not granted & set(METHOD_SCOPES[method])
    }
    assert refused == set()


def test_every_scope_is_of_use(manifest: dict[str, Any]) -> None:
    granted = set(manifest["oauth_config"]["scopes"]["bot"])

    used = set(BEYOND_METHODS)
    for method in methods_called():
        used |= set(METHOD_SCOPES[method])
    for event in EVENTS:
        used |= events_need(event)

    assert granted - used == set()


def test_the_events_are_those_that_are_handled(manifest: dict[str, Any]) -> None:
    declared = manifest["settings"]["event_subscriptions"]["bot_events"]

    assert sorted(declared) == sorted(EVENTS)


def test_the_scopes_are_those_that_an_installation_asks_for(
    manifest: dict[str, Any],
) -> None:
    assert sorted(manifest["oauth_config"]["scopes"]["bot"]) == sorted(install.SCOPES)


def test_the_commands_are_those_that_can_be_typed(manifest: dict[str, Any]) -> None:
    commands: Commands = Office().commands
    [declared] = manifest["features"]["slash_commands"]

    assert declared["command"] == "/atom"
    assert declared["usage_hint"].split(" | ") == [c.name for c in commands.known]


def test_the_shortcuts_are_those_that_are_answered(manifest: dict[str, Any]) -> None:
    declared = {
        (one["type"], one["callback_id"]) for one in manifest["features"]["shortcuts"]
    }

    assert declared == {
        ("message", record_asked.FROM_MESSAGE),
        ("message", interactions.REACTIONS),
        ("global", record_asked.NEW),
    }


def test_the_previews_are_of_the_type_that_is_sent(manifest: dict[str, Any]) -> None:
    declared = manifest["features"]["rich_previews"]

    assert declared == {"is_active": True, "entity_types": [record_objects.ENTITY_TYPE]}


def test_everything_comes_to_the_one_address_that_is_served(
    manifest: dict[str, Any],
) -> None:
    settings, features = manifest["settings"], manifest["features"]

    addresses = {
        settings["event_subscriptions"]["request_url"],
        settings["interactivity"]["request_url"],
        features["slash_commands"][0]["url"],
    }

    assert addresses == {f"{URL}/slack/events"}
    assert manifest["oauth_config"]["redirect_urls"] == [f"{URL}/slack/oauth_redirect"]
