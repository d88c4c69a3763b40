"""
Where text can be cut without harming what people see as one character.

After Unicode's default grapheme clusters (UAX 29), a little more careful: what might
belong together, such as anything beside a joiner, is not cut.
"""

import unicodedata

_JOINER = "\u200d"
# They belong to what comes before, though their categories do not say so: the
# non-joiner, Japanese sound marks, skin tones, and the letters of flags in tags.
_TAILS = {"\u200c", "\u200d", "\uff9e", "\uff9f"}
_TONES = range(0x1F3FB, 0x1F400)
_TAGS = range(0xE0020, 0xE0080)
_FLAGS = range(0x1F1E6, 0x1F200)
_JAMO = range(0x1100, 0x1200)
_SYLLABLES = range(0xAC00, 0xD7FC)
_VIRAMA = 9  # the combining class of what joins two consonants into one letter
_LONGEST = 128
"""A longer cluster is nobody's letter; it is cut where it must be."""


def floor(text: str, at: int, start: int) -> int:
    """
    Return the last place up to `at`, and after `start`, where text can be cut.

    `start` is such a place. If there is none near, it is `at` itself.
    """
    for place in range(at, max(start, at - _LONGEST), -1):
        if is_boundary(text, place, start):
            return place
    return at


def is_boundary(text: str, at: int, start: int = 0) -> bool:
    """Whether text can be cut before the character at `at`. `start` is such a place."""
    if at <= start or at >= len(text):
        return True
    before, after = text[at - 1], text[at]
    if before < "\u0300" and after < "\u0300":
        return not (before == "\r" and after == "\n")
    if before == _JOINER or _is_tail(after):
        return False
    if unicodedata.combining(before) == _VIRAMA and after.isalpha():
        return False
    if ord(before) in _FLAGS and ord(after) in _FLAGS:
        return _flags_before(text, at, start) % 2 == 0
    if "\ud800" <= before <= "\udbff" and "\udc00" <= after <= "\udfff":
        return False
    return not _is_one_syllable(ord(before), ord(after))


def _is_tail(character: str) -> bool:
    if character in _TAILS or unicodedata.category(character)[0] == "M":
        return True
    return ord(character) in _TONES or ord(character) in _TAGS


def _flags_before(text: str, at: int, start: int) -> int:
    """Count the letters of flags right before a place: two of them make a flag."""
    first = at
    while first > start and ord(text[first - 1]) in _FLAGS:
        first -= 1
    return at - first


def _is_one_syllable(before: int, after: int) -> bool:
    """Whether two Korean letters may make one syllable."""
    return (before in _JAMO or before in _SYLLABLES) and after in _JAMO
