"""
Which words a text is made of, for the index and for what is asked of it alike.

Upper and lower case, accents and the forms of Arabic and Hebrew points make no
difference. An emoji is a word, whatever its skin tone. Scripts that put no space
between words (Chinese, Japanese, Thai …) are kept in pairs of characters, such that
every part of such a run can be found, and nothing that is not there.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Self
from unicodedata import category, combining, normalize

from bridge.errors import BadInput

CHUNK = 100
"""A longer word is kept in pieces of so many characters: databases limit words."""
DIVIDER = "++"
"""Stands between two texts that are kept as one, and is no word."""
_LEAST = 2

_BETWEEN = re.compile(r"(?:[^\w*?\u0080-\U0010ffff]|_)+")
_PLAIN = re.compile(r"[a-z0-9]+")
_JOINER = "\u200d"
# Combining classes whose marks people leave out: accents, Hebrew and Arabic points.
# Others are letters to those who read them: vowels, viramas, kana's voicing.
_ACCENTS = frozenset({1, *range(10, 37), *range(200, 256)})
_FOLDED = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ħ": "h", "ŧ": "t", "æ": "ae", "œ": "oe", "ı": "i"}
)
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3031-\u3035\u3041-\u309f"
    "\u30a1-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]"
)
_IGNORED = frozenset("\u0640\ufe0e\ufe0f\u20e3\u00ad")


@dataclass(frozen=True, slots=True)
class Piece:
    """A word, an emoji, or a run of a script without spaces."""

    text: str
    run: bool = False


def pieces(text: str) -> list[Piece]:
    """Return what a text is made of, in order."""
    if text.isascii():
        return [Piece(word) for word in _PLAIN.findall(text.lower())]
    return list(_pieces(_normal(text)))


def index_words(text: str) -> list[str]:
    """Return a text's words as the index keeps them."""
    if text.isascii():
        words = _PLAIN.findall(text.lower())
        if all(len(word) <= CHUNK for word in words):
            return words
        return [each for word in words for each in _chunks(word)]
    return [word for piece in pieces(text) for word in _kept(piece)]


def joined(texts: Iterable[str]) -> list[str]:
    """Return the words of several texts, such that no phrase spans two of them."""
    words: list[str] = []
    for text in texts:
        if words:
            words.append(DIVIDER)
        words += index_words(text)
    return words


@dataclass(frozen=True, slots=True)
class Element:
    """
    One place of a phrase: a word of the index, the beginning of one, or a pattern.

    In a pattern `*` stands for any letters and `?` for one.
    """

    text: str
    prefix: bool = False
    pattern: bool = False

    def fits(self, word: str) -> bool:
        if self.pattern:
            return _regex(self.text).fullmatch(word) is not None
        return word.startswith(self.text) if self.prefix else word == self.text


@dataclass(frozen=True, slots=True)
class Elements:
    """
    What is asked for, place by place; `tail` is how far it reaches past its last one.

    That is 1 where the last place is a pair of characters, of which the second is
    what the next place begins with.
    """

    places: tuple[Element, ...]
    tail: int = 0

    @classmethod
    def of(cls, text: str, *, wild: bool = False) -> Self:
        """Read words, or with `wild` a pattern. Raises `BadInput` if nothing is in it."""
        if wild:
            pattern, tail = _wild(text)
            if not pattern:
                raise BadInput(f"'{_short(text)}' has no letters to search for")
            return cls(pattern, tail)
        found = pieces(text)
        if not found:
            raise BadInput(
                f"'{_short(text)}' has no letter, digit or emoji to search for"
            )
        places: list[Element] = []
        for piece in found[:-1]:
            places += [Element(word) for word in _kept(piece)]
        last = found[-1]
        if not last.run:
            return cls((*places, *(Element(word) for word in _kept(last))))
        if len(last.text) == 1:
            return cls((*places, Element(last.text, prefix=True)))
        pairs = _pairs(last.text)[:-1]
        return cls((*places, *(Element(pair) for pair in pairs)), tail=1)

    def starts(self, words: list[str]) -> Iterator[int]:
        """Yield where in a row of words this stands."""
        first, size = self.places[0], len(self.places)
        for n in range(len(words) - size + 1):
            if first.fits(words[n]) and all(
                place.fits(words[n + k]) for k, place in enumerate(self.places)
            ):
                yield n


def is_near(
    left: Elements, right: Elements, words: list[str], distance: int, *, ordered: bool
) -> bool:
    """Say whether both stand in the words with at most so many others between."""
    ends = [(n, n + len(left.places) + left.tail) for n in left.starts(words)]
    for start in right.starts(words) if ends else ():
        after = start + len(right.places) + right.tail
        for first, end in ends:
            if end <= start <= end + distance:
                return True
            if not ordered and after <= first <= after + distance:
                return True
    return False


