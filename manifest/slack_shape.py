"""The form of a Slack app manifest, version 2, as far as ATOM may come to use it."""

from manifest.shape import Choice, Flag, Many, Number, Table, Text

_URL = Text(500, pattern=r"https?://.+")
_SCOPES = Many(Text(50), most=255)
_NAMES = frozenset({"name", "description", "type", "callback_id"})
_SHORTCUT = Table(
    {
        "name": Text(24),
        "type": Text(7, pattern="global|message"),
        "callback_id": Text(255),
        "description": Text(150),
    },
    _NAMES,
)
_COMMAND = Table(
    {
        "command": Text(32, least=2, pattern=r"/.+"),
        "url": _URL,
        "description": Text(2000),
        "usage_hint": Text(1000),
        "should_escape": Flag(),
    },
    frozenset({"command", "description"}),
)
_ENTITY_TYPE = Choice(
    frozenset(
        f"slack#/entities/{name}"
        for name in ("content_item", "file", "incident", "item", "task")
    )
)
_FEATURES = Table(
    {
        "app_home": Table(
            {
                "home_tab_enabled": Flag(),
                "messages_tab_enabled": Flag(),
                "messages_tab_read_only_enabled": Flag(),
            }
        ),
        "bot_user": Table(
            {"display_name": Text(80), "always_online": Flag()},
            frozenset({"display_name"}),
        ),
        "rich_previews": Table(
            {"is_active": Flag(), "entity_types": Many(_ENTITY_TYPE, most=5)}
        ),
        "shortcuts": Many(_SHORTCUT, most=10, least=1),
        "slash_commands": Many(_COMMAND, most=50, least=1),
        "unfurl_domains": Many(
            Text(255, pattern=r"[a-z0-9-]+(\.[a-z0-9-]+)+"), most=5, least=1
        ),
    }
)
_OAUTH = Table(
    {
        "redirect_urls": Many(_URL, most=1000),
        "scopes": Table(
            {
                "bot": _SCOPES,
                "user": _SCOPES,
                "bot_optional": _SCOPES,
                "user_optional": _SCOPES,
            }
        ),
        "pkce_enabled": Flag(),
    }
)
_SUBSCRIBED = Table(
    {"app_id": Text(50), "event_type": Text(255)}, frozenset({"app_id", "event_type"})
)
_SETTINGS = Table(
    {
        "allowed_ip_address_ranges": Many(Text(43), most=10),
        "event_subscriptions": Table(
            {
                "request_url": _URL,
                "bot_events": Many(Text(100), most=100),
                "user_events": Many(Text(100), most=100),
                "metadata_subscriptions": Many(_SUBSCRIBED, most=20),
            }
        ),
        "interactivity": Table(
            {
                "is_enabled": Flag(),
                "request_url": _URL,
                "message_menu_options_url": _URL,
            },
            frozenset({"is_enabled"}),
        ),
        "org_deploy_enabled": Flag(),
        "socket_mode_enabled": Flag(),
        "token_rotation_enabled": Flag(),
    }
)
SLACK = Table(
    {
        "_metadata": Table({"major_version": Number(), "minor_version": Number()}),
        "display_information": Table(
            {
                "name": Text(35),
                "description": Text(140),
                "long_description": Text(4000, least=175),
                "background_color": Text(7),
            },
            frozenset({"name"}),
        ),
        "features": _FEATURES,
        "oauth_config": _OAUTH,
        "settings": _SETTINGS,
    },
    frozenset({"display_information"}),
)
