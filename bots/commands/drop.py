"""Take dead letters off the list, for good."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from bots.commands.base import Request
from bots.commands.letters import counted, letters_here, some
from bots.commands.rights import only_admins
from bridge.cards import Button, Card, Tone
from bridge.errors import BadInput
from bridge.letters import DeadLetters
from bridge.messages import Platform
from bridge.ports import Links, Rights

NO_REASON = "no reason was given"


@dataclass(frozen=True, slots=True)
class Drop:
    """What it is about has to be said: there is no way back but a replay."""

    name: ClassVar[str] = "drop"
    usage: ClassVar[str] = "drop LINK|LETTER|all [REASON]"
    summary: ClassVar[str] = "take dead letters off the list"

    letters: DeadLetters
    links: Links
    rights: Mapping[Platform, Rights]

    async def run(self, request: Request) -> Card:
        await only_admins(self.rights, request)
        if not request.arguments:
            raise BadInput("Say what to drop: a dead letter's number, a link, or all.")
        which, *words = request.arguments
        found = some(await letters_here(self.letters, self.links, request, which))
        reason = " ".join(words) or NO_REASON
        await self.letters.drop(found, request.actor, reason)
        return Card(
            "Dropped",
            f"{counted(len(found))} will not be delivered. The log says who decided so.",
            Tone.GOOD,
            (),
            (Button("Show status", "status"),),
        )
