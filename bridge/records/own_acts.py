"""What buttons do that write to no business system: my view, follow, retry, share."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from bridge.access import Action
from bridge.errors import BadInput, ServiceUnavailable
from bridge.messages import Channel
from bridge.records.admitting import Admitted, Admitting
from bridge.records.answering import Connecting, connect_card
from bridge.records.books import CardBook, CardInstance
from bridge.records.cards import Level, RecordCard
from bridge.records.desk import Asker
from bridge.records.drawing import SHARE, Clock, Drawing, Drawn, Tokens
from bridge.records.entries import RecordLog, Wish, viewed
from bridge.records.mentions import Stir
from bridge.records.model import Absence, Record, RecordRef
from bridge.records.places import Rooms, Shown
from bridge.records.ports import Gone, Spent
from bridge.records.posting import UNASKED, Posting
from bridge.records.redaction import CONNECT, FOLLOW, RETRY, VIEW
from bridge.records.systems import home

Follow = Callable[[Admitted], Awaitable[str]]
"""Let a channel, or a person alone, hear of a record; returns a line for them."""


async def _unfollowed(_who: Admitted) -> str:
    return "Records cannot be followed here."


@dataclass(frozen=True, slots=True)
class OwnActs:
    """`follow` is what a button `Follow here` does."""

    admitting: Admitting
    drawing: Drawing
    posting: Posting
    cards: CardBook
    rooms: Rooms
    log: RecordLog
    clock: Clock
    tokens: Tokens
    stir: Stir
    follow: Follow = _unfollowed
    connecting: Connecting = field(default=connect_card)

    async def do(self, who: Admitted, shown: Shown) -> None:
        """Do it. Raises what reading a record raises."""
        ref = who.act.ref
        if ref is None:
            raise BadInput("That button stands for no record.")
        match who.act.act:
            case VIEW.act:
                await shown.card(await self.viewed(who.asker, who.person, ref))
            case RETRY.act:
                self.stir(who.asker.tenant, ref)
                await shown.finished("It is being read again.")
            case FOLLOW.act:
                await shown.finished(await self.follow(who))
            case CONNECT.act:
                made = await self.connecting(who.asker, ref.system, ref.instance)
                await shown.card(made)
            case SHARE.act:
                await self._share(who, ref)
                await shown.finished(
                    "It is shown here, as far as everybody may see it."
                )

    async def viewed(
        self, asker: Asker, person: str, ref: RecordRef, card_id: str = ""
    ) -> RecordCard:
        """Return a record as one person may see it; it is on record that they did."""
        return (await self.drawn(asker, person, ref, card_id)).card

    async def drawn(
        self, asker: Asker, person: str, ref: RecordRef, card_id: str = ""
    ) -> Drawn:
        """Read a record as a person and draw it for them. Raises `NotConnected`."""
        seen = await self.read(asker, person, ref)
        drawn = await self.drawing.for_person(asker, person, ref, seen, card_id)
        wish = Wish(asker, self.tokens(), drawn.decision, card_id)
        await self.log.note(viewed(wish, drawn.card, drawn.hidden))
        return drawn

    async def read(self, asker: Asker, person: str, ref: RecordRef) -> Record | Absence:
        """Read as the person. Raises `NotConnected`."""
        records = home(self.admitting.systems, asker.tenant, ref)
        access = await self.admitting.accesses.of(
            asker.tenant, person, ref.system, ref.instance
        )
        try:
            return (await records.read(access, [ref])).get(ref, Absence.GONE)
        except Gone:
            return Absence.GONE
        except Spent:
            return Absence.SPENT
        except ServiceUnavailable:
            return Absence.UNREACHABLE

    async def made(self, who: Admitted, record: Record) -> None:
        """Let a new record stand where it was asked for, and where that is linked to."""
        channel = who.asker.channel
        if channel is None:
            return
        cause = who.act.detail.get("cause") or self._cause(channel)
        await self._stand(
            who.asker, record.ref, cause, who.act.detail.get("thread", "")
        )

    async def _share(self, who: Admitted, ref: RecordRef) -> None:
        channel = who.asker.channel
        if channel is None:
            raise BadInput("There is no channel here to show it in.")
        await self.admitting.decided(who.asker, who.act, right=Action.RECORD_VIEW)
        await self._stand(who.asker, ref, self._cause(channel), "")

    def _cause(self, channel: Channel) -> str:
        """Name what no message asked for."""
        return f"{channel}/{UNASKED}{self.tokens()}"

    async def _stand(
        self, asker: Asker, ref: RecordRef, cause: str, thread: str
    ) -> None:
        """Post a record's cards, each for its own room's floor."""
        if asker.channel is None:
            return
        rooms = [asker.channel]
        rooms += await self.rooms.linked(asker.tenant, asker.channel)
        seen = (await self.posting.reading.read(asker.tenant, [ref], urgent=True)).seen
        record = seen[ref]
        planned = await self.cards.plan(
            [
                CardInstance(
                    card_id=f"crd_{self.tokens()}",
                    tenant=asker.tenant,
                    ref=ref,
                    channel=room,
                    cause=cause,
                    level=Level.DATA,
                    thread=thread if room == asker.channel else "",
                    made_us=self.clock(),
                )
                for room in rooms
                if room.platform in self.posting.places
            ]
        )
        if isinstance(record, Absence):
            return  # planned, so that it is taken up once it can be read
        for instance in planned:
            await self.posting.post(instance, record)
