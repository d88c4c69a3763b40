"""A channel as admins of the organisation see and change it."""

import re
from typing import Any

from bots.sandbox.slack import grid_seed
from bots.sandbox.slack.call import Call
from bots.sandbox.slack.errors import SlackRefusal
from bots.sandbox.slack.model import Channel, Kind
from bots.sandbox.slack.state import SlackState

_NAME = re.compile(r"[a-z0-9_\-\u00c0-\U0010ffff]+")
_LONGEST = 80


def channel_of(call: Call) -> Channel:
    """Return the channel that `channel_id` names, if it is the organisation's."""
    found = call.state.channels.get(call.text("channel_id"))
    if found is None or found.team not in call.state.grid.teams:
        raise SlackRefusal("channel_not_found")
    if found.kind not in {Kind.PUBLIC, Kind.PRIVATE}:
        raise SlackRefusal("channel_type_not_supported")
    return found


def changeable(call: Call) -> Channel:
    """Return the channel, unless it is one that everybody must have."""
    channel = channel_of(call)
    if channel.org_wide and channel.name == "general":
        raise SlackRefusal("default_org_wide_channel")
    return channel


def team_of(call: Call, name: str = "team_id") -> str:
    team = call.text(name)
    if team not in call.state.grid.teams:
        raise SlackRefusal("team_not_found")
    return team


def fresh_name(state: SlackState, name: str, teams: list[str]) -> str:
    """Return a name as a channel may have it, or refuse."""
    if not name:
        raise SlackRefusal("invalid_name_required")
    if len(name) > _LONGEST:
        raise SlackRefusal("invalid_name_maxlength")
    if not _NAME.fullmatch(name):
        raise SlackRefusal("invalid_name")
    for channel in state.channels.values():
        if channel.name == name and set(channel.everywhere) & set(teams):
            raise SlackRefusal("name_taken")
    return name


def tell(state: SlackState, channel: Channel, kind: str, /, **facts: Any) -> None:
    """Tell the app what became of a channel, under the name for its kind."""
    family = "group" if channel.private else "channel"
    event = {"type": f"{family}_{kind}", "channel": channel.id, **facts}
    state.emit(channel.team, {**event, "event_ts": state.next_ts()}, channel)
    state.publish("channel", channel.team, channel=channel.id)


def tell_renamed(state: SlackState, channel: Channel) -> None:
    named = {"id": channel.id, "name": channel.name, "created": 1_700_000_000}
    tell(state, channel, "rename", channel=named)


def tell_shared(state: SlackState, channel: Channel, kind: str, team: str) -> None:
    """channel_shared or channel_unshared; both kinds of channels use this name."""
    event: dict[str, Any] = {
        "type": kind,
        "channel": channel.id,
        "connected_team_id": team,
        "event_ts": state.next_ts(),
    }
    if kind == "channel_unshared":
        event |= {"previously_connected_team_id": team, "is_ext_shared": False}
    state.emit(channel.team, event, channel)
    state.publish("channel", channel.team, channel=channel.id)


def shown(channel: Channel) -> dict[str, Any]:
    """The channel as admin.conversations.search shows it."""
    last = max((float(ts) for ts in channel.messages), default=0.0)
    return {
        "id": channel.id,
        "name": channel.name,
        "purpose": channel.purpose,
        "member_count": len(channel.members),
        "created": 1_700_000_000,
        "creator_id": channel.creator,
        "is_private": channel.private,
        "is_archived": channel.archived,
        "is_general": channel.name == "general",
        "last_activity_ts": int(last * 1_000_000),
        "is_ext_shared": bool(channel.connected),
        "is_global_shared": channel.org_wide,
        "is_org_default": channel.org_wide,
        "is_org_mandatory": False,
        "is_org_shared": channel.org_wide or bool(channel.shared),
        "is_frozen": False,
        "internal_team_ids_count": len(channel.internal),
        "internal_team_ids": channel.internal,
        "internal_team_ids_sample_team": channel.team,
        "connected_team_ids": channel.connected,
        "pending_connected_team_ids": [],
        "is_pending_ext_shared": False,
        "conversation_host_id": grid_seed.ORG if channel.connected else "",
    }
