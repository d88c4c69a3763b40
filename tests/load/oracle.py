"""
What a search has to find, worked out the slow way: every message is looked at.

It shares the parser with ATOM and nothing else. Words are told apart here by their
letters' names in Unicode, and stand in a row of units, each one a word, an emoji or a
single character of a script without spaces.
"""

import fnmatch
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache

from bridge.document import Link, Mention, Text
from bridge.messages import Channel, Event, EventKind, Person
from bridge.search.syntax import (
    And,
    Anything,
    Condition,
    Expression,
    Near,
    Not,
    Or,
    Phrase,
    Query,
    Span,
    Wild,
)
from tests.load.corpus import DECIDED, Delivered, Happening

_UNSPACED = {
    "CJK",
    "HIRAGANA",
    "KATAKANA",
    "KATAKANA-HIRAGANA",
    "THAI",
    "LAO",
    "IDEOGRAPHIC",
}
_POINTED = {"LATIN", "GREEK", "CYRILLIC", "ARABIC", "HEBREW"}
_PLAIN = {
    "ø": "o",
    "ł": "l",
    "đ": "d",
    "ħ": "h",
    "ŧ": "t",
    "æ": "ae",
    "œ": "oe",
    "ı": "i",
}


@dataclass(frozen=True, slots=True)
class Unit:
    text: str
    glued: bool  # it belongs to the run of the one before it


@lru_cache(maxsize=200_000)
def units(text: str) -> tuple[Unit, ...]:  # noqa: C901, PLR0912 - slow, but plain
    folded = unicodedata.normalize(
        "NFKC", unicodedata.normalize("NFKC", text).casefold()
    )
    found: list[list[object]] = []
    kind_before = ""
    base = ""
    for c in _decomposed(folded):
        kind = _kind(c)
        if kind == "mark":
            if base in _POINTED or not kind_before or kind_before == "emoji":
                continue
            found[-1][0] = str(found[-1][0]) + c
            continue
        if kind == "skip":
            continue
        if kind == "join":
            if kind_before == "emoji":
                kind_before = "joining"
            continue
        base = _script(c)
        if kind == "emoji":
            flag = kind_before == "emoji" and _flag(str(found[-1][0])) and _flag(c)
            if kind_before == "joining":
                found[-1][0] = f"{found[-1][0]}\u200d{c}"
            elif flag:
                found[-1][0] = f"{found[-1][0]}{c}"
            else:
                found.append([c, False])
        elif kind == "char":
            found.append([c, kind_before == "char"])
        elif kind == "letter":
            if kind_before == "letter":
                found[-1][0] = str(found[-1][0]) + c
            else:
                found.append([c, False])
        kind_before = kind
    return tuple(
        Unit(unicodedata.normalize("NFC", str(text)), bool(glued))
        for text, glued in found
    )


def _decomposed(text: str) -> Iterable[str]:
    for c in text:
        if "HANGUL" in unicodedata.name(c, "") or _script(c) in _UNSPACED:
            yield c
        else:
            yield from "".join(
                _PLAIN.get(d, d) for d in unicodedata.normalize("NFD", c)
            )


@lru_cache(maxsize=20_000)
def _script(c: str) -> str:
    return unicodedata.name(c, "").split(" ")[0]


def _flag(text: str) -> bool:
    return (
        unicodedata.name(text[0], "").startswith("REGIONAL INDICATOR")
        and len(text) == 1
    )


@lru_cache(maxsize=20_000)
def _kind(c: str) -> str:
    name, category = unicodedata.name(c, ""), unicodedata.category(c)
    if name == "ZERO WIDTH JOINER":
        return "join"
    if name.startswith(("EMOJI MODIFIER", "VARIATION SELECTOR")) or category == "Cf":
        return "skip"
    if name in {"ARABIC TATWEEL", "COMBINING ENCLOSING KEYCAP"}:
        return "skip"
    if category[0] == "M":
        return "char" if _script(c) in _UNSPACED else "mark"
    if category == "So":
        return "emoji"
    if category[0] in "LN":
        return "char" if _script(c) in _UNSPACED else "letter"
    return ""


