"""Events as Slack words them. Pure: a state goes in, a payload comes out."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bots.sandbox.slack import seed
from bots.sandbox.slack.model import Channel, Installation, Kind, Message

Payload = dict[str, Any]

_SCOPED = {
    "channel": "message.channels",
    "group": "message.groups",
    "im": "message.im",
    "mpim": "message.mpim",
}


@dataclass(frozen=True, slots=True)
class Setting:
    """
    Where an event happens: the organisation, and whether others listen in.

    `team` is the workspace that is named for it.
    """

    team: str
    enterprise: str = ""
    ext_shared: bool = False
    org_has_team: bool = True


def envelope(
    me: Installation,
    event: Mapping[str, Any],
    event_id: str,
    now: float,
    where: Setting,
) -> Payload:
    """What surrounds every event that is delivered."""
    enterprise = {"enterprise_id": where.enterprise} if where.enterprise else {}
    return {
        "token": seed.VERIFICATION_TOKEN,
        "team_id": where.team,
        **enterprise,
        "context_team_id": where.team,
        "context_enterprise_id": where.enterprise or None,
        "api_app_id": seed.APP_ID,
        "event": dict(event),
        "type": "event_callback",
        "event_id": event_id,
        "event_time": int(now),
        "authorizations": [authorization(me, where)],
        "is_ext_shared_channel": where.ext_shared,
        "event_context": f"4-{event_id.lower()}",
    }


def authorization(me: Installation, where: Setting) -> Payload:
    named = not me.enterprise or where.org_has_team
    return {
        "enterprise_id": where.enterprise or None,
        "team_id": (me.team or None) if named else None,
        "user_id": me.bot_user,
        "is_bot": True,
        "is_enterprise_install": bool(me.enterprise),
    }


def subscription(event: Mapping[str, Any]) -> str:
    """The name under which an app subscribes to an event."""
    kind = str(event.get("type", ""))
    if kind != "message":
        return kind
    return _SCOPED.get(str(event.get("channel_type")), kind)


def message(channel: Channel, said: Message) -> Payload:
    """Somebody wrote."""
    return {
        **said.body,
        "channel": channel.id,
        "channel_type": channel.kind.value,
        "event_ts": said.ts,
    }


def changed(
    channel: Channel, now: Message, before: Mapping[str, Any], ts: str
) -> Payload:
    """A message is no longer what it was; not necessarily because of an edit."""
    return _hidden(
        channel,
        ts,
        "message_changed",
        message=stored(now),
        previous_message=dict(before),
    )


def deleted(channel: Channel, before: Mapping[str, Any], ts: str) -> Payload:
    """A message is gone."""
    return _hidden(
        channel,
        ts,
        "message_deleted",
        previous_message=dict(before),
        deleted_ts=before["ts"],
    )


def replied(
    channel: Channel, root: Message, ts: str, *, has_subtype: bool = True
) -> Payload:
    """A thread grew; the event says little more."""
    told = _hidden(channel, ts, "message_replied", message=stored(root))
    if not has_subtype:
        del told["subtype"]
    return told


def without_addresses(event: Mapping[str, Any]) -> Payload:
    """Leave out where files are fetched from: the app has to ask."""
    files = [
        {name: value for name, value in file.items() if not name.startswith("url_")}
        for file in event.get("files", [])
    ]
    return {**event, **({"files": files} if files else {})}


def reaction(
    kind: str, channel: Channel, said: Message, who: tuple[str, str], ts: str
) -> Payload:
    """Somebody reacted, or took it back; `who` is the person and the emoji."""
    user, name = who
    event: Payload = {
        "type": kind,
        "user": user,
        "reaction": name,
        "item": {"type": "message", "channel": channel.id, "ts": said.ts},
        "event_ts": ts,
    }
    author = said.body.get("user")
    return {**event, "item_user": author} if author else event


def pin(kind: str, channel: Channel, said: Message, user: str, ts: str) -> Payload:
    """Somebody pinned a message to its channel, or took the pin out."""
    return {
        "type": kind,
        "user": user,
        "channel_id": channel.id,
        "item": {
            "type": "message",
            "channel": channel.id,
            "message": stored(said),
            "created": int(float(ts)),
            "created_by": user,
        },
        "item_user": said.body.get("user", ""),
        "event_ts": ts,
    }


def mention(channel: Channel, said: Message) -> Payload:
    """The app was spoken to."""
    kept = ("user", "text", "ts", "team", "blocks", "thread_ts", "client_msg_id")
    said_with = {key: said.body[key] for key in kept if key in said.body}
    return {
        "type": "app_mention",
        **said_with,
        "channel": channel.id,
        "event_ts": said.ts,
    }


def membership(kind: str, channel: Channel, user: str, ts: str) -> Payload:
    letter = "C" if channel.kind is Kind.PUBLIC else "G"
    return {
        "type": kind,
        "user": user,
        "channel": channel.id,
        "channel_type": letter,
        "team": channel.team,
        "event_ts": ts,
    }


def metadata(kind: str, channel: Channel, said: Message, ts: str) -> Payload:
    return {
        "type": kind,
        "app_id": seed.APP_ID,
        "bot_id": said.body.get("bot_id"),
        "user_id": said.body.get("user"),
        "team_id": channel.team,
        "channel_id": channel.id,
        "metadata": said.metadata,
        "message_ts": said.ts,
        "event_ts": ts,
    }


def stored(said: Message) -> Payload:
    """A message as the Web API and the inside of events show it."""
    shown = dict(said.body)
    if said.replies:
        shown |= {
            "thread_ts": said.ts,
            "reply_count": len(said.replies),
            "reply_users": list(said.repliers),
            "reply_users_count": len(said.repliers),
            "latest_reply": said.replies[-1],
            "is_locked": False,
            "subscribed": False,
        }
    if said.reactions:
        shown["reactions"] = [
            {"name": name, "users": list(users), "count": len(users)}
            for name, users in said.reactions.items()
        ]
    return shown


def link_domains(text: str, domains: list[str]) -> list[Payload]:
    """The links in a text that the app asked to hear of."""
    links = re.findall(r"<(https?://([^/|>]+)[^|>]*)", text)
    return [
        {"domain": domain, "url": url}
        for url, host in links
        for domain in domains
        if host == domain or host.endswith(f".{domain}")
    ]


def _hidden(channel: Channel, ts: str, subtype: str, **more: Any) -> Payload:
    return {
        "type": "message",
        "subtype": subtype,
        **more,
        "channel": channel.id,
        "hidden": True,
        "ts": ts,
        "event_ts": ts,
        "channel_type": channel.kind.value,
    }
