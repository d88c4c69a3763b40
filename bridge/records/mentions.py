"""
Records that a message names become cards under it, on both sides of a bridge.

Who wrote the message has to be able to see the record themselves, with their own account
and by the policy. If they cannot, the room is shown nothing, and they alone are told why.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

from bridge.cards import Button, Card, Tone
from bridge.errors import DeliveryFailed, ServiceUnavailable
from bridge.messages import Channel, Person, PersonKind, Platform
from bridge.records.books import CardBook, CardInstance, LevelBook
from bridge.records.cards import Level
from bridge.records.desk import Asker
from bridge.records.drawing import Clock, Tokens
from bridge.records.entries import RecordLog, Wish, denied, explained
from bridge.records.floor import Floor, Floors
from bridge.records.model import PUBLIC, Absence, Mention, Record, RecordRef
from bridge.records.places import CardPlace, Rooms
from bridge.records.ports import Accesses, Gone, NotConnected, Records, Spent
from bridge.records.posting import Posting
from bridge.records.systems import Systems

_AGAIN_US = 60 * 60 * 1_000_000
_PAUSE = 2.0  # seconds, between questions to a system that takes no more for now
_SHORT = 30.0  # who asks to wait for longer is not waited for
_NO_MORE = "no more calls for now"
_PATIENCE_US = 40 * 1_000_000  # for all that one message names
_PEOPLE = {PersonKind.USER, PersonKind.GUEST}

Answer = TypeVar("Answer")

Who = Callable[[Asker], Awaitable[str | None]]
"""Return the key of who asks, the same on both platforms; None for strangers."""

Stir = Callable[[str, RecordRef], None]
"""A record's cards are to be looked at again soon."""

Rest = Callable[[float], Awaitable[None]]
"""Return after so many seconds."""


@dataclass(frozen=True, slots=True)
class Named:
    """
    A message as the log has it, of which it is asked whether it names records.

    `seq` is its position there.
    """

    tenant: str
    channel: Channel
    message: str
    author: Person
    account: str
    text: str
    thread: str = ""
    seq: int = 0

    @property
    def cause(self) -> str:
        return f"{self.channel}/{self.message}"

    @property
    def root(self) -> str:
        return self.thread or self.message

    @property
    def asker(self) -> Asker:
        return Asker(self.tenant, self.author, self.account, self.channel)


