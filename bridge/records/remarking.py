"""
Let what people say on a record, in its system, be read in the thread of its card.

It is shown where a channel chose it, as far as everybody in that room may see it, under
the name of who said it, and once: the intent is noted before the platform is called, and
an answer that was lost is looked up. What came out of this very conversation does not
come back. Only what was said since the channel chose it and since its card stands there
is shown; what is edited or deleted in the system later stays in the thread as it was.
"""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from bridge.cards import Card
from bridge.errors import (
    Ambiguous,
    AtomError,
    CannotTell,
    DeliveryFailed,
    NotGiven,
    NotSent,
    ServiceUnavailable,
    StoreUnavailable,
    Throttled,
)
from bridge.messages import Channel, Platform
from bridge.records.books import (
    CardBook,
    CardInstance,
    CardState,
    CarriedBook,
    ChangesBook,
    LevelBook,
    RemarkBook,
    ThreadChoice,
)
from bridge.records.cards import Level
from bridge.records.drawing import Clock
from bridge.records.entries import RecordLog, remarked
from bridge.records.floor import Floors, Room
from bridge.records.model import (
    PUBLIC,
    Absence,
    ChangeKind,
    Record,
    RecordChange,
    RecordRef,
    Remark,
)
from bridge.records.places import CardPlace, Rooms
from bridge.records.ports import Accesses, Remarks
from bridge.records.posting import Threads, placed
from bridge.records.reading import RoomReading
from bridge.records.systems import Systems, home

_SECOND = 1_000_000
_AGAIN_US = 5 * _SECOND
_UNDER_WAY_US = 120 * _SECOND  # a write that old is not waited for
_SKEW_US = 60 * _SECOND  # by which clocks of companies may differ
_MOST = 20  # records in one turn
_LONGEST = 2_000
_ON_ITS_WAY = (Throttled, NotSent, NotGiven)

Key = tuple[str, RecordRef]


