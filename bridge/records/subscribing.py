"""
Tell channels and people of changes that they asked to hear of.

A channel is told what its floor may see, and its filter is asked of nothing else. What a
business system keeps from most people is never told to a channel; a person may choose to
hear of it, and then it is read with their own account.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from bridge.cards import Card
from bridge.errors import (
    AtomError,
    BadInput,
    DeliveryFailed,
    NotAllowed,
    NotFound,
    Refused,
    ServiceUnavailable,
)
from bridge.messages import Channel
from bridge.records.admitting import Admitted, Admitting
from bridge.records.books import Quiet, Subscription, SubscriptionBook
from bridge.records.desk import Asker
from bridge.records.drawing import Clock, Tokens
from bridge.records.entries import RecordLog, Wish, followed, told, unfollowed
from bridge.records.filters import names, passes, read
from bridge.records.floor import Floor, Floors, Room
from bridge.records.model import (
    PUBLIC,
    Absence,
    ChangeKind,
    Record,
    RecordChange,
    RecordRef,
    Status,
)
from bridge.records.places import Rooms
from bridge.records.reading import RoomReading
from bridge.records.systems import having, home

_MINUTE_US = 60 * 1_000_000
_MOST_LINES = 25
_MOST_EACH = 50
_SHORTEST_DIGEST, _LONGEST_DIGEST = 5, 7 * 24 * 60


class Teller(Protocol):
    """How a subscription's lines reach a channel, or a person alone."""

    async def tell(self, subscription: Subscription, card: Card) -> None:
        """Raises `DeliveryFailed`; then it is told later."""
        ...


@dataclass(frozen=True, slots=True)
class Topic:
    """What somebody wants to hear of: `mine` is for them alone."""

    kind: str
    filter: str = ""
    every: int = 0
    quiet: Quiet = field(default_factory=Quiet)
    mine: bool = False
    secured: bool = False


