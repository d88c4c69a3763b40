"""
Say what Graph shows of a message in the words of the activities that told of it.

Graph shows what stands, and names people by their directory ids; activities tell what
happened, and name people as the bot knows them. Nothing here waits.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bots.teams.places import threaded
from bots.teams.reaction_types import emoji_of, kind_of
from bots.teams.wire import mapping, mappings, text_of
from bridge.places import Place

_MOST_MENTIONS = 500
_AT = re.compile(r"<at\b[^>]*>", re.IGNORECASE)
_OTHER_TAGS = re.compile(r"<(?!/?at>)[^>]*>", re.IGNORECASE)

Message = Mapping[str, Any]
Accounts = Mapping[str, str]  # an account as activities name it, by directory id


def is_told(message: Message, *, bots: bool = False) -> bool:
    """
    Say whether a message is of interest: a person wrote it, or an app where `bots`.

    Bots hear neither themselves nor each other, so what other apps say in Teams is to
    be had from Graph alone. Systems speak in events.
    """
    sender = mapping(message.get("from"))
    said = mapping(sender.get("user")) or (bots and mapping(sender.get("application")))
    return message.get("messageType") == "message" and bool(said)


def people_in(message: Message) -> set[str]:
    """Return the directory ids of the author and of who is mentioned."""
    named = [mapping(message.get("from"))]
    named += [mapping(m.get("mentioned")) for m in mappings(message.get("mentions"))]
    return {i for n in named if (i := text_of(mapping(n.get("user")).get("id")))}


def activities_of(
    message: Message, place: Place, accounts: Accounts, *, was_deleted: bool
) -> Iterator[dict[str, Any]]:
    """
    Yield what the bot would have heard of a message, in the order of its time.

    `was_deleted` says that the log takes it for deleted; if it stands, it was restored.
    """
    created, edited, deleted, modified = (
        text_of(message.get(name))
        for name in (
            "createdDateTime",
            "lastEditedDateTime",
            "deletedDateTime",
            "lastModifiedDateTime",
        )
    )
    said = _activity(message, place, accounts)
    yield said | {"type": "message", "timestamp": created}
    if edited:
        yield _changed(said, "messageUpdate", "editMessage", edited)
    if deleted:
        yield _without_text(
            _changed(said, "messageDelete", "softDeleteMessage", deleted)
        )
    elif was_deleted:
        yield _changed(said, "messageUpdate", "undeleteMessage", modified)


@dataclass(frozen=True, slots=True)
class Chosen:
    """A reaction that Graph shows. `person` is a directory id."""

    emoji: str
    kind: str
    person: str
    at: str


def reactions_in(message: Message) -> list[Chosen]:
    return [
        Chosen(emoji_of(kind), kind, person, text_of(one.get("createdDateTime")))
        for one in mappings(message.get("reactions"))
        if (kind := text_of(one.get("reactionType")))
        and (person := text_of(mapping(mapping(one.get("user")).get("user")).get("id")))
    ]


def reacted(
    message: Message,
    place: Place,
    accounts: Accounts,
    known: Collection[tuple[str, str]],
) -> Iterator[dict[str, Any]]:
    """
    Yield what the bot would have heard of reactions, had Teams told it.

    `known` are accounts with the emoji that they chose by the log. Where the account of
    somebody who chose an emoji is not to be had, nobody is said to have taken it back.
    """
    at = text_of(message.get("lastModifiedDateTime"))
    stand = reactions_in(message)
    nobodys = {one.emoji for one in stand if one.person not in accounts}
    now = {(accounts.get(one.person, ""), one.emoji): one for one in stand}
    said = _without_text(_activity(message, place, accounts))
    for (account, emoji), one in now.items():
        if account and (account, emoji) not in known:
            sender = {"id": account, "aadObjectId": one.person}
            yield _reaction(said, "reactionsAdded", one.kind, one.at, sender)
    for account, emoji in sorted({*known} - {*now}):
        kind = kind_of(emoji) or emoji.strip(":")
        if emoji not in nobodys:
            yield _reaction(said, "reactionsRemoved", kind, at, {"id": account})


def _reaction(
    said: Mapping[str, Any], how: str, kind: str, at: str, sender: Mapping[str, str]
) -> dict[str, Any]:
    return {
        **said,
        "type": "messageReaction",
        "id": f"{said['id']}:{sender['id']}:{how}:{kind}",
        "replyToId": said["id"],
        "timestamp": at,
        "from": sender,
        how: [{"type": kind}],
    }


def _activity(message: Message, place: Place, accounts: Accounts) -> dict[str, Any]:
    told = text_of(message.get("id"))
    root = text_of(message.get("replyToId")) or told
    html = _html(message)
    return {
        "id": told,
        "serviceUrl": place.service_url,
        "channelId": "msteams",
        "from": _sender(message, accounts),
        "conversation": {
            "conversationType": "channel",
            "tenantId": place.account,
            "id": threaded(place.channel, root),
        },
        "text": _OTHER_TAGS.sub("", _AT.sub("<at>", html)),
        "textFormat": "plain",
        "attachments": [
            {"contentType": "text/html", "content": html},
            *mappings(message.get("attachments")),
        ],
        "entities": _entities(message, accounts),
        "channelData": {
            "teamsChannelId": place.channel,
            "teamsTeamId": place.team,
            "channel": {"id": place.channel},
            "team": {"id": place.team, "aadGroupId": place.group_id},
            "tenant": {"id": place.account},
        },
    }


def _changed(said: Mapping[str, Any], kind: str, event: str, at: str) -> dict[str, Any]:
    data = {**said["channelData"], "eventType": event}
    return {**said, "type": kind, "timestamp": at, "channelData": data}


def _without_text(activity: Mapping[str, Any]) -> dict[str, Any]:
    content = ("text", "textFormat", "attachments", "entities")
    return {name: value for name, value in activity.items() if name not in content}


def _html(message: Message) -> str:
    body = mapping(message.get("body"))
    content = text_of(body.get("content"))
    if body.get("contentType") == "html":
        return content
    return content.replace("&", "&amp;").replace("<", "&lt;").replace("\n", "<br>")


def _sender(message: Message, accounts: Accounts) -> dict[str, str]:
    sender = mapping(message.get("from"))
    user, app = mapping(sender.get("user")), mapping(sender.get("application"))
    if app and not user:
        name = text_of(app.get("displayName"))
        return {"id": f"28:{text_of(app.get('id'))}", "name": name, "role": "bot"}
    directory_id = text_of(user.get("id"))
    return {
        "id": accounts.get(directory_id, directory_id),
        "name": text_of(user.get("displayName")),
        "aadObjectId": directory_id,
    }


def _entities(message: Message, accounts: Accounts) -> list[dict[str, Any]]:
    """Return the mentions, each at the place that the HTML calls it by."""
    by_number: dict[int, Mapping[str, Any]] = {}
    for mention in mappings(message.get("mentions")):
        number = mention.get("id")
        if isinstance(number, int) and 0 <= number < _MOST_MENTIONS:
            by_number[number] = mention
    return [
        _entity(by_number.get(number, {}), accounts)
        for number in range(max(by_number, default=-1) + 1)
    ]


def _entity(mention: Mapping[str, Any], accounts: Accounts) -> dict[str, Any]:
    mentioned = mapping(mention.get("mentioned"))
    user, app, conversation, tag = (
        text_of(mapping(mentioned.get(kind)).get("id"))
        for kind in ("user", "application", "conversation", "tag")
    )
    account = accounts.get(user, "") or conversation or tag
    if app:
        account = f"28:{app}"
    name = text_of(mention.get("mentionText"))
    told = {"id": account, "name": name} | ({"type": "tag"} if tag else {})
    return {"type": "mention", "text": f"<at>{name}</at>", "mentioned": told}
