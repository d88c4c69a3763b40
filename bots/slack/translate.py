"""
Say in the bridge's words what Slack's Events API reports. Nothing here waits.

After this module nobody knows Slack. What is not understood is still an event, of
kind OTHER: it is captured, and goes no further.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from bots.slack.chat import is_known, mention, message
from bots.slack.emoji_reactions import emoji_of
from bots.slack.envelope import Envelope, Ignored, actor, envelope, other, pairs
from bots.slack.interactions import ASKED, is_interaction
from bots.slack.payload import mapping, number, string, strings
from bridge.lifecycle import DETAIL, EXTERNAL, NEW_ID, TEAMS, Change
from bridge.messages import Event, EventKind, Person, Platform

SHARED = "link_shared"
OPENED = "entity_details_requested"
_DROPPED = "app_rate_limited"

# The events that the Slack app subscribes to, by their names in the manifest.
EVENTS = frozenset(
    {
        "app_mention",
        "app_uninstalled",
        "channel_archive",
        "channel_created",
        "channel_deleted",
        "channel_id_changed",
        "channel_left",
        "channel_rename",
        "channel_shared",
        "channel_unarchive",
        "channel_unshared",
        OPENED,
        "group_archive",
        "group_deleted",
        "group_left",
        "group_rename",
        "group_unarchive",
        "link_shared",
        "member_joined_channel",
        "member_left_channel",
        "message.channels",
        "message.groups",
        "pin_added",
        "pin_removed",
        "reaction_added",
        "reaction_removed",
        "team_access_granted",
        "team_access_revoked",
        "tokens_revoked",
        "user_change",
    }
)


def translate(body: Mapping[str, Any], raw: bytes, bot: str = "") -> Event | Ignored:
    """
    Translate the body of an Events API request; `raw` is the same, byte for byte.

    `bot` is our bot id in the workspace. Without it, what carries a bot id must not
    be translated: see `bots.slack.echo.by_a_bot`.
    """
    opened = envelope(body, raw, bot)
    kind = string(body, "type")
    if kind != "event_callback":
        return _notice(opened, body, kind)
    name = string(opened.event, "type")
    return _BY_TYPE.get(name, other)(opened)


def unknown_in(body: Mapping[str, Any]) -> str:
    """Name what a body reports if ATOM has no word for it, else return nothing."""
    kind = string(body, "type")
    if is_interaction(body):
        return "" if kind in ASKED else f"interaction.{kind}"
    if kind != "event_callback":
        return "" if kind == _DROPPED else kind
    event = mapping(body, "event")
    name, subtype = string(event, "type"), string(event, "subtype")
    if name == "message":
        return "" if is_known(subtype) else f"{name}.{subtype}"
    return "" if name in _BY_TYPE else name


def _notice(opened: Envelope, body: Mapping[str, Any], kind: str) -> Event:
    """Slack speaks for itself: that it has dropped events, for one."""
    event = replace(other(opened), detail=pairs(type=kind))
    if kind != _DROPPED:
        return event
    minute = number(body, "minute_rate_limited")
    return replace(event, event_id=f"{kind}:{minute}", sent_us=minute * 1_000_000)


def _reaction(envelope: Envelope) -> Event | Ignored:
    event = envelope.event
    if envelope.own.wrote(event):
        return Ignored("echo")
    added = string(event, "type") == "reaction_added"
    item = mapping(event, "item")
    emoji = emoji_of(string(event, "reaction"))
    return replace(
        envelope.stated(
            EventKind.REACTION_ADD if added else EventKind.REACTION_REMOVE,
            actor(event),
            string(item, "channel"),
        ),
        message=string(item, "ts"),
        detail=pairs(**{"added" if added else "removed": emoji}),
    )


def _pin(envelope: Envelope) -> Event:
    event = envelope.event
    added = string(event, "type") == "pin_added"
    item = mapping(event, "item")
    return replace(
        envelope.stated(
            EventKind.PIN_ADD if added else EventKind.PIN_REMOVE,
            actor(event),
            string(event, "channel_id") or string(item, "channel"),
        ),
        message=string(mapping(item, "message"), "ts"),  # a file has none
    )


def _membership(envelope: Envelope) -> Event:
    event = envelope.event
    joined = string(event, "type") == "member_joined_channel"
    kind = EventKind.MEMBER_JOIN if joined else EventKind.MEMBER_LEAVE
    who, change = actor(event), ""
    if who.id and who.id == envelope.own.user:
        change = Change.JOINED if joined else Change.LEFT
    return replace(
        envelope.stated(kind, who, string(event, "channel")),
        detail=pairs(inviter=string(event, "inviter"), **{DETAIL: change}),
    )


def _channel_change(envelope: Envelope) -> Event:
    event = envelope.event
    described = mapping(event, "channel")
    place = (
        string(event, "channel")
        or string(described, "id")
        or string(event, "old_channel_id")
    )
    creator = string(described, "creator")
    who = Person(Platform.SLACK, creator) if creator else actor(event)
    return replace(
        envelope.stated(EventKind.CHANNEL_CHANGE, who, place),
        detail=pairs(
            change=string(event, "type"),
            name=string(described, "name"),
            **{
                DETAIL: _CHANGES.get(string(event, "type"), ""),
                NEW_ID: string(event, "new_channel_id"),
                EXTERNAL: "no" if event.get("is_ext_shared") is False else "",
            },
        ),
    )


def _uninstalled(envelope: Envelope) -> Event:
    return replace(
        envelope.stated(EventKind.APP_UNINSTALL, actor(envelope.event)),
        detail=pairs(**{DETAIL: Change.UNINSTALLED}),
    )


def _access(envelope: Envelope) -> Event:
    """The organisation lets its app into workspaces, or takes it out."""
    event = envelope.event
    granted = string(event, "type") == "team_access_granted"
    teams = strings(event, "team_ids")
    change = Change.GRANTED if granted else Change.WITHDRAWN
    kind = EventKind.APP_INSTALL if granted else EventKind.APP_UNINSTALL
    return replace(
        envelope.stated(kind, actor(event)),
        detail=pairs(**{DETAIL: change if teams else "", TEAMS: " ".join(teams)}),
    )


def _shared(envelope: Envelope) -> Event:
    """Links to domains of ours: while they are written they are in no channel yet."""
    event = envelope.event
    place, message = string(event, "channel"), string(event, "message_ts")
    if string(event, "source") == "composer":
        place = message = ""
    return replace(
        envelope.stated(EventKind.OTHER, actor(event), place),
        message=message,
        detail=pairs(type=SHARED),
    )


def _opened(envelope: Envelope) -> Event:
    """Somebody opened a record at the side; found by a search, it is in no channel."""
    event = envelope.event
    return replace(
        envelope.stated(EventKind.OTHER, actor(event), string(event, "channel")),
        message=string(event, "message_ts"),
        detail=pairs(type=OPENED),
    )


def _revoked(envelope: Envelope) -> Event:
    tokens = mapping(envelope.event, "tokens")
    return _uninstalled(envelope) if tokens.get("bot") else other(envelope)


def _profile(envelope: Envelope) -> Event:
    """Somebody's profile changed; a closed account is told in the same words."""
    closed = mapping(envelope.event, "user").get("deleted") is True
    kind = EventKind.USER_DEACTIVATE if closed else EventKind.USER_PROFILE
    return replace(other(envelope), kind=kind)