@dataclass(frozen=True, slots=True)
class Subscribing:
    """Keeps subscriptions, and tells what they ask for."""

    admitting: Admitting
    book: SubscriptionBook
    reading: RoomReading
    floors: Floors
    rooms: Rooms
    teller: Teller
    log: RecordLog
    clock: Clock
    tokens: Tokens

    async def follow(self, who: Admitted) -> str:
        """Let a channel hear of one record, or a person where there is no channel."""
        ref = who.act.ref
        if ref is None:
            raise BadInput("There is no record to follow.")
        return await self.follow_record(who.asker, who.person, ref)

    async def follow_record(self, asker: Asker, person: str, ref: RecordRef) -> str:
        """Follow a record, whose reader was asked for already; returns a line."""
        channel = _room(asker)
        where = "here" if channel else "for you alone"
        for each in await self.book.of(asker.tenant):
            same = each.channel == channel if channel else each.person == person
            if each.ref == ref and same:
                return f"That is followed {where} already: {each.id}."
        made = await self._kept(
            asker,
            Subscription(
                id=self._id(),
                tenant=asker.tenant,
                system=ref.system,
                instance=ref.instance,
                kind=ref.kind,
                by=asker.address,
                channel=channel,
                person="" if channel else person,
                ref=ref,
                made_us=self.clock(),
            ),
        )
        return f"It is followed {where}: {made.id}. `unfollow {made.id}` ends that."

    async def subscribe(self, asker: Asker, topic: Topic) -> Subscription:
        """Keep a topic. Raises `BadInput` in a line that says what to write instead."""
        person = await self.admitting.known(asker)
        records, kind = having(self.admitting.systems, asker.tenant, topic.kind)
        read(topic.filter)
        alone = topic.mine or _room(asker) is None
        if topic.secured and not alone:
            raise BadInput(
                "A channel never hears of secured records: add `me` to hear of them "
                "alone."
            )
        if topic.every and not _SHORTEST_DIGEST <= topic.every <= _LONGEST_DIGEST:
            raise BadInput("A digest comes every 5 minutes at most, and once a week.")
        mine = [
            each
            for each in await self.book.of(asker.tenant)
            if each.channel == (None if alone else asker.channel)
            and each.person == (person if alone else "")
        ]
        if len(mine) >= _MOST_EACH:
            raise BadInput(f"There are {_MOST_EACH} already: unfollow one first.")
        return await self._kept(
            asker,
            Subscription(
                id=self._id(),
                tenant=asker.tenant,
                system=records.system,
                instance=records.instance,
                kind=kind,
                by=asker.address,
                channel=None if alone else asker.channel,
                person=person if alone else "",
                filter=topic.filter,
                every=topic.every,
                quiet=topic.quiet,
                secured=topic.secured,
                made_us=self.clock(),
            ),
        )

    async def here(self, asker: Asker) -> Sequence[Subscription]:
        """Return what this channel hears of, and what the person alone does."""
        person = await self.admitting.known(asker)
        return [
            each
            for each in await self.book.of(asker.tenant)
            if (each.channel is not None and each.channel == asker.channel)
            or (each.person and each.person == person)
        ]

    async def unfollow(self, asker: Asker, id_: str) -> Subscription:
        """End one that is the channel's or the person's own. Raises `NotFound`."""
        for each in await self.here(asker):
            if each.id == id_:
                await self.book.remove(asker.tenant, id_)
                await self.log.note(unfollowed(Wish(asker, id_), each))
                return each
        raise NotFound(
            f"There is no subscription {id_} here: `subscriptions` lists them."
        )

    async def heard(self, tenant: str, change: RecordChange) -> int:
        """Tell a change to whoever wants to hear of it; returns how many were told."""
        ref, many = change.ref, 0
        if ref is None or change.kind is ChangeKind.MISSED:
            return 0
        wanting = [s for s in await self.book.of(tenant) if _concerns(s, ref)]
        if not wanting:
            return 0
        rooms = await self.reading.read(tenant, [ref])
        for each in wanting:
            seen = await self._seen(each, ref, rooms.seen[ref])
            line = _line(each, seen, ref, change)
            if not line:
                continue
            kept = await self.book.hold_back(
                each, change.event, ref, line, self.clock()
            )
            if kept and not each.every and not is_quiet(each.quiet, self.clock()):
                many += await self.flush(each)
        return many

    async def tick(self, tenant: str) -> int:
        """Tell what waited for a digest or for the morning; returns how many were told."""
        return sum([await self.flush(each) for each in await self.book.of(tenant)])

    async def flush(self, subscription: Subscription) -> int:
        """Tell what is due of one subscription now."""
        now = self.clock()
        if is_quiet(subscription.quiet, now):
            return 0
        before = now + 1
        if subscription.every:
            before = now - now % (subscription.every * _MINUTE_US)
        due = await self.book.due(subscription, before)
        if not due:
            return 0
        visible = await self._still(subscription, {ref for _, ref, _ in due})
        lines = [line for _, ref, line in due if ref in visible]
        events = [event for event, _, _ in due]
        if lines:
            entry = told(
                subscription.tenant,
                subscription.id,
                sorted(visible),
                subscription.channel,
            )
            await self.log.note(entry)
            try:
                await self.teller.tell(subscription, _card(subscription, lines))
            except Refused:
                lines = []  # it would be refused again
            except DeliveryFailed:
                return 0  # it stays due
        await self.book.told(subscription, events)
        return bool(lines)

    async def _still(
        self, subscription: Subscription, refs: set[RecordRef]
    ) -> set[RecordRef]:
        """Return the records that may still be told of: rooms and rights change."""
        rooms = await self.reading.read(subscription.tenant, refs)
        visible = set()
        for ref in refs:
            seen = rooms.seen[ref]
            if subscription.person:
                seen = await self._seen(subscription, ref, seen) or Absence.GONE
            elif isinstance(seen, Record):
                seen = await self._seen(subscription, ref, seen) or Absence.UNREACHABLE
            # That a followed record is gone says nothing of what was in it.
            if isinstance(seen, Record) or (seen is Absence.GONE and subscription.ref):
                visible.add(ref)
        return visible

    async def _seen(
        self, subscription: Subscription, ref: RecordRef, room: Record | Absence
    ) -> Record | Absence | None:
        """Return a record as the audience may see it, None if it may not at all."""
        if subscription.channel is not None:
            if not isinstance(room, Record) or room.secured:
                return room if isinstance(room, Absence) else None
            present = await self.rooms.present(
                subscription.tenant, subscription.channel
            )
            place = Room(subscription.tenant, subscription.channel, present)
            floor = await self.floors.of_room(place, ref, room.classes)
            return visible_part(room, floor)
        own = await self._own(subscription, ref)
        if not isinstance(own, Record):
            return own
        if own.secured and not subscription.secured:
            return None
        reader = Asker.reached(subscription.tenant, subscription.by)
        who = (reader.tenant, reader.person, reader.account)
        return visible_part(own, await self.floors.of_viewer(who, ref, own.classes))

    async def _own(
        self, subscription: Subscription, ref: RecordRef
    ) -> Record | Absence | None:
        """Read as the person who wants to hear of it."""
        tenant = subscription.tenant
        try:
            records = home(self.admitting.systems, tenant, ref)
            access = await self.admitting.accesses.of(
                tenant, subscription.person, ref.system, ref.instance
            )
            return (await records.read(access, [ref], urgent=False)).get(ref)
        except (NotAllowed, NotFound):
            return None
        except ServiceUnavailable:
            return Absence.UNREACHABLE
        except AtomError:
            return None

    async def _kept(self, asker: Asker, made: Subscription) -> Subscription:
        await self.log.note(followed(Wish(asker, made.id), made))
        await self.book.add(made)
        return made

    def _id(self) -> str:
        return f"sub_{''.join(c for c in self.tokens() if c.isalnum())[-10:].lower()}"