def _normal(text: str) -> str:
    text = normalize("NFKC", normalize("NFKC", text).casefold())
    bare = (c for c in normalize("NFD", text) if combining(c) not in _ACCENTS)
    # What was left out may have kept two others from being one character.
    return normalize("NFKC", "".join(bare).translate(_FOLDED)).casefold()


def _pieces(text: str) -> Iterator[Piece]:
    kind, begun = "", ""
    for n, c in enumerate(text):
        now = _kind(c)
        if now == "ignored":
            if c == _JOINER and kind == "emoji" and _is_emoji(text, n + 1):
                kind, begun = "joined", begun + c
            continue
        if now == kind and now in {"word", "run"}:
            begun += c
        elif now == "emoji" and (kind == "joined" or _pairs_up(begun, c)):
            kind, begun = "emoji", begun + c
        else:
            if begun:
                yield Piece(begun, kind == "run")
            kind, begun = now, c if now else ""
    if begun:
        yield Piece(begun, kind == "run")


def _is_emoji(text: str, n: int) -> bool:
    return n < len(text) and _kind(text[n]) == "emoji"


def _pairs_up(begun: str, c: str) -> bool:
    """Whether two regional indicators make a flag."""
    return len(begun) == 1 and _is_indicator(begun) and _is_indicator(c)


def _is_indicator(c: str) -> bool:
    return "\U0001f1e6" <= c <= "\U0001f1ff"


@lru_cache(maxsize=8192)
def _kind(c: str) -> str:
    if c in _IGNORED or "\U0001f3fb" <= c <= "\U0001f3ff":
        return "ignored"
    if _UNSPACED.match(c) and category(c)[0] in "LMN":
        return "run"
    match category(c):
        case "So":
            return "emoji"
        case "Cf":
            return "ignored"
        case kind if kind[0] in "LMN":
            return "word"
    return ""


def _kept(piece: Piece) -> list[str]:
    if piece.run:
        return _pairs(piece.text)
    return _chunks(piece.text)


def _pairs(run: str) -> list[str]:
    """Return a word for each character: with its next one, and the last one alone."""
    return [run[n : n + 2] for n in range(len(run))]


def _chunks(word: str) -> list[str]:
    if len(word) <= CHUNK:
        return [word]
    parts = [word[n : n + CHUNK] for n in range(0, len(word), CHUNK)]
    # Marked where they were cut: a piece is neither a word nor the beginning of one.
    last = len(parts) - 1
    return [f"{'+' * (n > 0)}{part}{'+' * (n < last)}" for n, part in enumerate(parts)]


def _wild(pattern: str) -> tuple[tuple[Element, ...], int]:
    places: list[Element] = []
    parts = _BETWEEN.split(_pattern_normal(pattern))
    for part in (one for one in parts if pieces(one)):
        if "*" in part or "?" in part:
            places.append(_pattern(part))
        else:
            places += [Element(word) for word in index_words(part)]
    last = pieces(parts[-1])
    if places and last and last[-1].run:
        rest = Elements.of(parts[-1])
        kept = len(places) - len(index_words(parts[-1]))
        return (*places[:kept], *rest.places), rest.tail
    return tuple(places), 0


def _pattern(part: str) -> Element:
    letters = part.replace("*", "").replace("?", "")
    found = pieces(letters)
    if found[0].run:
        raise BadInput(
            "Wildcards do not go into Chinese, Japanese or Thai: parts of their words "
            "are found anyway"
        )
    if len(letters) < _LEAST or part[0] in "*?" or [p.text for p in found] != [letters]:
        raise BadInput(
            f"'{_short(part)}' finds too much: a wildcard goes into one word and needs "
            "two letters, of which one comes first"
        )
    if len(letters) >= CHUNK:
        raise BadInput(f"a word with wildcards may have {CHUNK} letters at most")
    if part.rstrip("*") == letters:
        return Element(letters, prefix=True)
    return Element(re.sub(r"\*+", "*", part), pattern=True)


def _pattern_normal(pattern: str) -> str:
    return pattern.lower() if pattern.isascii() else _normal(pattern)


@lru_cache(maxsize=512)
def _regex(pattern: str) -> re.Pattern[str]:
    """Return the pattern for Python. Its cost grows with the word's length alone."""
    return re.compile(
        "".join(_STANDS.get(c) or re.escape(c) for c in pattern), re.DOTALL
    )


_STANDS = {"*": "[^+]*", "?": "[^+]"}


def _short(text: str) -> str:
    return text if len(text) <= 40 else f"{text[:40]}…"  # noqa: PLR2004
