"""What Graph tells, in its own words: chatMessage, channel, member, user."""

import json
from base64 import b64encode
from collections.abc import Mapping
from typing import Any

from bots.sandbox.teams import seed
from bots.sandbox.teams.model import Channel, Message, Person, Team
from bots.sandbox.teams.typed import graph_html


def message_told(
    people: Mapping[str, Person], team: Team, message: Message, *, keeps_text: bool
) -> dict[str, Any]:
    """A chatMessage. A bot's own is `from.application`, a person's `from.user`."""
    content = message.content
    hidden = message.deleted and not keeps_text
    return {
        "id": message.id,
        "replyToId": None if message.is_root else message.root,
        "etag": str(message.order),
        "messageType": "message",
        "createdDateTime": message.created,
        "lastModifiedDateTime": message.modified,
        "lastEditedDateTime": message.edited or None,
        "deletedDateTime": message.deleted or None,
        "subject": None,
        "importance": "normal",
        "locale": "en-us",
        "channelIdentity": {"teamId": team.group_id, "channelId": message.channel},
        "from": _from(people, message.author),
        "body": {
            "contentType": "html",
            "content": "" if hidden else graph_html(_with_cards(message)),
        },
        "attachments": [] if hidden else [_attachment(one) for one in _all(message)],
        "mentions": [
            _mention(people, number, one) for number, one in enumerate(content.mentions)
        ],
        "reactions": [
            {
                "reactionType": kind,
                "createdDateTime": message.modified,
                "user": _from(people, who),
            }
            for kind, users in message.reactions.items()
            for who in users
        ],
    }


def channel_told(channel: Channel) -> dict[str, Any]:
    return {
        "id": channel.id,
        "displayName": "General" if channel.is_general else channel.name,
        "description": channel.description or None,
        "membershipType": channel.kind.value,
        "isArchived": channel.archived,
        "createdDateTime": channel.created,
        "tenantId": channel.tenant,
    }


def team_told(team: Team) -> dict[str, Any]:
    return {
        "id": team.group_id,
        "displayName": team.name,
        "description": team.description or None,
        "internalId": team.id,
        "isArchived": team.archived,
        "tenantId": team.tenant,
    }


def membership_id(team: Team, channel: Channel | None, person: Person) -> str:
    """Return a membership's id: nobody's business, and another in each channel."""
    parts = [team.group_id, *([channel.id] if channel else []), person.directory_id]
    return b64encode("##".join(parts).encode()).decode()


def member_told(
    team: Team, person: Person, channel: Channel | None = None
) -> dict[str, Any]:
    """A member, whose id is of the membership and not of the person."""
    owners = channel.owners if channel else team.owners
    return {
        "@odata.type": "#microsoft.graph.aadUserConversationMember",
        "id": membership_id(team, channel, person),
        "roles": ["owner"] if person.id in owners else [],
        "displayName": person.name,
        "visibleHistoryStartDateTime": "0001-01-01T00:00:00Z",
        "userId": person.directory_id,
        "email": person.email,
        "tenantId": person.tenant,
    }


def user_told(person: Person) -> dict[str, Any]:
    return {
        "id": person.directory_id,
        "displayName": person.name,
        "givenName": person.given,
        "surname": person.surname,
        "mail": person.email,
        "userPrincipalName": person.principal,
        "signInSessionsValidFromDateTime": person.sessions_from or None,
    }


def _from(people: Mapping[str, Person], who: str) -> dict[str, Any]:
    if who.startswith("28:"):
        app = who.removeprefix("28:")
        told = {
            "id": app,
            "displayName": seed.APPS[app][0],
            "applicationIdentityType": "bot",
        }
        return {"application": told, "user": None, "device": None}
    user = {
        "id": people[who].directory_id,
        "displayName": people[who].name,
        "userIdentityType": "aadUser",
    }
    return {"application": None, "user": user, "device": None}


def _mention(
    people: Mapping[str, Person], number: int, mention: Mapping[str, str]
) -> dict[str, Any]:
    who = mention["id"]
    if mention.get("type") == "tag":
        tag = {"tag": {"id": who, "displayName": mention["name"]}}
        return {"id": number, "mentionText": mention["name"], "mentioned": tag}
    known = who.startswith("28:") or who in people
    mentioned = _from(people, who) if known else {"conversation": {"id": who}}
    return {"id": number, "mentionText": mention["name"], "mentioned": mentioned}


def _all(message: Message) -> list[dict[str, Any]]:
    return [
        {"id": f"{message.id}{number}", **one}
        for number, one in enumerate(message.content.attachments)
    ]


def _attachment(told: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "id": told["id"],
        "contentType": told.get("contentType"),
        "contentUrl": told.get("contentUrl"),
        "content": _as_string(told.get("content")),
        "name": told.get("name"),
    }


def _as_string(content: Any) -> str | None:
    """A card is JSON in a string there."""
    if content is None or isinstance(content, str):
        return content
    return json.dumps(content, ensure_ascii=False)


def _with_cards(message: Message) -> str:
    """A card stands in the body as its number."""
    html = message.content.html
    cards = "".join(
        f'<attachment id="{one["id"]}"></attachment>'
        for one in _all(message)
        if "card" in str(one.get("contentType"))
    )
    return html + cards
