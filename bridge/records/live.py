"""
Keep every card what its record is now, in every room where it stands.

A change is a hint to read. A record is read once for all of its cards, as the
integration, and each card is drawn for its own room: a card that would show the same is
left alone, an older state never replaces a newer one, and no card is edited more often
than every two seconds unless somebody waits for it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bridge.errors import DeliveryFailed, Refused, Throttled
from bridge.messages import Channel, Platform
from bridge.records.agenda import Agenda, Due, Part
from bridge.records.books import CardBook, CardInstance, CardState
from bridge.records.cards import Level, Standing
from bridge.records.drawing import Clock, Drawing, Drawn
from bridge.records.entries import RecordLog, shown, unretracted
from bridge.records.model import (
    NEVER,
    Absence,
    ChangeKind,
    Record,
    RecordChange,
    RecordRef,
)
from bridge.records.pacing import Pacing
from bridge.records.places import CardPlace
from bridge.records.posting import Threads, placed
from bridge.records.reading import RoomReading

_SECOND = 1_000_000
_MOST_REMEMBERED = 5_000
_MOST_UNSAID = 5
_COMING_US = 20 * 1_000_000
_LONGEST_US = 15 * 60 * _SECOND


@dataclass(frozen=True, slots=True)
class Pace:
    """
    In microseconds: between edits of a card, before a read is tried again, and before a
    card is looked at that is on its way.
    """

    card_us: int = 2 * _SECOND
    retry_us: int = 5 * _SECOND
    coming_us: int = _SECOND
    blind_us: int = 60 * _SECOND


def _nobody() -> None:
    """Nobody waits for work."""


@dataclass(slots=True)
class Live:
    """
    `wake` is called when something is due; whoever drives it calls `gather` and then
    `turn` for each part. `notes` says whether material changes are told in threads.
    """

    cards: CardBook
    reading: RoomReading
    drawing: Drawing
    places: Mapping[Platform, CardPlace]
    threads: Threads
    log: RecordLog
    clock: Clock
    pace: Pace = field(default_factory=Pace)
    notes: bool = True
    agenda: Agenda = field(default_factory=Agenda)
    pacing: Pacing = field(default_factory=Pacing)
    wake: Callable[[], None] = _nobody
    _last: dict[tuple[str, RecordRef], Record] = field(default_factory=dict)
    # Lines that wait for their card to be changed, by card.
    _unsaid: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def heard(self, tenant: str, change: RecordChange) -> None:
        """A business system says that something changed."""
        due = Due(
            self.clock(),
            deleted=change.kind is ChangeKind.DELETED,
            restored=change.kind is ChangeKind.RESTORED,
            rev=change.rev,
        )
        if change.ref is None or change.kind is ChangeKind.MISSED:
            part = (tenant, change.system, change.instance)
            self.agenda.system(part, replace(due, rev=NEVER))
        else:
            self.agenda.record(tenant, change.ref, due)
        self.wake()

    def stir(self, tenant: str, ref: RecordRef, note: str = "") -> None:
        """Somebody waits for a record's cards to be right; `note` is said under them."""
        notes = (note,) if note else ()
        due = Due(self.clock(), urgent=True, notes=notes)
        self.agenda.record(tenant, ref, due)
        self.wake()

    def room_changed(self, tenant: str, channel: Channel) -> None:
        """Others are in a channel now, or it is linked with others."""
        self.agenda.room(tenant, channel, self.clock())
        self.wake()

    def rights_changed(self, tenant: str) -> None:
        """The directory or the policy is another one: every floor may be."""
        due = Due(self.clock(), floor=True, changed=False)
        self.agenda.company(tenant, due)
        self.wake()

    def everything(self, tenant: str) -> None:
        """Look at all cards, as after a start: nobody knows what was missed."""
        self.agenda.company(tenant, Due(self.clock()))
        self.wake()

    async def gather(self) -> list[Part]:
        """Find the records that are due because of rooms and companies; return parts."""
        for tenant, channel in self.agenda.rooms():
            due = Due(self.clock(), floor=True, changed=False)
            for card in await self.cards.in_channel(tenant, channel):
                self.agenda.record(tenant, card.ref, due)
        for tenant, due in self.agenda.companies():
            for ref in await self.cards.records(tenant):
                self.agenda.record(tenant, ref, due)
        return self.agenda.parts()

    async def turn(self, part: Part) -> int | None:
        """
        Bring the cards of one system up to date, as far as they are due.

        Returns when it is due again, in microseconds, None if nothing is known to be.
        Raises `StoreUnavailable`; what was taken up is due again then.
        """
        tenant = part[0]
        if (whole := self.agenda.whole(part)) is not None:
            for ref in await self.cards.records(tenant):
                if (tenant, ref.system, ref.instance) == part:
                    self.agenda.record(tenant, ref, whole)
        taken = self.agenda.take(part, self.clock())
        left = dict(taken)
        try:
            work = [
                (ref, due, cards)
                for ref, due in taken.items()
                if (cards := await self._wanted(tenant, ref, due))
            ]
            seen, wait = await self._read(tenant, work)
            for ref in [ref for ref in left if ref not in seen]:
                del left[ref]
            for ref, due, cards in work:
                await self._show(tenant, ref, due, cards, (seen[ref], wait.get(ref)))
                del left[ref]
        finally:
            for ref, due in left.items():
                later = replace(due, due_us=self.clock() + self.pace.retry_us)
                self.agenda.record(tenant, ref, later)
        return self.agenda.next_us(part)

    async def _wanted(
        self, tenant: str, ref: RecordRef, due: Due
    ) -> Sequence[CardInstance]:
        """Return a record's cards; none if there is nothing to do about them now."""
        known = [
            card
            for card in await self.cards.of_record(tenant, ref)
            if card.channel.platform in self.places
        ]
        cards = [card for card in known if card.state is CardState.POSTED]
        if any(self._is_coming(card) for card in known):
            # Drawn before this was heard of, and not there yet: to be looked at then.
            later = self.clock() + self.pace.coming_us
            self.agenda.record(tenant, ref, replace(due, due_us=later, notes=()))
        asked = due.urgent or due.floor or due.restored or due.deleted
        if due.rev != NEVER and not asked:
            # Told again, out of order, or the echo of what was written here.
            fresh = (c.rev >= due.rev and c.standing is Standing.LIVE for c in cards)
            if all(fresh):
                return []
        ready = max((c.shown_us for c in cards), default=0) + self.pace.card_us
        if cards and not (due.urgent or due.floor) and ready > self.clock():
            self.agenda.record(tenant, ref, replace(due, due_us=ready))
            return []
        return cards

    async def _read(
        self,
        tenant: str,
        work: Sequence[tuple[RecordRef, Due, Sequence[CardInstance]]],
    ) -> tuple[dict[RecordRef, Record | Absence], Mapping[RecordRef, float]]:
        """Read what is not known; where nothing changed the last state is good enough."""
        seen: dict[RecordRef, Record | Absence] = {}
        for ref, due, cards in work:
            last = self._last.get((tenant, ref))
            newest = max(card.rev for card in cards)
            stands = all(card.standing is not Standing.GONE for card in cards)
            if not due.changed and last and stands and last.rev >= newest:
                seen[ref] = last
        asked = [ref for ref, _, _ in work if ref not in seen]
        urgent = any(due.urgent or due.floor for _, due, _ in work)
        answers = await self.reading.read(tenant, asked, urgent=urgent)
        return seen | dict(answers.seen), answers.wait

    async def _show(
        self,
        tenant: str,
        ref: RecordRef,
        due: Due,
        cards: Sequence[CardInstance],
        answer: tuple[Record | Absence, float | None],
    ) -> None:
        seen, wait = answer
        last = self._last.get((tenant, ref))
        if isinstance(seen, Absence) and seen is not Absence.GONE:
            blind_us = self._blind(due, wait)
            again = replace(due, due_us=blind_us, fails=due.fails + 1, notes=())
            self.agenda.record(tenant, ref, replace(again, urgent=False, floor=False))
            if not due.floor and not due.urgent and not due.fails and wait is None:
                return  # a hiccup is not worth an edit
        told = due
        if isinstance(seen, Record):
            notes = (*due.notes, *self._material(last, seen, due))
            told = replace(due, notes=notes)
        granted: set[Channel] = set()
        for card in cards:
            if seen is Absence.GONE and card.level is Level.BUTTON and not due.deleted:
                continue  # it showed nothing that only the integration sees
            await self._draw(card, (seen, last), told, granted)
        if isinstance(seen, Record):
            self.knows(tenant, seen)
        elif seen is Absence.GONE:
            self._last.pop((tenant, ref), None)

    async def _draw(
        self,
        card: CardInstance,
        known: tuple[Record | Absence, Record | None],
        due: Due,
        granted: set[Channel],
    ) -> None:
        """
        Show a card anew if it is to say something else, as soon as its channel is free.

        `granted` are the channels that this record may change in this turn.
        """
        seen, last = known
        drawn = await self.drawing.for_room(card, seen, last)
        if isinstance(seen, Record) and drawn.rev < card.rev:
            return  # an answer that was overtaken
        where = await placed(self.threads, card)
        if where is None:
            return
        notes = (*self._unsaid.pop(card.card_id, ()), *due.notes)
        if drawn.digest != card.digest:
            free = self._is_free(card, due, granted)
            if not free or not await self._edit(where, drawn, due):
                self._keep_unsaid(card, notes)
                return
        if drawn.card.standing is Standing.LIVE and drawn.card.status:
            for note in notes:
                await self._say(where, note)

    def _keep_unsaid(self, card: CardInstance, notes: tuple[str, ...]) -> None:
        if notes and len(self._unsaid) < _MOST_REMEMBERED:
            self._unsaid[card.card_id] = notes[-_MOST_UNSAID:]

    def _is_coming(self, card: CardInstance) -> bool:
        """Whether a card is about to be posted; for long, others take it up."""
        posting = card.state in {CardState.PLANNED, CardState.POSTING}
        return posting and self.clock() - card.made_us < _COMING_US

    def _is_free(self, card: CardInstance, due: Due, granted: set[Channel]) -> bool:
        """Let a record change in a channel now; else it is due again when it may."""
        if card.channel in granted:
            return True
        now, free_us = self.clock(), self.pacing.free_us(card.channel)
        if free_us > now and not (due.urgent or due.floor):
            # It was read already: it is shown without being read again.
            self._again(card, replace(due, changed=False), free_us - now)
            return False
        self.pacing.take(card.channel, now)
        granted.add(card.channel)
        return True

    async def _edit(self, card: CardInstance, drawn: Drawn, due: Due) -> bool:
        place = self.places[card.channel.platform]
        if wait_us := self.pacing.waits_us(card.channel, self.clock()):
            self._again(card, due, wait_us)
            return False
        entry = shown(
            replace(card, digest=drawn.digest),
            drawn.card,
            drawn.decision,
            withheld=drawn.hidden,
            cause="floor" if due.floor else "change",
        )
        await self.log.note(entry)
        made = await self.drawing.issued(card, drawn)
        try:
            await place.change(card, made)
        except Throttled as error:
            wait_us = int(error.retry_after * _SECOND)
            self.pacing.wait(card.channel, self.clock() + wait_us)
            self._again(card, due, wait_us)
            return False
        except Refused as error:
            await self._unretracted(card, drawn, str(error))
            return False
        except DeliveryFailed:
            self._again(card, due, self.pace.retry_us)
            return False
        rev = drawn.rev if drawn.rev != NEVER else card.rev
        now = self.clock()
        kept = replace(
            card,
            rev=rev,
            digest=drawn.digest,
            standing=made.standing,
            shown_us=now,
        )
        if not await self.cards.shown(kept):
            # Another process showed something newer meanwhile, and this is over it.
            self._again(card, replace(due, rev=NEVER), 0)
            return False
        return True

    def _again(self, card: CardInstance, due: Due, wait_us: int) -> None:
        due_us = self.clock() + wait_us
        later = replace(due, due_us=due_us, rev=NEVER, notes=())
        self.agenda.record(card.tenant, card.ref, later)

    def _blind(self, due: Due, wait: float | None) -> int:
        """Return when to look again at what could not be read."""
        if wait is not None:
            return self.clock() + min(int(wait * _SECOND), _LONGEST_US)
        if not due.fails:
            return self.clock() + self.pace.retry_us
        longer = self.pace.blind_us << min(due.fails - 1, 8)
        return self.clock() + min(longer, _LONGEST_US)

    async def _unretracted(self, card: CardInstance, drawn: Drawn, why: str) -> None:
        """What stands there cannot be changed any more: say so where it is audited."""
        await self.log.note(unretracted(card, drawn.card, drawn.hidden, why))
        await self.cards.retire(card.tenant, [card.card_id])

    async def _say(self, card: CardInstance, text: str) -> None:
        try:
            await self.places[card.channel.platform].note(card, text)
        except DeliveryFailed:
            return  # the card itself says it; the note only draws attention to it

    def _material(self, last: Record | None, seen: Record, due: Due) -> list[str]:
        """Return what is worth a line: that a record stands elsewhere than before."""
        if not self.notes or due.notes or last is None or last.rev >= seen.rev:
            return []
        if last.status.text == seen.status.text or seen.secured:
            return []
        return [f"{last.status.text} → {seen.status.text}"]

    def knows(self, tenant: str, record: Record) -> None:
        """Remember a record as its cards show it, to say what it was when it changes."""
        if len(self._last) >= _MOST_REMEMBERED:
            for key in list(self._last)[: _MOST_REMEMBERED // 10]:
                del self._last[key]
        known = self._last.get((tenant, record.ref))
        if known is None or known.rev <= record.rev:
            self._last[tenant, record.ref] = record