@dataclass(frozen=True, slots=True)
class Mentions:
    """
    `most` is how many cards a message gets at most; `stir` refreshes older ones. For
    `again_us` nobody is told again what holds for every record of a system. Nobody
    waits for a card, so it waits itself, with `rest`, where a system takes no more calls
    for the moment.
    """

    systems: Systems
    accesses: Accesses
    who: Who
    floors: Floors
    levels: LevelBook
    rooms: Rooms
    cards: CardBook
    posting: Posting
    places: Mapping[Platform, CardPlace]
    log: RecordLog
    clock: Clock
    tokens: Tokens
    stir: Stir
    rest: Rest
    most: int = 5
    again_us: int = 0

    async def noticed(self, said: Named) -> Sequence[CardInstance]:
        """
        Show what a message names, and return the cards that are kept for it.

        However often the same message comes, each record has one card in each room.
        Raises `StoreUnavailable`: then it has to come again.
        """
        if said.author.kind not in _PEOPLE or not said.text:
            return []
        named = [
            (records, found)
            for records in self.systems.of(said.tenant)
            if (found := records.recognise(said.text))
        ]
        if not named:
            return []
        rooms = [said.channel, *await self.rooms.linked(said.tenant, said.channel)]
        made: list[CardInstance] = []
        until = self.clock() + _PATIENCE_US
        room = self.most
        for records, found in named:
            if room <= 0:
                break
            levels = await self._levels(said, rooms, records)
            if not levels:
                continue
            seen = await self._seen(said, records, found, until)
            for record in seen[:room]:
                room -= 1
                made += await self._planned(said, record, levels, until)
        return made

    async def looked_at(
        self, asker: Asker, records: Records, mention: Mention
    ) -> Record | str:
        """
        Return a record as whoever names it sees it, or why they do not.

        An empty reason says that it was no record at all, and nothing is said of it.
        """
        try:
            return await self._looked_at(asker, records, mention)
        except Spent:
            return _ABSENT[Absence.SPENT].format(records.system.shown)

    async def _looked_at(
        self, asker: Asker, records: Records, mention: Mention
    ) -> Record | str:
        person = await self.who(asker)
        if person is None:
            return _STRANGER
        try:
            seen = await self._read_as(person, asker, records, mention)
        except NotConnected:
            return _ABSENT[Absence.UNCONNECTED].format(records.system.shown)
        except Gone:
            seen = Absence.GONE
        except Spent:
            raise
        except ServiceUnavailable:
            seen = Absence.UNREACHABLE
        if seen is None:
            return _invisible(records) if mention.url else ""
        if seen is Absence.GONE:
            return _invisible(records) if mention.url or mention.ref else ""
        if isinstance(seen, Absence):
            return (_ABSENT.get(seen) or "{}").format(records.system.shown)
        who = (asker.tenant, asker.person, asker.account)
        floor = await self.floors.of_viewer(who, seen.ref, [PUBLIC])
        return seen if PUBLIC in floor.classes else _denied(floor)

    async def _read_as(
        self, person: str, asker: Asker, records: Records, mention: Mention
    ) -> Record | Absence | None:
        """Read with somebody's own account; None if nothing is known by that name."""
        access = await self.accesses.of(
            asker.tenant, person, records.system, records.instance
        )
        ref = mention.ref
        if ref is None:
            ref = (await records.resolve(access, [mention])).get(mention.key)
        if ref is None:
            return None
        seen = (await records.read(access, [ref])).get(ref, Absence.GONE)
        if seen is Absence.SPENT:
            raise Spent(_NO_MORE, _PAUSE)
        return seen

    async def _levels(
        self, said: Named, rooms: Sequence[Channel], records: Records
    ) -> dict[Channel, Level]:
        levels = {
            room: await self.levels.level(said.tenant, room, records.system)
            for room in rooms
            if room.platform in self.places
        }
        return {r: level for r, level in levels.items() if level is not Level.NOTHING}

    async def _seen(
        self, said: Named, records: Records, found: Sequence[Mention], until: int
    ) -> list[Record]:
        distinct = {(m.ref or m.key.upper(), m.kind): m for m in reversed(found)}
        ordered = sorted(distinct.values(), key=lambda m: m.start)[: self.most]
        seen: dict[RecordRef, Record] = {}
        reasons: dict[str, None] = {}
        for mention in ordered:
            try:
                answer = await self._with_patience(
                    partial(self._looked_at, said.asker, records, mention), until
                )
            except Spent:
                answer = _ABSENT[Absence.SPENT].format(records.system.shown)
            if isinstance(answer, Record):
                seen.setdefault(answer.ref, answer)
            elif answer:
                reasons[answer] = None
        for reason in reasons:
            await self.explain(said.asker, said.cause, records, reason)
        return list(seen.values())

    async def _with_patience(
        self, asked: Callable[[], Awaitable[Answer]], until: int
    ) -> Answer:
        """Ask again until some time, as long as it is a matter of moments."""
        while True:
            try:
                return await asked()
            except Spent as spent:
                if spent.retry_after > _SHORT or self.clock() >= until:
                    raise
            await self.rest(_PAUSE)

    async def explain(
        self, asker: Asker, cause: str, records: Records, reason: str
    ) -> None:
        """
        Tell somebody alone, once a message, why nothing of what they wrote is shown.

        What holds for all of a system, as that they have connected no account, is on
        record for each message, and told once in a while.
        """
        name = f"{records.system}:{records.instance}"
        wish = Wish(asker, cause)
        entry = denied(wish, "show a record of", None, f"{name}: {reason}")
        key = f"record-unshown:{cause}:{name}:{reason}"
        message = cause.rpartition("/")[2]
        receipt = await self.log.note(replace(entry, key=key, message=message))
        place = self.places.get(asker.person.platform)
        if receipt.duplicate or place is None or asker.channel is None:
            return
        if self.again_us and _of_all(records, reason):
            notice = explained(asker, name, reason, cause)
            key = f"{asker.name}|{name}|{reason}"
            notice = replace(notice, key=key, again_us=self.again_us)
            if (await self.log.note(notice)).duplicate:
                return
        card = why_nothing(records, reason)
        try:
            await place.whisper(asker.tenant, asker.channel, asker.person, card)
        except DeliveryFailed:
            return  # it is on record, and `why` can tell

    async def _planned(
        self, said: Named, record: Record, levels: Mapping[Channel, Level], until: int
    ) -> Sequence[CardInstance]:
        if await self._stands(said, record):
            self.stir(said.tenant, record.ref)
            return []
        reading = self.posting.reading

        async def read() -> Record | Absence:
            answers = await reading.read(said.tenant, [record.ref], urgent=True)
            found = answers.seen[record.ref]
            if found is Absence.SPENT:
                raise Spent(_NO_MORE, answers.wait.get(record.ref, _PAUSE))
            return found

        # What the author sees is for the author; a room gets what its floor may see.
        try:
            seen = await self._with_patience(read, until)
        except Spent:
            seen = Absence.SPENT
        if seen is Absence.GONE:
            # Only people see it: then a room learns that there is something to see.
            levels = dict.fromkeys(levels, Level.BUTTON)
            seen = replace(record, facts=(), body=None, offers=(), secured=True)
        now = self.clock()
        planned = await self.cards.plan(
            [
                CardInstance(
                    card_id=f"crd_{self.tokens()}",
                    tenant=said.tenant,
                    ref=record.ref,
                    channel=room,
                    cause=said.cause,
                    level=level,
                    thread=said.root if room == said.channel else "",
                    made_us=now,
                )
                for room, level in levels.items()
            ]
        )
        for instance in planned:
            await self.posting.post(instance, seen)
        return planned

    async def _stands(self, said: Named, record: Record) -> bool:
        """Whether the thread has a card of the record already, for another message."""
        since = self.clock() - _AGAIN_US
        for card in await self.cards.of_record(said.tenant, record.ref):
            if card.channel != said.channel or card.cause == said.cause:
                continue
            if card.thread == said.root and card.made_us >= since:
                return True
        return False


