"""Fill the manifests in for one installation, and write what can be uploaded."""

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from bridge.errors import BadInput
from manifest import slack_rules, teams_rules
from manifest.package import package_problems, packed

_HERE = Path(__file__).parent
_UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"


def slack_manifest(url: str, *, socket_mode: bool = False) -> dict[str, Any]:
    """Return Slack's manifest. In Socket Mode Slack needs to know no address."""
    text = (_HERE / "slack.yaml").read_text("utf-8")
    manifest: dict[str, Any] = yaml.safe_load(_filled(text, url=checked_url(url)))
    return _without_addresses(manifest) if socket_mode else manifest


def slack_admin_manifest(url: str) -> dict[str, Any]:
    """Return the manifest of the app that an organisation's owner installs."""
    text = (_HERE / "slack_admin.yaml").read_text("utf-8")
    manifest: dict[str, Any] = yaml.safe_load(_filled(text, url=checked_url(url)))
    return manifest


def teams_manifest(url: str, app_id: str) -> dict[str, Any]:
    """Return Teams' manifest for a bot's app id."""
    if not re.fullmatch(_UUID, app_id.lower()):
        raise BadInput(
            "The Teams app id must be the bot's Application (client) ID, a UUID: give "
            "it as --teams-app-id or ATOM_TEAMS_APP_ID"
        )
    text = (_HERE / "teams" / "manifest.json").read_text("utf-8")
    filled = _filled(text, url=checked_url(url), teams_app_id=app_id.lower())
    manifest: dict[str, Any] = json.loads(filled)
    return manifest


def write_slack(
    manifest: Mapping[str, Any], folder: Path, name: str = "slack"
) -> list[Path]:
    """Write a manifest as YAML and as JSON, which say the same."""
    _refuse(slack_rules.problems(manifest))
    as_yaml = yaml.safe_dump(dict(manifest), sort_keys=False, allow_unicode=True)
    as_json = json.dumps(manifest, indent=2, ensure_ascii=False) + "\n"
    return [
        _written(folder / f"{name}.yaml", as_yaml.encode()),
        _written(folder / f"{name}.json", as_json.encode()),
    ]


def write_teams(manifest: Mapping[str, Any], folder: Path) -> list[Path]:
    """Write teams.zip, ready to be uploaded."""
    _refuse(teams_rules.problems(manifest))
    names = manifest["icons"].values()
    icons = {name: (_HERE / "teams" / name).read_bytes() for name in names}
    package = packed(manifest, icons)
    _refuse(package_problems(package))
    return [_written(folder / "teams.zip", package)]


def checked_url(url: str) -> str:
    """Return a public https URL without a final slash, or raise `BadInput`."""
    parts = urlsplit(url)
    plain = not (parts.query or parts.fragment or parts.username)
    if parts.scheme != "https" or not parts.hostname or not plain:
        raise BadInput(
            f"'{url}' will not do: --url must be where ATOM is reached from outside, "
            "such as https://atom.example.com"
        )
    if re.search(r"[\s\"'\\{}<>]", url):
        raise BadInput("--url holds characters that no address has")
    return url.rstrip("/")


def _filled(text: str, **values: str) -> str:
    for name, value in values.items():
        text = text.replace("{{ " + name + " }}", value)
    return text


def _without_addresses(manifest: dict[str, Any]) -> dict[str, Any]:
    for command in manifest["features"]["slash_commands"]:
        del command["url"]
    settings = manifest["settings"]
    del settings["event_subscriptions"]["request_url"]
    del settings["interactivity"]["request_url"]
    settings["socket_mode_enabled"] = True
    return manifest


def _refuse(problems: list[str]) -> None:
    if problems:
        raise BadInput(f"the manifest would be refused: {'; '.join(problems)}")


def _written(path: Path, content: bytes) -> Path:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as error:
        raise BadInput(f"{path} cannot be written: {error.strerror}") from error
    return path
