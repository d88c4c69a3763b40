"""The activities that Teams tells a bot, as they go over the wire."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import uuid4

from bots.sandbox.teams import seed
from bots.sandbox.teams.model import Channel, Kind, Message, Person, Team
from bots.sandbox.teams.state import TeamsState, stamp
from bots.sandbox.teams.typed import told_entities, told_text

Activity = dict[str, Any]

_CLIENT = {
    "type": "clientInfo",
    "locale": "en-US",
    "country": "US",
    "platform": "Web",
    "timezone": "Etc/UTC",
}


class Activities:
    """Makes activities out of what the state holds."""

    def __init__(self, state: TeamsState) -> None:
        self._state = state

    def message(self, base: str, message: Message) -> Activity:
        """A message as it is told when it is new."""
        channel = self._state.channels[message.channel]
        made = self._begun(base, "message", channel, message.root)
        made |= {"id": message.id, **_times(message.created)}
        made |= {"from": self.sender(message.author), **self._said(message)}
        if not message.is_root and self._state.setting("reply_to_id"):
            made["replyToId"] = message.root
        return made

    def changed(self, base: str, message: Message, kind: str) -> Activity:
        """An edit, a deletion or its undoing, by `channelData.eventType`."""
        made = self.message(base, message)
        made["type"] = "messageUpdate"
        made |= _times(message.modified)
        made["channelData"]["eventType"] = kind
        if kind == "softDeleteMessage":
            made["type"] = "messageDelete"
            for name in ("text", "textFormat", "attachments", "entities"):
                made.pop(name, None)
        return made

    def reaction(
        self, base: str, message: Message, who: str, change: str, kind: str
    ) -> Activity:
        """`change` is "reactionsAdded" or "reactionsRemoved". It tells no name."""
        channel = self._state.channels[message.channel]
        made = self._begun(base, "messageReaction", channel, message.root)
        made |= _times(message.modified)
        made["from"] = {
            name: value for name, value in self.sender(who).items() if name != "name"
        }
        return made | {change: [{"type": kind}], "replyToId": message.id}

    def invoke(
        self, base: str, message: Message, who: str, name: str, value: Any
    ) -> Activity:
        channel = self._state.channels[message.channel]
        made = self._begun(base, "invoke", channel, message.root)
        made |= {"name": name, "value": value, "replyToId": message.id}
        made["from"] = self.sender(who)
        made["channelData"]["source"] = {"name": "message"}
        return made

    def submit(self, base: str, message: Message, who: str, value: Any) -> Activity:
        """What a card's Action.Submit sends: a message with a value, not a text."""
        channel = self._state.channels[message.channel]
        made = self._begun(base, "message", channel, message.root)
        made |= {"from": self.sender(who), "value": value, "replyToId": message.id}
        made["id"] = str(self._state.next_ms(channel.tenant))
        return made

    def conversation(
        self, base: str, team: Team, who: str, about: Channel | None, event: str
    ) -> Activity:
        """A conversationUpdate. Its conversation is the team."""
        general = self._state.channels[team.id]
        made = self._begun(base, "conversationUpdate", general, "")
        made["from"] = self._silent(who)
        made["channelData"] = self._team_data(team) | {"eventType": event}
        if about is not None:
            made["channelData"]["channel"] = _channel_told(about, named=True)
        return made

    def installation(
        self, base: str, team: Team, who: str, selected: Channel, action: str
    ) -> Activity:
        made = self._begun(base, "installationUpdate", selected, "")
        made |= {"action": action, "from": self._silent(who)}
        made["channelData"] = self._team_data(team) | {
            "settings": {"selectedChannel": {"id": selected.id}},
            "channel": _channel_told(selected, named=True),
            "source": {"name": "message"},
        }
        return made

    def begun_chat(self, base: str, chat: Channel, who: str) -> list[Activity]:
        """What the bot is told when somebody gets it for themselves."""
        update = self._begun(base, "conversationUpdate", chat, "")
        update |= {
            "from": self._silent(who),
            "membersAdded": [{"id": f"28:{seed.BOT_APP_ID}"}],
        }
        install = self._begun(base, "installationUpdate", chat, "")
        install |= {"action": "add", "from": self._silent(who)}
        return [update, install]

    def raw(self, base: str, channel: Channel, who: str) -> Activity:
        """The frame of an activity, for tests to fill."""
        made = self._begun(base, "event", channel, "")
        return made | {"from": self.sender(who)}

    def sender(self, who: str) -> dict[str, str]:
        if who.startswith("28:"):
            return {"id": who, "name": seed.APPS[who.removeprefix("28:")][0]}
        person = self._state.person(who)
        return {"id": who, "name": person.name, "aadObjectId": person.directory_id}

    def _silent(self, who: str) -> dict[str, str]:
        person = self._state.person(who)
        return {"id": who, "aadObjectId": person.directory_id}

    def _begun(self, base: str, kind: str, channel: Channel, root: str) -> Activity:
        region = self._state.tenants[channel.tenant].region
        return {
            "type": kind,
            "id": f"f:{uuid4()}",
            **_times(stamp(self._state.next_ms(channel.tenant))),
            "serviceUrl": f"{base}/teams/connector/{region}/",
            "channelId": "msteams",
            "from": {},
            "conversation": self._conversation(channel, root),
            "recipient": {"id": f"28:{seed.BOT_APP_ID}", "name": seed.BOT_NAME},
            "channelData": self._channel_data(channel),
        }

    def _said(self, message: Message) -> Activity:
        content = message.content
        escaped = self._state.setting("text_escaped")
        html = {"contentType": "text/html", "content": content.html}
        images = [
            one
            for one in content.attachments
            if str(one.get("contentType", "")).startswith("image/")
        ]
        return {
            "locale": "en-US",
            "textFormat": "plain",
            "text": told_text(content.html, escaped=escaped),
            "attachments": [*images, html],
            "entities": [*told_entities(content.mentions), dict(_CLIENT)],
        }

    def _conversation(self, channel: Channel, root: str) -> dict[str, Any]:
        personal = channel.kind is Kind.PERSONAL
        told: dict[str, Any] = {
            "conversationType": "personal" if personal else "channel",
            "tenantId": channel.tenant,
            "id": channel.conversation_id(root),
        }
        return told if personal else {"isGroup": True, **told}

    def _channel_data(self, channel: Channel) -> dict[str, Any]:
        if channel.kind is Kind.PERSONAL:
            return {"tenant": {"id": channel.tenant}}
        team = self._state.teams[channel.team]
        return {
            "teamsChannelId": channel.id,
            "teamsTeamId": team.id,
            "channel": _channel_told(channel, named=False),
            "team": {"id": team.id, "aadGroupId": team.group_id},
            "tenant": {"id": channel.tenant},
        }

    def _team_data(self, team: Team) -> dict[str, Any]:
        told = {"id": team.id, "name": team.name, "aadGroupId": team.group_id}
        return {"team": told, "tenant": {"id": team.tenant}}


def member(person: Person) -> dict[str, str]:
    """Somebody who joined or left, as conversationUpdate tells them."""
    return {"id": person.id, "aadObjectId": person.directory_id}


def renewed(activity: Mapping[str, Any], at: str) -> Activity:
    """The same once more as Teams' second layer sends it: a new id and time."""
    number = str(activity.get("id"))
    new = _number(at) if number.isdecimal() else f"f:{uuid4()}"
    return {**activity, "id": new, **_times(at)}


def _number(at: str) -> str:
    """Return a time as message ids write it: its milliseconds."""
    return str(round(datetime.fromisoformat(at).timestamp() * 1000))


def _channel_told(channel: Channel, *, named: bool) -> dict[str, str]:
    told = {"id": channel.id}
    if channel.kind is not Kind.STANDARD:
        told["type"] = channel.kind.value
    # The General channel has no name of its own.
    if named and not channel.is_general:
        told["name"] = channel.name
    return told


def _times(at: str) -> dict[str, str]:
    return {
        "timestamp": at,
        "localTimestamp": at.replace("Z", "+00:00"),
        "localTimezone": "Etc/UTC",
    }
