"""Slack's refusals of what admins want, as sentences that say what to do."""

from collections.abc import Awaitable, Mapping
from typing import Any

from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bots.slack.clients import SlackRefused, done
from bridge.errors import Refused

_TOKEN = "make a new one with the admin app and set ATOM_SLACK_ADMIN_TOKEN to it."  # noqa: S105 - a sentence
_SENTENCES: Mapping[str, str] = {
    "account_inactive": f"The admin token's owner was deactivated: {_TOKEN}",
    "action_already_in_progress": "Slack is moving that channel already: wait for it.",
    "already_archived": "That channel is archived already.",
    "cannot_move_local_channel": (
        "Slack does not let a channel leave its only workspace this way: use move."
    ),
    "cannot_reset_bot": "Bots are not signed in: name a person.",
    "cannot_reset_primary_owner": (
        "Only the organisation's primary owner ends their own sessions."
    ),
    "cant_archive_general": "A workspace's general channel cannot be archived.",
    "cant_kick_from_general": "Nobody can be removed from a general channel.",
    "cant_kick_self": "ATOM cannot remove itself: do that in Slack.",
    "channel_is_not_private": "Only private channels can follow a group.",
    "channel_is_shared": "That channel is shared: only local ones can be moved.",
    "channel_not_archived": "That channel is not archived.",
    "channel_not_found": (
        "Slack knows no such channel, or ATOM is not in it: invite ATOM's bot there."
    ),
    "default_channel": "A workspace's general channel cannot be moved.",
    "default_org_wide_channel": (
        "That channel belongs to the whole organisation and cannot be changed here."
    ),
    "external_limited_restriction": "Disconnect the other company first.",
    "externally_shared_or_disconnected_channel": (
        "That channel is shared with another company: disconnect it first."
    ),
    "feature_not_enabled": (
        "Slack has this for Enterprise organisations only: install the admin app on "
        "the organisation, not on a workspace."
    ),
    "group_already_linked_to_channel": "That channel follows this group already.",
    "group_must_not_be_empty": "Nobody is in that group: put people into it first.",
    "group_not_found": "There is no such group: give an IDP group's id.",
    "invalid_auth": f"Slack does not accept the admin token: {_TOKEN}",
    "invalid_name": "A channel's name takes a-z, 0-9, hyphens and underscores.",
    "invalid_name_maxlength": "A channel's name has at most 80 characters.",
    "invalid_target_team": "That workspace is not one of this organisation.",
    "link_not_found": "That channel does not follow this group.",
    "name_taken": "There is a channel of that name already: choose another.",
    "no_local_user_on_team": "The admin token's owner must join that workspace first.",
    "no_valid_channels": (
        "Slack cannot move that channel: it is a general one, it is shared, or its "
        "name is taken in that workspace."
    ),
    "not_an_admin": (
        "The admin token's owner is no admin of the organisation any more: "
        "make them one, or use another's token."
    ),
    "not_an_enterprise": (
        "The admin token is a workspace's: install the admin app on the organisation."
    ),
    "not_allowed_token_type": (
        "ATOM_SLACK_ADMIN_TOKEN must be the admin app's user token: xoxp-…"
    ),
    "not_supported": "Guests and people of other companies are removed in Slack only.",
    "restricted_action": (
        "A setting of Slack's forbids it: let an owner allow it under channel "
        "management, or do it through an IDP group."
    ),
    "team_not_found": "There is no such workspace in this organisation.",
    "token_revoked": f"The admin token was revoked: {_TOKEN}",
    "too_many_target_teams": "Slack shares a channel with no more workspaces.",
    "user_not_found": "Slack knows no such person.",
}


def sentence(code: str) -> str:
    """Return what a refusal means, and what to do about it."""
    return _SENTENCES.get(code, f"Slack says: {code}")


async def ordered(call: Awaitable[AsyncSlackResponse]) -> Mapping[str, Any]:
    """
    Return Slack's answer to an admin's order, or raise how it failed.

    Its refusals become sentences; see `done` for the rest.
    """
    try:
        return await done(call)
    except SlackRefused as refused:
        if refused.code == "missing_scope":
            raise Refused(
                "The Slack app lacks a permission: install it again with this "
                "version's manifest."
            ) from refused
        raise Refused(sentence(refused.code)) from refused
