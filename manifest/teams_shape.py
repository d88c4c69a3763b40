"""The form of a Teams app manifest, version 1.25, as far as ATOM may come to use it."""

from typing import Any

from manifest.shape import Choice, Flag, Many, Table, Text

_UUID = Text(36, pattern=r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_URL = Text(2048, pattern=r"https?://.+")
_COLOUR = Text(7, pattern=r"#[0-9a-fA-F]{6}")
_SCOPE = Choice(frozenset({"team", "personal", "groupChat", "copilot"}))
_CAPABILITY = Choice(frozenset({"bot", "tab", "connector"}))


def _all(**keys: Any) -> Table:
    return Table(keys, frozenset(keys))


_COMMAND = _all(title=Text(32), description=Text(128))
_BOT = Table(
    {
        "botId": _UUID,
        "scopes": Many(_SCOPE, most=4, least=1),
        "needsChannelSelector": Flag(),
        "isNotificationOnly": Flag(),
        "supportsFiles": Flag(),
        "supportsCalling": Flag(),
        "supportsVideo": Flag(),
        "commandLists": Many(
            _all(
                scopes=Many(_SCOPE, most=4, least=1),
                commands=Many(_COMMAND, most=12, least=1),
            ),
            most=3,
        ),
    },
    frozenset({"botId", "scopes"}),
)
_PARAMETER = Table(
    {
        "name": Text(64),
        "title": Text(32),
        "description": Text(128),
        "inputType": Choice(frozenset({"text", "textarea", "number", "date", "time"})),
    },
    frozenset({"name", "title"}),
)
_EXTENSION_COMMAND = Table(
    {
        "id": Text(64),
        "type": Choice(frozenset({"query", "action"})),
        "title": Text(32),
        "description": Text(128),
        "context": Many(Choice(frozenset({"compose", "commandBox", "message"})), 3),
        "initialRun": Flag(),
        "fetchTask": Flag(),
        "parameters": Many(_PARAMETER, most=5, least=1),
    },
    frozenset({"id", "title"}),
)
_HANDLER = _all(
    type=Choice(frozenset({"link"})),
    value=Table(
        {
            "domains": Many(Text(2048), most=2048),
            "supportsAnonymizedPayloads": Flag(),
        }
    ),
)
_EXTENSION = Table(
    {
        "botId": _UUID,
        "canUpdateConfiguration": Flag(),
        "commands": Many(_EXTENSION_COMMAND, most=10),
        "messageHandlers": Many(_HANDLER, most=5),
    }
)
_STATIC_TAB = Table(
    {
        "entityId": Text(64),
        "name": Text(128),
        "contentUrl": _URL,
        "websiteUrl": _URL,
        "scopes": Many(_SCOPE, most=3, least=1),
        "context": Many(Text(64), most=8),
    },
    frozenset({"entityId", "scopes"}),
)
_TAB = Table(
    {
        "configurationUrl": _URL,
        "canUpdateConfiguration": Flag(),
        "scopes": Many(_SCOPE, most=2, least=1),
        "context": Many(Text(64), most=8),
    },
    frozenset({"configurationUrl", "scopes"}),
)
_ACTIVITY = _all(type=Text(32), description=Text(128), templateText=Text(128))
_PERMISSION = _all(name=Text(128), type=Choice(frozenset({"Application", "Delegated"})))
TEAMS = Table(
    {
        "$schema": _URL,
        "manifestVersion": Text(8, pattern=r"1\.\d+"),
        "version": Text(256),
        "id": _UUID,
        "developer": Table(
            {
                "name": Text(32),
                "websiteUrl": _URL,
                "privacyUrl": _URL,
                "termsOfUseUrl": _URL,
                "mpnId": Text(10),
            },
            frozenset({"name", "websiteUrl", "privacyUrl", "termsOfUseUrl"}),
        ),
        "name": Table({"short": Text(30), "full": Text(100)}, frozenset({"short"})),
        "description": _all(short=Text(80), full=Text(4000)),
        "icons": _all(color=Text(2048), outline=Text(2048)),
        "accentColor": _COLOUR,
        "localizationInfo": _all(defaultLanguageTag=Text(32)),
        "defaultInstallScope": Choice(
            frozenset({"personal", "team", "groupChat", "meetings", "copilot"})
        ),
        "defaultGroupCapability": Table(
            {"team": _CAPABILITY, "groupchat": _CAPABILITY, "meetings": _CAPABILITY}
        ),
        "supportsChannelFeatures": Choice(frozenset({"tier1"})),
        "bots": Many(_BOT, most=1),
        "composeExtensions": Many(_EXTENSION, most=1),
        "staticTabs": Many(_STATIC_TAB, most=16),
        "configurableTabs": Many(_TAB, most=1),
        "activities": Table({"activityTypes": Many(_ACTIVITY, most=128)}),
        "permissions": Many(Choice(frozenset({"identity", "messageTeamMembers"})), 2),
        "validDomains": Many(Text(2048), most=16),
        "webApplicationInfo": Table(
            {"id": _UUID, "resource": Text(2048)}, frozenset({"id"})
        ),
        "authorization": _all(
            permissions=_all(resourceSpecific=Many(_PERMISSION, most=16))
        ),
    },
    frozenset(
        {
            "manifestVersion",
            "version",
            "id",
            "developer",
            "name",
            "description",
            "icons",
            "accentColor",
        }
    ),
)
