"""
Labels that people give their own messages.

`#confidential` before or behind everything else, a line `label: restricted`, or a phrase
that the company's rules name. The highest counts.
"""

import re
from collections.abc import Mapping

from bridge.access import Label

_NAMES = "|".join(label.name.lower() for label in Label)
_TAG = re.compile(rf"#({_NAMES})(?!\w)", re.IGNORECASE)
_LINE = re.compile(rf"\s*(?:label|sensitivity)\s*:\s*({_NAMES})\s*$", re.IGNORECASE)
_MOST_LINES = 50


def chosen(text: str, phrases: Mapping[str, Label]) -> Label | None:
    """Return the label that the author gave, if any; `phrases` are in small letters."""
    found: set[Label] = set()
    stripped = text.strip()
    if "#" in stripped:
        first = _TAG.match(stripped)
        last = _TAG.match(stripped[stripped.rfind("#") :])
        found |= {_named(tag) for tag in (first, _at_end(last, stripped)) if tag}
    if ":" in text:
        for line in text.split("\n", _MOST_LINES)[:_MOST_LINES]:
            if match := _LINE.match(line):
                found.add(_named(match))
    if phrases:
        low = " ".join(text.lower().split())
        found |= {label for phrase, label in phrases.items() if phrase in low}
    return max(found) if found else None


def _at_end(tag: re.Match[str] | None, text: str) -> re.Match[str] | None:
    return tag if tag and text.endswith(tag.group()) else None


def _named(match: re.Match[str]) -> Label:
    return Label[match.group(1).upper()]
