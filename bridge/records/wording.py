"""
What every card says in the same words, on whatever platform it is shown.

Texts of records come from people outside: before a renderer cuts and escapes them they
pass `line` or `lines`, after which nothing in them is invisible, turns others around,
or is cut without saying so.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from bridge.cards import Tone
from bridge.graphemes import floor
from bridge.records.cards import RecordCard, Standing
from bridge.text import clean

HIDDEN = "🔒 hidden"
EMPTY = "–"
CUT = "… cut"
UNNAMED = "Record"
HEADING = 150  # what a title may weigh, on either platform

_SHORT = 40  # below this an ellipsis has to say it
_SCANNED = 4  # how many times more than can be shown is looked at, before it is cleaned
_REVISION = 40
_SIGNS = {Tone.PLAIN: "⚪", Tone.GOOD: "🟢", Tone.WARNING: "🟡", Tone.BAD: "🔴"}
_STANDINGS = {
    Standing.LIVE: "",
    Standing.STALE: "⏳",
    Standing.GONE: "⚫",
    Standing.FORBIDDEN: "🔒",
    Standing.UNAVAILABLE: "⏳",
    Standing.SUPERSEDED: "⤵️",
}
# What takes no place: zero-width spaces, soft hyphens, fillers, invisible operators,
# tags. Joiners stay, since letters of some scripts and emoji are made with them.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f"
    "\u2060-\u206f\u3164\uffa0\ufff0-\ufffb\U0001d173-\U0001d17a\U000e0000-\U000e0fff]"
)
_JOINERS = re.compile("[\u200c\u200d]{2,}|(?:^|(?<=\\s))[\u200c\u200d]+")
_MARKS = re.compile(
    "([\u0300-\u036f\u0483-\u0489\u1dc0-\u1dff\u20d0-\u20ff]{4})"
    "[\u0300-\u036f\u0483-\u0489\u1dc0-\u1dff\u20d0-\u20ff]+"
)
_GAPS = re.compile(r"\n\s*\n\s*")


def units(text: str) -> int:
    """Count the UTF-16 units of a text: a character beyond the first 65,536 has two."""
    if text.isascii():
        return len(text)
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def line(text: str, most: int, weigh: Callable[[str], int] = units) -> str:
    """Return a text on one line that weighs no more than `most`."""
    return cut(" ".join(_visible(text, most).split()), most, weigh, text)


def lines(text: str, most: int, weigh: Callable[[str], int] = units) -> str:
    """Return a text with its lines, at most one of them empty at a time."""
    seen = _GAPS.sub("\n\n", _visible(text, most)).strip()
    return cut(seen, most, weigh, text)


def cut(
    text: str, most: int, weigh: Callable[[str], int] = units, whole: str = ""
) -> str:
    """
    Return the text, or as much of its beginning as weighs no more than `most`.

    What is cut says so. `whole` is what the text is a part of, if it is one. Nothing
    that people see as one character is cut in two. A weight is never less than the
    number of characters.
    """
    beheaded = len(whole) > _SCANNED * most
    if not beheaded and len(text) <= most and weigh(text) <= most:
        return text
    mark = "…" if most < _SHORT else f" {CUT}"
    room = max(most - weigh(mark), 0)
    low, high = 0, min(len(text), room)
    while low < high:
        middle = (low + high + 1) // 2
        if weigh(text[:middle]) <= room:
            low = middle
        else:
            high = middle - 1
    return text[: floor(text, low, 0)].rstrip() + mark


def when(at_us: int) -> str:
    """Return a time as cards say it, to the minute in UTC."""
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=at_us)
    return f"{at:%Y-%m-%d %H:%M} UTC"


def heading(
    card: RecordCard, most: int = HEADING, weigh: Callable[[str], int] = units
) -> str:
    """The record's name, or what it is."""
    said = (line(text, most, weigh) for text in (card.name, card.what))
    return next(filter(None, said), UNNAMED)


def status_line(card: RecordCard) -> str:
    """Where the record stands, or why the card shows nothing, with a sign before it."""
    if card.standing is not Standing.LIVE:
        return f"{_STANDINGS[card.standing]} {card.reason}"
    if card.status is None or not card.status.text:
        return ""
    return f"{_SIGNS[card.status.tone]} {card.status.text}"


def kind_line(card: RecordCard) -> str:
    """What kind of record it is, unless the heading says so already."""
    return "" if card.what in {"", card.name} else card.what


def footer(card: RecordCard) -> str:
    """Where it comes from, of when, which revision, and how much is hidden."""
    parts = [card.source, f"as of {when(card.as_of_us)}"]
    if card.changed_us is not None:
        parts.append(f"changed {when(card.changed_us)}")
    elif card.rev:
        parts.append(f"rev {line(card.rev, _REVISION)}")
    if card.hidden:
        noun = "field" if card.hidden == 1 else "fields"
        parts.append(
            f"{card.hidden} {noun} hidden {'from you' if card.viewer else 'here'}"
        )
    if card.viewer:
        parts.append("only you see this")
    return " · ".join(parts)


def left_out(count: int) -> str:
    """Say that fields did not fit."""
    return f"… and {count} more {'field' if count == 1 else 'fields'}"


def open_label(card: RecordCard) -> str:
    return f"Open in {card.source}"


def _visible(text: str, most: int) -> str:
    """Return the beginning of a text, without what nobody can see."""
    seen = clean(text[: _SCANNED * most])
    if seen.isascii():
        return seen
    seen = _INVISIBLE.sub("", seen)
    if "\u200c" in seen or "\u200d" in seen:  # looking for where they stand takes long
        seen = _JOINERS.sub("", seen)
    return _MARKS.sub(r"\1", seen)
