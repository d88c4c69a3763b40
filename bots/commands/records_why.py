"""Why a link to a record shows no card here: told to who asks, alone."""

from dataclasses import dataclass

from bots.commands.base import Request, spoken
from bots.commands.connect import Whisper
from bots.commands.records_find import asker_of, others_read
from bridge.cards import Card, Tone
from bridge.messages import Platform
from bridge.records.unshown import Unshown

_TOLD = Card("Answered to you alone", "Why a card is missing depends on who asks.")


@dataclass(frozen=True, slots=True)
class WhyNoCard:
    """In Slack only who asks sees the answer; in Teams it is whispered."""

    unshown: Unshown
    whisper: Whisper

    async def answer(self, request: Request, link: str) -> Card:
        """Raises `BadInput` if it is no link to a record."""
        card = await self.unshown.why(asker_of(request), link)
        if not others_read(request.channel):
            return card
        if await self.whisper(request, card):
            return _TOLD
        line = spoken(Platform.SLACK, "why LINK")
        return Card(
            "Others read along here",
            f"ATOM could not tell you alone. Try again later, or type `{line}` in Slack.",
            Tone.WARNING,
        )


def link_in(words: tuple[str, ...]) -> str:
    """Return the link that was typed alone, as it leads; empty if it is anything else."""
    if len(words) != 1:
        return ""
    # Slack puts a link between brackets, with what stands for it behind a bar.
    link = words[0].removeprefix("<").removesuffix(">").partition("|")[0]
    return link if link.lower().startswith(("https://", "http://")) else ""
