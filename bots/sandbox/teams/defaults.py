"""The Teams half's settings: what tests shrink, and what nobody is sure of."""

from collections.abc import Mapping
from typing import Any

DEFAULTS: Mapping[str, Any] = {
    # Seconds by which Microsoft's clock is ahead: its ids, its times and its tokens.
    "teams.clock": 0.0,
    # Delivery. An activity without an answer is sent again, the same, when
    # `answer_timeout` is over; then once more with a new id (the second layer).
    "teams.answer_timeout": 15.0,
    "teams.resends": 1,
    "teams.resend_pause": 0.0,  # seconds; 0.0 is until the timeout is over
    "teams.resend_statuses": [],
    "teams.second_layer": ["invoke"],
    "teams.second_layer_delay": 30.0,
    # One channel's activities start in order, each after the first answer to the
    # last or after this many seconds; 0.0 sends all at once, as Teams may.
    "teams.order_wait": 1.0,
    # Which activities reach the bot. Without `rsc` only those that mention it.
    "teams.rsc": True,
    "teams.edit_events": "all",  # or "mentioned", "none"
    "teams.reactions_on_user_messages": False,
    "teams.private_channel_messages": False,
    # How activities look.
    "teams.reply_to_id": True,
    "teams.text_escaped": False,
    "teams.issuer": "https://api.botframework.com",
    "teams.endorsements": ["msteams"],
    # Connector: what is refused, and with what success is answered.
    "teams.private_channel_posts": False,
    "teams.bot_disabled": False,
    "teams.bot_reactions": True,
    "teams.on_behalf_of": False,
    "teams.targeted_messages": True,  # a preview: tenants may lack it
    "teams.unknown_root": "refuse",  # or "new_root"
    "teams.update_needs_thread": False,
    "teams.delete_twice": "refuse",  # or "accept"
    "teams.update_status": 200,
    "teams.reaction_status": 200,
    "teams.size_limit": 102_400,  # bytes of UTF-16
    "teams.split_text_and_card": True,
    # Throttles: [calls, seconds] each, all of them hold at once.
    "teams.throttles": True,
    "teams.retry_after": True,
    "teams.send_windows": [[7, 1], [8, 2], [60, 30], [1800, 3600]],
    "teams.read_windows": [[14, 1], [16, 2], [120, 30], [3600, 3600]],
    "teams.all_bots_windows": [[14, 1], [16, 2]],
    "teams.tenant_windows": [[30, 1]],
    "teams.old_members_windows": [[5, 60]],
    "teams.reaction_windows": [[2, 1]],
    "teams.updates_count_as_sends": True,
    # Clients: whether they draw cards anew for whom these name, how long they wait for
    # an extension and a dialog, and how often an extension is asked again.
    "teams.auto_refresh": True,
    "teams.extension_timeout": 5.0,
    "teams.extension_retries": 2,
    "teams.dialog_timeout": 5.0,
    # What the app declares: {"id", "type": "query" or "action", "title"} each, and the
    # domains whose links it previews.
    "teams.extension_commands": [],
    "teams.link_domains": [],
    # Login. Its metadata names https addresses, as msal insists: a client that is
    # sent here must send those here as well.
    "teams.login_url": "https://login.microsoftonline.com",
    "teams.app_certificate": "",  # as PEM: whoever holds its key is an app, too
    "teams.token_seconds": 3_599,
    "teams.bot_tenancy": "any",  # or "single", "multi"
    "teams.bad_scope_error": "AADSTS1002012",
    "teams.graph_roles": ["Group.Selected"],
    # What the admin app was granted, tenant by tenant.
    "teams.graph_admin_roles": [
        "Channel.Create",
        "Channel.Delete.All",
        "ChannelMember.ReadWrite.All",
        "ChannelSettings.ReadWrite.All",
        "RoleManagement.Read.Directory",
        "Team.Create",
        "TeamMember.ReadWrite.All",
        "TeamSettings.ReadWrite.All",
        "User.Read.All",
        "User.RevokeSessions.All",
    ],
    # Graph. The grants are what a team consents to when the app is installed.
    "teams.graph_grants": [
        "ChannelMessage.Read.Group",
        "File.Read.Group",
        "TeamMember.Read.Group",
    ],
    "teams.graph_delay": 0.0,  # seconds until a new message can be read
    "teams.graph_order": "created",  # or "modified"
    "teams.graph_keeps_deleted_text": True,
    # To apps delta was refused for years; a reply may show in its root, or not.
    "teams.graph_delta_refused": False,
    "teams.graph_delta_days": 243,
    "teams.graph_replies_touch_root": False,
    "teams.graph_expanded_replies": 1_000,
    "teams.graph_hosted_contents": True,
    # Teams and channels: seconds until they can be seen, and until a wish is done.
    "teams.graph_visible_after": 0.0,
    "teams.graph_operation_seconds": 0.0,
    "teams.graph_name_taken_status": 400,
    "teams.graph_private_channels": 30,
    "teams.graph_rsc_member_writes": False,
    "teams.graph_rsc_member_reads": True,
    "teams.graph_rsc_in_private_channels": False,
    # The directory's delta: objects a page, members an object, how long a link is
    # good for and how it is refused then; the first is told twice; parts alone.
    "teams.graph_directory_page": 100,
    "teams.graph_directory_members": 20,
    "teams.graph_directory_token_seconds": 604_800.0,
    "teams.graph_directory_lost_status": 410,
    "teams.graph_directory_replays": False,
    "teams.graph_directory_partial": False,
    "teams.graph_directory_subscription_minutes": 41_760,
    # Subscriptions. Minutes, seconds; the share of its life after which one is told
    # to renew; the pauses between attempts to deliver a notice.
    "teams.graph_subscription_minutes": 4_320,
    "teams.graph_quiet_minutes": 60,
    "teams.graph_client_state": 128,
    "teams.graph_validation_seconds": 10.0,
    "teams.graph_twins": "conflict",  # or "accept"
    "teams.graph_reauthorize_at": 0.5,
    "teams.graph_notice_retries": [1.0, 5.0, 30.0],
    "teams.graph_notice_seconds": 3.0,
    # What a sealed notice is begun with: "key", its first half, or "data", in front.
    "teams.graph_notice_iv": "key",
    # Files.
    "teams.graph_small_upload": 4_194_304,
    "teams.graph_upload_seconds": 900.0,
    # Throttles, per app and tenant, and per app and channel.
    "teams.graph_windows": [[30, 1]],
    "teams.graph_messages_windows": [[20, 1]],
    "teams.graph_delta_windows": [[60, 60]],
    "teams.graph_channel_windows": [[4, 1]],
    "teams.graph_directory_windows": [[100, 1]],
}
