"""
Read what Slack exported, in the words of its events. Nothing here waits.

An export shows what stands, and in some plans what was changed and deleted; each is
told as the event that Slack would have sent, and read like one.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from bots.slack.payload import mapping, mappings, string
from bots.slack.translate import translate
from bridge.messages import Channel, Event, EventKind, Person, PersonKind, Platform

Message = Mapping[str, Any]

_MOVES = {
    "channel_join": "member_joined_channel",
    "group_join": "member_joined_channel",
    "channel_leave": "member_left_channel",
    "group_leave": "member_left_channel",
}


@dataclass(frozen=True, slots=True)
class Place:
    """A conversation of the export. `kind` is channel, private, group or direct."""

    id: str
    name: str
    kind: str
    created: int = 0


@dataclass(frozen=True, slots=True)
class Reader:
    """Tells what happened in a workspace; `people` are its accounts by their ids."""

    account: str
    people: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def place(self, place: Place) -> Event:
        """Return an event that says what a conversation is called."""
        detail = (("name", place.name), ("kind", place.kind))
        return Event(
            platform=Platform.SLACK,
            account=self.account,
            event_id=f"import:{place.id}:{place.name}",
            kind=EventKind.CHANNEL_CHANGE,
            channel=Channel(Platform.SLACK, self.account, place.id),
            author=Person(Platform.SLACK, "", kind=PersonKind.SYSTEM),
            sent_us=place.created * 1_000_000,
            raw=b"",
            detail=tuple(pair for pair in detail if pair[1]),
        )

    def events(self, place: Place, message: Message) -> Iterator[Event]:
        """Yield what one object of a day file tells."""
        ts, subtype = string(message, "ts"), string(message, "subtype")
        if subtype in _MOVES:
            moved = {"type": _MOVES[subtype], "user": string(message, "user")}
            yield from self._told(place, moved, message, ts)
            return
        if subtype in {"message_changed", "message_deleted"}:
            at = string(message, "event_ts") or ts
            yield from self._told(place, self._with_names(message), message, at)
            return
        said = self._named(message)
        yield from self._told(place, said, message, ts)
        if edited := string(mapping(message, "edited"), "ts"):
            changed = {"type": "message", "subtype": "message_changed", "message": said}
            yield from self._told(place, changed, message, edited)
        yield from self._reactions(place, message)

    def _reactions(self, place: Place, message: Message) -> Iterator[Event]:
        ts = string(message, "ts")
        for reaction in mappings(message, "reactions"):
            users = reaction.get("users")
            for user in users if isinstance(users, list) else ():
                if isinstance(user, str):
                    told = {
                        "type": "reaction_added",
                        "user": user,
                        "reaction": string(reaction, "name"),
                        "item": {"type": "message", "channel": place.id, "ts": ts},
                    }
                    yield from self._told(place, told, told, ts)

    def _told(
        self, place: Place, event: Message, raw: Message, at: str
    ) -> Iterator[Event]:
        kind = string(event, "subtype") or string(event, "type")
        about = (
            string(mapping(event, "message"), "ts")
            or string(event, "deleted_ts")
            or string(event, "ts")
            or string(mapping(event, "item"), "ts")
        )
        who = f"{string(event, 'user')}:{string(event, 'reaction')}"
        body = {
            "type": "event_callback",
            "team_id": self.account,
            "event_id": f"import:{place.id}:{about}:{kind}:{at}:{who}",
            "event": {
                "type": "message",
                **event,
                "channel": place.id,
                "event_ts": at,
            },
        }
        text = json.dumps(raw, ensure_ascii=False).encode("utf-8", "replace")
        found = translate(body, text)
        if isinstance(found, Event) and found.kind is not EventKind.OTHER:
            yield self._called(found)

    def _called(self, event: Event) -> Event:
        profile = mapping(self.people.get(event.author.id, {}), "profile")
        name = string(profile, "display_name") or string(profile, "real_name")
        return replace(
            event, author=event.author.named(Person(Platform.SLACK, "", name))
        )

    def _with_names(self, event: Message) -> Message:
        named = {
            key: self._named(mapping(event, key))
            for key in ("message", "previous_message")
            if mapping(event, key)
        }
        return {**event, **named}

    def _named(self, message: Message) -> Message:
        """Slack's own exports name people apart from what they said."""
        if mapping(message, "user_profile"):
            return message
        known = mapping(self.people.get(string(message, "user"), {}), "profile")
        return {**message, "user_profile": known} if known else message
