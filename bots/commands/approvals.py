"""What waits for a second person, and that person's word."""

from dataclasses import dataclass
from typing import ClassVar

from bots.commands.base import Request
from bridge.cards import Button, Card, Field, Section, Tone
from bridge.compliance import ApprovalDesk
from bridge.errors import BadInput

_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Approvals:
    """Lists what waits, with a button each."""

    name: ClassVar[str] = "approvals"
    usage: ClassVar[str] = "approvals"
    summary: ClassVar[str] = "list what waits for a second person's word"

    desk: ApprovalDesk

    async def run(self, request: Request) -> Card:
        found = await self.desk.pending(request.tenant, request.officer)
        if not found:
            return Card("Nothing waits", "Nobody asked for a second person.", Tone.GOOD)
        sections = tuple(
            Section(one.id, one.act, (Field("Asked by", one.asked_by),))
            for one in found[:_SHOWN]
        )
        buttons = tuple(
            Button(f"{verb.capitalize()} {one.id}", f"{verb} {one.id}")
            for one in found[:_SHOWN]
            if one.asked_by != request.officer.name
            for verb in ("approve", "refuse")
        )
        rest = len(found) - _SHOWN
        text = f"The {_SHOWN} newest; {rest} more are not shown." if rest > 0 else ""
        title = "1 act waits" if len(found) == 1 else f"{len(found)} acts wait"
        return Card(title, text, Tone.WARNING, sections, buttons)


@dataclass(frozen=True, slots=True)
class Approve:
    """Agrees to what somebody else asked for."""

    name: ClassVar[str] = "approve"
    usage: ClassVar[str] = "approve ID"
    summary: ClassVar[str] = "agree to an act that takes a second person"

    desk: ApprovalDesk

    async def run(self, request: Request) -> Card:
        act = await self.desk.agree(request.tenant, request.officer, _id(request))
        return Card("Approved", act, Tone.GOOD)


@dataclass(frozen=True, slots=True)
class Refuse:
    """Says no to it."""

    name: ClassVar[str] = "refuse"
    usage: ClassVar[str] = "refuse ID"
    summary: ClassVar[str] = "say no to an act that takes a second person"

    desk: ApprovalDesk

    async def run(self, request: Request) -> Card:
        act = await self.desk.decline(request.tenant, request.officer, _id(request))
        return Card("Refused", act, Tone.GOOD)


def _id(request: Request) -> str:
    if len(request.arguments) != 1:
        raise BadInput("Say which one: `approvals` lists them.")
    return request.arguments[0]
