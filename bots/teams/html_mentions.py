"""
Who or what is meant by a mention: what Teams says beside the HTML, never what it shows.
"""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import unescape
from typing import Any

from bridge.document import (
    Audience,
    Broadcast,
    ChannelMention,
    GroupMention,
    Mention,
)
from bridge.text import one_line

Mentioned = Mention | ChannelMention | GroupMention | Broadcast

_CHANNEL = "19:"
_TAG = "tag"


@dataclass(frozen=True, slots=True)
class Around:
    """Where a message stands: its channel's and its team's id."""

    channel: str = ""
    team: str = ""


class Mentions:
    """A message's mention entities, found by index, or by their exact text in order."""

    def __init__(self, entities: Any, around: Around = Around()) -> None:
        self._around = around
        self._by_index = [
            (_label(entity), _mentioned(entity)) for entity in _mentions(entities)
        ]
        self._by_label: dict[str, deque[tuple[str, str]]] = {}
        for label, mentioned in self._by_index:
            self._by_label.setdefault(label, deque()).append(mentioned)

    def named(self, label: str, index: str) -> Mentioned | None:
        """Return the mention that stands under an index, or under the label alone."""
        label = one_line(label).removeprefix("@")
        if index.isascii() and index.isdigit() and int(index[:9]) < len(self._by_index):
            return self._leaf(self._by_index[int(index[:9])][1], label)
        waiting = self._by_label.get(label)
        if not waiting:
            return None
        return self._leaf(waiting.popleft() if len(waiting) > 1 else waiting[0], label)

    def _leaf(self, mentioned: tuple[str, str], label: str) -> Mentioned | None:
        """A mention of the message's own channel, or of its team, calls everyone."""
        id_, kind = mentioned
        if not id_:
            return None
        if kind == _TAG:
            return GroupMention(id_, label)
        if not id_.startswith(_CHANNEL):
            return Mention(id_, label)
        if id_ == self._around.channel:
            return Broadcast(Audience.CHANNEL)
        if id_ == self._around.team:
            return Broadcast(Audience.EVERYONE)
        return ChannelMention(id_, label)


def _mentions(entities: Any) -> Iterable[Mapping[str, Any]]:
    for entity in entities if isinstance(entities, list | tuple) else ():
        if isinstance(entity, Mapping) and entity.get("type") == "mention":
            yield entity


def _label(entity: Mapping[str, Any]) -> str:
    text = entity.get("text")
    if not isinstance(text, str):
        return ""
    return one_line(unescape(text.strip().removeprefix("<at>").removesuffix("</at>")))


def _mentioned(entity: Mapping[str, Any]) -> tuple[str, str]:
    """Return the id of who is mentioned, and what it says to be."""
    mentioned = entity.get("mentioned")
    if not isinstance(mentioned, Mapping):
        return "", ""
    id_, kind = mentioned.get("id"), mentioned.get("type")
    return (
        id_ if isinstance(id_, str) else "",
        kind if isinstance(kind, str) else "",
    )
