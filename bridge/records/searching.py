"""
Search all systems at once, as the person who asks, and rank what they find.

Each system answers when it can: what is late goes on, and asking again within a minute
gets it with no second call. No count is told: systems count what somebody may not see.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from bridge.errors import AtomError, BadInput, ServiceUnavailable
from bridge.records.admitting import Admitting
from bridge.records.books import CardInstance
from bridge.records.cards import RecordCard
from bridge.records.desk import Asker, Found, SystemLine
from bridge.records.drawing import Clock, Drawing
from bridge.records.entries import RecordLog, Wish, searched, shown
from bridge.records.errands import Ended, Errands
from bridge.records.floor import Floor
from bridge.records.model import PUBLIC, Record
from bridge.records.ports import Gone, NotConnected, Records, Spent
from bridge.records.reading import RoomReading

_SHORTEST = 2
_LONGEST = 400
_DAY_US = 24 * 3600 * 1_000_000


@dataclass(frozen=True, slots=True)
class Searching:
    """`each` is how many each system is asked for, `most` how many are shown."""

    admitting: Admitting
    drawing: Drawing
    errands: Errands
    reading: RoomReading
    log: RecordLog
    clock: Clock
    each: int = 8
    most: int = 10

    async def find(
        self, asker: Asker, words: str, within: float, kinds: Sequence[str] = ()
    ) -> Found:
        """
        Search for words, in some kinds of records or in all.

        Raises `BadInput` for what is no search, and `NotAllowed` for strangers. That
        somebody searched, and what they were shown, is on record.
        """
        plain = " ".join(words.split())
        if len(plain) < _SHORTEST:
            raise BadInput("Write at least two characters to search for.")
        if len(plain) > _LONGEST:
            raise BadInput(f"A search may have {_LONGEST} characters at most.")
        person = await self.admitting.known(asker)
        systems = {
            f"find:{asker.tenant}:{person}:{r.system}:{r.instance}:{plain.lower()}": r
            for r in self.admitting.systems.of(asker.tenant)
            if not kinds or set(kinds) & set(r.kinds)
        }
        works = {
            key: self._work(asker, person, records, plain)
            for key, records in systems.items()
        }
        ended = await self.errands.all(works, within)
        found = [
            record
            for end in ended.values()
            for record in end.value or ()
            if not kinds or record.ref.kind in kinds
        ]
        now = self.clock()
        ranked = sorted(
            {record.ref: record for record in found}.values(),
            key=lambda record: rank(record, plain, now),
        )
        cards = await self._shown(asker, person, ranked)
        lines = tuple(
            _line(records, ended.get(key)) for key, records in systems.items()
        )
        await self._noted(asker, plain, cards, lines)
        return Found(plain, tuple(cards), lines)

    async def for_room(self, asker: Asker, found: Found) -> Found:
        """
        Draw what somebody found for everybody in their channel.

        It is read as the integration: what a room's floor may not see, or what a system
        keeps from most people, is left out without a word.
        """
        channel = asker.channel
        if channel is None:
            return found
        refs = [card.ref for card in found.cards]
        answers = await self.reading.read(asker.tenant, refs, urgent=True)
        cards = []
        for ref in refs:
            seen = answers.seen[ref]
            if not isinstance(seen, Record) or seen.secured:
                continue
            instance = CardInstance(
                f"crd_{self.drawing.tokens()}", asker.tenant, ref, channel, ""
            )
            drawn = await self.drawing.for_room(instance, seen)
            if not drawn.audience.sees(PUBLIC):
                continue
            await self.log.note(
                shown(instance, drawn.card, drawn.decision, withheld=drawn.hidden)
            )
            cards.append(await self.drawing.issued(instance, drawn))
        return replace(found, cards=tuple(cards))

    def _work(
        self, asker: Asker, person: str, records: Records, words: str
    ) -> Callable[[], Awaitable[Sequence[Record]]]:
        async def work() -> Sequence[Record]:
            access = await self.admitting.accesses.of(
                asker.tenant, person, records.system, records.instance
            )
            return await records.find(access, words, self.each)

        return work

    async def _shown(
        self, asker: Asker, person: str, ranked: Sequence[Record]
    ) -> list[RecordCard]:
        """Draw what the searcher may see by the policy as well, until enough are."""
        cards: list[RecordCard] = []
        who = (asker.tenant, asker.person, asker.account)
        for record in ranked:
            if len(cards) == self.most:
                break
            floor: Floor = await self.drawing.floors.of_viewer(
                who, record.ref, [PUBLIC]
            )
            if PUBLIC not in floor.classes:
                continue
            drawn = await self.drawing.for_person(asker, person, record.ref, record)
            cards.append(drawn.card)
        return cards

    async def _noted(
        self,
        asker: Asker,
        words: str,
        cards: Sequence[RecordCard],
        lines: Sequence[SystemLine],
    ) -> None:
        wish = Wish(asker, self.drawing.tokens())
        refs = [card.ref for card in cards]
        told = [line.text for line in lines]
        await self.log.note(searched(wish, words, refs, told))


def rank(record: Record, words: str, now_us: int) -> tuple[int, int, str]:
    """
    Return where a record stands among others: the smallest is best.

    Its number goes first, then its title, then titles that begin so, that have all the
    words, that have some; among equals what changed last.
    """
    wanted = words.casefold()
    title, key = record.title.casefold(), record.key.casefold()
    terms = wanted.split()
    here = sum(term in title for term in terms)
    if wanted in {key, record.ref.id.casefold()}:
        place = 0
    elif wanted == title:
        place = 1
    elif title.startswith(wanted):
        place = 2
    elif wanted in title:
        place = 3
    elif here == len(terms):
        place = 4
    else:
        place = 10 - min(here, 4)
    return place, _age(record, now_us), str(record.ref)


def _age(record: Record, now_us: int) -> int:
    """Return how many days ago a record changed, as far as its revision tells."""
    at_us = record.rev.order
    if not 0 < now_us - at_us < 20 * 365 * _DAY_US:
        return 10_000  # it counts changes, and says nothing of when
    return (now_us - at_us) // _DAY_US


def _line(records: Records, ended: Ended[Sequence[Record]] | None) -> SystemLine:
    name = records.system.shown
    if ended is None:
        return SystemLine(name, "still searching", complete=False)
    if ended.error is None:
        return SystemLine(name, "answered" if ended.value else "nothing found")
    return SystemLine(name, _trouble(ended.error))


def _trouble(error: AtomError) -> str:
    match error:
        case NotConnected():
            return "your account is not connected"
        case Gone():
            return "nothing found"
        case Spent():
            return "may not be asked more often for now"
        case ServiceUnavailable():
            return "unavailable"
        case BadInput():
            return "cannot search for that"
        case _:
            return "refused to search"
