"""Translate what people write in Slack: new messages, edits, deletions, commands."""

import html
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bots.slack.attachments import app_document
from bots.slack.echo import marked, trail, versions
from bots.slack.envelope import Envelope, Ignored, other, pairs, person
from bots.slack.file_shape import described
from bots.slack.payload import mapping, mappings, microseconds, string
from bots.slack.rich_text import parse_message
from bridge.messages import Event, EventKind, File
from bridge.others import HOPS, UNKNOWN

# What is chat. Bots' posts are told by their bot id, whatever the subtype says.
_CHAT = frozenset({"", "bot_message", "file_share", "thread_broadcast"})

# What Slack itself says about the channel, in the channel.
_ABOUT_THE_CHANNEL = frozenset(
    f"{kind}_{what}"
    for kind in ("channel", "group")
    for what in (
        "archive",
        "convert_to_private",
        "convert_to_public",
        "name",
        "posting_permissions",
        "purpose",
        "topic",
        "unarchive",
    )
)

# Kept for the record and never relayed. Joining and leaving have events of their
# own; the text of `ekm_access_denied` means nothing; the rest are Slack's notices.
_NOTICES = frozenset(
    {
        "assistant_app_thread",
        "bot_add",
        "bot_disable",
        "bot_enable",
        "bot_remove",
        "channel_join",
        "channel_leave",
        "document_mention",
        "ekm_access_denied",
        "file_comment",
        "file_mention",
        "group_join",
        "group_leave",
        "huddle_thread",
        "joiner_notification",
        "me_message",
        "pinned_item",
        "reminder_add",
        "reply_broadcast",
        "sh_room_created",
        "tombstone",
        "unpinned_item",
    }
)


_KNOWN = frozenset(
    {"message_changed", "message_deleted", *_CHAT, *_ABOUT_THE_CHANNEL, *_NOTICES}
)


def is_known(subtype: str) -> bool:
    """Say whether ATOM knows what becomes of messages of this subtype."""
    return subtype in _KNOWN


def message(envelope: Envelope) -> Event | Ignored:
    """Translate one event of type `message`, whatever its subtype."""
    event = envelope.event
    subtype = string(event, "subtype")
    if subtype == "message_replied" or (not subtype and "message" in event):
        return Ignored("reply counter")
    if envelope.own.wrote_any(versions(event)):
        return Ignored("echo")
    bridged = [version for version in versions(event) if marked(version)]
    read = _read(envelope, subtype)
    if bridged and isinstance(read, Event):
        # Any app can write this: it is a reason to leave the message here, and none to
        # take it for less than a message.
        told = trail(bridged[0]) or {HOPS: UNKNOWN}
        return replace(read, detail=(*read.detail, *pairs(**told)))
    return read


def _read(envelope: Envelope, subtype: str) -> Event | Ignored:
    if subtype == "message_changed":
        return _changed(envelope)
    if subtype == "message_deleted":
        return _deleted(envelope)
    return _new(envelope, subtype)


def mention(envelope: Envelope) -> Event | Ignored:
    """
    Translate `app_mention`, which repeats a `message` that Slack sends as well.

    A command is stated in the same words in both, so that one of them is a
    duplicate; in which order they come does not matter.
    """
    if envelope.own.wrote(envelope.event):
        return Ignored("echo")
    if _addressed(envelope, envelope.event) is None:
        return Ignored("mentioned in passing")
    return _new(envelope, string(envelope.event, "subtype"))


def _new(envelope: Envelope, subtype: str) -> Event:
    event = envelope.event
    if subtype in _ABOUT_THE_CHANNEL:
        changed = other(envelope)
        return replace(changed, kind=EventKind.CHANNEL_CHANGE)
    if subtype in _NOTICES or subtype not in _CHAT or not string(event, "ts"):
        return other(envelope)
    command = _addressed(envelope, event)
    if command is None or string(event, "bot_id"):
        broadcast = "yes" if subtype == "thread_broadcast" else ""
        detail = pairs(broadcast=broadcast)
        return _written(envelope, EventKind.MESSAGE_CREATE, event, detail=detail)
    return _written(
        envelope,
        EventKind.COMMAND,
        event,
        event_id=f"mention:{string(event, 'channel')}:{string(event, 'ts')}",
        detail=pairs(command=command or "help"),
    )


