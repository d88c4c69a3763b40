"""Who ATOM takes people for, and how they confirm or deny it."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from bots.commands.base import Request, spoken
from bots.commands.mentioned import account_named
from bots.commands.rights import only_admins
from bridge.cards import Button, Card, Field, Section, Tone
from bridge.directory.accounts import Confidence, How
from bridge.directory.desk import AccountDesk, Known
from bridge.errors import BadInput
from bridge.messages import Person, Platform
from bridge.ports import Rights

_SURE = {
    Confidence.NONE: "not at all: it opens nothing",
    Confidence.ADDRESS: "the same address on both sides",
    Confidence.PROVISIONED: "the directory names this account",
    Confidence.PROVED: "you showed it yourself",
}
_WHY = {
    How.DENIED: "somebody at this account said that it is not them",
    How.CHANGED: "the account's address has changed since",
    How.REFUSED: "the account's address is another one's, or several people's",
    How.ADMIN: "an admin said so",
}
_CODE = re.compile(r"[0-9A-Z]{4}-?[0-9A-Z]{4}", re.IGNORECASE)
_PERSON_IS_SOMEBODY = 3


@dataclass(frozen=True, slots=True)
class Me:
    """
    Shows people whom they are taken for.

    A code is shown in Slack alone, where nobody else sees it, and is typed in Teams.
    `more` is what else there is to say of who asks: their connected accounts.
    """

    name: ClassVar[str] = "me"
    usage: ClassVar[str] = "me [code|not|CODE]"
    summary: ClassVar[str] = "see who you are to ATOM, and confirm or deny it"

    desk: AccountDesk
    more: Callable[[Request], Awaitable[Sequence[Section]]] | None = None

    async def run(self, request: Request) -> Card:
        tenant, person, here = request.tenant, request.person, request.channel
        match request.arguments:
            case ():
                known = await self.desk.about(tenant, person, here)
                card = _about(known, here.platform)
                more = await self.more(request) if self.more else ()
                return replace(card, sections=(*card.sections, *more))
            case ("code",):
                return await self._code(request)
            case ("not",):
                await self.desk.deny(tenant, person, here)
                return Card(
                    "ATOM takes you for nobody now",
                    "Until an admin has put it right, what only people of the "
                    "directory may do is not yours to do. Admins can see that you "
                    "said so.",
                    Tone.WARNING,
                )
            case (code,) if _CODE.fullmatch(code):
                known = await self.desk.confirm(tenant, person, here, code)
                name = known.subject.name if known.subject else "somebody"
                return Card(
                    f"You are {name}",
                    "Both accounts are yours from now on, on your own word.",
                    Tone.GOOD,
                    (_details(known),),
                )
            case _:
                raise BadInput(f"Type `{spoken(here.platform, self.usage)}`.")

    async def _code(self, request: Request) -> Card:
        here = request.channel.platform
        if here is not Platform.SLACK:
            line = spoken(Platform.SLACK, "me code")
            return Card(
                "Start in Slack",
                f"Others read along here. Type `{line}` in Slack, where only you see "
                "the code, and then the code here.",
            )
        code = await self.desk.code(request.tenant, request.person, request.channel)
        line = spoken(here.other, f"me {code}")
        return Card(
            f"Your code: {code}",
            f"Within 10 minutes, type `{line}` in a Teams channel with your own "
            "account. Give it to nobody: whoever types it is you to ATOM.",
            Tone.GOOD,
        )


@dataclass(frozen=True, slots=True)
class Who:
    """Shows admins whom an account is taken for, and lets them say whose it is."""

    name: ClassVar[str] = "who"
    usage: ClassVar[str] = "who PERSON [is ADDRESS]"
    summary: ClassVar[str] = "see, or as an admin say, whose an account is"

    desk: AccountDesk
    rights: Mapping[Platform, Rights]

    async def run(self, request: Request) -> Card:
        words = request.arguments
        asks = len(words) == 1
        says = len(words) == _PERSON_IS_SOMEBODY and words[1].lower() == "is"
        if not (asks or says):
            raise BadInput(f"Type `{spoken(request.channel.platform, self.usage)}`.")
        await only_admins(self.rights, request)
        person = Person(request.channel.platform, account_named(words[0]))
        tenant, here = request.tenant, request.channel
        if asks:
            return _about(await self.desk.about(tenant, person, here), None)
        known = await self.desk.decree(tenant, request.actor, person, here, words[2])
        name = known.subject.name if known.subject else "somebody"
        return Card(f"That account is {name}'s", "", Tone.GOOD, (_details(known),))


def _about(known: Known, own: Platform | None) -> Card:
    """Return whom an account is taken for; buttons are for the account's `own`er."""
    buttons: tuple[Button, ...] = ()
    if own is not None:
        buttons = (Button("That is me", "me code"), Button("That is not me", "me not"))
    whose = "You are" if own else "It is"
    if known.subject is None:
        return Card(
            f"{whose} nobody that ATOM knows",
            _WHY.get(known.how, "The directory knows nobody with this account.")
            if known.how
            else "The directory knows nobody with this account.",
            Tone.WARNING,
            (_details(known),),
            buttons[:1],
        )
    sure = known.confidence > Confidence.NONE
    return Card(
        f"{whose} {known.subject.name}" if sure else f"{whose} {known.subject.name}?",
        "" if sure else _WHY.get(known.how or How.CHANGED, ""),
        Tone.GOOD if sure else Tone.WARNING,
        (_details(known),),
        buttons,
    )


def _details(known: Known) -> Section:
    fields = [Field("Account", str(known.account))]
    if known.subject:
        fields.append(Field("In the directory", known.subject.id))
        if known.subject.department:
            fields.append(Field("Department", known.subject.department))
        fields.append(Field("How sure", f"{known.confidence}: {_how(known)}"))
    fields += [Field("Also", str(other)) for other in known.others]
    return Section(fields=tuple(fields))


def _how(known: Known) -> str:
    if known.how is How.ADMIN:
        return _WHY[How.ADMIN]
    return _SURE[known.confidence]
