"""Read a Teams activity. After this module nobody knows what an activity is."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from html import unescape
from typing import Any

from bots.teams.card_text import card_blocks
from bots.teams.changes import lifecycle
from bots.teams.html_in import parse_activity
from bots.teams.places import channel_in, root_of, tenant_of
from bots.teams.reaction_types import emoji_of
from bots.teams.record_asked import REACTIONS, RECORD, asked_in
from bots.teams.wire import mapping, mappings, microseconds, text_of
from bridge.document import Document
from bridge.errors import BadInput
from bridge.messages import Event, EventKind, Person, PersonKind, Platform

COMMAND = "command"  # the detail that holds what is to be run
_ID = re.compile(r"[^\s<>|&]+")
VERB = "atom"  # the verb of every button that ATOM puts on a card

_FIXED = {
    "messageDelete": EventKind.MESSAGE_DELETE,
    "invoke": EventKind.ACTION,
}
_UPDATES = {
    "editMessage": EventKind.MESSAGE_EDIT,
    "undeleteMessage": EventKind.MESSAGE_RESTORE,
}
_INSTALLS = {
    "add": EventKind.APP_INSTALL,
    "add-upgrade": EventKind.APP_INSTALL,
    "remove": EventKind.APP_UNINSTALL,
    "remove-upgrade": EventKind.APP_UNINSTALL,
}
_WITH_CONTENT = {
    EventKind.MESSAGE_CREATE,
    EventKind.MESSAGE_EDIT,
    EventKind.MESSAGE_RESTORE,
    EventKind.COMMAND,
}

# What the Bot Framework sends; some of it ATOM keeps and leaves alone.
_KNOWN = {
    "conversationUpdate",
    "installationUpdate",
    "invoke",
    "message",
    "messageDelete",
    "messageReaction",
    "messageUpdate",
}

_REVISIONS = {
    EventKind.MESSAGE_EDIT,
    EventKind.MESSAGE_DELETE,
    EventKind.MESSAGE_RESTORE,
}


@dataclass(frozen=True, slots=True)
class Ignored:
    """An activity that says nothing worth keeping, and why."""

    reason: str


def translate(
    activity: Mapping[str, Any], raw: bytes, *, app_id: str, now_us: int
) -> Event | Ignored:
    """
    Read one activity. `raw` is its body, byte for byte.

    `now_us` stands in for a time that the activity does not tell. Raises `BadInput`
    for what is no activity of a tenant at all.
    """
    if not (kind_on_wire := text_of(activity.get("type"))):
        raise BadInput("the activity has no type")
    if not (account := tenant_of(activity)):
        raise BadInput("the activity names no tenant")
    author = author_of(activity)
    if is_bot(author.id, app_id):
        return Ignored("own")
    if kind_on_wire == "typing":
        return Ignored("typing")

    kind = _kind(activity, kind_on_wire, app_id)
    sent_us = _sent_us(activity, now_us)
    document, files = (
        parse_activity(activity) if kind in _WITH_CONTENT else parse_activity({})
    )
    if author.kind is PersonKind.BOT and kind in _WITH_CONTENT:
        document = Document((*document.blocks, *card_blocks(activity)))
    message = _message(activity, kind)
    root = root_of(activity)
    return Event(
        platform=Platform.TEAMS,
        account=account,
        event_id=_event_id(activity, raw),
        kind=kind,
        channel=channel_in(activity),
        author=author,
        sent_us=sent_us,
        raw=raw,
        message=message,
        thread=root if root != message else "",
        # Teams takes deletes back: each delete and each return is a fact of its own.
        version_us=sent_us if kind in _REVISIONS else 0,
        document=document,
        files=tuple(files),
        detail=tuple(_details(activity, kind, app_id)),
    )


def unknown_in(activity: Mapping[str, Any]) -> str:
    """Name what an activity reports if ATOM has no word for it, else return nothing."""
    kind = text_of(activity.get("type"))
    return "" if kind in _KNOWN else kind


def author_of(activity: Mapping[str, Any]) -> Person:
    sender = mapping(activity.get("from"))
    account, role = text_of(sender.get("id")), text_of(sender.get("role"))
    name = text_of(sender.get("name"))
    return Person(Platform.TEAMS, account, name, kind=_person_kind(account, role))


def _person_kind(account: str, role: str) -> PersonKind:
    """Read the kind off the id's first part; teams speak for themselves, rarely."""
    if account.startswith("28:") or role == "bot":
        return PersonKind.BOT
    if not account or account.startswith("19:"):
        return PersonKind.SYSTEM
    return PersonKind.USER if account.startswith("29:") else PersonKind.EXTERNAL


def people_named_in(activity: Mapping[str, Any]) -> list[Person]:
    """Return the people whose names the activity tells: its author and the mentioned."""
    mentioned = (mapping(m.get("mentioned")) for m in _mentions(activity))
    accounts = [mapping(activity.get("from")), *mentioned]
    people = [author_of({"from": account}) for account in accounts]
    return [p for p in people if p.kind is PersonKind.USER and p.name]


def is_bot(account: str, app_id: str) -> bool:
    """Say whether an account is the app's own."""
    return account.removeprefix("28:").lower() == app_id.lower() != ""


def command_in(activity: Mapping[str, Any], app_id: str) -> str | None:
    """
    Return what is asked of ATOM, or None if the message is not for it.

    In a channel a command starts with ATOM's mention, of which exactly that one is
    cut off: the words after it may name ATOM again. In a personal chat all is one.
    Other people are named by their ids, in the way in which Slack writes mentions.
    """
    text = text_of(activity.get("text")).lstrip()
    for mention in _mentions(activity):
        marked = text_of(mention.get("text"))
        if marked and is_bot(_whom(mention), app_id) and text.startswith(marked):
            return _plain(_by_id(text[len(marked) :], activity, app_id))
    conversation = mapping(activity.get("conversation"))
    personal = text_of(conversation.get("conversationType")) == "personal"
    return _plain(_by_id(text, activity, app_id)) if personal else None


