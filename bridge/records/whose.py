"""
Whose contact somebody is: from the person in chat to the record about them.

Only addresses count that somebody answers for: the platform, which saw that its holder
has it, or the company's directory. Each system is asked twice, itself and by the book:
the book knows at once what a system's own search finds later, and the answer where the
book has something is told from one where it has nothing by what the asker sees alone.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from bridge.errors import NotFound
from bridge.records.admitting import Admitting
from bridge.records.books import CardInstance
from bridge.records.cards import RecordCard
from bridge.records.desk import Asker, Found, SystemLine
from bridge.records.drawing import Drawing
from bridge.records.entries import RecordLog, Wish, searched, viewed
from bridge.records.errands import Ended, Errands
from bridge.records.knowing import (
    ACCOUNT,
    CONTACT,
    Clue,
    ClueKind,
    is_shown_by,
    mailbox,
)
from bridge.records.model import PUBLIC, Record, RecordRef
from bridge.records.ports import Records
from bridge.records.recalling import Recalling, Seeker, of_site
from bridge.records.searching import Searching, Work, line_of

_MOST_ADDRESSES = 3
_MOST = 10
_NO_ADDRESS = (
    "Nobody answers for an e-mail address of theirs, neither the platform nor the "
    "directory, so whose contact they are is not known."
)


@dataclass(frozen=True, slots=True)
class Attested:
    """Somebody in chat, and the addresses of theirs that somebody answers for."""

    name: str
    addresses: frozenset[str]


@dataclass(frozen=True, slots=True)
class Traced:
    """What was found of somebody, and by which contacts and addresses."""

    found: Found
    contacts: tuple[RecordRef, ...]
    addresses: tuple[str, ...]


Attests = Callable[[Asker, str], Awaitable[Attested]]
"""Return what is attested of an account where somebody asks, by its platform's id."""


