"""Writing the manifests from the command line."""

from pathlib import Path

from bots.command_line.output import say
from bots.settings_sources import read_settings
from manifest.build import (
    slack_admin_manifest,
    slack_manifest,
    teams_manifest,
    write_slack,
    write_teams,
)


def build(url: str, out: Path, teams_app_id: str, *, socket_mode: bool) -> None:
    """Write Slack's manifest, and Teams' package if the bot's app id is known."""
    app_id = teams_app_id or _app_id()
    slack = slack_manifest(url, socket_mode=socket_mode)
    teams = teams_manifest(url, app_id) if app_id else None
    written = write_slack(slack, out)
    written += write_slack(slack_admin_manifest(url), out, "slack_admin")
    if teams:
        written += write_teams(teams, out)
    for path in written:
        say(f"{path}")
    say("Slack: https://api.slack.com/apps, Create New App, From a manifest.")
    say("An Enterprise organisation managed from chat: slack_admin.yaml, likewise.")
    if teams:
        say("Teams: Apps, Manage your apps, Upload an app; or the admin center.")
        say(f"The bot's messaging endpoint: {url.rstrip('/')}/api/messages")
    else:
        say("Teams: nothing written, for want of --teams-app-id or ATOM_TEAMS_APP_ID.")


def _app_id() -> str:
    teams = read_settings().teams
    return teams.app_id if teams else ""
