"""
Emoji as the log names them: the character itself, or a name between colons.

Platforms write one emoji in several ways, with and without variation selectors. Here
each has exactly one spelling, so that reactions can be counted.
"""

import re
from functools import lru_cache

from emoji import EMOJI_DATA, STATUS

_LONGEST = 80
_VARIATION = "\ufe0f"
_UNWANTED = re.compile(r"[\s:\x00-\x1f\x7f]+")


def standard(char: str) -> str:
    """Return the character in its one spelling, or nothing if it is no emoji."""
    return _spellings().get(char.replace(_VARIATION, ""), "")


def custom(name: str) -> str:
    """Return how an emoji is named that has no character: a company's own, or new."""
    return f":{_UNWANTED.sub('', name)[:_LONGEST] or 'unknown'}:"


def name_of(emoji: str) -> str:
    """Return the name of an emoji that has no character, else nothing."""
    named = len(emoji) > len("::") and emoji.startswith(":") and emoji.endswith(":")
    return emoji[1:-1] if named else ""


@lru_cache(maxsize=1)
def _spellings() -> dict[str, str]:
    """Every emoji without variation selectors, and as it is written in full."""
    kept = {STATUS["fully_qualified"], STATUS["component"]}
    return {
        char.replace(_VARIATION, ""): char
        for char, known in EMOJI_DATA.items()
        if known["status"] in kept
    }
