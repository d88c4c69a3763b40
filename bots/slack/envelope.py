"""What surrounds an event from Slack, and who stands behind it."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from bots.slack.echo import Identity
from bots.slack.payload import mapping, mappings, microseconds, number, string
from bridge.messages import Channel, Event, EventKind, Person, PersonKind, Platform

_SLACKBOT = "USLACKBOT"


@dataclass(frozen=True, slots=True)
class Ignored:
    """An event that states nothing new. `reason` is a constant, fit for a counter."""

    reason: str


@dataclass(frozen=True, slots=True)
class Envelope:
    """What surrounds an event, and what all events are translated with."""

    raw: bytes
    account: str
    event_id: str
    sent_us: int
    event: Mapping[str, Any]
    own: Identity
    foreign: bool
    organisation: str

    def channel(self, channel_id: str) -> Channel | None:
        if not channel_id:
            return None
        return Channel(Platform.SLACK, self.account, channel_id)

    def stated(
        self, kind: EventKind, author: Person, channel_id: str = "", **more: Any
    ) -> Event:
        """Return an event; `more` are the fields in which it is more particular."""
        surroundings: dict[str, Any] = {
            "account": self.account,
            "event_id": self.event_id,
            "sent_us": self.sent_us,
        }
        return Event(
            platform=Platform.SLACK,
            kind=kind,
            channel=self.channel(channel_id),
            author=author,
            raw=self.raw,
            external=self.foreign,
            **surroundings | more,
        )


def envelope(body: Mapping[str, Any], raw: bytes, bot: str = "") -> Envelope:
    """
    Open an Events API body. `bot` is our bot id in the workspace, if it is known.

    The workspace is the one that Slack delivers for, which in a shared channel need
    not be the one where the event took place.
    """
    event = mapping(body, "event")
    granted = next(iter(mappings(body, "authorizations")), {})
    user = string(granted, "user_id") if granted.get("is_bot") else ""
    return Envelope(
        raw=raw,
        account=account_of(body),
        event_id=string(body, "event_id") or digest(raw),
        sent_us=microseconds(string(event, "event_ts"))
        or number(body, "event_time") * 1_000_000,
        event=event,
        own=Identity(app=string(body, "api_app_id"), user=user, bot=bot),
        foreign=bool(body.get("is_ext_shared_channel")),
        organisation=string(granted, "enterprise_id") or string(body, "enterprise_id"),
    )


def account_of(body: Mapping[str, Any]) -> str:
    """Return the workspace in whose name Slack delivers an Events API body."""
    granted = next(iter(mappings(body, "authorizations")), {})
    return (
        string(granted, "team_id")
        or string(body, "context_team_id")
        or string(body, "team_id")
    )


def organisation_of(body: Mapping[str, Any]) -> str:
    """Return the organisation that an org-wide installation hears for, if it is one."""
    granted = next(iter(mappings(body, "authorizations")), {})
    whole = granted.get("is_enterprise_install") is True
    return string(granted, "enterprise_id") if whole else ""


def person(envelope: Envelope, message: Mapping[str, Any]) -> Person:
    """Return who wrote a message. Whatever carries a bot id was written by a bot."""
    user, bot = string(message, "user"), string(message, "bot_id")
    if bot or string(message, "subtype") == "bot_message":
        return _bot(message, bot or user)
    if user == _SLACKBOT:
        return Person(Platform.SLACK, user, "Slackbot", kind=PersonKind.SYSTEM)
    profile = mapping(message, "user_profile")
    return Person(
        Platform.SLACK,
        user,
        string(profile, "display_name") or string(profile, "real_name"),
        string(profile, "image_72"),
        _kind(envelope, message),
    )


def other(envelope: Envelope, **more: str) -> Event:
    """Keep what is not understood, or not relayed, for the record."""
    event = envelope.event
    detail = {"type": string(event, "type"), "subtype": string(event, "subtype")}
    place = string(event, "channel") or string(mapping(event, "item"), "channel")
    return replace(
        envelope.stated(EventKind.OTHER, actor(event), place),
        detail=pairs(**detail, **more),
    )


def actor(event: Mapping[str, Any]) -> Person:
    who = string(event, "user") or string(mapping(event, "user"), "id")
    return Person(Platform.SLACK, who)


def _bot(message: Mapping[str, Any], identifier: str) -> Person:
    profile = mapping(message, "bot_profile")
    icons = mapping(message, "icons") or mapping(profile, "icons")
    return Person(
        Platform.SLACK,
        identifier,
        string(message, "username") or string(profile, "name"),
        string(icons, "image_72") or string(icons, "image_48"),
        PersonKind.BOT,
    )


def _kind(envelope: Envelope, message: Mapping[str, Any]) -> PersonKind:
    home = string(message, "user_team") or string(message, "source_team")
    local = {"", envelope.account, envelope.organisation}
    if envelope.foreign and home not in local:
        return PersonKind.EXTERNAL
    return PersonKind.USER


def digest(raw: bytes) -> str:
    return "sha256:" + hashlib.sha256(raw).hexdigest()


def pairs(**detail: str) -> tuple[tuple[str, str], ...]:
    return tuple((key, value) for key, value in detail.items() if value)
