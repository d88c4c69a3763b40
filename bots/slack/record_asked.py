"""Read what people ask of records in Slack: buttons, modals, shortcuts."""

import html
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from bots.slack.payload import mapping, mappings, string
from bots.slack.record_cards import ACTION_PREFIX, CARD_VIEW
from bots.slack.record_entries import ENTRY_PREFIX
from bots.slack.record_forms import FORM_VIEW
from bridge.messages import Channel, Platform

AGAIN = f"{ACTION_PREFIX}again"  # opens again what came too late for its trigger
FROM_MESSAGE = "atom_record_from_message"
NEW = "atom_record_new"

_PANE = "entity_detail"
_TOKEN = 2_000
_ID = 255
_CALLBACKS = {FORM_VIEW, CARD_VIEW}


class Kind(StrEnum):
    """What was asked. The values are kept in the log."""

    CLICK = "click"
    CHOICE = "choice"
    SUBMIT = "submit"
    CLOSED = "closed"
    FROM_MESSAGE = "from_message"
    NEW = "new"


@dataclass(frozen=True, slots=True)
class OpenView:
    """
    A modal as Slack says that it stands; `state` holds what is entered.

    ATOM keeps two things in it: the channel that it was opened from, and the token of
    its form.
    """

    id: str
    hash: str
    raw: Mapping[str, Any]
    channel: Channel | None = None
    token: str = ""

    @property
    def state(self) -> Mapping[str, Any]:
        return mapping(self.raw, "state")


@dataclass(frozen=True, slots=True)
class Asked:
    """One wish. `trigger` opens a modal for three seconds, once."""

    kind: Kind
    act: str = ""
    token: str = ""
    trigger: str = ""
    channel: Channel | None = None
    thread: str = ""
    view: OpenView | None = None
    message: Mapping[str, Any] = field(default_factory=dict)


def asked_in(body: Mapping[str, Any]) -> Asked | None:
    """Return what an interaction asks of records, None if it is about something else."""
    match string(body, "type"):
        case "block_actions":
            return _pressed(body)
        case "view_submission":
            return _of_view(body, Kind.SUBMIT)
        case "view_closed":
            return _of_view(body, Kind.CLOSED)
        case "message_action":
            return _shortcut(body, FROM_MESSAGE, Kind.FROM_MESSAGE)
        case "shortcut":
            return _shortcut(body, NEW, Kind.NEW)
        case _:
            return None


def _pressed(body: Mapping[str, Any]) -> Asked | None:
    pressed = next(iter(mappings(body, "actions")), {})
    action = string(pressed, "action_id")[:_ID]
    view = _view(body)
    if action.startswith(ENTRY_PREFIX) and view:
        return Asked(Kind.CHOICE, token=view.token, view=view)
    if not action.startswith(ACTION_PREFIX):
        return None
    return Asked(
        Kind.CLICK,
        action.removeprefix(ACTION_PREFIX).partition(".")[0],
        string(pressed, "value")[:_TOKEN],
        string(body, "trigger_id"),
        channel_of(body) or (view.channel if view else None),
        string(mapping(body, "message"), "thread_ts")
        or string(mapping(body, "container"), "thread_ts"),
        view,
    )


def _of_view(body: Mapping[str, Any], kind: Kind) -> Asked | None:
    view = _view(body)
    if view is None or string(view.raw, "callback_id") not in _CALLBACKS:
        return None
    trigger = string(body, "trigger_id")
    return Asked(kind, "", view.token, trigger, view.channel, view=view)


def _shortcut(body: Mapping[str, Any], callback: str, kind: Kind) -> Asked | None:
    if string(body, "callback_id") != callback:
        return None
    return Asked(
        kind,
        trigger=string(body, "trigger_id"),
        channel=channel_of(body),
        thread=string(mapping(body, "message"), "thread_ts"),
        message=mapping(body, "message"),
    )


def team_of(body: Mapping[str, Any]) -> str:
    user = mapping(body, "user")
    return string(mapping(body, "team"), "id") or string(user, "team_id")


def channel_of(body: Mapping[str, Any]) -> Channel | None:
    """Return where it was asked; a modal is in no channel."""
    team = team_of(body)
    place = string(mapping(body, "channel"), "id") or string(
        mapping(body, "container"), "channel_id"
    )
    return Channel(Platform.SLACK, team, place) if team and place else None


def _view(body: Mapping[str, Any]) -> OpenView | None:
    raw = mapping(body, "view")
    if not string(raw, "id") or string(raw, "type") == _PANE:
        return None  # a pane at the side is no modal that could be changed
    kept = _kept(string(raw, "private_metadata"))
    team, _, place = string(kept, "channel").partition("/")
    channel = Channel(Platform.SLACK, team, place) if team and place else None
    return OpenView(
        string(raw, "id"),
        string(raw, "hash"),
        raw,
        channel,
        string(kept, "token"),
    )


def _kept(text: str) -> Mapping[str, Any]:
    try:
        kept = json.loads(text) if text else {}
    except (ValueError, RecursionError):
        return {}
    return kept if isinstance(kept, dict) else {}


def kept_in_view(channel: Channel | None, token: str) -> str:
    """Return what a modal keeps for us, which comes back with all that happens in it."""
    where = f"{channel.team}/{channel.id}" if channel else ""
    return json.dumps({"channel": where, "token": token})


def text_in(message: Mapping[str, Any]) -> str:
    """Return what a message says, as a person would copy it."""
    return html.unescape(string(message, "text"))
