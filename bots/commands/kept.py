"""What movers keep for a while of what they left, and an admin's word to end it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from bots.commands.base import Request, spoken
from bots.commands.mentioned import account_named
from bridge.cards import Button, Card, Field, Section, Tone
from bridge.directory.accounts import Account
from bridge.directory.kept import KeptDesk, KeptThing, Whom
from bridge.errors import BadInput
from bridge.retention_words import day

_SHOWN = 5
_END = "end"


@dataclass(frozen=True, slots=True)
class KeptCommand:
    """Lists what is kept, with a button each that ends just that, before its time."""

    name: ClassVar[str] = "kept"
    usage: ClassVar[str] = "kept [PERSON|end PERSON [WHAT]]"
    summary: ClassVar[str] = "see what movers keep for a while, and end it early"

    desk: KeptDesk

    async def run(self, request: Request) -> Card:
        tenant, officer = request.tenant, request.officer
        match request.arguments:
            case ():
                return _listed(await self.desk.kept(tenant, officer))
            case (word, who, *rest) if word.lower() == _END:
                whom = _whom(request, who)
                ended = await self.desk.end(tenant, officer, whom, " ".join(rest))
                return _ended(ended)
            case (who,) if who.lower() != _END:
                found = await self.desk.kept(tenant, officer, _whom(request, who))
                return _listed(found)
            case _:
                line = spoken(request.channel.platform, self.usage)
                raise BadInput(f"Type `{line}`.")


def _whom(request: Request, word: str) -> Whom:
    user = account_named(word)
    vouched = request.account or request.channel.team
    return Whom(user, Account(request.channel.platform, vouched, user))


def _listed(kept: Sequence[KeptThing]) -> Card:
    title = "Kept for a while"
    if not kept:
        return Card(title, "Nothing is kept of what was left.", Tone.GOOD)
    sections = tuple(
        Section(
            f"{each.name}: {each.what}",
            fields=(
                Field("Left", day(each.since_us)),
                Field("Kept until", day(each.until_us)),
            ),
        )
        for each in kept[:_SHOWN]
    )
    buttons = tuple(
        Button(
            f"End {each.what} of {each.name}", f"kept end {each.person} {each.ancestor}"
        )
        for each in kept[:_SHOWN]
    )
    rest = len(kept) - _SHOWN
    text = f"Those that end first; {rest} more are not shown." if rest > 0 else ""
    return Card(title, text, Tone.PLAIN, sections, buttons)


def _ended(ended: Sequence[KeptThing]) -> Card:
    things = ", ".join(each.what for each in ended)
    text = f"{ended[0].name} does not keep any more: {things}."
    return Card("Ended", text, Tone.GOOD)
