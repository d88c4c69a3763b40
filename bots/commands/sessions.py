"""Sign somebody out everywhere, such as after a phone was lost."""

from dataclasses import dataclass
from typing import ClassVar

from bots.commands.base import Request
from bots.commands.channels import ask_again, done_card
from bots.commands.organisations import Organisations
from bots.commands.wishes import CONFIRM
from bridge.cards import Card
from bridge.errors import BadInput


@dataclass(frozen=True, slots=True)
class ResetSessions:
    name: ClassVar[str] = "sessions"
    usage: ClassVar[str] = "sessions reset PERSON"
    summary: ClassVar[str] = "sign somebody out everywhere"

    organisations: Organisations

    async def run(self, request: Request) -> Card:
        match request.arguments:
            case ("reset", word):
                confirmed = False
            case ("reset", word, sure) if sure.lower() == CONFIRM:
                confirmed = True
            case _:
                raise BadInput(f"Type `{self.usage}`.")
        steward = await self.organisations.steward_for(request)
        person = await steward.person(word)
        if confirmed:
            return done_card(await steward.reset_sessions(person))
        who = person.name or person.id
        return ask_again(
            request.channel.platform,
            f"{self.name} reset {person.id}",
            f"{who} would be signed out on every device.",
        )
