"""Translate slash commands and clicks. Slack sends them apart from its events."""

import html
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bots.slack.envelope import digest, pairs
from bots.slack.payload import mapping, mappings, string
from bots.slack.record_asked import asked_in
from bridge.document import Document
from bridge.messages import Channel, Event, EventKind, Person, Platform

# Our buttons' ids begin with this; the button's value is the command.
ACTION_PREFIX = "atom:"

REACTIONS = "atom_who_reacted"  # the shortcut's callback_id

RECORD = "record"  # the detail that says what is asked of a record, and how

# What people do with what apps show. A slash command has no type.
ASKED = frozenset(
    {
        "",
        "block_actions",
        "message_action",
        "shortcut",
        "view_closed",
        "view_submission",
    }
)

_ACT = 80


def is_interaction(body: Mapping[str, Any]) -> bool:
    """Say whether a body is a slash command, a click, a form, or a shortcut."""
    if string(body, "type") == "view_closed":
        return True
    return bool(string(body, "command")) or "trigger_id" in body or "actions" in body


def is_whole(body: Mapping[str, Any]) -> bool:
    """
    Say whether Bolt can read a body without failing.

    It takes for granted what Slack's documentation shows: that an event is an object,
    that a form's view has a type, and that there is an action where there are actions.
    """
    if not isinstance(body.get("callback_id", ""), str):
        return False
    match string(body, "type"):
        case "event_callback":
            return isinstance(body.get("event"), dict)
        case "view_submission" | "view_closed":
            return bool(string(mapping(body, "view"), "type"))
        case "block_actions" | "interactive_message":
            given = body.get("actions")
            listed = given if isinstance(given, list) else []
            return bool(listed) and all(isinstance(one, dict) for one in listed)
        case "workflow_step_edit":
            return False  # retired by Slack, and never ours
        case _:
            return True


def interaction(body: Mapping[str, Any], raw: bytes, now_us: int) -> Event:
    """
    Translate a slash command or a click; anything else is kept as OTHER.

    Slack does not say when it happened: it is dated with its arrival.
    """
    if string(body, "command"):
        return _command(body, raw, now_us)
    event = _clicked(body, raw, now_us)
    if asked := asked_in(body):
        # Whatever it is about stays in the raw body: tokens are nobody's to read.
        told = pairs(**{RECORD: asked.kind, "act": asked.act[:_ACT]})
        return replace(event, kind=EventKind.ACTION, detail=told)
    if string(body, "callback_id") == REACTIONS:
        return _who_reacted(body, event)
    pressed = next(iter(mappings(body, "actions")), {})
    identifier, command = string(pressed, "action_id"), string(pressed, "value")
    if string(body, "type") != "block_actions" or not identifier.startswith(
        ACTION_PREFIX
    ):
        return replace(event, detail=pairs(type=string(body, "type")))
    return replace(event, kind=EventKind.ACTION, detail=pairs(command=command))


def _who_reacted(body: Mapping[str, Any], event: Event) -> Event:
    """Read a message's menu like the command that names the message."""
    message = string(mapping(body, "message"), "ts")
    if string(body, "type") != "message_action" or not message:
        return replace(event, detail=pairs(type=string(body, "type")))
    line = f"reactions {message}"
    return replace(event, kind=EventKind.ACTION, detail=pairs(command=line))


def _command(body: Mapping[str, Any], raw: bytes, now_us: int) -> Event:
    team = string(body, "team_id")
    words = html.unescape(string(body, "text")).strip()
    return Event(
        platform=Platform.SLACK,
        account=team,
        event_id=f"command:{string(body, 'trigger_id') or digest(raw)}",
        kind=EventKind.COMMAND,
        channel=_channel(team, string(body, "channel_id")),
        author=Person(
            Platform.SLACK, string(body, "user_id"), string(body, "user_name")
        ),
        sent_us=now_us,
        raw=raw,
        detail=pairs(command=words or "help"),
    )


def _clicked(body: Mapping[str, Any], raw: bytes, now_us: int) -> Event:
    user = mapping(body, "user")
    team = string(mapping(body, "team"), "id") or string(user, "team_id")
    container = mapping(body, "container")
    place = string(mapping(body, "channel"), "id") or string(container, "channel_id")
    return Event(
        platform=Platform.SLACK,
        account=team,
        event_id=f"click:{string(body, 'trigger_id') or digest(raw)}",
        kind=EventKind.OTHER,
        channel=_channel(team, place),
        author=Person(
            Platform.SLACK,
            string(user, "id"),
            string(user, "username") or string(user, "name"),
        ),
        sent_us=now_us,
        raw=raw,
        message=string(container, "message_ts"),
        document=Document(),
    )


def _channel(team: str, channel: str) -> Channel | None:
    return Channel(Platform.SLACK, team, channel) if team and channel else None
