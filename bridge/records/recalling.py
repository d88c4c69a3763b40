"""
Find records by what the book knows, and show them to nobody who could not find them.

The book knows what the integration's account sees. So whatever it names is read as the
person who asks, and counts only if the fields that they see, in the system and by the
policy, bear what was asked for. Somebody who may not see a record gets the answer that
they get where there is none.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bridge.errors import ServiceUnavailable
from bridge.records.desk import Asker
from bridge.records.floor import Floors
from bridge.records.knowing import (
    ACCOUNT,
    Chapter,
    Clue,
    ClueKind,
    Clues,
    is_shown_by,
    site,
)
from bridge.records.model import Absence, Record, RecordRef
from bridge.records.ports import Access, Accesses, ContactBook, Lists, Records, Spent

_PAUSE = 15 * 60.0  # seconds, where a system says no more than "spent"


@dataclass(frozen=True, slots=True)
class Seeker:
    """Somebody who looks for records in one system, with their own account there."""

    asker: Asker
    person: str
    records: Records

    def chapter(self, kind: str) -> Chapter:
        records = self.records
        return Chapter(self.asker.tenant, records.system, records.instance, kind)


@dataclass(frozen=True, slots=True)
class Recalling:
    """Finds records as a seeker; `each` is how many of a kind are looked at."""

    book: ContactBook
    accesses: Accesses
    floors: Floors
    each: int = 8

    async def access(self, seeker: Seeker) -> Access:
        """Return the seeker's own account. Raises `NotConnected`: first of all else."""
        one = seeker.records
        return await self.accesses.of(
            seeker.asker.tenant, seeker.person, one.system, one.instance
        )

    async def known(
        self, seeker: Seeker, clues: Clues, kinds: Iterable[str] = ()
    ) -> list[Record]:
        """Return records of the kinds, or of all, that are known by all the clues."""
        access = await self.access(seeker)
        if not isinstance(seeker.records, Lists):
            return []
        refs = [
            ref
            for kind in kinds or seeker.records.lists
            for ref in await self.book.find(seeker.chapter(kind), clues, self.each)
        ]
        found = await self._read(seeker, access, refs)
        return await self.shown_by(seeker, found, [clues])

    async def searched(
        self, seeker: Seeker, words: str, clues: Clues, kind: str
    ) -> list[Record]:
        """Return what the system itself finds, and that bears the clues."""
        access = await self.access(seeker)
        found = await seeker.records.find(access, words, self.each)
        of_kind = [one for one in found if one.ref.kind == kind]
        return await self.shown_by(seeker, of_kind, [clues])

    async def accounts_of(
        self, seeker: Seeker, contacts: Sequence[Record]
    ) -> list[Record]:
        """
        Return the accounts that contacts belong to, as both show to the seeker.

        What the book has of it may be older than the contact that was just read.
        """
        tenant = seeker.asker.tenant
        belongs = await self.book.accounts(tenant, [one.ref for one in contacts])
        named: dict[RecordRef, str] = {}
        for contact in contacts:
            account = contact.fact(ACCOUNT)
            if account is None or contact.ref not in belongs:
                continue
            if account.cls in await self.classes(seeker, contact):
                named[belongs[contact.ref]] = account.text
        access = await self.access(seeker)
        found = await self._read(seeker, access, list(named))
        return [one for one in found if one.title == named[one.ref]]

    async def accounts_at(
        self, seeker: Seeker, addresses: Iterable[str]
    ) -> list[Record]:
        """Return the accounts whose website is where addresses are."""
        found: list[Record] = []
        for clues in sorted({of_site(each) for each in addresses}, key=sorted):
            found += await self.known(seeker, clues, [ACCOUNT])
        return found

    async def shown_by(
        self, seeker: Seeker, records: Iterable[Record], any_of: Sequence[Clues]
    ) -> list[Record]:
        """Return those of which the seeker sees that they bear clues."""
        found = []
        for one in records:
            classes = await self.classes(seeker, one)
            if any(is_shown_by(one, clues, classes) for clues in any_of):
                found.append(one)
        return found

    async def classes(self, seeker: Seeker, record: Record) -> frozenset[str]:
        """Return the classes of a record's fields that the policy lets a seeker see."""
        asker = seeker.asker
        who = (asker.tenant, asker.person, asker.account)
        return (await self.floors.of_viewer(who, record.ref, record.classes)).classes

    async def _read(
        self, seeker: Seeker, access: Access, refs: Sequence[RecordRef]
    ) -> list[Record]:
        """Read as the seeker. A system that cannot be read has not said that it has none."""
        if not refs:
            return []
        found = await seeker.records.read(access, refs)
        absent = {one for one in found.values() if isinstance(one, Absence)}
        if Absence.SPENT in absent:
            raise Spent("no more calls for now", _PAUSE)
        if Absence.UNREACHABLE in absent:
            raise ServiceUnavailable("it cannot be read now")
        return [one for ref in refs if isinstance(one := found.get(ref), Record)]


def of_site(address: str) -> Clues:
    """Return what an account's website is known by, where an address is."""
    host = site(address.rpartition("@")[2])
    return frozenset({Clue(ClueKind.SITE, host)} if host else ())
