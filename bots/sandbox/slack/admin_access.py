"""The admin.conversations.* methods that say where a channel is, and for whom."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from bots.sandbox.slack import conversations
from bots.sandbox.slack.admin_channel import (
    changeable,
    channel_of,
    team_of,
    tell_shared,
)
from bots.sandbox.slack.call import Answer, Call, Serve
from bots.sandbox.slack.errors import SlackRefusal
from bots.sandbox.slack.model import Channel, Kind

_MOST_GROUPS = 20
_WHO = ("who_can_post", "can_thread")
_SWITCHES = ("can_huddle", "enable_at_channel", "enable_at_here")
_KINDS = frozenset({"admin", "ra", "user", "everyone"})


def get_teams(call: Call) -> Answer:
    page, cursor = call.page(channel_of(call).internal, 100, 1000)
    return {"team_ids": page, "response_metadata": {"next_cursor": cursor}}


def set_teams(call: Call) -> Answer:
    """Replaces: workspaces that are not named lose the channel."""
    channel = changeable(call)
    if channel.connected:
        raise SlackRefusal("externally_shared_or_disconnected_channel")
    if call.flag("org_channel"):
        targets = list(call.state.grid.teams)
    else:
        targets = list(dict.fromkeys(call.words("target_team_ids")))
        _targets(call, channel, targets)
    _free_name(call, channel, targets)
    _place(call, channel, targets, org_wide=call.flag("org_channel"))
    return {}


def disconnect_shared(call: Call) -> Answer:
    """End a Slack Connect channel's connections. Nothing else is disconnected."""
    channel = channel_of(call)
    leaving = call.words("leaving_team_ids") or list(channel.connected)
    if channel.team in leaving:
        raise SlackRefusal("cannot_kick_home_team")
    if not channel.connected:
        raise SlackRefusal("no_teams_to_disconnect")
    if not set(leaving) <= set(channel.connected):
        raise SlackRefusal("leaving_team_not_in_channel")
    for team in leaving:
        tell_shared(call.state, channel, "channel_unshared", team)
        channel.connected.remove(team)
        _put_out(call, channel, team)
    return {}


def bulk_move(call: Call) -> Answer:
    """Move channels that one workspace has alone, some time after the answer."""
    target = call.text("target_team_id")
    if target not in call.state.grid.teams:
        raise SlackRefusal("target_team_not_found")
    wanted = call.words("channel_ids")
    if call.state.grid.moving & set(wanted):
        raise SlackRefusal("action_already_in_progress")
    added, refused = _movable(call, wanted, target)
    if not added:
        raise SlackRefusal("no_valid_channels", not_added=refused)
    call.state.grid.moving |= {one.id for one in added}

    async def later() -> None:
        await asyncio.sleep(call.state.setting("bulk_delay"))
        for channel in added:
            _place(call, channel, [target], org_wide=False)
        call.state.grid.moving -= {one.id for one in added}

    call.tasks.spawn(later())
    return {"bulk_action_id": call.state.next_id("Ab"), "not_added": refused}


def set_prefs(call: Call) -> Answer:
    channel = changeable(call)
    prefs = _prefs(call.args["prefs"])
    channel.prefs = channel.prefs | prefs
    call.state.publish("channel", channel.team, channel=channel.id)
    return {}


def add_group(call: Call) -> Answer:
    channel = channel_of(call)
    group = call.state.grid.group(call.text("group_id"))
    if call.text("team_id"):
        team_of(call)
    elif len(channel.internal) == 1:
        raise SlackRefusal("team_not_found")
    if channel.kind is not Kind.PRIVATE:
        raise SlackRefusal("channel_is_not_private")
    if group.id in channel.groups:
        raise SlackRefusal("group_already_linked_to_channel")
    if not group.users:
        raise SlackRefusal("group_must_not_be_empty")
    if len(channel.groups) >= _MOST_GROUPS:
        raise SlackRefusal("cannot_add_more_groups_to_channel")
    channel.groups.append(group.id)
    for user in group.users:
        conversations.enter(call.state, channel, user)
    if call.state.setting("group_link_removes"):
        _only_groups(call, channel)
    return {}


def list_groups(call: Call) -> Answer:
    return {"group_ids": channel_of(call).groups}


def remove_group(call: Call) -> Answer:
    channel = channel_of(call)
    team_of(call)
    group = call.state.grid.group(call.text("group_id"))
    if group.id not in channel.groups:
        raise SlackRefusal("link_not_found")
    channel.groups.remove(group.id)
    for user in group.users:
        conversations.exit_from(call.state, channel, user)
    return {}


