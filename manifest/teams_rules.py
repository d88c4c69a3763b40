"""What Teams refuses, or gets wrong without a word, though a manifest's form is right."""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from manifest.shape import misfits
from manifest.teams_shape import TEAMS

Manifest = Mapping[str, Any]

_SEMANTIC = r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)"
_HOST = r"[a-z0-9-]+(\.[a-z0-9-]+)+"
# Domains where anybody can get a name: a wildcard there lets strangers in.
_ANYBODYS = ("ngrok.io", "ngrok-free.app", "azurewebsites.net", "trafficmanager.net")
_PERMISSIONS = frozenset(
    {
        "Channel.Create.Group",
        "Channel.Delete.Group",
        "ChannelMember.Read.Group",
        "ChannelMember.ReadWrite.Group",
        "ChannelMessage.Read.Group",
        "ChannelMessage.Send.Group",
        "ChannelSettings.Read.Group",
        "ChannelSettings.ReadWrite.Group",
        "File.Read.Group",
        "TeamMember.Read.Group",
        "TeamSettings.Read.Group",
        "TeamSettings.ReadWrite.Group",
        "TeamsActivity.Send.Group",
        "TeamsActivity.Send.User",
        "TeamsAppInstallation.Read.Group",
        "ChatMember.Read.Chat",
        "ChatMessage.Read.Chat",
        "ChatSettings.Read.Chat",
    }
)


def problems(manifest: Manifest) -> list[str]:
    """Return what is wrong with a manifest. What has no form is not asked for sense."""
    form = list(misfits(manifest, TEAMS))
    if form:
        return form
    return [problem for rule in RULES for problem in rule(manifest)]


def version_is_semantic(manifest: Manifest) -> Iterator[str]:
    if not re.fullmatch(_SEMANTIC, manifest["version"]):
        yield "version must be three numbers without leading zeros, such as 1.0.0"


def schema_fits_the_version(manifest: Manifest) -> Iterator[str]:
    if f"/v{manifest['manifestVersion']}/" not in manifest.get("$schema", ""):
        yield "$schema and manifestVersion name different versions"


def name_is_ours(manifest: Manifest) -> Iterator[str]:
    if re.search("teams|microsoft", manifest["name"]["short"], re.IGNORECASE):
        yield "the short name may hold neither Teams nor Microsoft"


def addresses_are_secure(manifest: Manifest) -> Iterator[str]:
    developer = manifest["developer"]
    pages = (developer[name] for name in ("websiteUrl", "privacyUrl", "termsOfUseUrl"))
    for address in (*pages, *_tab_addresses(manifest)):
        if not address.startswith("https://"):
            yield f"{address} must begin with https://"


def domains_are_bare_and_ours(manifest: Manifest) -> Iterator[str]:
    for domain in manifest.get("validDomains", []):
        if not re.fullmatch(rf"(\*\.)?{_HOST}", domain):
            yield f"{domain} must be a bare host name"
        elif domain.startswith("*.") and domain.endswith(_ANYBODYS):
            yield f"{domain} would let anybody in"


def domains_hold_every_tab(manifest: Manifest) -> Iterator[str]:
    for address in _tab_addresses(manifest):
        if not _is_valid_domain(manifest, urlsplit(address).hostname or ""):
            yield f"{address} is on a host that validDomains does not hold"


def permissions_are_known(manifest: Manifest) -> Iterator[str]:
    for permission in _permissions(manifest):
        if permission["name"] not in _PERMISSIONS:
            yield f"{permission['name']} is no resource-specific permission"
        elif permission["type"] != "Application":
            yield f"{permission['name']} is for the type Application"
    for name in _twice(permission["name"] for permission in _permissions(manifest)):
        yield f"{name} is asked for twice"


def permissions_have_an_owner(manifest: Manifest) -> Iterator[str]:
    owner = manifest.get("webApplicationInfo", {})
    if _permissions(manifest) and not owner.get("resource"):
        yield "permissions need webApplicationInfo with an id and a resource"


