"""
Why a link to a record shows no card in a channel, or little of one, for whoever asks.

Who may not see the record learns why they do not, and nothing that others may know.
"""

from dataclasses import dataclass

from bridge.cards import Button, Card, Tone
from bridge.errors import BadInput, ServiceUnavailable
from bridge.messages import Channel
from bridge.records.books import CardState
from bridge.records.cards import Level
from bridge.records.desk import Asker
from bridge.records.entries import explained
from bridge.records.floor import Room
from bridge.records.mentions import Mentions
from bridge.records.model import PUBLIC, Absence, Mention, Record
from bridge.records.ports import Records

_TITLE = "Why there is no card"
_LEVELS = {
    Level.BUTTON: "that there is a record, and a button",
    Level.KIND: "its kind, and a button",
    Level.NAME: "its kind, number and title, and a button",
}


@dataclass(frozen=True, slots=True)
class Unshown:
    """Explains what `Mentions` makes of a link."""

    mentions: Mentions

    async def why(self, asker: Asker, link: str) -> Card:
        """
        Return the reason, for `asker` alone; it is on record that they are told.

        Raises `BadInput` where there is no room or no record to ask about.
        """
        channel = asker.channel
        if channel is None or channel.is_own_chat:
            raise BadInput("Ask that in the channel in which the card is missing.")
        for records in self.mentions.systems.of(asker.tenant):
            mention = next(iter(records.recognise(link)), None)
            if mention is not None:
                break
        else:
            raise BadInput(
                "That is no link to a record of a business system that ATOM knows: "
                "`records` lists them."
            )
        reason = await self._reason(asker, channel, records, mention)
        where = f"{records.system}:{records.instance}"
        await self.mentions.log.note(explained(asker, where, reason, link))
        buttons: tuple[Button, ...] = ()
        if "not connected" in reason:
            name = f"Connect {records.system.shown}"
            buttons = (Button(name, f"connect {records.instance}"),)
        return Card(_TITLE, reason, Tone.PLAIN, (), buttons)

    async def _reason(
        self, asker: Asker, channel: Channel, records: Records, mention: Mention
    ) -> str:
        name = records.system.shown
        level = await self.mentions.levels.level(asker.tenant, channel, records.system)
        if level is Level.NOTHING:
            return (
                f"The admins of this channel let nothing of {name} be shown here: "
                "`records level` is `nothing`."
            )
        own = await self.mentions.looked_at(asker, records, mention)
        if not isinstance(own, Record):
            return f"{own} Only who may see a record gets a card by naming it."
        told = [
            await self._standing(asker, channel, own),
            await self._limit(asker, channel, own) or _of_level(level, name),
        ]
        return " ".join(filter(None, told)) or (
            "You may see it, and a link to it gets a card here. Where one has none, "
            "whoever wrote it may not see the record or has not connected their account, "
            "and was told so alone; or the message names five other records before it."
        )

    async def _standing(self, asker: Asker, channel: Channel, own: Record) -> str:
        cards = await self.mentions.cards.of_record(asker.tenant, own.ref)
        here = (c for c in cards if c.channel == channel)
        if all(card.state is not CardState.POSTED for card in here):
            return ""
        return (
            "It has a card here already: named again in the same thread within the "
            "hour, it gets no second one."
        )

    async def _limit(self, asker: Asker, channel: Channel, own: Record) -> str:
        """Return what keeps everybody here from seeing a whole card."""
        name = own.ref.system.shown
        reading = self.mentions.posting.reading
        try:
            answers = await reading.read(asker.tenant, [own.ref], urgent=True)
        except ServiceUnavailable:
            return f"{name} cannot be reached now."
        seen = answers.seen[own.ref]
        if seen is Absence.GONE:
            return (
                f"ATOM's own account of {name} does not see this record, so a channel "
                "gets a button alone."
            )
        if not isinstance(seen, Record):
            return f"{name} cannot be asked for this channel now."
        if seen.secured:
            return (
                f"{name} keeps this record from most people, so a channel gets a button "
                "alone."
            )
        present = await self.mentions.rooms.present(asker.tenant, channel)
        room = Room(asker.tenant, channel, present)
        floor = await self.mentions.floors.of_room(room, own.ref, [PUBLIC])
        if PUBLIC in floor.classes:
            return ""
        return "Not everybody here may see this record, so the channel gets a button alone."


def _of_level(level: Level, name: str) -> str:
    shown = _LEVELS.get(level)
    if shown is None:
        return ""
    return (
        f"The admins of this channel let no more of {name} be shown here than {shown}: "
        f"`records level` is `{level}`."
    )