_STRANGER = "Your company's directory does not know you."
_ABSENT = {
    Absence.UNREACHABLE: "{} does not answer now.",
    Absence.SPENT: "{} may not be asked more often for now.",
    Absence.UNCONNECTED: "Your {} account is not connected.",
}


def _of_all(records: Records, reason: str) -> bool:
    """Whether a reason is the same for every record of a system."""
    told = {each.format(records.system.shown) for each in _ABSENT.values()}
    return reason in told | {_STRANGER}


def _denied(floor: Floor) -> str:
    for hidden in floor.hidden:
        if hidden.cls == PUBLIC:
            rule = f" ({hidden.decision.rule})" if hidden.decision else ""
            return f"{hidden.reason.rstrip('.')}{rule}."
    return "Your company's rules do not allow it."


def _invisible(records: Records) -> str:
    return f"{records.system.shown} shows you no such record."


def why_nothing(records: Records, reason: str) -> Card:
    """Return what tells somebody alone why their link shows nothing."""
    name = records.system.shown
    buttons: tuple[Button, ...] = ()
    if "not connected" in reason:
        buttons = (Button(f"Connect {name}", f"connect {records.instance}"),)
    text = f"{reason} So nothing of it is shown here, to anybody."
    return Card(f"No preview from {name}", text, Tone.WARNING, (), buttons)