_CHANGES: Mapping[str, Change] = {
    "channel_archive": Change.ARCHIVED,
    "channel_created": Change.CREATED,
    "channel_deleted": Change.DELETED,
    "channel_id_changed": Change.MOVED,
    "channel_left": Change.LEFT,
    "channel_rename": Change.RENAMED,
    "channel_shared": Change.SHARED,
    "channel_unarchive": Change.UNARCHIVED,
    "channel_unshared": Change.UNSHARED,
    "group_archive": Change.ARCHIVED,
    "group_deleted": Change.DELETED,
    "group_left": Change.LEFT,
    "group_rename": Change.RENAMED,
    "group_unarchive": Change.UNARCHIVED,
}

_BY_TYPE: Mapping[str, Callable[[Envelope], Event | Ignored]] = {
    "app_mention": mention,
    "app_uninstalled": _uninstalled,
    OPENED: _opened,
    SHARED: _shared,
    "member_joined_channel": _membership,
    "member_left_channel": _membership,
    "message": message,
    "pin_added": _pin,
    "pin_removed": _pin,
    "reaction_added": _reaction,
    "reaction_removed": _reaction,
    "team_access_granted": _access,
    "team_access_revoked": _access,
    "tokens_revoked": _revoked,
    "user_change": _profile,
} | dict.fromkeys(
    {name for name in EVENTS if name.startswith(("channel_", "group_"))},
    _channel_change,
)
