"""The admin.teams.* and admin.usergroups.* methods."""

import re
from collections.abc import Mapping
from typing import Any

from bots.sandbox.slack import grid_seed
from bots.sandbox.slack.admin_channel import team_of
from bots.sandbox.slack.call import Answer, Call, Serve
from bots.sandbox.slack.errors import SlackRefusal
from bots.sandbox.slack.model import Usergroup, Workspace

_DOMAIN = re.compile(r"[a-z0-9][a-z0-9-]{0,20}")
_DISCOVERABLE = frozenset({"", "open", "closed", "invite_only", "unlisted"})
_MOST_CHANNELS = 100


def listing(call: Call) -> Answer:
    page, cursor = call.page(call.state.grid.teams, 100, 1000)
    return {
        "teams": [_shown(call, team) for team in page],
        "response_metadata": {"next_cursor": cursor},
    }


def create(call: Call) -> Answer:
    domain, name = call.text("team_domain"), call.text("team_name")
    if not _DOMAIN.fullmatch(domain):
        raise SlackRefusal("bad_url")
    if call.text("team_discoverability") not in _DISCOVERABLE:
        raise SlackRefusal("discoverability_setting_invalid")
    for known in call.state.workspaces.values():
        if known.domain == domain:
            raise SlackRefusal("domain_taken")
        if known.name == name:
            raise SlackRefusal("name_taken_in_org")
    made = Workspace(call.state.next_id("T"), name, domain)
    call.state.workspaces[made.id] = made
    call.state.grid.teams.append(made.id)
    call.person.workspaces.append(made.id)
    call.state.publish("workspace", made.id)
    return {"team": made.id}


def info(call: Call) -> Answer:
    workspace = call.state.workspace(team_of(call))
    return {
        "team": {
            "id": workspace.id,
            "name": workspace.name,
            "domain": workspace.domain,
            "email_domain": "",
            "icon": {"image_default": True},
            "enterprise_id": grid_seed.ORG,
            "enterprise_name": grid_seed.ORG_NAME,
            "default_channels": [],
        }
    }


def admins(call: Call) -> Answer:
    return _people(call, "admin_ids", "is_admin")


def owners(call: Call) -> Answer:
    return _people(call, "owner_ids", "is_owner")


def add_channels(call: Call) -> Answer:
    group, channels = _group(call), call.words("channel_ids")
    if len(channels) > _MOST_CHANNELS:
        raise SlackRefusal("invalid_channels_limit")
    if not set(channels) <= set(call.state.channels):
        raise SlackRefusal("channel_not_found")
    if not call.state.grid.group_teams[group.id]:
        raise SlackRefusal("usergroup_not_linked_to_team")
    defaults = call.state.grid.default_channels.setdefault(group.id, [])
    defaults += [one for one in channels if one not in defaults]
    return {}


def remove_channels(call: Call) -> Answer:
    group = _group(call)
    defaults = call.state.grid.default_channels.get(group.id, [])
    gone = call.words("channel_ids")
    kept = [one for one in defaults if one not in gone]
    call.state.grid.default_channels[group.id] = kept
    return {}


def list_channels(call: Call) -> Answer:
    group = _group(call)
    found = call.state.grid.default_channels.get(group.id, [])
    channels = [call.state.channels[one] for one in found if one in call.state.channels]
    shown: list[dict[str, Any]] = [
        {"id": one.id, "name": one.name, "team_id": one.team} for one in channels
    ]
    if call.flag("include_num_members"):
        for row, channel in zip(shown, channels, strict=True):
            row["num_members"] = len(channel.members)
    return {"channels": shown}


def add_teams(call: Call) -> Answer:
    group, teams = _group(call), call.words("team_ids")
    if not teams:
        raise SlackRefusal("no_team_ids_given")
    if not set(teams) <= set(call.state.grid.teams):
        raise SlackRefusal("invalid_team_ids")
    linked = call.state.grid.group_teams[group.id]
    linked += [team for team in teams if team not in linked]
    if call.flag("auto_provision"):
        for user in (call.state.user(one) for one in group.users):
            user.workspaces += [team for team in teams if team not in user.teams]
    return {}


def _people(call: Call, answer: str, right: str) -> Answer:
    team = team_of(call)
    found = [
        user.id
        for user in call.state.users.values()
        if team in user.teams and getattr(user, right) and not user.deleted
    ]
    page, cursor = call.page(found, 100, 1000)
    return {answer: page, "response_metadata": {"next_cursor": cursor}}


def _group(call: Call) -> Usergroup:
    try:
        return call.state.grid.groups[call.text("usergroup_id")]
    except KeyError:
        raise SlackRefusal("usergroup_not_found") from None


def _shown(call: Call, team: str) -> dict[str, Any]:
    workspace = call.state.workspace(team)
    owner = call.state.user(grid_seed.ADMIN)
    return {
        "id": workspace.id,
        "name": workspace.name,
        "discoverability": "open",
        "primary_owner": {"user_id": owner.id, "email": owner.email},
        "team_url": f"https://{workspace.domain}.slack.com/",
    }


CALLS: Mapping[str, Serve] = {
    "admin.teams.list": listing,
    "admin.teams.create": create,
    "admin.teams.settings.info": info,
    "admin.teams.admins.list": admins,
    "admin.teams.owners.list": owners,
    "admin.usergroups.addChannels": add_channels,
    "admin.usergroups.removeChannels": remove_channels,
    "admin.usergroups.listChannels": list_channels,
    "admin.usergroups.addTeams": add_teams,
}