@dataclass
class Said:
    """One revision, as everybody could see it."""

    seq: int
    text: str
    files: list[str]
    mimes: list[str]
    mentions: list[Person]
    has_link: bool
    author: Person


@dataclass
class Told:
    """One message with all that happened to it."""

    channel: Channel
    thread: str
    sent_us: int
    said: list[Said] = field(default_factory=list)
    deleted: bool = False
    was_deleted: bool = False
    edited: bool = False
    reactions: set[tuple[str, str]] = field(default_factory=set)
    copies: set[Channel] = field(default_factory=set)
    bridged: bool = False


class Oracle:
    """Reads what happened, and answers searches about it."""

    def __init__(self, happenings: Iterable[Happening]) -> None:
        self.messages: dict[tuple[Channel, str], Told] = {}
        self._by_seq: dict[int, Told] = {}
        self.size = 0
        for seq, happening in enumerate(happenings):
            self.size = seq + 1
            if isinstance(happening, Delivered):
                self._delivered(happening)
            else:
                self._happened(seq, happening)

    def _delivered(self, what: Delivered) -> None:
        told = self._by_seq[what.origin]
        told.bridged = True
        (told.copies.discard if what.gone else told.copies.add)(what.target)

    def _happened(self, seq: int, event: Event) -> None:
        assert event.channel
        key = (event.channel, event.message)
        if event.kind is EventKind.MESSAGE_CREATE:
            self.messages[key] = Told(event.channel, event.thread, event.sent_us)
        told = self.messages[key]
        self._by_seq[seq] = told
        added = dict(event.detail)
        match event.kind:
            case EventKind.MESSAGE_DELETE:
                told.deleted = told.was_deleted = True
            case EventKind.REACTION_ADD:
                told.reactions.add((event.author.id, added["added"]))
            case EventKind.REACTION_REMOVE:
                told.reactions.discard((event.author.id, added["removed"]))
            case EventKind.MESSAGE_EDIT:
                told.edited = True
                told.said.append(_said(seq, event))
            case _:
                told.deleted = False
                told.said.append(_said(seq, event))

    def answer(self, query: Query) -> list[int]:
        """Return the positions found, lowest first. Dates have to be spans."""
        return sorted(
            said.seq
            for told in self.messages.values()
            for said in (told.said if query.any_revision else told.said[-1:])
            if self._true(query.expression, told, said)
        )

    def visible(self, query: Query, within: set[Channel]) -> list[int]:
        """Return what somebody finds who reads these channels."""
        return sorted(
            told.said[-1].seq
            for told in self.messages.values()
            if not told.deleted
            and within & {told.channel, *told.copies}
            and self._true(query.expression, told, told.said[-1])
        )

    def _true(self, asked: Expression, told: Told, said: Said) -> bool:
        match asked:
            case And(parts):
                return all(self._true(part, told, said) for part in parts)
            case Or(parts):
                return any(self._true(part, told, said) for part in parts)
            case Not(part):
                return not self._true(part, told, said)
            case Anything():
                return True
            case Span(start, end):
                return start <= told.sent_us < end
            case Condition():
                return _condition(asked, told, said)
            case Phrase() | Wild():
                return bool(_ends(asked, units(said.text))) or any(
                    _ends(asked, units(name)) for name in said.files
                )
            case Near():
                return any(
                    _near(asked, units(text)) for text in (said.text, *said.files)
                )


def _said(seq: int, event: Event) -> Said:
    leaves = [leaf for block in event.document.blocks for leaf in block.content]  # type: ignore[union-attr]
    text = "".join(
        leaf.text
        if isinstance(leaf, Text)
        else f"@{leaf.label}"
        if isinstance(leaf, Mention)
        else leaf.url  # type: ignore[union-attr]
        for leaf in leaves
    )
    mentions = [
        Person(event.platform, leaf.id, leaf.label)
        for leaf in leaves
        if isinstance(leaf, Mention)
    ]
    return Said(
        seq,
        text,
        [file.name for file in event.files],
        [file.mime for file in event.files],
        mentions,
        any(isinstance(leaf, Link) for leaf in leaves),
        event.author,
    )


