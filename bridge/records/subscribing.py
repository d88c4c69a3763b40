"""
Tell channels and people of changes that they asked to hear of.

A channel is told what its floor may see, and its filter is asked of nothing else. What a
business system keeps from most people is never told to a channel; a person may choose to
hear of it, and then it is read with their own account.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Protocol
from zoneinfo import ZoneInfo

from bridge.cards import Card
from bridge.errors import (
    AtomError,
    BadInput,
    DeliveryFailed,
    NotFound,
    Refused,
    ServiceUnavailable,
    StoreUnavailable,
)
from bridge.messages import Channel
from bridge.records.admitting import Admitted, Admitting
from bridge.records.books import (
    MOST_UNJUDGED,
    Held,
    Quiet,
    Subscription,
    SubscriptionBook,
)
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
_AT_ONCE = 100  # records in one read
_LONGEST_READ_US = 20 * 1_000_000  # for all who wait; then for the next time
# A quota of calls is for a day: within two it has room again.
_LONGEST_US = 2 * 24 * 60 * _MINUTE_US
_SHORTEST_DIGEST, _LONGEST_DIGEST = 5, 7 * 24 * 60

_BLIND = {Absence.UNREACHABLE, Absence.SPENT}
_GONE = "A {} that is followed here is gone, or no longer visible."
# It does not say how many: some may be of what the audience may not see.
_UNCHECKED = (
    "There may be changes that nobody is told of: {} could not be asked for too long. "
    "Please look there."
)

View = Record | Absence | None
"""A record as an audience may see it, or why not; None if it may not at all."""

Views = Mapping[RecordRef, View]


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

    async def heard(self, tenant: str, *changes: RecordChange) -> int:
        """
        Tell changes to whoever wants to hear of them; returns how many were told.

        A change of what cannot be read now is kept, and judged at a later `tick`.
        """
        wanting: list[tuple[Subscription, list[tuple[RecordRef, RecordChange]]]] = []
        for each in await self.book.of(tenant):
            own = [
                (change.ref, change)
                for change in changes
                if change.ref is not None
                and change.kind is not ChangeKind.MISSED
                and _concerns(each, change.ref)
            ]
            if own:
                wanting.append((each, own))
        seen = await self._seen(
            tenant, [(each, {ref for ref, _ in own}) for each, own in wanting]
        )
        many = 0
        for each, own in wanting:
            views = seen[each.id]
            kept = [await self._hold(each, *one, views[one[0]]) for one in own]
            if any(kept) and not each.every:
                many += await self._flush(each, views)
        return many

    async def _hold(
        self,
        subscription: Subscription,
        ref: RecordRef,
        change: RecordChange,
        seen: View,
    ) -> bool:
        """Keep what is to be told of a change; False if there is nothing to tell now."""
        blind = seen in _BLIND
        line = "" if blind else _line(subscription, seen, ref, change)
        if not blind and not line:
            return False
        unjudged = change if blind else None
        held = Held(change.event, ref, line, self.clock(), unjudged)
        return await self.book.hold_back(subscription, held) and not blind

    async def tick(self, tenant: str) -> int:
        """
        Tell what waited for a digest, for the morning, or for its system to answer.

        Returns how many were told. All of it is read together: it costs few calls.
        """
        waiting = [
            (each, due)
            for each in await self.book.of(tenant)
            if (due := await self._due(each))
        ]
        seen = await self._seen(
            tenant, [(each, {held.ref for held in due}) for each, due in waiting]
        )
        told = [await self._tell(each, due, seen[each.id]) for each, due in waiting]
        return sum(told)

    async def _flush(self, subscription: Subscription, views: Views) -> int:
        """Tell what is due of one subscription now; `views` is what was read already."""
        due = await self._due(subscription)
        missing = {held.ref for held in due} - views.keys()
        if missing:
            asked = [(subscription, missing)]
            seen = await self._seen(subscription.tenant, asked)
            views = {**views, **seen[subscription.id]}
        return await self._tell(subscription, due, views)

    async def _due(self, subscription: Subscription) -> Sequence[Held]:
        now = self.clock()
        if is_quiet(subscription.quiet, now):
            return []
        before = now + 1
        if subscription.every:
            before = now - now % (subscription.every * _MINUTE_US)
        return await self.book.due(subscription, before)

    async def _tell(
        self, subscription: Subscription, due: Sequence[Held], views: Views
    ) -> int:
        """
        Tell what may still be told: rooms and rights change.

        What cannot be read stays due. After two days it is given up, and that is told.
        """
        blind = [held for held in due if views[held.ref] in _BLIND]
        longest_us = _LONGEST_US + subscription.every * _MINUTE_US
        given_up = [h for h in blind if h.at_us < self.clock() - longest_us]
        over = [held for held in due if held not in blind or held in given_up]
        lines: dict[str, RecordRef] = {}
        for held in over:
            line = _now(subscription, held, views[held.ref])
            if line:
                # Judged late, several changes may read alike.
                lines[line] = held.ref
        shown = list(lines)
        unjudged = sum(1 for held in due if held.change)
        if given_up or (over and unjudged >= MOST_UNJUDGED):
            shown.append(_UNCHECKED.format(subscription.system.shown))
        if shown:
            entry = told(
                subscription.tenant,
                subscription.id,
                sorted(set(lines.values())),
                subscription.channel,
                unchecked=len(given_up),
            )
            await self.log.note(entry)
            try:
                await self.teller.tell(subscription, _card(subscription, shown))
            except Refused:
                shown = []  # it would be refused again
            except DeliveryFailed:
                return 0  # it stays due
        if over:
            await self.book.told(subscription, [held.event for held in over])
        return bool(shown)

    async def _seen(
        self, tenant: str, asked: Sequence[tuple[Subscription, AbstractSet[RecordRef]]]
    ) -> Mapping[str, Views]:
        """
        Return, by subscription, records as its audience may see them: None if not at all.

        Rooms' records are read together. What is not read in time is unreachable.
        """
        views: dict[str, Views] = {
            each.id: dict.fromkeys(refs, Absence.UNREACHABLE) for each, refs in asked
        }
        if not asked:
            return views
        until_us = self.clock() + _LONGEST_READ_US
        shared = {ref for each, refs in asked if each.channel for ref in refs}
        rooms = (await self.reading.read(tenant, shared)).seen
        # Begun elsewhere every minute: who hangs does not always keep the others waiting.
        first = self.clock() // _MINUTE_US % len(asked)
        for each, refs in (*asked[first:], *asked[:first]):
            if self.clock() > until_us:
                break
            with suppress(ServiceUnavailable):
                views[each.id] = await self._views(each, refs, rooms)
        return views

    async def _views(
        self,
        subscription: Subscription,
        refs: AbstractSet[RecordRef],
        rooms: Mapping[RecordRef, Record | Absence],
    ) -> Views:
        if subscription.channel is None:
            return await self._own(subscription, sorted(refs))
        present = await self.rooms.present(subscription.tenant, subscription.channel)
        place = Room(subscription.tenant, subscription.channel, present)
        views: dict[RecordRef, View] = {}
        for ref in refs:
            room = rooms[ref]
            if isinstance(room, Absence):
                views[ref] = room
            elif room.secured:
                views[ref] = None
            else:
                floor = await self.floors.of_room(place, ref, room.classes)
                views[ref] = visible_part(room, floor)
        return views

    async def _own(
        self, subscription: Subscription, refs: Sequence[RecordRef]
    ) -> Views:
        """Read as the person who wants to hear of it."""
        views: dict[RecordRef, View] = dict.fromkeys(refs)
        reader = Asker.reached(subscription.tenant, subscription.by)
        who = (reader.tenant, reader.person, reader.account)
        for first in range(0, len(refs), _AT_ONCE):
            part = refs[first : first + _AT_ONCE]
            for ref, own in (await self._read_as(subscription, part)).items():
                if isinstance(own, Absence):
                    views[ref] = own
                elif not own.secured or subscription.secured:
                    floor = await self.floors.of_viewer(who, ref, own.classes)
                    views[ref] = visible_part(own, floor)
        return views

    async def _read_as(
        self, subscription: Subscription, refs: Sequence[RecordRef]
    ) -> Mapping[RecordRef, Record | Absence]:
        tenant, first = subscription.tenant, refs[0]
        try:
            records = home(self.admitting.systems, tenant, first)
            access = await self.admitting.accesses.of(
                tenant, subscription.person, first.system, first.instance
            )
            return await records.read(access, refs, urgent=False)
        except (ServiceUnavailable, StoreUnavailable):
            raise
        except AtomError:
            return {}

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


def _now(subscription: Subscription, held: Held, seen: View) -> str:
    """Return what is told of something that was held back, as things are now."""
    if held.change is not None:
        return _line(subscription, seen, held.ref, held.change)
    if isinstance(seen, Record):
        return held.line
    if seen is Absence.GONE or (seen is None and subscription.person):
        # That a followed record is gone says nothing of what was in it.
        return _GONE.format(held.ref.kind) if subscription.ref else ""
    return ""


def _line(
    subscription: Subscription,
    seen: View,
    ref: RecordRef,
    change: RecordChange,
) -> str:
    """Return what is told of a change; nothing if it is not to be."""
    if seen is None:
        return ""
    if isinstance(seen, Absence):
        if seen is Absence.GONE and subscription.ref is not None:
            return _GONE.format(ref.kind)
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
