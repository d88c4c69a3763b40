"""
Names that Slack knows: a bot's scopes, and the events with the scopes that give them.

An event without scopes comes to every app. Where several are named, any one will do.
"""

from collections.abc import Mapping

_CHANNELS = frozenset({"channels:read"})
_GROUPS = frozenset({"groups:read"})
_ANY_CHANNEL = _CHANNELS | _GROUPS

EVENTS: Mapping[str, frozenset[str]] = {
    "app_home_opened": frozenset(),
    "app_mention": frozenset({"app_mentions:read"}),
    "app_uninstalled": frozenset(),
    "channel_archive": _CHANNELS,
    "channel_created": _CHANNELS,
    "channel_deleted": _CHANNELS,
    "channel_id_changed": _CHANNELS,
    "channel_left": _CHANNELS,
    "channel_rename": _CHANNELS,
    "channel_shared": _ANY_CHANNEL,
    "channel_unarchive": _CHANNELS,
    "channel_unshared": _ANY_CHANNEL,
    "emoji_changed": frozenset({"emoji:read"}),
    "entity_details_requested": frozenset(),
    "file_deleted": frozenset({"files:read"}),
    "file_shared": frozenset({"files:read"}),
    "group_archive": _GROUPS,
    "group_deleted": _GROUPS,
    "group_left": _GROUPS,
    "group_rename": _GROUPS,
    "group_unarchive": _GROUPS,
    "link_shared": frozenset({"links:read"}),
    "member_joined_channel": _ANY_CHANNEL,
    "member_left_channel": _ANY_CHANNEL,
    "message.channels": frozenset({"channels:history"}),
    "message.groups": frozenset({"groups:history"}),
    "message.im": frozenset({"im:history"}),
    "message.mpim": frozenset({"mpim:history"}),
    "message_metadata_deleted": frozenset({"metadata.message:read"}),
    "message_metadata_posted": frozenset({"metadata.message:read"}),
    "message_metadata_updated": frozenset({"metadata.message:read"}),
    "pin_added": frozenset({"pins:read"}),
    "pin_removed": frozenset({"pins:read"}),
    "reaction_added": frozenset({"reactions:read"}),
    "reaction_removed": frozenset({"reactions:read"}),
    "subteam_created": frozenset({"usergroups:read"}),
    "subteam_members_changed": frozenset({"usergroups:read"}),
    "subteam_updated": frozenset({"usergroups:read"}),
    "team_join": frozenset({"users:read"}),
    "team_access_granted": frozenset(),
    "team_access_revoked": frozenset(),
    "tokens_revoked": frozenset(),
    "user_change": frozenset({"users:read"}),
}

BOT_SCOPES = frozenset(
    {
        "app_mentions:read",
        "bookmarks:read",
        "bookmarks:write",
        "channels:history",
        "channels:join",
        "channels:manage",
        "channels:read",
        "channels:write.invites",
        "channels:write.topic",
        "chat:write",
        "chat:write.customize",
        "chat:write.public",
        "commands",
        "conversations.connect:manage",
        "conversations.connect:read",
        "conversations.connect:write",
        "dnd:read",
        "emoji:read",
        "files:read",
        "files:write",
        "groups:history",
        "groups:read",
        "groups:write",
        "groups:write.invites",
        "groups:write.topic",
        "im:history",
        "im:read",
        "im:write",
        "links:read",
        "links:write",
        "metadata.message:read",
        "mpim:history",
        "mpim:read",
        "mpim:write",
        "pins:read",
        "pins:write",
        "reactions:read",
        "reactions:write",
        "team:read",
        "usergroups:read",
        "usergroups:write",
        "users.profile:read",
        "users:read",
        "users:read.email",
        "users:write",
    }
)

# What a person's token may do in an organisation; a bot's never may.
USER_SCOPES = frozenset(
    {
        "admin.conversations:read",
        "admin.conversations:write",
        "admin.teams:read",
        "admin.teams:write",
        "admin.usergroups:read",
        "admin.usergroups:write",
        "admin.users:read",
        "admin.users:write",
        "auditlogs:read",
        "search:read",
    }
)
