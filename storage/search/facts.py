"""What the index keeps of one log entry."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bridge.messages import EventKind
from bridge.search.words import index_words, joined
from storage.rows import clean_text

FILE, LINK, EMOJI, CARD, THREAD, DIRECT, BOT, EXTERNAL = (1 << n for n in range(8))
FLAGS = {
    ("has", "file"): FILE,
    ("has", "link"): LINK,
    ("has", "emoji"): EMOJI,
    ("has", "card"): CARD,
    ("is", "thread"): THREAD,
    ("is", "dm"): DIRECT,
    ("is", "bot"): BOT,
    ("is", "external"): EXTERNAL,
}
CONTENT = frozenset(
    {EventKind.MESSAGE_CREATE, EventKind.MESSAGE_EDIT, EventKind.MESSAGE_RESTORE}
)
MARKING = frozenset(
    {
        EventKind.MESSAGE_DELETE,
        EventKind.MESSAGE_RESTORE,
        EventKind.REACTION_ADD,
        EventKind.REACTION_REMOVE,
        EventKind.PIN_ADD,
        EventKind.PIN_REMOVE,
        "bridge.delivered",
        "bridge.delete_applied",
        "dlp.finding",
    }
)
_BOTS = frozenset({"bot", "app", "system"})
_OUTSIDERS = frozenset({"external", "guest"})
_ADDRESS = re.compile(r"https?://", re.IGNORECASE)
_SLACK_TIME = re.compile(r"(\d{10})\.(\d{6})")
_TEAMS_TIME = re.compile(r"\d{13}")


@dataclass(frozen=True, slots=True)
class Who:
    """An author, or somebody who was mentioned, as the entry calls them."""

    platform: str
    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Where:
    platform: str
    team: str
    conv: str

    def __str__(self) -> str:
        return f"{self.platform}:{self.team}/{self.conv}"


@dataclass(frozen=True, slots=True)
class Facts:
    """
    One entry, taken apart. `values` are pairs of a kind and a value to be found by.

    `sent_us` is when the message was said, as far as this entry alone can tell.
    """

    seq: int
    eid: str
    etype: str
    where: Where
    thread: str
    msg: str
    rev: int
    version_us: int
    sent_us: int
    author: Who
    words: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    flags: int = 0
    mentions: tuple[Who, ...] = ()
    values: tuple[tuple[str, str], ...] = ()
    detail: str = ""
    origin_seq: int | None = None

    @property
    def says(self) -> bool:
        """Whether it holds what a message said."""
        return self.etype in CONTENT


def facts_of(row: Mapping[str, Any], body: Mapping[str, Any]) -> Facts:
    """Take an entry apart: its columns, and its opened body."""
    author = body.get("author") or {}
    entry = {
        "seq": row["seq"],
        "eid": row["eid"],
        "etype": row["etype"],
        "where": Where(row["platform"], row["team"], row["conv"]),
        "thread": row["thread"],
        "msg": row["msg"],
        "rev": row["rev"],
        "version_us": row["version_us"],
        "sent_us": sent_us(row),
        "author": Who(
            row["platform"], _text(author.get("id")), _text(author.get("name"))
        ),
        "origin_seq": row["origin_seq"],
    }
    if row["etype"] not in CONTENT:
        return Facts(**entry, detail=_detail(row["etype"], body))
    files = [file for file in body.get("files") or () if isinstance(file, Mapping)]
    nodes = list(_nodes(body.get("document")))
    text = _text(body.get("text"))
    words = index_words(text)
    return Facts(
        **entry,
        words=tuple(words),
        names=tuple(joined(_text(file.get("name")) for file in files)),
        flags=_flags(row, body, nodes, words),
        mentions=tuple(
            Who(row["platform"], _text(node.get("id")), _text(node.get("label")))
            for node in nodes
            if node.get("type") == "person"
        ),
        values=tuple(dict.fromkeys((*_of_files(files), *_of_policy(body)))),
    )


def sent_us(row: Mapping[str, Any]) -> int:
    """Return when a message was said. Both platforms' ids of messages tell it, too."""
    said: int = row["src_us"]
    if row["etype"] == EventKind.MESSAGE_CREATE:
        return said
    if match := _SLACK_TIME.fullmatch(row["msg"]):
        return int(match[1]) * 1_000_000 + int(match[2])
    if row["platform"] == "teams" and _TEAMS_TIME.fullmatch(row["msg"]):
        return int(row["msg"]) * 1_000
    return said


def is_direct(where: Where) -> bool:
    """Whether a place is a conversation of some people, not a channel."""
    if where.platform == "slack":
        return where.conv[:1] == "D"
    return where.conv.endswith("@unq.gbl.spaces") or where.conv.startswith("a:")


def _flags(
    row: Mapping[str, Any],
    body: Mapping[str, Any],
    nodes: list[Mapping[str, Any]],
    words: list[str],
) -> int:
    kinds = {node.get("type") for node in nodes}
    text = _text(body.get("text"))
    told = body.get("detail") or {}
    return (
        FILE * bool(body.get("files"))
        | LINK * bool("link" in kinds or _ADDRESS.search(text))
        | EMOJI * bool("emoji" in kinds or any(map(_is_emoji, words)))
        | CARD * bool(told.get("card") or told.get("cards") or body.get("card"))
        | THREAD * bool(row["thread"])
        | DIRECT * is_direct(Where(row["platform"], row["team"], row["conv"]))
        | BOT * (row["actor_kind"] in _BOTS)
        | EXTERNAL * (row["actor_kind"] in _OUTSIDERS)
    )


def _is_emoji(word: str) -> bool:
    return not word.isascii() and not any(c.isalnum() for c in word) and word != "++"


def _of_files(files: list[Mapping[str, Any]]) -> Iterator[tuple[str, str]]:
    for file in files:
        _, dot, ending = _text(file.get("name")).rpartition(".")
        if dot and ending:
            yield "ext", ending.lower()[:40]
        mime = _text(file.get("mime")).lower().partition(";")[0].strip()[:100]
        if mime:
            yield "type", mime
            yield "type", mime.partition("/")[0]


def _of_policy(body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for decision in body.get("decisions") or ():
        for key in ("rule", "policy"):
            if value := _text(decision.get(key)):
                yield "policy", value[:100]


def _detail(etype: str, body: Mapping[str, Any]) -> str:
    told = body.get("detail") or {}
    if etype in {EventKind.REACTION_ADD, EventKind.REACTION_REMOVE}:
        author = _text((body.get("author") or {}).get("id"))
        emoji = _text(told.get("added") or told.get("removed") or told.get("emoji"))
        return f"{author}|{emoji}"[:150]
    return _text(told.get("detector"))[:100]


def _nodes(document: Any) -> Iterator[Mapping[str, Any]]:
    """Yield every node of a document as the log keeps it."""
    waiting = [document]
    while waiting:
        node = waiting.pop()
        if isinstance(node, Mapping):
            yield node
            waiting += [
                node[key]
                for key in ("blocks", "content", "items", "rows", "cells")
                if key in node
            ]
        elif isinstance(node, list):
            waiting += node


def _text(value: Any) -> str:
    return clean_text(value) if isinstance(value, str) else ""