def _room(asker: Asker) -> Channel | None:
    """Return the channel that would be told; none where somebody is alone with ATOM."""
    channel = asker.channel
    return None if channel is None or channel.is_own_chat else channel


def visible_part(record: Record, floor: Floor) -> Record | None:
    """Return a record without what an audience may not see; None if it may not at all."""
    if PUBLIC not in floor.classes:
        return None
    body = record.body if record.body and record.body.cls in floor.classes else None
    return replace(
        record,
        title=record.title if record.title_cls in floor.classes else "",
        status=record.status if record.status_cls in floor.classes else Status(""),
        facts=tuple(fact for fact in record.facts if fact.cls in floor.classes),
        body=body,
    )


def is_quiet(quiet: Quiet, now_us: int) -> bool:
    """Say whether nothing is told at a moment, by the clock of the subscriber's place."""
    if quiet.start == quiet.end:
        return False
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=now_us)
    there = moment.astimezone(ZoneInfo(quiet.zone))
    minute = there.hour * 60 + there.minute
    if quiet.start < quiet.end:
        return quiet.start <= minute < quiet.end
    return minute >= quiet.start or minute < quiet.end


def unseen(filter_: str, record: Record) -> frozenset[str]:
    """Return the names in a filter that a record has no field for."""
    known = {"title", "key", "number", "status", "state", "kind", "type", "actor"}
    for fact in record.facts:
        known |= {fact.id.casefold(), fact.label.casefold()}
    return frozenset(n for n in names(read(filter_)) if n.casefold() not in known)


def _concerns(subscription: Subscription, ref: RecordRef) -> bool:
    if subscription.ref is not None:
        return subscription.ref == ref
    mine = (subscription.system, subscription.instance, subscription.kind)
    return mine == (ref.system, ref.instance, ref.kind)


def _line(
    subscription: Subscription,
    seen: Record | Absence | None,
    ref: RecordRef,
    change: RecordChange,
) -> str:
    """Return what is told of a change; nothing if it is not to be."""
    if seen is None:
        return ""
    if isinstance(seen, Absence):
        if seen is Absence.GONE and subscription.ref is not None:
            return f"A {ref.kind} that is followed here is gone, or no longer visible."
        return ""
    if not passes(read(subscription.filter), seen, change):
        return ""
    name = " ".join(part for part in (seen.key, seen.title) if part) or seen.what
    status = f" – {seen.status.text}" if seen.status.text else ""
    return f"{name}{status}: {_happened(seen, change)}"


def _happened(seen: Record, change: RecordChange) -> str:
    if change.kind is not ChangeKind.CHANGED:
        return str(change.kind)
    told = {each.casefold() for each in change.fields}
    labels = [
        f.label for f in seen.facts if {f.id.casefold(), f.label.casefold()} & told
    ]
    return f"{', '.join(labels)} changed" if labels else "changed"


def _card(subscription: Subscription, lines: Sequence[str]) -> Card:
    shown = list(lines[-_MOST_LINES:])
    if more := len(lines) - len(shown):
        shown.insert(0, f"… and {more} more before these")
    name = subscription.system.shown
    title = f"{name}: {len(lines)} changes" if len(lines) > 1 else name
    return Card(title, "\n".join(shown))
