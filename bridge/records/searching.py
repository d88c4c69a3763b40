"""
Search all systems at once, as the person who asks, and rank what they find.

Each system answers when it can: what is late goes on, and asking again within a minute
gets it with no second call. No count is told: systems count what somebody may not see.

Where the book knows accounts and contacts by the same words, they are read beside the
search: a system's own index finds a new record later than the book does.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bridge.errors import AtomError, BadInput, ServiceUnavailable, StoreUnavailable
from bridge.records.admitting import Admitting
from bridge.records.books import CardInstance
from bridge.records.cards import RecordCard
from bridge.records.desk import Asker, Found, SystemLine
from bridge.records.drawing import Clock, Drawing
from bridge.records.entries import RecordLog, Wish, searched, shown
from bridge.records.errands import Ended, Errands
from bridge.records.floor import Floor
from bridge.records.knowing import asked
from bridge.records.model import PUBLIC, Record
from bridge.records.ports import Gone, Lists, NotConnected, Records, Spent
from bridge.records.reading import RoomReading
from bridge.records.recalling import Recalling, Seeker

_SHORTEST = 2
_LONGEST = 400
_DAY_US = 24 * 3600 * 1_000_000

Work = Callable[[], Awaitable[Sequence[Record]]]
Bears = Callable[[Record, frozenset[str]], bool]
"""Say whether a record, with the fields of these classes, bears what was asked for."""


@dataclass(frozen=True, slots=True)
class Search:
    """
    A search that is under way, of some kinds of records or of all.

    `systems` are those that are asked, by their keys; `ended` says how each of the
    `works` came out so far.
    """

    asker: Asker
    person: str
    words: str
    kinds: Sequence[str]
    systems: Mapping[str, Records]
    works: Mapping[str, Work]
    ended: dict[str, Ended[Sequence[Record]]] = field(default_factory=dict)

    @property
    def late(self) -> Mapping[str, Work]:
        """What is still waited for."""
        return {key: w for key, w in self.works.items() if key not in self.ended}


def _anything(_record: Record, _classes: frozenset[str]) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Searching:
    """`each` is how many each system is asked for, `most` how many are shown."""

    admitting: Admitting
    drawing: Drawing
    errands: Errands
    reading: RoomReading
    log: RecordLog
    clock: Clock
    recalling: Recalling | None = None
    each: int = 8
    most: int = 10

    async def find(
        self, asker: Asker, words: str, within: float, kinds: Sequence[str] = ()
    ) -> Found:
        """
        Search for words, in some kinds of records or in all, for so many seconds.

        Raises what `begun` raises. That somebody searched, and what they were shown, is
        on record.
        """
        return await self.seen(await self.begun(asker, words, kinds), within)

    async def begun(
        self, asker: Asker, words: str, kinds: Sequence[str] = ()
    ) -> Search:
        """
        Return a search of which nothing is asked yet.

        Raises `BadInput` for what is no search, and `NotAllowed` for strangers.
        """
        plain = " ".join(words.split())
        if len(plain) < _SHORTEST:
            raise BadInput("Write at least two characters to search for.")
        if len(plain) > _LONGEST:
            raise BadInput(f"A search may have {_LONGEST} characters at most.")
        person = await self.admitting.known(asker)
        systems = {
            f"{asker.tenant}:{person}:{r.system}:{r.instance}:{plain.lower()}": r
            for r in self.admitting.systems.of(asker.tenant)
            if not kinds or set(kinds) & set(r.kinds)
        }
        works: dict[str, Work] = {}
        for key, records in systems.items():
            works[f"find:{key}"] = self._work(asker, person, records, plain)
            if known := self._known(Seeker(asker, person, records), plain):
                works[f"known:{key}"] = known
        return Search(asker, person, plain, kinds, systems, works)

    async def seen(self, search: Search, within: float) -> Found:
        """Return what is found within so many seconds, which is on record then."""
        search.ended.update(await self.errands.all(search.late, within))
        return await self._so_far(search)

    async def more(
        self, search: Search, within: float, *, some: bool = False
    ) -> Found | None:
        """
        Return all that was found, once what was late has ended as well.

        With `some`, once anything of it has. None if nothing has within so many seconds.
        It is on record as the search itself is: more was shown.
        """
        news = await self.errands.all(search.late, within, some=some)
        search.ended.update(news)
        return await self._so_far(search) if news else None

    async def _so_far(self, search: Search) -> Found:
        asker, plain, kinds = search.asker, search.words, search.kinds
        found = [
            record
            for end in search.ended.values()
            for record in end.value or ()
            if not kinds or record.ref.kind in kinds
        ]
        now = self.clock()
        ranked = sorted(
            {record.ref: record for record in found}.values(),
            key=lambda record: rank(record, plain, now),
        )
        cards = await self._shown(asker, search.person, ranked)
        lines = tuple(
            _line(records, key, search.works, search.ended)
            for key, records in search.systems.items()
        )
        await self._noted(asker, plain, cards, lines)
        return Found(plain, tuple(cards), lines)

    async def for_room(
        self, asker: Asker, found: Found, bears: Bears = _anything
    ) -> Found:
        """
        Draw what somebody found for everybody in their channel.

        It is read as the integration: what a room's floor may not see, or what a system
        keeps from most people, is left out without a word. `bears` is asked what else
        has to be seen of a record for it to be shown.
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
            classes = drawn.floor.classes
            if not (drawn.audience.sees(PUBLIC) and bears(seen, classes)):
                continue
            await self.log.note(
                shown(instance, drawn.card, drawn.decision, withheld=drawn.hidden)
            )
            cards.append(await self.drawing.issued(instance, drawn))
        return replace(found, cards=tuple(cards))

    def _known(self, seeker: Seeker, words: str) -> Work | None:
        """Return what reads what the book knows by the words, where there is a book."""
        recalling, clues = self.recalling, asked(words)
        if recalling is None or not clues or not isinstance(seeker.records, Lists):
            return None

        async def work() -> Sequence[Record]:
            return await recalling.known(seeker, clues)

        return work

    def _work(self, asker: Asker, person: str, records: Records, words: str) -> Work:
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
    at_us = record.rev.at_us
    if at_us is None or not 0 < now_us - at_us < 20 * 365 * _DAY_US:
        return 10_000  # it counts changes, and says nothing of when
    return (now_us - at_us) // _DAY_US


