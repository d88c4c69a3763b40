"""
What a digest of a channel's history shows.

Times are UTC. Nobody is called by it, and files are names.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from bridge.access import Decision
from bridge.document import Block, Document, Paragraph, Style, Text
from bridge.messages import Event, EventKind, PersonKind
from bridge.plain import plain_text
from bridge.quiet import quiet

_PART = 3_000  # characters that one post holds, and a single message may exceed
_MESSAGES = 20  # that one post holds
_HEAD = 60  # characters that name an author and a time, about
_SILENT = {PersonKind.BOT, PersonKind.SYSTEM}

_BOLD = (Style.BOLD,)
_ITALIC = (Style.ITALIC,)


@dataclass(frozen=True, slots=True)
class Said:
    """A message as it stood when it was read, and the decision on it."""

    created: Event
    newest: Event
    decision: Decision | None = None

    @property
    def id(self) -> str:
        return self.created.message


def heading(name: str, days: int, messages: int) -> Document:
    """Return the root of a digest."""
    span = "1 day" if days == 1 else f"{days} days"
    count = "1 message" if messages == 1 else f"{messages} messages"
    title = Text(f"History of {name}, {span}, {count}", _BOLD)
    hint = Text("\nSaid before the channels were linked. Times are UTC.", _ITALIC)
    return Document((Paragraph((title, hint)),))


def standing(events: Sequence[Event], since_us: int, until_us: int) -> list[Said]:
    """Return what was said in a time and still stands, oldest first, as it is now."""
    found: dict[str, Said] = {}
    gone: set[str] = set()
    for event in events:
        match event.kind:
            case EventKind.MESSAGE_CREATE:
                found.setdefault(event.message, Said(event, event))
            case EventKind.MESSAGE_EDIT if known := found.get(event.message):
                if event.version_us > known.newest.version_us:
                    found[event.message] = replace(known, newest=event)
            case EventKind.MESSAGE_DELETE:
                gone.add(event.message)
            case EventKind.MESSAGE_RESTORE:
                gone.discard(event.message)
    said = (
        one
        for one in found.values()
        if one.id not in gone
        and one.created.author.kind not in _SILENT
        and since_us <= one.created.sent_us < until_us
    )
    return sorted(said, key=lambda one: one.created.sent_us)


def told(said: Said, names: Mapping[str, str]) -> list[Block]:
    """Return one message as it stands in a digest: who, when, what, which files."""
    author = said.created.author
    name = author.name or names.get(author.id, "") or "Somebody"
    moment = datetime.fromtimestamp(said.created.sent_us // 1_000_000, UTC)
    when = f"  {moment:%Y-%m-%d %H:%M}"
    reply = "  in a thread" if said.created.thread else ""
    head = Paragraph((Text(name, _BOLD), Text(f"{when}{reply}", _ITALIC)))
    blocks: list[Block] = [head, *quiet(said.newest.document, names).blocks]
    if files := ", ".join(file.name for file in said.newest.files if file.name):
        blocks.append(Paragraph((Text(f"📎 {files}"),)))
    return blocks


def first_part(rest: Sequence[Said]) -> list[Said]:
    """Return as many messages as one post holds, but one at least."""
    part: list[Said] = []
    length = 0
    for one in rest[:_MESSAGES]:
        length += len(plain_text(one.newest.document)) + _HEAD
        if part and length > _PART:
            break
        part.append(one)
    return part