def _targets(call: Call, channel: Channel, targets: list[str]) -> None:
    if not targets or not set(targets) <= set(call.state.grid.teams):
        raise SlackRefusal("invalid_target_team")
    if call.text("team_id"):
        team_of(call)
    if len(channel.internal) == 1 and channel.team not in targets:
        raise SlackRefusal("cannot_move_local_channel")


def _free_name(call: Call, channel: Channel, targets: list[str]) -> None:
    for other in call.state.channels.values():
        if other is channel or other.name != channel.name:
            continue
        if set(other.internal) & (set(targets) - set(channel.internal)):
            raise SlackRefusal("name_taken")


def _place(call: Call, channel: Channel, targets: list[str], *, org_wide: bool) -> None:
    """Let exactly these workspaces see a channel; people of no other stay in."""
    before = channel.internal
    home = channel.team if channel.team in targets else targets[0]
    gone = [team for team in before if team not in targets]
    for team in gone:
        tell_shared(call.state, channel, "channel_unshared", team)
    channel.team, channel.org_wide = home, org_wide
    channel.shared = [team for team in targets if team != home]
    for team in gone:
        _put_out(call, channel, team)
    for team in targets:
        if team not in before:
            tell_shared(call.state, channel, "channel_shared", team)


def _put_out(call: Call, channel: Channel, _team: str) -> None:
    for user in list(channel.members):
        known = call.state.users[user]
        bot = known.is_bot and _bot_stays(call, channel, user)
        if not bot and not set(known.teams) & set(channel.everywhere):
            conversations.exit_from(call.state, channel, user)


def _bot_stays(call: Call, channel: Channel, bot: str) -> bool:
    """Whether an installation of the app is in a workspace that sees the channel."""
    installed = call.state.installations
    return any(
        team in installed and installed[team].bot_user == bot
        for team in channel.everywhere
    )


def _movable(
    call: Call, wanted: list[str], target: str
) -> tuple[list[Channel], list[dict[str, Any]]]:
    added: list[Channel] = []
    refused: list[dict[str, Any]] = []
    for id_ in wanted:
        channel = call.state.channels.get(id_)
        if reason := _unmovable(call, channel, target):
            refused.append({"channel_id": id_, "errors": [reason]})
        elif channel:
            added.append(channel)
    return added, refused


def _unmovable(call: Call, channel: Channel | None, target: str) -> str:
    if channel is None or channel.team not in call.state.grid.teams:
        return "channel_not_found"
    if channel.name == "general":
        return "default_channel"
    if len(channel.everywhere) > 1:
        return "channel_is_shared"
    names = (o.name for o in call.state.channels.values() if target in o.internal)
    return "name_taken" if channel.name in names else ""


def _only_groups(call: Call, channel: Channel) -> None:
    allowed = {
        user for one in channel.groups for user in call.state.grid.group(one).users
    }
    for user in list(channel.members):
        if user not in allowed and not call.state.users[user].is_bot:
            conversations.exit_from(call.state, channel, user)


def _prefs(given: Any) -> dict[str, Any]:
    """Read JSON, or what Slack's examples show: JSON in single quotes."""
    if isinstance(given, dict):
        parsed: Any = given
    else:
        try:
            parsed = json.loads(str(given))
        except ValueError:
            parsed = _single_quoted(str(given))
    if not isinstance(parsed, dict):
        raise SlackRefusal("invalid_value")
    return {name: _pref(name, value) for name, value in parsed.items()}


def _single_quoted(text: str) -> Any:
    try:
        return json.loads(text.replace("'", '"'))
    except ValueError:
        raise SlackRefusal("invalid_value") from None


def _pref(name: str, value: Any) -> Any:
    if name in _SWITCHES:
        return value if isinstance(value, dict) else {"enabled": bool(value)}
    if name not in _WHO or not isinstance(value, str):
        raise SlackRefusal("invalid_value")
    who: dict[str, list[str]] = {}
    for part in value.split(","):
        kind, _, one = part.strip().partition(":")
        if kind == "type" and one not in _KINDS:
            raise SlackRefusal("invalid_value")
        if kind not in {"type", "user", "subteam"}:
            raise SlackRefusal("invalid_value")
        who.setdefault(kind, []).append(one)
    return who


CALLS: Mapping[str, Serve] = {
    "admin.conversations.getTeams": get_teams,
    "admin.conversations.setTeams": set_teams,
    "admin.conversations.disconnectShared": disconnect_shared,
    "admin.conversations.bulkMove": bulk_move,
    "admin.conversations.setConversationPrefs": set_prefs,
    "admin.conversations.restrictAccess.addGroup": add_group,
    "admin.conversations.restrictAccess.listGroups": list_groups,
    "admin.conversations.restrictAccess.removeGroup": remove_group,
}
