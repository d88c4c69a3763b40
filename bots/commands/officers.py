"""Who was trusted with the record, and changing that."""

from dataclasses import dataclass
from typing import ClassVar

from bots.commands.base import Request
from bridge.cards import Card, Field, Section, Tone
from bridge.compliance import Duty, DutyBook
from bridge.errors import BadInput, NotAllowed

_LIST = {"", "list"}
_CHANGE_WORDS = 3  # a verb, an officer, a duty


@dataclass(frozen=True, slots=True)
class Officers:
    """Officers see each other; whoever assigns duties may change them."""

    name: ClassVar[str] = "officers"
    usage: ClassVar[str] = "officers [assign|revoke OFFICER DUTY]"
    summary: ClassVar[str] = "show or change who was trusted with the record"

    duties: DutyBook

    async def run(self, request: Request) -> Card:
        words = request.arguments
        verb = words[0].lower() if words else ""
        if verb in _LIST and len(words) <= 1:
            return await self._list(request)
        if verb not in {"assign", "revoke"} or len(words) != _CHANGE_WORDS:
            raise BadInput("`officers assign OFFICER DUTY`, or `revoke` in its place.")
        change = self.duties.give if verb == "assign" else self.duties.take
        done = await change(request.tenant, request.officer, words[1], words[2])
        return Card("Done", done, Tone.GOOD)

    async def _list(self, request: Request) -> Card:
        known = await self.duties.holders(request.tenant)
        mine = {officer for officer, _ in known}
        if request.officer.name not in mine:
            raise NotAllowed(
                f"Only officers see each other. Here you are {request.officer.name}: "
                "an officer who assigns duties can name you so."
            )
        fields = tuple(
            Field(officer, ", ".join(_word(d) for o, d in known if o == officer))
            for officer in sorted(mine)
        )
        count = "1 officer" if len(mine) == 1 else f"{len(mine)} officers"
        return Card(count, "", Tone.PLAIN, (Section(fields=fields),))


def _word(duty: Duty) -> str:
    return duty.removeprefix("compliance.")
