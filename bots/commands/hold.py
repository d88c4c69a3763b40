"""Legal holds from chat: make one, list them, release one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from bots.commands.base import Request
from bridge.cards import Card, Field, Section, Tone
from bridge.errors import BadInput
from bridge.hold_words import scope_of, standing
from bridge.legal_holds import HoldDesk
from bridge.retention_words import day

_SHOWN = 10
_CREATE_WORDS = 3  # the verb, a name, and what to hold
_RELEASE_WORDS = 2


@dataclass(frozen=True, slots=True)
class HoldCommand:
    """
    Officers hold and release. `clock` gives microseconds UTC.

    The answer may stand where others read it. So it never names a matter, its people
    or its words: the command line shows these.
    """

    name: ClassVar[str] = "hold"
    usage: ClassVar[str] = (
        "hold [list|create NAME from:PERSON in:here after:DATE WORDS …|release HOLD]"
    )
    summary: ClassVar[str] = "keep what a legal matter needs; for officers who hold"

    desk: HoldDesk
    clock: Callable[[], int]

    async def run(self, request: Request) -> Card:
        words = request.arguments
        verb = words[0].lower() if words else "list"
        if verb == "list" and len(words) <= 1:
            return await self._list(request)
        if verb == "create" and len(words) >= _CREATE_WORDS:
            return await self._create(request, words[1], words[2:])
        if verb == "release" and len(words) == _RELEASE_WORDS:
            return await self._release(request, words[1])
        raise BadInput(f"`{self.usage}`")

    async def _list(self, request: Request) -> Card:
        holds = await self.desk.listed(request.tenant, request.officer)
        now = self.clock()
        active = [hold for hold in holds if hold.matter.holds(now)]
        if not active:
            return Card("Nothing is held", "No hold is active.", Tone.GOOD)
        sections = tuple(
            Section(
                hold.matter.id,
                fields=(
                    Field("State", standing(hold.matter, now)),
                    Field("Since", day(hold.matter.created_us)),
                ),
            )
            for hold in active[-_SHOWN:]
        )
        more = len(active) - len(sections)
        text = f"The newest; {more} more are not shown." if more else ""
        title = "1 hold is active" if len(active) == 1 else f"{len(active)} are active"
        return Card(title, text, Tone.PLAIN, sections)

    async def _create(
        self, request: Request, name: str, words: tuple[str, ...]
    ) -> Card:
        scope = scope_of(words, str(request.channel))
        hold = await self.desk.create(request.tenant, request.officer, name, scope)
        return Card(
            "Held from now on",
            f"Hold {hold.matter.id} keeps what it is about, past and future.",
            Tone.GOOD,
        )

    async def _release(self, request: Request, name: str) -> Card:
        hold = await self.desk.release(request.tenant, request.officer, name)
        until = day(hold.matter.until_us)
        return Card("Released", f"Hold {hold.matter.id} goes on holding until {until}.")