def sign_in_names_our_host(manifest: Manifest) -> Iterator[str]:
    owner = manifest.get("webApplicationInfo", {})
    resource = owner.get("resource", "")
    if not resource.startswith("api://"):
        return
    ids = {owner["id"], *(f"botid-{bot['botId']}" for bot in manifest.get("bots", []))}
    host, _, name = resource.removeprefix("api://").rpartition("/")
    if name not in ids or not _is_valid_domain(manifest, host):
        yield "resource must be api://HOST/botid-BOT, with HOST in validDomains"


def extension_commands_have_something_to_do(manifest: Manifest) -> Iterator[str]:
    for command in _extension_commands(manifest):
        parameters, action = "parameters" in command, command.get("type") == "action"
        if not parameters and not (action and command.get("fetchTask")):
            yield f"{command['id']} needs parameters" + " or fetchTask" * action


def handlers_watch_hosts(manifest: Manifest) -> Iterator[str]:
    for extension in manifest.get("composeExtensions", []):
        for handler in extension.get("messageHandlers", []):
            for domain in handler["value"].get("domains", []):
                if not re.fullmatch(rf"(\*\.)?{_HOST}", domain):
                    yield f"{domain} must be a bare host name"
                elif domain.endswith(_ANYBODYS):
                    yield f"{domain} is anybody's"


def names_are_used_once(manifest: Manifest) -> Iterator[str]:
    tabs = (tab["entityId"] for tab in manifest.get("staticTabs", []))
    commands = (command["id"] for command in _extension_commands(manifest))
    titles = (
        f"{scope} {command['title']}"
        for bot in manifest.get("bots", [])
        for commands in bot.get("commandLists", [])
        for scope in commands["scopes"]
        for command in commands["commands"]
    )
    for name in (*_twice(tabs), *_twice(commands), *_twice(titles)):
        yield f"{name} is there twice"


def one_bot_serves_all(manifest: Manifest) -> Iterator[str]:
    parts = (*manifest.get("bots", []), *manifest.get("composeExtensions", []))
    if len({part["botId"] for part in parts if "botId" in part}) > 1:
        yield "bots and composeExtensions name different bots"


def commands_are_for_where_the_bot_is(manifest: Manifest) -> Iterator[str]:
    for bot in manifest.get("bots", []):
        for commands in bot.get("commandLists", []):
            for scope in sorted(set(commands["scopes"]) - set(bot["scopes"])):
                yield f"commands are listed for {scope}, where the bot is not"


def activities_are_our_own(manifest: Manifest) -> Iterator[str]:
    types = manifest.get("activities", {}).get("activityTypes", [])
    if any(activity["type"] == "systemDefault" for activity in types):
        yield "systemDefault is Teams' own activity and must not be declared"


RULES: tuple[Callable[[Manifest], Iterator[str]], ...] = (
    version_is_semantic,
    schema_fits_the_version,
    name_is_ours,
    addresses_are_secure,
    domains_are_bare_and_ours,
    domains_hold_every_tab,
    permissions_are_known,
    permissions_have_an_owner,
    sign_in_names_our_host,
    extension_commands_have_something_to_do,
    handlers_watch_hosts,
    names_are_used_once,
    one_bot_serves_all,
    commands_are_for_where_the_bot_is,
    activities_are_our_own,
)


def _tab_addresses(manifest: Manifest) -> Iterator[str]:
    for tab in manifest.get("staticTabs", []):
        yield from (tab[name] for name in ("contentUrl", "websiteUrl") if name in tab)
    for tab in manifest.get("configurableTabs", []):
        yield tab["configurationUrl"]


def _is_valid_domain(manifest: Manifest, host: str) -> bool:
    domains = manifest.get("validDomains", [])
    return host in domains or any(
        host.endswith(domain[1:]) for domain in domains if domain.startswith("*.")
    )


def _permissions(manifest: Manifest) -> list[Mapping[str, str]]:
    granted = manifest.get("authorization", {}).get("permissions", {})
    return list(granted.get("resourceSpecific", []))


def _extension_commands(manifest: Manifest) -> list[Manifest]:
    return [
        command
        for extension in manifest.get("composeExtensions", [])
        for command in extension.get("commands", [])
    ]


def _twice(names: Iterable[str]) -> list[str]:
    return sorted(name for name, count in Counter(names).items() if count > 1)