@dataclass(frozen=True, slots=True)
class Whose:
    """Finds the contact that somebody is, or the account that they belong to."""

    admitting: Admitting
    recalling: Recalling
    searching: Searching
    drawing: Drawing
    errands: Errands
    attests: Attests
    log: RecordLog

    async def find(
        self, asker: Asker, user: str, kind: str, within: float, *, apart: bool = False
    ) -> Traced:
        """
        Return the `contact` that an account in chat is, or the `account` of that.

        It is for who asks alone, `apart` if that is not where they asked: then its
        buttons work anywhere. Whoever shows it to others draws it `for_room`. Raises
        `NotAllowed` for strangers, and `NotFound` where nobody answers for an address.
        That somebody asked, and what they are shown, is on record.
        """
        person = await self.admitting.known(asker)
        attested = await self.attests(asker, user)
        wish = Wish(asker, self.drawing.tokens())
        whom = f"{kind} of {asker.person.platform}:{user}"
        addresses = sorted(filter(None, map(mailbox, attested.addresses)))
        if not addresses:
            await self.log.note(searched(wish, whom, [], ["no address"]))
            raise NotFound(_NO_ADDRESS)
        seekers = [
            Seeker(asker, person, each)
            for each in self.admitting.systems.of(asker.tenant)
            if kind in each.kinds
        ]
        works: dict[str, Work] = {}
        for seeker in seekers:
            works |= self._works(seeker, addresses[:_MOST_ADDRESSES], kind)
        ended = await self.errands.all(works, within)
        found = {one.ref: one for e in ended.values() for one in e.value or ()}
        wanted = [one for one in found.values() if one.ref.kind == kind]
        reader = replace(asker, channel=None) if apart else asker
        cards = await self._drawn(reader, person, wanted, wish)
        lines = [self._line(each, works, ended, cards) for each in seekers]
        refs = [card.ref for card in cards]
        told = [line.text for line in lines]
        await self.log.note(searched(wish, whom, refs, told))
        return Traced(
            Found(attested.name or user, tuple(cards), tuple(lines)),
            tuple(ref for ref in found if ref.kind == CONTACT),
            tuple(addresses),
        )

    async def for_room(self, asker: Asker, traced: Traced) -> Found:
        """
        Draw it for everybody in a channel, as far as they could tell it by themselves.

        A room that does not see a contact's address is not told whose it is.
        """
        mails = [_clues(each) for each in traced.addresses]
        sites = [of_site(each) for each in traced.addresses]
        named: set[str] = set()

        def bears(record: Record, classes: frozenset[str]) -> bool:
            if record.ref.kind == CONTACT:
                return any(is_shown_by(record, clues, classes) for clues in mails)
            return record.title in named or any(
                is_shown_by(record, clues, classes) for clues in sites
            )

        for contact, classes in await self._in_room(asker, traced.contacts):
            account = contact.fact(ACCOUNT)
            if account and account.cls in classes and bears(contact, classes):
                named.add(account.text)
        return await self.searching.for_room(asker, traced.found, bears)

    async def _in_room(
        self, asker: Asker, refs: Sequence[RecordRef]
    ) -> list[tuple[Record, frozenset[str]]]:
        """Return records and which classes of fields everybody in a channel sees."""
        channel = asker.channel
        if channel is None or not refs:
            return []
        answers = await self.searching.reading.read(asker.tenant, refs, urgent=True)
        found = []
        for ref in refs:
            if isinstance(seen := answers.seen[ref], Record) and not seen.secured:
                one = CardInstance("", asker.tenant, ref, channel, "")
                drawn = await self.drawing.for_room(one, seen)
                found.append((seen, drawn.floor.classes))
        return found

    def _works(
        self, seeker: Seeker, addresses: Sequence[str], kind: str
    ) -> Mapping[str, Work]:
        names = sha256("\n".join((kind, *addresses)).encode()).hexdigest()
        start = _start(seeker)

        async def searched_for() -> Sequence[Record]:
            contacts: list[Record] = []
            for each in addresses:
                contacts += await self.recalling.searched(
                    seeker, each, _clues(each), CONTACT
                )
            return await self._of(seeker, contacts, kind)

        async def known() -> Sequence[Record]:
            contacts: list[Record] = []
            for each in addresses:
                contacts += await self.recalling.known(seeker, _clues(each), [CONTACT])
            found = await self._of(seeker, contacts, kind)
            if kind == ACCOUNT and len(found) == len(contacts):
                at = await self.recalling.accounts_at(seeker, addresses)
                return [*found, *at]
            return found

        return {f"{start}:live:{names}": searched_for, f"{start}:book:{names}": known}

    async def _of(
        self, seeker: Seeker, contacts: Sequence[Record], kind: str
    ) -> Sequence[Record]:
        """Return contacts, and with them the accounts that are asked for."""
        if kind == CONTACT:
            return contacts
        return [*contacts, *await self.recalling.accounts_of(seeker, contacts)]

    async def _drawn(
        self, reader: Asker, person: str, found: Sequence[Record], wish: Wish
    ) -> list[RecordCard]:
        """Draw what the policy lets somebody see at all, and note that they will."""
        cards = []
        for record in found[:_MOST]:
            drawn = await self.drawing.for_person(reader, person, record.ref, record)
            if not drawn.audience.sees(PUBLIC):
                continue
            why = replace(wish, decision=drawn.decision)
            await self.log.note(viewed(why, drawn.card, drawn.hidden))
            cards.append(drawn.card)
        return cards

    def _line(
        self,
        seeker: Seeker,
        works: Mapping[str, Work],
        ended: Mapping[str, Ended[Sequence[Record]]],
        cards: Sequence[RecordCard],
    ) -> SystemLine:
        records = seeker.records
        keys = [key for key in works if key.startswith(f"{_start(seeker)}:")]
        return line_of(
            records,
            [ended.get(key) for key in keys],
            any_found=any(_is_of(card, records) for card in cards),
        )


def _start(seeker: Seeker) -> str:
    asker, one = seeker.asker, seeker.records
    return f"whose:{asker.tenant}:{seeker.person}:{one.system}:{one.instance}"


def _clues(address: str) -> frozenset[Clue]:
    return frozenset({Clue(ClueKind.MAIL, address)})


def _is_of(card: RecordCard, records: Records) -> bool:
    return (card.ref.system, card.ref.instance) == (records.system, records.instance)