@dataclass(frozen=True, slots=True)
class Remarking:
    """Looks at records of which something is heard, when `tend` is called."""

    systems: Systems
    accesses: Accesses
    reading: RoomReading
    cards: CardBook
    threads: Threads
    levels: LevelBook
    floors: Floors
    rooms: Rooms
    places: Mapping[Platform, CardPlace]
    log: RecordLog
    changes: ChangesBook
    carried: CarriedBook
    book: RemarkBook
    clock: Clock
    _due: dict[Key, int] = field(default_factory=dict)
    _all: set[str] = field(default_factory=set)

    def heard(self, tenant: str, change: RecordChange) -> None:
        """
        A business system says that something changed, or that events were lost.

        What is ours counts too: systems that are asked tell the latest state alone, and
        somebody may have said something just before ATOM wrote.
        """
        if change.ref is None or change.kind is ChangeKind.MISSED:
            self._all.add(tenant)
        else:
            self._due.setdefault((tenant, change.ref), self.clock())

    def everything(self, tenant: str) -> None:
        """Look at all records, as after a start: nobody knows what was missed."""
        self._all.add(tenant)

    async def tend(self, tenant: str) -> None:
        """Show what was said on records that are due. Raises `StoreUnavailable`."""
        now = self.clock()
        heard = {
            key[1] for key, at in self._due.items() if key[0] == tenant and at <= now
        }
        missed = tenant in self._all
        if not heard and not missed:
            return
        chosen = await self.levels.threads(tenant)
        rooms = {room: one for room, one in chosen.items() if one.way.inward}
        cards = await self._cards(tenant, rooms)
        self._all.discard(tenant)
        for ref in heard - cards.keys():
            del self._due[tenant, ref]  # nothing of it stands where it would be shown
        for ref in cards if missed else ():
            self._due.setdefault((tenant, ref), now)
        due = [ref for ref in cards if self._due.get((tenant, ref), now + 1) <= now]
        for ref in due[:_MOST]:
            await self._one(tenant, ref, list(cards[ref].values()), rooms)

    async def _cards(
        self, tenant: str, rooms: Mapping[Channel, ThreadChoice]
    ) -> dict[RecordRef, dict[Channel, CardInstance]]:
        """Return the newest card of each record in each room that shows all of it."""
        found: dict[RecordRef, dict[Channel, CardInstance]] = defaultdict(dict)
        for room in rooms:
            cards = await self.cards.in_channel(tenant, room)
            for each in sorted(cards, key=lambda one: one.made_us):
                if each.state is CardState.POSTED and each.level is Level.DATA:
                    found[each.ref][room] = each
        return found

    async def _one(
        self,
        tenant: str,
        ref: RecordRef,
        cards: Sequence[CardInstance],
        rooms: Mapping[Channel, ThreadChoice],
    ) -> None:
        try:
            whole = await self._look(tenant, ref, cards, rooms)
        except StoreUnavailable:
            raise
        except ServiceUnavailable:
            whole = False
        except AtomError:
            whole = True  # the record is gone, or its system not connected any more
        if whole:
            self._due.pop((tenant, ref), None)
        else:
            self._due[tenant, ref] = self.clock() + _AGAIN_US

    async def _look(
        self,
        tenant: str,
        ref: RecordRef,
        cards: Sequence[CardInstance],
        rooms: Mapping[Channel, ThreadChoice],
    ) -> bool:
        """Show what is not shown yet; False if it has to be looked at again soon."""
        records = home(self.systems, tenant, ref)
        if not isinstance(records, Remarks):
            return True
        since = {c.channel: max(c.made_us, rooms[c.channel].since_us) for c in cards}
        own = await self._own(tenant, ref, min(since.values()))
        if own is None:
            return False
        seen = (await self.reading.read(tenant, [ref])).seen[ref]
        if not isinstance(seen, Record):
            return seen is Absence.GONE
        if seen.secured:
            return True
        access = self.accesses.integration(tenant, ref.system, ref.instance)
        said = await records.remarks(access, ref, min(since.values()))
        whole = True
        for card in cards:
            here = {card.channel, *await self.rooms.linked(tenant, card.channel)}
            ours = [made for room, made in own if room in here]
            for each in said:
                if each.said_us < since[card.channel] or _is_one_of(each, ours):
                    continue
                if not await self._show(card, seen, each):
                    whole = False
                    break  # those behind it wait: they are in order
        return whole

    async def _own(
        self, tenant: str, ref: RecordRef, since_us: int
    ) -> list[tuple[Channel, str]] | None:
        """
        Return what was added to a record from where, as its deeds know it.

        None while something is being added: what it is called is known in a moment.
        """
        found = []
        for room, deed, at_us in await self.carried.written(tenant, ref, since_us):
            if await self.changes.done(tenant, deed) is None:
                if self.clock() - at_us < _UNDER_WAY_US:
                    return None
                continue
            found.append((room, await self.changes.made(tenant, deed)))
        return found

    async def _show(self, card: CardInstance, record: Record, remark: Remark) -> bool:
        """Let a remark stand in a card's thread, once; False if it has to wait."""
        where = await placed(self.threads, card)
        place = self.places.get(card.channel.platform)
        if where is None or place is None:
            return place is None
        present = await self.rooms.present(card.tenant, card.channel)
        room = Room(card.tenant, card.channel, present)
        floor = await self.floors.of_room(room, card.ref, {remark.cls})
        if not {PUBLIC, remark.cls} <= floor.classes:
            return True
        mark = _mark(card, remark)
        state = await self.book.plan(card.tenant, mark, card.channel)
        if state is CardState.POSTING:
            state = await self._reconciled(place, where, mark, remark)
        if state is CardState.POSTED:
            return True
        if state is CardState.POSTING:
            return False
        await self.log.note(remarked(where, remark, mark, floor.shown))
        if not await self.book.posting(card.tenant, mark):
            return False
        return await self._post(place, where, mark, _card(record, remark))

    async def _post(
        self, place: CardPlace, where: CardInstance, mark: str, card: Card
    ) -> bool:
        try:
            message = await place.say(where, mark, card)
        except Ambiguous:
            return False
        except _ON_ITS_WAY:
            await self.book.unposted(where.tenant, mark)
            return False
        except DeliveryFailed:
            message = ""  # the room does not take it, whenever it is asked
        await self.book.posted(where.tenant, mark, message)
        return True

    async def _reconciled(
        self, place: CardPlace, where: CardInstance, mark: str, remark: Remark
    ) -> CardState:
        """Look up what may stand there; it stays as it is while nobody can tell."""
        try:
            message = await place.look_for_said(where, mark, remark.said_us - _SKEW_US)
        except (CannotTell, DeliveryFailed):
            return CardState.POSTING
        if message is None:
            await self.book.unposted(where.tenant, mark)
            return CardState.PLANNED
        await self.book.posted(where.tenant, mark, message)
        return CardState.POSTED


def _is_one_of(remark: Remark, made: Sequence[str]) -> bool:
    return any(each.startswith(tuple(remark.names)) for each in made if each)


def _mark(card: CardInstance, remark: Remark) -> str:
    told = f"{card.ref}\n{remark.id}\n{card.channel}"
    return f"rmk_{hashlib.sha256(told.encode()).hexdigest()[:32]}"


def _card(record: Record, remark: Remark) -> Card:
    # Nothing in it is markup but backticks, and those are somebody's own.
    text = remark.text.replace("`", "'").strip()
    if len(text) > _LONGEST:
        text = f"{text[: _LONGEST - 1]}…"
    name = record.key or record.what
    title = f"{remark.by or 'Somebody'} in {record.ref.system.shown}, on {name}"
    return Card(title, text)