def _by_id(text: str, activity: Mapping[str, Any], app_id: str) -> str:
    """Return a text with ids for mentions: two people may have one name, in order."""
    done = ""
    for mention in _mentions(activity):
        marked, whom = text_of(mention.get("text")), _whom(mention)
        if is_bot(whom, app_id) or not (marked and _ID.fullmatch(whom)):
            continue
        before, found, rest = text.partition(marked)
        if found:
            done, text = f"{done}{before}<@{whom}>", rest
    return done + text


def _whom(mention: Mapping[str, Any]) -> str:
    return text_of(mapping(mention.get("mentioned")).get("id"))


def _plain(text: str) -> str:
    return " ".join(unescape(text).replace("\xa0", " ").split())


def _mentions(activity: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    entities = mappings(activity.get("entities"))
    return [entity for entity in entities if entity.get("type") == "mention"]


def _kind(activity: Mapping[str, Any], kind: str, app_id: str) -> EventKind:
    match kind:
        case "message" if asked_in(activity):
            return EventKind.ACTION
        case "message":
            asked = command_in(activity, app_id)
            return EventKind.MESSAGE_CREATE if asked is None else EventKind.COMMAND
        case "messageUpdate":
            return _UPDATES.get(_event_type(activity), EventKind.OTHER)
        case "messageReaction":
            added = any(mappings(activity.get("reactionsAdded")))
            return EventKind.REACTION_ADD if added else EventKind.REACTION_REMOVE
        case "conversationUpdate":
            return _change(activity)
        case "installationUpdate":
            return _INSTALLS.get(text_of(activity.get("action")), EventKind.OTHER)
        case _:
            return _FIXED.get(kind, EventKind.OTHER)


def _change(activity: Mapping[str, Any]) -> EventKind:
    if any(mappings(activity.get("membersAdded"))):
        return EventKind.MEMBER_JOIN
    if any(mappings(activity.get("membersRemoved"))):
        return EventKind.MEMBER_LEAVE
    named = _event_type(activity).startswith(("channel", "team"))
    return EventKind.CHANNEL_CHANGE if named else EventKind.OTHER


def _message(activity: Mapping[str, Any], kind: EventKind) -> str:
    if kind in {EventKind.REACTION_ADD, EventKind.REACTION_REMOVE, EventKind.ACTION}:
        return text_of(activity.get("replyToId"))
    spoken = kind.startswith("message.") or kind is EventKind.COMMAND
    return text_of(activity.get("id")) if spoken else ""


def _sent_us(activity: Mapping[str, Any], now_us: int) -> int:
    told = microseconds(activity.get("timestamp"))
    return told or microseconds(activity.get("localTimestamp")) or now_us


def _event_id(activity: Mapping[str, Any], raw: bytes) -> str:
    """An activity that is sent again has the same; an edit differs from its message."""
    parts = (
        text_of(activity.get("id")) or blake2b(raw, digest_size=16).hexdigest(),
        text_of(activity.get("type")),
        _event_type(activity),
        text_of(activity.get("timestamp")),
    )
    return "|".join(parts)


def _event_type(activity: Mapping[str, Any]) -> str:
    return text_of(mapping(activity.get("channelData")).get("eventType"))


def _details(
    activity: Mapping[str, Any], kind: EventKind, app_id: str
) -> list[tuple[str, str]]:
    wish = asked_in(activity) if kind is EventKind.ACTION else None
    found = {
        # What it is about stays in the raw body: tokens are nobody's to read.
        RECORD: str(wish.kind) if wish else "",
        "act": wish.act if wish else "",
        "type": text_of(activity.get("type")) if kind is EventKind.OTHER else "",
        "event": _event_type(activity),
        "action": text_of(activity.get("action")),
        "name": text_of(activity.get("name")),
        "directory_id": text_of(mapping(activity.get("from")).get("aadObjectId")),
        "added": _emoji(activity.get("reactionsAdded")),
        "removed": _emoji(activity.get("reactionsRemoved")),
        "joined": _listed(activity.get("membersAdded"), "id"),
        "left": _listed(activity.get("membersRemoved"), "id"),
        COMMAND: _asked(activity, kind, app_id),
        **lifecycle(activity, app_id),
    }
    return [(name, value) for name, value in found.items() if value]


def in_dialog(activity: Mapping[str, Any]) -> bool:
    """Say whether a command was chosen in a message's menu: a dialog answers it."""
    chosen = mapping(activity.get("value")).get("commandId")
    opens = activity.get("name") == "composeExtension/fetchTask"
    return opens and chosen == REACTIONS


def _emoji(reactions: Any) -> str:
    kinds = (text_of(reaction.get("type")) for reaction in mappings(reactions))
    return " ".join(emoji_of(kind) for kind in kinds if kind)


def _listed(items: Any, key: str) -> str:
    return " ".join(filter(None, (text_of(i.get(key)) for i in mappings(items))))


def _asked(activity: Mapping[str, Any], kind: EventKind, app_id: str) -> str:
    if kind is EventKind.COMMAND:
        return command_in(activity, app_id) or ""
    if kind is EventKind.ACTION and in_dialog(activity):
        message = mapping(mapping(activity.get("value")).get("messagePayload"))
        return f"reactions {text_of(message.get('id'))}".strip()
    action = mapping(mapping(activity.get("value")).get("action"))
    if kind is EventKind.ACTION and action.get("verb") == VERB:
        return text_of(mapping(action.get("data")).get("command"))
    return ""
