"""The sandbox's Teams as JSON, for tests and the page."""

from collections.abc import Mapping
from typing import Any, Protocol

from bots.sandbox.teams import seed
from bots.sandbox.teams.model import Channel, Kind, Message, Person, Team, Tenant
from bots.sandbox.teams.typed import told_text


class Contents(Protocol):
    """What of the state is shown."""

    tenants: dict[str, Tenant]
    people: dict[str, Person]
    teams: dict[str, Team]
    channels: dict[str, Channel]


def state_json(state: Contents) -> dict[str, Any]:
    return {
        "app_id": seed.BOT_APP_ID,
        "bot": {"id": f"28:{seed.BOT_APP_ID}", "name": seed.BOT_NAME},
        "tenants": [_tenant_json(state, one) for one in state.tenants.values()],
    }


def _tenant_json(state: Contents, tenant: Tenant) -> dict[str, Any]:
    people = [one for one in state.people.values() if one.tenant == tenant.id]
    return {
        "id": tenant.id,
        "name": tenant.name,
        "domain": tenant.domain,
        "users": [one.account() for one in people],
        "teams": [
            _team_json(state, one)
            for one in state.teams.values()
            if one.tenant == tenant.id
        ],
        "chats": [
            _channel_json(state, one)
            for one in state.channels.values()
            if one.tenant == tenant.id and one.kind is Kind.PERSONAL
        ],
    }


def _team_json(state: Contents, team: Team) -> dict[str, Any]:
    return {
        "id": team.id,
        "name": team.name,
        "group_id": team.group_id,
        "owners": team.owners,
        "members": team.members,
        "apps": team.apps,
        "installed": seed.BOT_APP_ID in team.apps,
        "archived": team.archived,
        "channels": [
            _channel_json(state, one)
            for one in state.channels.values()
            if one.team == team.id
        ],
    }


def _channel_json(state: Contents, channel: Channel) -> dict[str, Any]:
    return {
        "id": channel.id,
        "name": channel.name,
        "kind": channel.kind.value,
        "members": channel.members,
        "deleted": channel.deleted,
        "messages": [
            message_json(one, state.people) for one in channel.messages.values()
        ],
    }


def message_json(message: Message, people: Mapping[str, Person]) -> dict[str, Any]:
    """
    One message as tests and the page read it.

    `text` is what was said without markup; `source` is what a bot sent.
    """
    content = message.content
    sent = content.activity or {}
    return {
        "id": message.id,
        "root": message.root,
        "is_root": message.is_root,
        "channel": message.channel,
        "author": _author(message, people),
        "html": content.html,
        "text": told_text(content.html),
        "source": sent.get("text", ""),
        "text_format": sent.get("textFormat", "markdown") if sent else "xml",
        "on_behalf_of": (sent.get("channelData") or {}).get("onBehalfOf", []),
        "mentions": content.mentions,
        "attachments": content.attachments,
        "created": message.created,
        "modified": message.modified,
        "edited": message.edited,
        "deleted": bool(message.deleted),
        "deleted_at": message.deleted,
        "target": message.target,
        "views": message.views,
        "versions": [one.html for one in message.versions],
        "reactions": [
            {"type": kind, "users": users, "count": len(users)}
            for kind, users in message.reactions.items()
        ],
    }


def _author(message: Message, people: Mapping[str, Person]) -> dict[str, Any]:
    if message.by_bot:
        name, _ = seed.APPS.get(message.author.removeprefix("28:"), ("", ""))
        return {"id": message.author, "name": name, "is_bot": True}
    return {
        "id": message.author,
        "name": people[message.author].name,
        "is_bot": False,
    }
