"""Found entries as people read them: who, where, when, and the words around a hit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bridge.messages import Channel, Platform
from bridge.search.matching import elements
from bridge.search.syntax import Expression, Near, Not, Phrase, Wild, leaves
from bridge.search.words import index_words
from bridge.text import one_line
from storage.log_reader import LogEntry
from storage.search.facts import sent_us

_LENGTH = 160
_BEFORE = 50


@dataclass(frozen=True, slots=True)
class Found:
    """One entry that was found, ready to be shown."""

    seq: int
    etype: str
    channel: Channel | None
    message: str
    thread: str
    rev: int
    author: str
    author_id: str
    sent_us: int
    snippet: str
    files: tuple[str, ...]


def shown(entry: LogEntry, expression: Expression) -> Found:
    """Return an entry with the part of its text in which the words stand."""
    row, body = entry.row, entry.body
    author: Mapping[str, Any] = body.get("author") or {}
    files = tuple(str(file.get("name", "")) for file in body.get("files") or ())
    return Found(
        entry.seq,
        entry.etype,
        _channel(row),
        row["msg"],
        row["thread"],
        row["rev"],
        str(author.get("name") or author.get("id") or ""),
        str(author.get("id") or ""),
        sent_us(row),
        snippet(str(body.get("text", "")), expression),
        files,
    )


def snippet(text: str, expression: Expression) -> str:
    """Return a line of the text, from shortly before the first word asked for."""
    line = one_line(text)
    if len(line) <= _LENGTH:
        return line
    at = _first(line, list(_wanted(expression)))
    start = max(0, at - _BEFORE)
    if start:
        space = line.find(" ", start, at)
        start = space + 1 if space >= 0 else start
    end = start + _LENGTH
    return f"{'…' * (start > 0)}{line[start:end]}{'…' * (end < len(line))}"


def _wanted(expression: Expression) -> Sequence[Phrase | Wild]:
    found: list[Phrase | Wild] = []
    if isinstance(expression, Not):
        return found
    for leaf in leaves(expression):
        if isinstance(leaf, Phrase | Wild):
            found.append(leaf)
        elif isinstance(leaf, Near):
            found += [leaf.left, leaf.right]
    return found


def _first(line: str, wanted: Sequence[Phrase | Wild]) -> int:
    """Return where the first word begins that fits what is asked for."""
    firsts = [elements(each).places[0] for each in wanted]
    at = 0
    for word in line.split(" "):
        if any(one.fits(each) for each in index_words(word) for one in firsts):
            return at
        at += len(word) + 1
    return 0


def _channel(row: Mapping[str, Any]) -> Channel | None:
    if row["platform"] not in set(Platform) or not row["conv"]:
        return None
    return Channel(Platform(row["platform"]), row["team"], row["conv"])
