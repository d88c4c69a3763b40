"""
Text as detectors look at it, with a way back to where everything stood.

Full-width digits, spaces of every width, invisible characters and unusual dashes are how
a number gets past a detector, by accident or not. They are made plain here: NFKC, all
decimal digits to 0-9, all blanks to a space, all dashes to a hyphen, and what nobody
sees is dropped.
"""

import re
from dataclasses import dataclass
from unicodedata import category, combining, decimal, is_normalized, normalize

_DASHES = dict.fromkeys(map(ord, "‐‑‒–—―−﹘﹣－⁃"), "-")
# Zero-width characters, soft hyphens, marks of direction, variation selectors, tags.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u180b-\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f"
    "\ufe00-\ufe0f\ufeff\U000e0000-\U000e007f]"
)
# Whatever `_plain` changes that NFKC does not.
_ODD = re.compile(
    f"{_INVISIBLE.pattern}|[{''.join(map(chr, _DASHES))}]|(?![0-9])\\d|(?![ \t-\r])\\s"
)
_PLAIN_RUN = re.compile("[\x00-\x7f]+")
_OTHER = re.compile("[^\x00-\x7f]+")
_MOST_MARKS = 32  # marks on one letter that are looked at as one


@dataclass(frozen=True, slots=True)
class Normal:
    """
    A text made plain.

    `starts` and `ends` say for each character from where up to where in the original it
    came; both are None where nothing was changed.
    """

    text: str
    length: int
    starts: tuple[int, ...] | None = None
    ends: tuple[int, ...] | None = None

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return where in the original a part of the text stands, from - up to."""
        if self.starts is None or self.ends is None:
            return start, end
        if start >= end:
            place = self.starts[start] if start < len(self.starts) else self.length
            return place, place
        return self.starts[start], self.ends[end - 1]


def normal(text: str) -> Normal:
    """Make a text plain. Takes time in proportion to its length."""
    if text.isascii() or (is_normalized("NFKC", text) and not _has_odd(text)):
        return Normal(text, len(text))
    out: list[str] = []
    starts: list[int] = []
    ends: list[int] = []
    place, length = 0, len(text)
    while place < length:
        if (run := _PLAIN_RUN.match(text, place)) is not None:
            # The last letter may have a mark on it.
            end = run.end() if run.end() == length else run.end() - 1
            if end > place:
                out.append(text[place:end])
                starts.extend(range(place, end))
                ends.extend(range(place + 1, end + 1))
                place = end
                continue
        end = _cluster_end(text, place)
        piece = _plain(text[place:end])
        out.append(piece)
        starts.extend([place] * len(piece))
        ends.extend([end] * len(piece))
        place = end
    return Normal("".join(out), length, tuple(starts), tuple(ends))


def _has_odd(text: str) -> bool:
    """Whether `_plain` changes a character; ASCII it never does, so that is left out."""
    return _ODD.search("".join(_OTHER.findall(text))) is not None


def _cluster_end(text: str, start: int) -> int:
    """Return where a character ends together with the marks on it."""
    end, most = start + 1, min(len(text), start + _MOST_MARKS)
    while end < most and not text[end].isascii() and combining(text[end]):
        end += 1
    return end


def _plain(cluster: str) -> str:
    if cluster.isascii():
        return cluster
    shown = _INVISIBLE.sub("", normalize("NFKC", _INVISIBLE.sub("", cluster)))
    return "".join(map(_plain_character, shown))


def _plain_character(character: str) -> str:
    if character.isascii():
        return character
    if (dash := _DASHES.get(ord(character))) is not None:
        return dash
    if (digit := decimal(character, None)) is not None:
        return str(digit)
    if category(character) == "Zs":
        return " "
    return character
