"""Who is meant by a mention: what Teams says beside the HTML, never the name in it."""

from collections import deque
from collections.abc import Iterable, Mapping
from html import unescape
from typing import Any

from bridge.document import Mention
from bridge.text import one_line


class Mentions:
    """A message's mention entities, found by index, or by their exact text in order."""

    def __init__(self, entities: Any) -> None:
        self._by_index = [
            (_label(entity), _mentioned(entity)) for entity in _mentions(entities)
        ]
        self._by_label: dict[str, deque[str]] = {}
        for label, account in self._by_index:
            self._by_label.setdefault(label, deque()).append(account)

    def named(self, label: str, index: str) -> Mention | None:
        """Return the mention that stands under an index, or under the label alone."""
        label = one_line(label).removeprefix("@")
        if index.isascii() and index.isdigit() and int(index[:9]) < len(self._by_index):
            account = self._by_index[int(index[:9])][1]
            return Mention(account, label) if account else None
        waiting = self._by_label.get(label)
        if not waiting:
            return None
        account = waiting.popleft() if len(waiting) > 1 else waiting[0]
        return Mention(account, label) if account else None


def _mentions(entities: Any) -> Iterable[Mapping[str, Any]]:
    for entity in entities if isinstance(entities, list | tuple) else ():
        if isinstance(entity, Mapping) and entity.get("type") == "mention":
            yield entity


def _label(entity: Mapping[str, Any]) -> str:
    text = entity.get("text")
    if not isinstance(text, str):
        return ""
    return one_line(unescape(text.strip().removeprefix("<at>").removesuffix("</at>")))


def _mentioned(entity: Mapping[str, Any]) -> str:
    mentioned = entity.get("mentioned")
    account = mentioned.get("id") if isinstance(mentioned, Mapping) else None
    return account if isinstance(account, str) else ""
