"""
Dictionaries: lists of words and phrases, thousands of them, found in one pass.

A text is cut into words, and each is looked up together with those that follow it. So
the cost grows with the text and not with the list. Words are compared as the eye reads
them: `Вluеbird` with two Cyrillic letters is bluebird.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from bridge.errors import BadInput
from bridge.leaving.findings import Confidence
from policy.dlp.detector import Detector, Hit
from policy.dlp.homographs import skeleton

MOST_ENTRIES = 200_000
_MOST_WORDS = 12  # in a phrase
_MOST_LENGTH = 200
_WORD = re.compile(r"\w+")
# Scripts that put no blanks between words: each of their characters counts as one.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff]"
)


@dataclass(frozen=True, slots=True)
class WordList:
    """Phrases by their first word, each as its words."""

    by_first: dict[str, list[tuple[str, ...]]] = field(repr=False)
    size: int

    @classmethod
    def of(cls, entries: Iterable[str]) -> "WordList":
        """Read a list. Raises `BadInput` for what is no word, and for too many."""
        by_first: dict[str, list[tuple[str, ...]]] = {}
        size = 0
        for entry in entries:
            words = tuple(word for word, _, _ in _cut(skeleton(entry)))
            if not words:
                raise BadInput(
                    f"a dictionary's entry has no word in it: '{entry[:40]}'"
                )
            if len(words) > _MOST_WORDS or len(entry) > _MOST_LENGTH:
                raise BadInput(
                    f"a dictionary's entry is too long: '{entry[:40]}…' may have "
                    f"{_MOST_WORDS} words and {_MOST_LENGTH} characters"
                )
            size += 1
            if size > MOST_ENTRIES:
                raise BadInput(f"a dictionary has {MOST_ENTRIES} entries at most")
            by_first.setdefault(words[0], []).append(words)
        for phrases in by_first.values():
            phrases.sort(key=len, reverse=True)
        return cls(by_first, size)

    def found(self, text: str) -> Iterator[tuple[int, int, str]]:
        """Yield where entries stand, the longest at each place."""
        seen = list(_cut(skeleton(text)))
        words = [word for word, _, _ in seen]
        place = 0
        while place < len(seen):
            phrase = self._at(words, place)
            if phrase:
                last = place + len(phrase) - 1
                yield seen[place][1], seen[last][2], " ".join(phrase)
                place = last
            place += 1

    def _at(self, words: list[str], place: int) -> tuple[str, ...]:
        phrases = self.by_first.get(words[place])
        if phrases is None:
            return ()
        following = tuple(words[place : place + _MOST_WORDS])
        lengths = sorted({len(phrase) for phrase in phrases}, reverse=True)
        known = set(phrases)
        return next((following[:n] for n in lengths if following[:n] in known), ())


def _cut(text: str) -> Iterator[tuple[str, int, int]]:
    for match in _WORD.finditer(text):
        if text.isascii() or not _UNSPACED.search(match.group()):
            yield match.group(), match.start(), match.end()
            continue
        for place in range(match.start(), match.end()):
            yield text[place], place, place + 1


def dictionary(name: str, title: str, entries: Iterable[str]) -> Detector:
    """Make a detector of a list. Raises `BadInput` as `WordList.of` does."""
    known = WordList.of(entries)

    def search(text: str) -> Iterator[Hit]:
        for start, end, phrase in known.found(text):
            yield Hit(start, end, phrase, Confidence.HIGH)

    return Detector(name, "custom", title, gate="", search=search)
