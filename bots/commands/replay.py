"""Deliver again what is missing on the other side."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from bots.commands.base import Request
from bots.commands.choice import link_here
from bots.commands.letters import one_word
from bots.commands.rights import only_admins
from bridge.cards import Button, Card, Tone
from bridge.letters import DeadLetters, Replayed
from bridge.messages import Platform
from bridge.periods import since
from bridge.ports import Links, Rights

DEFAULT_SINCE = "1d"


@dataclass(frozen=True, slots=True)
class Replay:
    """A day back, unless something else is asked for."""

    name: ClassVar[str] = "replay"
    usage: ClassVar[str] = "replay [LINK] [SINCE]"
    summary: ClassVar[str] = "deliver what is missing since a time, such as 2h"

    letters: DeadLetters
    links: Links
    rights: Mapping[Platform, Rights]
    clock: Callable[[], int]

    async def run(self, request: Request) -> Card:
        await only_admins(self.rights, request)
        one_word(request, most=2)
        words = request.arguments
        here = await self.links.of(request.tenant, request.channel)
        named = bool(words) and words[0].lower() in {link.id.lower() for link in here}
        first = 1 if named or len(words) == 2 else 0  # noqa: PLR2004 - a link, a time
        moment = since((*words[first:], DEFAULT_SINCE)[0], self.clock())
        link = await link_here(self.links, request, words[:first])
        done = await self.letters.replay(link, moment, request.actor)
        tone = Tone.GOOD if done.queued else Tone.PLAIN
        title = "Queued again" if done.queued else "Nothing is missing"
        buttons = (Button("Show status", "status"),)
        return Card(title, replayed(done), tone, (), buttons)


def replayed(done: Replayed) -> str:
    """Say what a replay did and left."""
    parts = [f"{done.queued} missing here or there, on the way now."]
    if done.left:
        parts.append(f"{done.left} left alone: under way, or of unknown outcome.")
    if done.more:
        parts.append("There is more: replay again once these are through.")
    return " ".join(parts)
