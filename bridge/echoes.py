"""
Tell a foreign bridge's copy of our copy by its words.

Other bridges know nothing of ours: what ATOM copies into a channel, they post again,
as a bot, a moment later. Such an echo says the same, perhaps with a name before it.
It may come before our own call is answered, so what was said on the other side counts
as well as what was copied. Only what is of just now counts, and short words are
nobody's echo: better a message twice than one that is lost.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from bridge.messages import Channel, Event
from bridge.plain import plain_text

WITHIN_US = 120 * 1_000_000
LEAST = 8  # characters

# How bridges say who speaks: `Alice: …`, `<Alice> …`, `[Alice] …`, `Alice | …`.
_NAMED = re.compile(r"^(?:<[^<>\n]{1,80}>|\[[^\]\n]{1,80}\]|[^:|\n]{1,80}[:|])\s+")
_MARKS = re.compile(r"[*_~`\s\u200b\ufe0f\ufeff]+")


@dataclass(frozen=True, slots=True)
class Copied:
    """
    What was said in a channel, or copied into it, and its words.

    `source` and `target` are the ids of the channels where it was said and where it
    stands; they are the same for what was said there.
    """

    source: str
    target: str
    text: str


class CopiedLately(Protocol):
    """What the log says of messages and of ATOM's own copies."""

    async def since(
        self, tenant: str, channels: Sequence[Channel], since_us: int
    ) -> Sequence[Copied]:
        """
        Return what was said in or copied into any of the channels since a time.

        Only the log's end is read. What cannot be opened is left out.
        """
        ...


@dataclass(frozen=True, slots=True)
class Echoes:
    """Compares what a bot says with what ATOM copied a moment ago."""

    lately: CopiedLately
    clock: Callable[[], int]
    within_us: int = WITHIN_US

    async def heard(
        self, tenant: str, event: Event, targets: Sequence[Channel]
    ) -> bool:
        """
        Say whether a message repeats what was said in a channel that it would go to,
        or a copy of ours there or beside it. A bot may say the same twice: what came
        from its own channel is no reason.
        """
        said = spellings(plain_text(event.document))
        if event.channel is None or not said:
            return False
        places = [event.channel, *targets]
        since = self.clock() - self.within_us
        return any(
            copied.source != event.channel.id and said & spellings(copied.text)
            for copied in await self.lately.since(tenant, places, since)
        )


def spellings(text: str) -> set[str]:
    """Return what a message says in one spelling, with and without a name before it."""
    plain = {text.strip(), _NAMED.sub("", text.strip(), count=1)}
    return {s for t in plain if len(s := _spelled(t)) >= LEAST}


def _spelled(text: str) -> str:
    return _MARKS.sub("", unicodedata.normalize("NFKC", text).casefold())
