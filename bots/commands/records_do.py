"""Do several things with records, one after the other, by one command."""

from dataclasses import dataclass
from typing import ClassVar

from bots.commands.base import Request, spoken
from bots.commands.record_answers import RecordAnswer
from bots.commands.records_find import asker_of, words_of
from bridge.cards import Card
from bridge.errors import BadInput
from bridge.records.planning import Planning

_EXAMPLE = (
    'do resolve INC0010001 close_code="Solution provided" "Restarted it" '
    'then comment WEB-42 "Fixed"'
)


@dataclass(frozen=True, slots=True)
class Do:
    """Shows what would be done, with the button that does it as the person."""

    name: ClassVar[str] = "do"
    usage: ClassVar[str] = 'do ACT KEY [FIELD=VALUE …] ["WORDS"] [then ACT KEY …]'
    summary: ClassVar[str] = "do several things with records, one after the other"

    planning: Planning

    async def run(self, request: Request) -> Card:
        said = words_of(request)
        if not said:
            example = spoken(request.channel.platform, _EXAMPLE)
            raise BadInput(f"Say what to do with which records, such as `{example}`.")
        card = await self.planning.offered(asker_of(request), said)
        return RecordAnswer(card.title, "Press its button.", record=card)
