"""The admin.conversations.* methods that find, make and change channels."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

from bots.sandbox.slack import conversations
from bots.sandbox.slack.admin_channel import (
    changeable,
    channel_of,
    fresh_name,
    shown,
    team_of,
    tell,
    tell_renamed,
)
from bots.sandbox.slack.call import Answer, Call, Serve
from bots.sandbox.slack.errors import SlackRefusal
from bots.sandbox.slack.model import Channel, Kind

_SORTS: Mapping[str, Callable[[Channel], Any]] = {
    "member_count": lambda one: len(one.members),
    "name": lambda one: one.name,
    "created": lambda one: one.id,
    "relevant": lambda one: one.name,
}
_KINDS: Mapping[str, Callable[[Channel], bool]] = {
    "private": lambda one: one.private,
    "public": lambda one: not one.private,
    "private_exclude": lambda one: not one.private,
    "multi_workspace": lambda one: bool(one.shared),
    "org_wide": lambda one: one.org_wide,
    "external_shared": lambda one: bool(one.connected),
    "external_shared_exclude": lambda one: not one.connected,
    "archived": lambda one: one.archived,
    "exclude_archived": lambda one: not one.archived,
}


def create(call: Call) -> Answer:
    org_wide, team = call.flag("org_wide"), call.text("team_id")
    if org_wide == bool(team):
        raise SlackRefusal("team_id_or_org_required")
    home = call.state.grid.teams[0] if org_wide else team_of(call)
    teams = list(call.state.grid.teams) if org_wide else [home]
    name = fresh_name(call.state, call.text("name"), teams)
    kind = Kind.PRIVATE if call.flag("is_private") else Kind.PUBLIC
    made = Channel(call.state.next_id("C"), home, name, kind, call.person.id)
    made.members, made.purpose = [call.person.id], call.text("description")
    made.shared, made.org_wide = teams[1:], org_wide
    call.state.channels[made.id] = made
    tell(call.state, made, "created", channel={"id": made.id, "name": name})
    return {"channel_id": made.id}


def search(call: Call) -> Answer:
    kinds = [one.strip() for one in call.words("search_channel_types")]
    if not set(kinds) <= set(_KINDS):
        raise SlackRefusal("invalid_search_channel_type")
    teams = call.words("team_ids") or list(call.state.grid.teams)
    if not set(teams) <= set(call.state.grid.teams):
        raise SlackRefusal("team_not_found")
    found = [one for one in _sorted(call) if _wanted(call, one, teams, kinds)]
    if call.flag("total_count_only"):
        return {"total_count": len(found)}
    page, cursor = call.page(found, 10, 20)
    return {
        "conversations": [shown(one) for one in page],
        "total_count": len(found),
        "next_cursor": cursor,
    }


def invite(call: Call) -> Answer:
    """All of them, or those that can be: the rest is listed with the reason."""
    channel = changeable(call)
    failed = {
        user: reason
        for user in call.words("user_ids")
        if (reason := _invited(call, channel, user))
    }
    if failed:
        raise SlackRefusal("failed_for_some_users", failed_user_ids=failed)
    return {}


def rename(call: Call) -> Answer:
    channel = changeable(call)
    channel.name = fresh_name(call.state, call.text("name"), channel.everywhere)
    tell_renamed(call.state, channel)
    return {}


def archive(call: Call) -> Answer:
    channel = changeable(call)
    if channel.name == "general":
        raise SlackRefusal("cant_archive_general")
    if channel.archived:
        raise SlackRefusal("already_archived")
    channel.archived = True
    tell(call.state, channel, "archive", user=call.person.id, is_moved=0)
    return {}


def unarchive(call: Call) -> Answer:
    channel = changeable(call)
    if not channel.archived:
        raise SlackRefusal("channel_not_archived")
    channel.archived = False
    tell(call.state, channel, "unarchive", user=call.person.id)
    return {}


def delete(call: Call) -> Answer:
    """The answer comes at once, the deletion when it is done."""
    channel = changeable(call)
    if channel.name == "general":
        raise SlackRefusal("restricted_action")

    async def later() -> None:
        await asyncio.sleep(call.state.setting("bulk_delay"))
        tell(call.state, channel, "deleted")
        call.state.channels.pop(channel.id, None)

    call.tasks.spawn(later())
    return {}


def to_private(call: Call) -> Answer:
    channel = changeable(call)
    if channel.kind is Kind.PRIVATE or channel.name == "general":
        raise SlackRefusal("could_not_convert_channel")
    if channel.connected:
        raise SlackRefusal("external_limited_restriction")
    channel.kind = Kind.PRIVATE
    if call.text("name"):
        channel.name = fresh_name(call.state, call.text("name"), channel.everywhere)
    call.state.publish("channel", channel.team, channel=channel.id)
    return {}


def to_public(call: Call) -> Answer:
    channel = changeable(call)
    if channel.groups:
        raise SlackRefusal("is_idp_managed")
    if channel.kind is Kind.PUBLIC:
        raise SlackRefusal("could_not_convert_channel")
    channel.kind = Kind.PUBLIC
    call.state.publish("channel", channel.team, channel=channel.id)
    return {}


def prefs(call: Call) -> Answer:
    return {"prefs": channel_of(call).prefs}


def _sorted(call: Call) -> list[Channel]:
    sort, direction = call.text("sort") or "member_count", call.text("sort_dir")
    if sort not in _SORTS:
        raise SlackRefusal("invalid_sort")
    if direction not in {"", "asc", "desc"}:
        raise SlackRefusal("invalid_sort_dir")
    ours = [one for one in call.state.channels.values() if _ours(call, one)]
    return sorted(ours, key=_SORTS[sort], reverse=direction != "asc")


def _ours(call: Call, channel: Channel) -> bool:
    people = channel.kind in {Kind.PUBLIC, Kind.PRIVATE}
    return people and channel.team in call.state.grid.teams


def _wanted(call: Call, channel: Channel, teams: list[str], kinds: list[str]) -> bool:
    connected = call.words("connected_team_ids")
    if connected and not set(connected) & set(channel.connected):
        return False
    return (
        bool(set(teams) & set(channel.internal))
        and call.text("query").lower() in channel.name
        and all(_KINDS[kind](channel) for kind in kinds)
    )


def _invited(call: Call, channel: Channel, user: str) -> str:
    """Let somebody in; returns why that cannot be, or an empty string."""
    known = call.state.users.get(user)
    if known is None or known.deleted:
        return "user_not_found"
    if not set(known.teams) & set(channel.everywhere):
        return "org_user_not_in_team"
    if channel.groups and not _in_groups(call, channel, user):
        return "user_is_restricted"
    conversations.enter(call.state, channel, user)
    return ""


def _in_groups(call: Call, channel: Channel, user: str) -> bool:
    return any(user in call.state.grid.group(one).users for one in channel.groups)


CALLS: Mapping[str, Serve] = {
    "admin.conversations.create": create,
    "admin.conversations.search": search,
    "admin.conversations.invite": invite,
    "admin.conversations.rename": rename,
    "admin.conversations.archive": archive,
    "admin.conversations.unarchive": unarchive,
    "admin.conversations.delete": delete,
    "admin.conversations.convertToPrivate": to_private,
    "admin.conversations.convertToPublic": to_public,
    "admin.conversations.getConversationPrefs": prefs,
}
