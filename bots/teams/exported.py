"""
Read chat messages as Microsoft Graph exports them, in the words of activities.

Graph shows what stands: of an edited message its last text, of a deleted one that it
was deleted. People are named by their directory ids. Nothing here waits.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from bots.teams.recalled import activities_of, is_told
from bots.teams.translate import translate
from bots.teams.wire import iso, mapping, mappings, microseconds, text_of
from bridge.errors import BadInput
from bridge.messages import Event
from bridge.places import Place

Message = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reader:
    """
    Tells what happened in a tenant.

    `teams` are the teams' own ids (`19:…`), by the ids of their groups, as far as
    ATOM has heard of them; `app_id` is ATOM's bot, whose posts are no news.
    """

    account: str
    app_id: str = ""
    teams: Mapping[str, str] = field(default_factory=dict)

    def events(self, message: Message) -> Iterator[Event]:
        """Yield what one message tells. Systems' messages tell nothing."""
        if not is_told(message, bots=True):
            return
        place = self._place(message)
        if place is None:
            return
        raw = json.dumps(message, ensure_ascii=False).encode("utf-8", "replace")
        for activity in activities_of(message, place, {}, was_deleted=False):
            yield from self._told(activity, raw)
        for activity in self._reactions(message, place):
            yield from self._told(activity, raw)

    def _told(self, activity: dict[str, Any], raw: bytes) -> Iterator[Event]:
        try:
            found = translate(activity, raw, app_id=self.app_id, now_us=0)
        except BadInput:
            return
        if isinstance(found, Event):
            who = found.author.id if found.kind.startswith("reaction.") else ""
            detail = " ".join(value for _, value in found.detail) if who else ""
            name = f"import:{found.event_id}:{found.message}:{who}:{detail}"
            yield replace(found, event_id=name)

    def _place(self, message: Message) -> Place | None:
        identity = mapping(message.get("channelIdentity"))
        channel, group = (text_of(identity.get(n)) for n in ("channelId", "teamId"))
        if channel:
            team = self.teams.get(group, group) or channel
            return Place(self.account, team, channel, "", group_id=group)
        if chat := text_of(message.get("chatId")):
            return Place(self.account, chat, chat, "", kind="chat")
        return None

    def _reactions(self, message: Message, place: Place) -> Iterator[dict[str, Any]]:
        shown = next(activities_of(message, place, {}, was_deleted=False))
        for reaction in mappings(message.get("reactions")):
            user = mapping(mapping(reaction.get("user")).get("user"))
            at = microseconds(reaction.get("createdDateTime")) or 0
            yield {
                **{k: shown[k] for k in ("conversation", "channelData", "channelId")},
                "type": "messageReaction",
                "id": f"{text_of(message.get('id'))}:{iso(at)}",
                "timestamp": iso(at),
                "from": {
                    "id": text_of(user.get("id")),
                    "name": text_of(user.get("displayName")),
                },
                "replyToId": text_of(message.get("id")),
                "reactionsAdded": [{"type": text_of(reaction.get("reactionType"))}],
            }


def messages_in(value: Any) -> Iterator[Message]:
    """Yield the messages of a page of Graph's, of a list, or of one message."""
    if isinstance(value, dict):
        listed = value["value"] if isinstance(value.get("value"), list) else [value]
    else:
        listed = value
    for message in mappings(listed):
        if "messageType" in message:
            yield message
            yield from mappings(message.get("replies"))
