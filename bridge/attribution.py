"""Whose a copy is, beyond a name: confirmed or not, and under which account there."""

import re
import unicodedata
from dataclasses import dataclass
from typing import Protocol

from bridge.delivery import Delivery
from bridge.messages import Person

MARK = "✓"
_SHORT_NAME = re.compile(r":[a-z0-9_+'-]+:", re.IGNORECASE)
# Letters by their category, and a tick to the eye; and what only dresses a symbol.
_LIKE_IT = frozenset("ˇᵛⱽ\ufe0e\ufe0f")


@dataclass(frozen=True, slots=True)
class Attribution:
    """
    What is known of an author.

    `account` is theirs on the target platform, empty if they have none there for
    certain. `confirmed` says whether the company's directory knows them; None means
    that nobody is to be marked.
    """

    account: str = ""
    confirmed: bool | None = None


NOTHING_KNOWN = Attribution()


class Attributes(Protocol):
    """Tells it, soon or not at all."""

    async def of(self, delivery: Delivery, author: Person) -> Attribution:
        """Return what is known of a message's author. Never raises."""
        ...


def attributed(name: str, confirmed: bool | None) -> str:  # noqa: FBT001
    """
    Return a name with the mark behind it if it is confirmed.

    Where people are marked, nobody's own name may look as if they were: it loses the
    symbols that are no part of a name.
    """
    if confirmed is None:
        return name
    plain = " ".join(_plain(name).split())
    return f"{plain} {MARK}" if confirmed and plain else plain


def _plain(name: str) -> str:
    kept = ""
    for character in _SHORT_NAME.sub("", name):
        category = unicodedata.category(character)
        symbol = category[0] == "S" and not character.isascii()
        hidden = category[0] == "C" and not character.isspace()
        # An accent that stands on nothing could draw anything.
        loose = category[0] == "M" and (not kept or kept[-1].isspace())
        if symbol or hidden or loose or character in _LIKE_IT:
            continue
        kept += character
    return kept