def line_of(
    records: Records,
    ends: Sequence[Ended[Sequence[Record]] | None],
    *,
    any_found: bool,
) -> SystemLine:
    """
    Say how a system answered, from how its own search and the book's reading ended.

    The search comes first: what is wrong with it is what people are told.
    """
    name = records.system.shown
    for end in ends:
        if end is not None and end.error is not None:
            return SystemLine(name, _trouble(end.error))
    if None in ends:
        return SystemLine(name, "still searching", complete=False)
    return SystemLine(name, "answered" if any_found else "nothing found")


def _line(
    records: Records,
    key: str,
    works: Mapping[str, Work],
    ended: Mapping[str, Ended[Sequence[Record]]],
) -> SystemLine:
    live, known = ended.get(f"find:{key}"), ended.get(f"known:{key}")
    found = any(end and end.value for end in (live, known))
    if f"known:{key}" not in works or (known and known.error):
        return line_of(records, [live], any_found=found)  # the system itself answered
    return line_of(records, [live, known], any_found=found)


def _trouble(error: AtomError) -> str:
    match error:
        case NotConnected():
            return "your account is not connected"
        case Gone():
            return "nothing found"
        case Spent():
            return "may not be asked more often for now"
        case ServiceUnavailable() | StoreUnavailable():
            return "unavailable"
        case BadInput():
            return "cannot search for that"
        case _:
            return "refused to search"
