"""The Slack half's settings: what tests shrink, and what nobody is sure of."""

from collections.abc import Mapping
from typing import Any

from bots.sandbox.slack.grid_seed import ADMIN_SCOPES, COMPLIANCE_SCOPES
from bots.sandbox.slack.seed import SCOPES

DEFAULTS: Mapping[str, Any] = {
    # Seconds by which Slack's clock is ahead: its ids, its times and its signatures.
    "slack.clock": 0.0,
    # Delivery: "http", "socket" or "auto" (a socket when one is connected).
    "slack.delivery": "auto",
    "slack.answer_timeout": 3.0,
    "slack.retry_delays": [0.0, 60.0, 300.0],
    # After those, if the app chose "delayed events": hourly, for a day, it is said.
    "slack.delayed_events": [],
    # Slack gives up on an answer, but its connection stays open this long.
    "slack.patience": 30.0,
    # One channel's events start in order, each after the first answer to the last
    # or after this many seconds; 0.0 sends all at once, as Slack may.
    "slack.order_wait": 1.0,
    # Which events, commands and scopes the app has declared; "*" is any.
    "slack.events": ["*"],
    "slack.commands": ["*"],
    "slack.scopes": list(SCOPES),
    # An organisation (Enterprise Grid): Acme is the first of its workspaces.
    "slack.grid": False,
    "slack.admin_scopes": list(ADMIN_SCOPES),
    "slack.compliance_scopes": list(COMPLIANCE_SCOPES),
    "slack.audit_per_minute": 50,
    "slack.token_rotation": False,
    "slack.token_seconds": 43_200.0,
    "slack.live_tokens": 2,
    # Where the facts leave room: how often a Slack Connect event is told to an app
    # that both companies installed ("once" or "each"); what a workspace's own token
    # hears from admin.*; whether an organisation's authorization names a workspace;
    # whether linking a group puts others out; who kicks where it is forbidden.
    "slack.connect_events": "once",
    "slack.off_org_error": "not_an_enterprise",
    "slack.deactivated_error": "account_inactive",
    "slack.org_authorization_has_team": True,
    "slack.group_link_removes": False,
    "slack.kick_restricted": False,
    "slack.idp_kicks_come_back": True,
    # Seconds until a bulk move or a deletion has happened.
    "slack.bulk_delay": 0.0,
    "slack.scim_filter": False,
    # The most that any list returns at once; 0 is as many as were asked for.
    "slack.longest_page": 0,
    # Rate limits: per minute by tier; a burst is that share of a minute at once.
    "slack.rate_limits": True,
    "slack.tiers": {"1": 1, "2": 20, "3": 50, "4": 100, "special": 600},
    "slack.tier_burst": 1.0,
    # Whose tier is another than the table says: its libraries and pages disagree.
    "slack.method_tiers": {},
    "slack.posts_per_second": 1.0,
    "slack.post_burst": 10,
    # Of a workspace's posts a burst is a whole minute's, unless it is said.
    "slack.workspace_posts_per_minute": 0,
    "slack.workspace_post_burst": 0,
    "slack.history_limited": False,
    # Texts.
    "slack.post_text_limit": 40_000,
    "slack.update_text_limit": 4_000,
    "slack.blocks_limit": 13_200,
    "slack.metadata_limit": 8_192,
    "slack.text_gets_blocks": True,
    "slack.rich_text_raw": True,
    "slack.click_texts_encoded": True,
    # Events whose shape or presence is uncertain.
    "slack.bot_message_has_app_id": True,
    "slack.bot_message_has_username": True,
    "slack.bot_update_marks_edited": True,
    "slack.edited_ts_whole_seconds": True,
    "slack.file_share_has_bot_id": True,
    "slack.file_share_has_username": True,
    "slack.event_files_have_urls": True,
    "slack.events_carry_metadata": False,
    "slack.metadata_events": False,
    "slack.message_replied_events": False,
    "slack.message_replied_has_subtype": True,
    "slack.reply_counter_changes": False,
    "slack.tombstone_vanishes": True,
    "slack.link_unfurls": False,
    "slack.link_domains": [],
    # {"name", "type": "message" or "global", "callback_id"} each.
    "slack.shortcuts": [],
    # Files: seconds until a share, and until the bytes, can be seen.
    "slack.file_share_delay": 0.0,
    "slack.file_ready_delay": 0.0,
    "slack.file_size_limit": 1_073_741_824,
    "slack.file_comments_take_markdown": False,
    # Interactivity.
    "slack.trigger_seconds": 3.0,
    # Work Objects: "taken", "refused" (a workspace without them) or "dropped" (taken
    # with a warning, and not kept); how long a pane's trigger lives, and how often.
    "slack.work_objects": "taken",
    "slack.entity_trigger_seconds": 3.0,
    "slack.entity_trigger_uses": 1,
    "slack.response_url_uses": 5,
    "slack.response_url_seconds": 1_800.0,
    # Reactions that do not exist here, and how many one person may leave.
    "slack.unknown_emoji": ["not_an_emoji"],
    "slack.reactions_per_user": 23,
    # Socket Mode.
    "slack.sockets": 10,
    "slack.socket_seconds": 3_600.0,
    "slack.socket_warning_seconds": 10.0,
    # Installing.
    "slack.code_seconds": 600.0,
    "slack.home_tab": True,
    # Whether people of another company can be looked up.
    "slack.strangers_are_visible": True,
    "slack.strict_json": False,
    "slack.edit_window_seconds": 0.0,
}
