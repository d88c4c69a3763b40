"""
What Slack refuses in a manifest though its form is right.

Slack tells only after an upload; these rules tell before.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from manifest.shape import misfits
from manifest.slack_names import BOT_SCOPES, EVENTS, USER_SCOPES
from manifest.slack_shape import SLACK

Manifest = Mapping[str, Any]


def problems(manifest: Manifest) -> list[str]:
    """Return what is wrong with a manifest. What has no form is not asked for sense."""
    form = list(misfits(manifest, SLACK))
    if form:
        return form
    return [problem for rule in RULES for problem in rule(manifest)]


def colour_is_hexadecimal(manifest: Manifest) -> Iterator[str]:
    colour = manifest["display_information"].get("background_color")
    if colour and not re.fullmatch(r"#([0-9a-fA-F]{3}|[0-9a-fA-F]{6})", colour):
        yield "background_color must be a colour such as #1F3A5F"


def bot_name_is_plain(manifest: Manifest) -> Iterator[str]:
    name = _part(manifest, "features", "bot_user").get("display_name")
    if name and not re.fullmatch(r"[a-z0-9._-]+", name):
        yield "the bot's display_name takes only a-z, 0-9, '-', '_' and '.'"


def bot_scopes_have_a_bot(manifest: Manifest) -> Iterator[str]:
    if _scopes(manifest) and not _part(manifest, "features", "bot_user"):
        yield "bot scopes are asked for, but there is no bot_user"


def shortcuts_differ(manifest: Manifest) -> Iterator[str]:
    shortcuts = _part(manifest, "features").get("shortcuts", [])
    for name in _twice(shortcut["callback_id"] for shortcut in shortcuts):
        yield f"two shortcuts have the callback_id {name}"


def commands_can_be_called(manifest: Manifest) -> Iterator[str]:
    commands = _part(manifest, "features").get("slash_commands", [])
    if commands and "commands" not in _scopes(manifest):
        yield "slash commands need the scope commands"
    for command in commands:
        name = command["command"]
        if name != name.lower() or re.search(r"\s", name):
            yield f"{name} must be in lower case and without blanks"
        if "url" not in command and not _by_socket(manifest):
            yield f"{name} needs a url, or Socket Mode"


def addresses_are_secure(manifest: Manifest) -> Iterator[str]:
    for address in _addresses(manifest):
        if not address.startswith("https://"):
            yield f"{address} must begin with https://"


def unfurling_may_read_and_write_links(manifest: Manifest) -> Iterator[str]:
    if _part(manifest, "features").get("unfurl_domains"):
        for scope in sorted({"links:read", "links:write"} - set(_scopes(manifest))):
            yield f"unfurl_domains need the scope {scope}"


def previews_that_open_are_heard_of(manifest: Manifest) -> Iterator[str]:
    previews = _part(manifest, "features", "rich_previews")
    if previews.get("is_active") and "entity_details_requested" not in _events(
        manifest
    ):
        yield "rich_previews need the event entity_details_requested"


def scopes_exist(manifest: Manifest) -> Iterator[str]:
    for scope in _scopes(manifest):
        if scope not in BOT_SCOPES:
            yield f"{scope} is no scope of a bot"
    for scope in _twice(_scopes(manifest)):
        yield f"{scope} is asked for twice"


def scopes_of_people_exist(manifest: Manifest) -> Iterator[str]:
    asked = _part(manifest, "oauth_config", "scopes").get("user", [])
    for scope in asked:
        if scope not in USER_SCOPES:
            yield f"{scope} is no scope of a person"
    for scope in _twice(asked):
        yield f"{scope} is asked for twice"


def optional_scopes_are_asked_for(manifest: Manifest) -> Iterator[str]:
    scopes = _part(manifest, "oauth_config", "scopes")
    for kind in ("bot", "user"):
        asked = set(scopes.get(kind, []))
        for scope in scopes.get(f"{kind}_optional", []):
            if scope not in asked:
                yield f"{scope} is optional, but not asked for"


def events_exist_and_are_allowed(manifest: Manifest) -> Iterator[str]:
    asked, events = set(_scopes(manifest)), _events(manifest)
    for event in events:
        if event not in EVENTS:
            yield f"{event} is no event"
        elif EVENTS[event] and not EVENTS[event] & asked:
            yield f"{event} needs the scope {' or '.join(sorted(EVENTS[event]))}"
    for event in _twice(events):
        yield f"{event} is subscribed to twice"


def requests_have_somewhere_to_go(manifest: Manifest) -> Iterator[str]:
    if _by_socket(manifest):
        return
    if _events(manifest) and not _part(manifest, *_SUBSCRIPTIONS).get("request_url"):
        yield "event_subscriptions need a request_url, or Socket Mode"
    interactivity = _part(manifest, "settings", "interactivity")
    if interactivity.get("is_enabled") and not interactivity.get("request_url"):
        yield "interactivity needs a request_url, or Socket Mode"


def metadata_may_be_read(manifest: Manifest) -> Iterator[str]:
    wanted = _part(manifest, *_SUBSCRIPTIONS).get("metadata_subscriptions")
    if wanted and "metadata.message:read" not in _scopes(manifest):
        yield "metadata_subscriptions need the scope metadata.message:read"


def organisation_installs_a_bot(manifest: Manifest) -> Iterator[str]:
    if _part(manifest, "settings").get("org_deploy_enabled") and not _scopes(manifest):
        yield "org_deploy_enabled needs a bot scope"


RULES: tuple[Callable[[Manifest], Iterator[str]], ...] = (
    colour_is_hexadecimal,
    bot_name_is_plain,
    bot_scopes_have_a_bot,
    shortcuts_differ,
    commands_can_be_called,
    addresses_are_secure,
    unfurling_may_read_and_write_links,
    previews_that_open_are_heard_of,
    scopes_exist,
    scopes_of_people_exist,
    optional_scopes_are_asked_for,
    events_exist_and_are_allowed,
    requests_have_somewhere_to_go,
    metadata_may_be_read,
    organisation_installs_a_bot,
)

_SUBSCRIPTIONS = ("settings", "event_subscriptions")


def _part(manifest: Manifest, *path: str) -> Manifest:
    part = manifest
    for name in path:
        part = part.get(name, {})
    return part


def _scopes(manifest: Manifest) -> list[str]:
    return list(_part(manifest, "oauth_config", "scopes").get("bot", []))


def _events(manifest: Manifest) -> list[str]:
    return list(_part(manifest, *_SUBSCRIPTIONS).get("bot_events", []))


def _by_socket(manifest: Manifest) -> bool:
    return bool(_part(manifest, "settings").get("socket_mode_enabled"))


def _addresses(manifest: Manifest) -> Iterator[str]:
    for command in _part(manifest, "features").get("slash_commands", []):
        yield command.get("url", "https://")
    yield from _part(manifest, "oauth_config").get("redirect_urls", [])
    for place in (_SUBSCRIPTIONS, ("settings", "interactivity")):
        part = _part(manifest, *place)
        for name in ("request_url", "message_menu_options_url"):
            yield part.get(name, "https://")


def _twice(names: Iterable[str]) -> list[str]:
    return sorted(name for name, count in Counter(names).items() if count > 1)
