"""What an activity tells of channels, teams and installations that come and go."""

from collections.abc import Mapping
from typing import Any

from bots.teams.places import tenant_of
from bots.teams.wire import mapping, mappings, text_of
from bridge.lifecycle import DETAIL, EXTERNAL, Change

_EVENTS: Mapping[str, Change] = {
    "channelCreated": Change.CREATED,
    "channelDeleted": Change.DELETED,
    "channelRenamed": Change.RENAMED,
    "channelRestored": Change.RESTORED,
    "channelShared": Change.SHARED,
    "channelUnshared": Change.UNSHARED,
    "teamArchived": Change.TEAM_ARCHIVED,
    "teamDeleted": Change.TEAM_DELETED,
    "teamHardDeleted": Change.TEAM_DELETED,
    "teamRenamed": Change.RENAMED,
    "teamRestored": Change.TEAM_RESTORED,
    "teamUnarchived": Change.TEAM_UNARCHIVED,
}
# An upgrade removes the app and adds it again within a moment: nothing happened.
_INSTALLS: Mapping[str, Change] = {
    "add": Change.INSTALLED,
    "add-upgrade": Change.INSTALLED,
    "remove": Change.UNINSTALLED,
}
_OWN_LISTS = frozenset({"private", "shared"})


def lifecycle(activity: Mapping[str, Any], app_id: str) -> dict[str, str]:
    """Return the details that tell of a change, empty for most activities."""
    match text_of(activity.get("type")):
        case "installationUpdate":
            change = _INSTALLS.get(text_of(activity.get("action")))
            return {DETAIL: change} if change else {}
        case "conversationUpdate":
            return _conversation(activity, app_id)
        case _:
            return {}


def _conversation(activity: Mapping[str, Any], app_id: str) -> dict[str, str]:
    data = mapping(activity.get("channelData"))
    if _us(activity.get("membersAdded"), app_id):
        return {DETAIL: Change.JOINED if _closed(data) else Change.INSTALLED}
    if _us(activity.get("membersRemoved"), app_id):
        return {DETAIL: Change.LEFT if _closed(data) else Change.UNINSTALLED}
    change = _EVENTS.get(text_of(data.get("eventType")))
    if change is None:
        return {}
    if change is Change.SHARED:
        return {DETAIL: change, EXTERNAL: "" if _abroad(activity) else "no"}
    return {DETAIL: change}


def _closed(data: Mapping[str, Any]) -> bool:
    """Whether it is about a channel that has a list of members of its own."""
    return text_of(mapping(data.get("channel")).get("type")) in _OWN_LISTS


def _us(members: Any, app_id: str) -> bool:
    ours = app_id.lower()
    accounts = (text_of(member.get("id")) for member in mappings(members))
    return any(one.removeprefix("28:").lower() == ours for one in accounts if ours)


def _abroad(activity: Mapping[str, Any]) -> bool:
    """Whether a channel is shared with a team of another tenant, or of an unknown."""
    data = mapping(activity.get("channelData"))
    home = tenant_of(activity).lower()
    teams = mappings(data.get("sharedWithTeams"))
    tenants = {text_of(team.get("tenantId")).lower() for team in teams}
    return tenants != {home}
