"""Deliver dead letters again, and never twice without saying so."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from bots.commands.base import Request, spoken
from bots.commands.letters import ALL, letters_here, one_word, some
from bots.commands.rights import only_admins
from bridge.cards import Button, Card, Tone
from bridge.errors import BadInput
from bridge.letters import DeadLetter, DeadLetters
from bridge.messages import Platform
from bridge.ports import Links, Rights

_ANYWAY = {"anyway", "--force", "--anyway"}


@dataclass(frozen=True, slots=True)
class Retry:
    """
    Queues the letters of this channel's links, of one link, or one letter.

    What has an unknown outcome is looked up again first; only `anyway`, said of one
    letter or link by name, sends it without.
    """

    name: ClassVar[str] = "retry"
    usage: ClassVar[str] = "retry [LINK|LETTER] [anyway]"
    summary: ClassVar[str] = "deliver dead letters again"

    letters: DeadLetters
    links: Links
    rights: Mapping[Platform, Rights]

    async def run(self, request: Request) -> Card:
        await only_admins(self.rights, request)
        one_word(request, most=2)
        which, anyway = _wanted(request)
        found = some(await letters_here(self.letters, self.links, request, which))
        await self.letters.retry(found, request.actor, anyway=anyway)
        text = told(found, anyway=anyway)
        if unknown := [letter for letter in found if letter.unknown and not anyway]:
            line = spoken(request.channel.platform, f"retry {unknown[0].number} anyway")
            text = f"{text} {comes_back(line)}"
        tone = Tone.WARNING if anyway else Tone.GOOD
        return Card("Queued again", text, tone, (), (Button("Show status", "status"),))


def told(found: Sequence[DeadLetter], *, anyway: bool) -> str:
    """Say what happens to letters that were queued again."""
    count = "1 delivery is" if len(found) == 1 else f"{len(found)} deliveries are"
    text = f"{count} on the way again."
    unknown = sum(letter.unknown for letter in found)
    if not unknown:
        return text
    if anyway:
        return f"{text} {unknown} without being looked up: a second copy may appear."
    return f"{text} {unknown} of unknown outcome will be looked up first."


def comes_back(line: str) -> str:
    """Say what can be done about an outcome that stays unknown."""
    return (
        "If its outcome cannot be found out, it comes back to the list under a new "
        f"number; `{line}`, with that number, sends it all the same, and a second copy "
        "may appear."
    )


def _wanted(request: Request) -> tuple[str, bool]:
    words = [word for word in request.arguments if word.lower() not in _ANYWAY]
    anyway = len(words) < len(request.arguments)
    if len(words) > 1:
        raise BadInput("`retry` takes one link or one letter at a time.")
    if anyway and not words:
        raise BadInput("Say which letter to send anyway: a second copy may appear.")
    return (words[0] if words else ALL), anyway