@lru_cache(maxsize=5_000)
def _pattern(asked: Phrase | Wild) -> list[Unit]:
    if isinstance(asked, Phrase):
        return list(units(asked.text))
    parts = re.split(r"[-_.']+", asked.pattern)
    return [
        Unit(
            "".join(
                u.text for u in units(part.replace("*", "xqx").replace("?", "xqqx"))
            )
            .replace("xqqx", "?")
            .replace("xqx", "*"),
            glued=False,
        )
        for part in parts
        if part
    ]


def _fits(wanted: Unit, unit: Unit, *, first: bool) -> bool:
    if not first and wanted.glued != unit.glued:
        return False
    if "*" in wanted.text or "?" in wanted.text:
        return re.fullmatch(fnmatch.translate(wanted.text), unit.text) is not None
    return wanted.text == unit.text


def _ends(asked: Phrase | Wild, row: tuple[Unit, ...]) -> list[tuple[int, int]]:
    """Return where it begins, and where what follows it would."""
    wanted = _pattern(asked)
    size = len(wanted)
    if isinstance(asked, Phrase) and not all(w.text in _texts(row) for w in wanted):
        return []
    return [
        (n, n + size)
        for n in range(len(row) - size + 1)
        if all(_fits(w, row[n + k], first=k == 0) for k, w in enumerate(wanted))
    ]


@lru_cache(maxsize=200_000)
def _texts(row: tuple[Unit, ...]) -> frozenset[str]:
    return frozenset(unit.text for unit in row)


def _near(asked: Near, row: tuple[Unit, ...]) -> bool:
    for left, left_end in _ends(asked.left, row):
        for right, right_end in _ends(asked.right, row):
            if 0 <= right - left_end <= asked.distance:
                return True
            if not asked.ordered and 0 <= left - right_end <= asked.distance:
                return True
    return False


def _is_called(value: str, person: Person) -> bool:
    if value.casefold() in {
        person.id.casefold(),
        f"{person.platform}:{person.id}".casefold(),
    }:
        return True
    asked = Wild(value) if "*" in value or "?" in value else Phrase(value)
    return bool(_ends(asked, units(person.name)))


def _condition(asked: Condition, told: Told, said: Said) -> bool:  # noqa: C901, PLR0912 - one a field
    value, author = asked.value, said.author
    places = {told.channel, *told.copies}
    match asked.field:
        case "from":
            return _is_called(value, author)
        case "mentions" | "to":
            return any(_is_called(value, person) for person in said.mentions)
        case "with":
            return any(_is_called(value, person) for person in (author, *said.mentions))
        case "in":
            return any(
                value.casefold() in {c.id.casefold(), str(c).casefold()} for c in places
            )
        case "team":
            return any(value.casefold() == c.team.casefold() for c in places)
        case "platform":
            return value == told.channel.platform
        case "type":
            return any(value in {m, m.partition("/")[0]} for m in said.mimes if m)
        case "ext":
            return any(name.lower().endswith(f".{value}") for name in said.files)
        case "filename":
            literal = asked.literal or not ("*" in value or "?" in value)
            wanted = Phrase(value) if literal else Wild(value)
            return any(_ends(wanted, units(name)) for name in said.files)
        case "policy":
            return value in {DECIDED.rule, DECIDED.policy}
        case "seq":
            first, dots, last = value.partition("..")
            if not dots:
                return said.seq == int(first)
            return int(first or 0) <= said.seq <= int(last or 10**18)
        case "dlp":
            return False
    match (asked.field, value):
        case ("has", "file"):
            return bool(said.files)
        case ("has", "link"):
            return said.has_link or "http" in said.text
        case ("has", "emoji"):
            return any(_kind(u.text[0]) == "emoji" for u in units(said.text))
        case ("has", "reaction"):
            return bool(told.reactions)
        case ("is", "thread"):
            return bool(told.thread)
        case ("is", "dm"):
            return told.channel.id.startswith("D")
        case ("is" | "was", "edited"):
            return told.edited
        case ("is", "deleted"):
            return told.deleted
        case ("was", "deleted"):
            return told.was_deleted
        case ("is", "bridged"):
            return told.bridged
        case ("is", "bot"):
            return author.kind == "bot"
        case ("is", "external"):
            return author.kind in {"external", "guest"}
        case ("has", "pin" | "card"):
            return False
    raise AssertionError(asked)
