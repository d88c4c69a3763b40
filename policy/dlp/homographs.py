"""Words written with letters of another alphabet that look the same."""

import re
from collections.abc import Iterator
from functools import lru_cache
from unicodedata import normalize

from confusable_homoglyphs.categories import aliases_categories
from confusable_homoglyphs.confusables import confusables_data

from bridge.leaving.findings import Confidence
from policy.dlp.detector import Detector, Hit

_WORD = re.compile(r"[^\W\d_]{3,}")
_LATIN = re.compile("[a-z]", re.IGNORECASE)
_LOOKALIKE = {"CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE", "COPTIC", "LISU"}


@lru_cache(maxsize=4096)
def skeleton_of(character: str) -> str:
    """Return the plain Latin letter that a character looks like, or itself."""
    if character.isascii():
        return character
    base = normalize("NFD", character)[0]
    if base.isascii():
        return base
    for twin in confusables_data.get(character, ()):
        if len(twin["c"]) == 1 and twin["c"].isascii() and twin["c"].isalpha():
            return str(twin["c"])
    return character


def skeleton(text: str) -> str:
    """Return a text as the eye reads it: of the same length, in small letters."""
    if text.isascii():
        return text.lower()
    return "".join(map(_small, text))


@lru_cache(maxsize=4096)
def _small(character: str) -> str:
    small = skeleton_of(character).lower()
    return small if len(small) == 1 else character


def is_homograph(word: str) -> bool:
    """Whether a word passes for a Latin one and has letters that are not."""
    if word.isascii():
        return False
    strange = [c for c in word if _script(c) in _LOOKALIKE]
    if not strange or any(skeleton_of(c) == c for c in strange):
        return False  # letters that look like nothing else: it is honest
    return bool(_LATIN.search(word))


@lru_cache(maxsize=4096)
def _script(character: str) -> str:
    return str(aliases_categories(character)[0]).upper()


def _search(text: str) -> Iterator[Hit]:
    for match in _WORD.finditer(text):
        if is_homograph(match.group()):
            value = skeleton(match.group())
            yield Hit(match.start(), match.end(), value, Confidence.MEDIUM)


HOMOGRAPH = Detector(
    "homograph",
    "deception",
    "word with letters of another alphabet",
    gate=r"[\p{Cyrillic}\p{Greek}\p{Armenian}\p{Cherokee}\p{Coptic}\p{Lisu}]",
    search=_search,
)
