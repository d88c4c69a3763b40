"""What did not get across and waits for somebody's decision."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

from bots.commands.base import Request
from bots.commands.letters import ALL, counted, letter_section, letters_here, one_word
from bots.commands.rights import only_admins
from bridge.cards import Button, Card, Tone
from bridge.letters import DeadLetters
from bridge.messages import Platform
from bridge.ports import Announcer, Links, Rights

_SHOWN = 10


@dataclass(frozen=True, slots=True)
class Dead:
    name: ClassVar[str] = "dead"
    usage: ClassVar[str] = "dead [LINK]"
    summary: ClassVar[str] = "list what did not get across, and why"

    letters: DeadLetters
    links: Links
    rights: Mapping[Platform, Rights]
    announcers: Mapping[Platform, Announcer]
    clock: Callable[[], int]

    async def run(self, request: Request) -> Card:
        await only_admins(self.rights, request)
        one_word(request)
        which = request.arguments[0] if request.arguments else ALL
        found = await letters_here(self.letters, self.links, request, which)
        if not found:
            return Card("No dead letters", "Nothing waits for a decision.", Tone.GOOD)
        now = self.clock()
        sections = [
            await letter_section(self.announcers, letter, now)
            for letter in found[:_SHOWN]
        ]
        rest = len(found) - _SHOWN
        text = f"The {_SHOWN} oldest; {rest} more are not shown." if rest > 0 else ""
        word = "" if which == ALL else f" {which}"
        buttons = (
            Button("Retry them", f"retry{word}"),
            Button("Show status", "status"),
        )
        return Card(counted(len(found)), text, Tone.BAD, tuple(sections), buttons)
