"""What the demo's Slack and Teams are told of ATOM: the same as real ones, by manifest."""

from typing import Any

from manifest.build import slack_manifest, teams_manifest


def declared(address: str, teams_app: str, domains: list[str]) -> dict[str, Any]:
    """
    Return the sandbox's settings for shortcuts, extension commands and previewed links.

    `domains` are those of the demo's business systems, beside the manifests' own.
    """
    slack = slack_manifest(address)["features"]
    [extension] = teams_manifest(address, teams_app)["composeExtensions"]
    watched = [
        d for one in extension["messageHandlers"] for d in one["value"]["domains"]
    ]
    return {
        "slack.shortcuts": slack["shortcuts"],
        "slack.link_domains": [*slack["unfurl_domains"], *domains],
        "teams.extension_commands": extension["commands"],
        "teams.link_domains": [*(d.removeprefix("*.") for d in watched), *domains],
    }
