"""What was said before a link, wanted on the other side."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from bridge.errors import BadInput
from bridge.history import Wishes, wishes
from bridge.links import Link
from bridge.messages import Channel

_WORD = "backfill="


@dataclass(frozen=True, slots=True)
class Backfills:
    """Keeps what people want brought across, of `most_days` days at most."""

    wishes: Wishes
    most_days: int

    def wanted(self, words: Sequence[str]) -> int:
        """Return how many days the words ask for, 0 for none. Raises `BadInput`."""
        asked = [w for w in words if w.lower().startswith(_WORD)]
        if not asked:
            return 0
        days = asked[0][len(_WORD) :]
        if len(asked) > 1 or not (days.isascii() and days.isdecimal()):
            raise BadInput(f"Write {_WORD}7 for the last seven days.")
        return self.allowed(int(days[:9]))

    def allowed(self, days: int) -> int:
        """Return the days if so many may be asked for. Raises `BadInput`."""
        if not 0 <= days <= self.most_days:
            raise BadInput(
                f"At most {self.most_days} days of history are brought across."
            )
        return days

    async def want(
        self, link: Link, days: int, actor: str, joined: Channel | None = None
    ) -> str:
        """Ask for each side's last days; returns a sentence about it, if any."""
        if not days:
            return ""
        found = wishes(link, days, lambda: secrets.token_hex(6), joined)
        await self.wishes.add(found, actor)
        return " What was said lately follows, as one thread from each side."


def without(words: Sequence[str]) -> list[str]:
    """Return the words that do not ask for history."""
    return [word for word in words if not word.lower().startswith(_WORD)]
