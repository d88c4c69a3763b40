"""A company's HR as a system of records: read, and never written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bridge.errors import BadInput, NotAllowed, ServiceUnavailable
from bridge.records.forms import Deed, Form
from bridge.records.model import (
    PUBLIC,
    Absence,
    Mention,
    Record,
    RecordChange,
    RecordRef,
    System,
)
from bridge.records.ports import Access, Done, NotConnected, Spent
from connectors.hr.employees import KIND, Company, Employee, record
from connectors.hr.feed import Feed
from connectors.remembered import Remembered

_KNOWN = 120.0  # seconds that a list of everybody is good for a search


class HrRecords:
    """Implements `bridge.records.ports.Records`, for people's own accounts too."""

    def __init__(self, company: Company, feed: Feed) -> None:
        self._company = company
        self._feed = feed
        self._everybody: Remembered[_List] = Remembered(_KNOWN, 100)

    @property
    def system(self) -> System:
        return System.HR

    @property
    def instance(self) -> str:
        return self._company.instance

    @property
    def kinds(self) -> tuple[str, ...]:
        return (KIND,)

    def recognise(self, text: str) -> Sequence[Mention]:
        return self._company.mentions(text)

    async def resolve(
        self,
        access: Access,  # noqa: ARG002 - links hold ids, so that nobody is asked
        mentions: Sequence[Mention],
    ) -> Mapping[str, RecordRef]:
        return {each.key: each.ref for each in mentions if each.ref is not None}

    async def read(
        self, access: Access, refs: Sequence[RecordRef], *, urgent: bool = True
    ) -> Mapping[RecordRef, Record | Absence]:
        ids = [each.id for each in refs]
        try:
            found = await self._feed.employees(access, ids, urgent=urgent)
        except NotConnected:
            return dict.fromkeys(refs, Absence.UNCONNECTED)
        except Spent:
            return dict.fromkeys(refs, Absence.SPENT)
        except ServiceUnavailable:
            return dict.fromkeys(refs, Absence.UNREACHABLE)
        except NotAllowed:
            return dict.fromkeys(refs, Absence.GONE)
        return {
            ref: self._record(found[ref.id]) if ref.id in found else Absence.GONE
            for ref in refs
        }

    async def find(self, access: Access, words: str, limit: int) -> Sequence[Record]:
        wanted = words.casefold().split()
        if not wanted or limit <= 0:
            return []
        # What one account may see is kept for that account alone.
        listed = self._everybody.get(access.account)
        if listed is None:
            everybody = await self._feed.everybody(access)
            listed = _List(self._feed.rest.clock(), everybody)
            self._everybody.keep(access.account, listed)
        fitting = [
            (each, made)
            for each in listed.employees
            if _fits(made := self._record(each, listed.at), wanted)
        ][:limit]
        # A directory tells no more than names and roles; a report is the whole.
        partly = [made.ref for each, made in fitting if each.start is None]
        read = await self.read(access, partly) if partly else {}
        found = [read.get(made.ref, made) for _, made in fitting]
        return [each for each in found if isinstance(each, Record)]

    async def form(
        self,
        access: Access,  # noqa: ARG002 - nobody may
        act: str,  # noqa: ARG002 - whatever it is
        ref: RecordRef | None = None,  # noqa: ARG002 - likewise
        kind: str = "",  # noqa: ARG002 - likewise
    ) -> Form:
        raise BadInput("employees are changed in the HR system itself")

    async def perform(self, access: Access, deed: Deed) -> Done:  # noqa: ARG002 - see form
        raise BadInput("employees are changed in the HR system itself")

    async def changed(
        self, access: Access, since: str
    ) -> tuple[Sequence[RecordChange], str]:
        return await self._feed.changed(access, since)

    def heard(
        self,
        headers: Mapping[str, str],
        url: str,  # noqa: ARG002 - it is not signed
        body: bytes,
        now: float,
    ) -> Sequence[RecordChange]:
        return self._feed.heard(headers, body, now)

    async def aclose(self) -> None:
        await self._feed.rest.aclose()

    def _record(self, told: Employee, at: float | None = None) -> Record:
        now = self._feed.rest.clock() if at is None else at
        today = datetime.fromtimestamp(now, UTC).date()
        return record(told, self._company, today, round(now * 1_000_000))


@dataclass(frozen=True, slots=True)
class _List:
    """Everybody whom an account sees, as they were at a time."""

    at: float
    employees: Sequence[Employee]


def _fits(told: Record, words: Sequence[str]) -> bool:
    """
    Whether the words are in what is public of somebody.

    That a name is found would tell that its bearer joins, whoever asks.
    """
    public = [each.text for each in told.facts if each.cls == PUBLIC]
    text = " ".join([told.title, *public]).casefold()
    return all(word in text for word in words)