def _changed(envelope: Envelope) -> Event | Ignored:
    new, old = versions(envelope.event)[1:]
    if string(new, "subtype") == "tombstone":
        return _buried(envelope, new, old)
    edited = string(mapping(new, "edited"), "ts")
    if not edited and (_rewritten(new, old) or _took_files_away(new, old)):
        edited = string(envelope.event, "event_ts") or string(envelope.event, "ts")
    if not edited:
        return Ignored("unfurled, counted or refreshed")
    if edited == string(mapping(old, "edited"), "ts") and _same(new, old):
        return Ignored("edited before")
    if string(new, "subtype") not in _CHAT or not string(new, "ts"):
        return other(envelope)
    if _addressed(envelope, old or new) is not None and not string(new, "bot_id"):
        return other(envelope, edited="command")
    return _written(
        envelope,
        EventKind.MESSAGE_EDIT,
        new,
        version_us=_version(envelope, edited, string(mapping(old, "edited"), "ts")),
        sent_us=microseconds(edited),
    )


def _rewritten(new: Mapping[str, Any], old: Mapping[str, Any]) -> bool:
    """Whether an app changed its words: Slack does not always call that an edit."""
    if not string(new, "bot_id") or not old:
        return False
    return app_document(new) != app_document(old)


def _version(envelope: Envelope, edited: str, before: str) -> int:
    """
    Return when the message was edited, told apart from an edit just before.

    Slack tells the time of an edit in whole seconds. The second edit within one
    would look like a repetition of the first, so it borrows the event's fraction.
    """
    version = microseconds(edited)
    if edited != before:
        return version
    return version + min(max(envelope.sent_us - version, 1), 999_999)


def _buried(
    envelope: Envelope, stone: Mapping[str, Any], old: Mapping[str, Any]
) -> Event | Ignored:
    """A root that has replies leaves a tombstone when it is deleted."""
    if string(old, "subtype") == "tombstone":
        return Ignored("tombstone refreshed")
    return _gone(envelope, string(stone, "ts"), old)


def _deleted(envelope: Envelope) -> Event | Ignored:
    old = mapping(envelope.event, "previous_message")
    subtype = string(old, "subtype")
    if subtype not in _CHAT and subtype != "tombstone":
        return other(envelope)
    deleted = string(envelope.event, "deleted_ts") or string(old, "ts")
    return _gone(envelope, deleted, old)


def _gone(envelope: Envelope, ts: str, old: Mapping[str, Any]) -> Event:
    """Slack does not say who deleted a message; it is held to be the author."""
    if not ts:
        return other(envelope)
    return envelope.stated(
        EventKind.MESSAGE_DELETE,
        person(envelope, old),
        string(envelope.event, "channel"),
        message=ts,
        thread=_thread(old, ts),
    )


def _written(
    envelope: Envelope, kind: EventKind, message: Mapping[str, Any], **more: Any
) -> Event:
    ts, app = string(message, "ts"), bool(string(message, "bot_id"))
    said: dict[str, Any] = {
        "message": ts,
        "thread": _thread(message, ts),
        "sent_us": microseconds(ts),
        "document": app_document(message) if app else parse_message(message),
        "files": _files(message),
    }
    place = string(envelope.event, "channel")
    return envelope.stated(kind, person(envelope, message), place, **said | more)


def _thread(message: Mapping[str, Any], ts: str) -> str:
    """Return the root's ts. A root that has replies names itself: it is no reply."""
    root = string(message, "thread_ts")
    return "" if root == ts else root


def _addressed(envelope: Envelope, message: Mapping[str, Any]) -> str | None:
    """Return the words that follow if a message begins with our own mention."""
    us = envelope.own.user
    text = string(message, "text").lstrip()
    if not us or not text.startswith((f"<@{us}>", f"<@{us}|")):
        return None
    return html.unescape(text.partition(">")[2]).strip()


def _took_files_away(new: Mapping[str, Any], old: Mapping[str, Any]) -> bool:
    """Say whether files were deleted, which Slack does not call an edit."""
    return bool({f.id for f in _files(old)} - {f.id for f in _files(new)})


def _same(new: Mapping[str, Any], old: Mapping[str, Any]) -> bool:
    """Say whether two versions show the same; link previews do not count."""
    if string(new, "text") != string(old, "text"):
        return False
    if [f.id for f in _files(new)] != [f.id for f in _files(old)]:
        return False
    return mappings(new, "blocks") == mappings(old, "blocks")


def _files(message: Mapping[str, Any]) -> tuple[File, ...]:
    return tuple(
        described(file)
        for file in mappings(message, "files")
        if string(file, "mode") != "tombstone"
    )
