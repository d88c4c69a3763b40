"""What records ask of the outside world. Adapters implement these Protocols."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from typing import Protocol, runtime_checkable

from bridge.errors import AtomError, Conflict, NotAllowed, NotFound, ServiceUnavailable
from bridge.records.forms import Deed, Form
from bridge.records.knowing import Chapter, Clues, Figure, Page, Progress
from bridge.records.model import (
    Absence,
    Fact,
    Mention,
    Record,
    RecordChange,
    RecordRef,
    Remark,
    System,
)


class NotConnected(NotAllowed):
    """The person has not connected an account of the system, or has to do it again."""


class Gone(NotFound):
    """The record was deleted, or this account may not see it: nobody says which."""


class NotYours(NotAllowed):
    """The system would refuse: somebody else has to do this. The text says who."""


class Rejected(AtomError):
    """
    The system did not take what was entered.

    `fields` says by input id what is wrong with each; what concerns no single one is the
    error's own text.
    """

    def __init__(self, reason: str, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(reason)
        self.fields = dict(fields or {})


class EditConflict(Conflict):
    """
    The record has changed since the form was opened: in what was to be written, or
    elsewhere, where the system can only say that it is another state.

    Nothing was written. `latest` is the record as it is now, with a fact for each input
    that was to be written, by its id and as forms hold it. Who wants to write all the
    same bases the next deed on its `rev`.
    """

    def __init__(
        self, reason: str, latest: Record, now: Mapping[str, str] | None = None
    ) -> None:
        """`now` are inputs that are no facts of the record, as forms hold them."""
        super().__init__(reason)
        known = {one.id for one in latest.facts}
        more = [
            Fact(id_, id_, text, raw=text)
            for id_, text in (now or {}).items()
            if id_ not in known
        ]
        self.latest = replace(latest, facts=(*latest.facts, *more))


class Spent(ServiceUnavailable):
    """No more calls to the system for `retry_after` seconds."""

    def __init__(self, reason: str, retry_after: float) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class NotThere(NotAllowed):
    """What is to be changed or taken back is not there any more."""


class PartFailed(AtomError):
    """One of several deeds that are done at once could not be: none of them was."""

    def __init__(self, place: int, error: AtomError) -> None:
        """`place` is which of them it was, from 0, and `error` why."""
        super().__init__(str(error))
        self.place, self.error = place, error


class Unsure(ServiceUnavailable):
    """The answer was lost: it may have been written. It has to be looked up."""


EVERYBODY = "*"  # stands for all accounts of a system, in `Budget.pause`


class Access(Protocol):
    """
    The right to speak with one system, as one account.

    `account` names it for budgets and the record: a person's key, or empty for the
    integration's own account, which reads for floors and never writes.
    """

    @property
    def account(self) -> str: ...

    async def token(self) -> str:
        """Return a token that should hold. Raises `NotConnected`."""
        ...

    async def renewed(self, refused: str) -> str:
        """
        Return a token in place of one that the system refused.

        However many ask at once, it is renewed once. Raises `NotConnected` if it cannot
        be, and then the person has to connect again.
        """
        ...


class Budget(Protocol):
    """How many calls may be made, counted together by all processes."""

    async def spend(
        self, bucket: str, account: str, *, urgent: bool, calls: int = 1
    ) -> None:
        """
        Count calls before they are made. Raises `Spent`, and then none is to be made.

        `bucket` is `system:instance`. What nobody waits for is not `urgent`, and is
        refused when the day's quota is nearly used up.
        """
        ...

    async def search(self, bucket: str, *, urgent: bool) -> float:
        """
        Count a search, where a system takes few of them a second, and return 0.0.

        Or count none, and return in how many seconds to ask again. Searches for which
        nobody waits leave room for the others. It is beside `spend`, and never raises.
        """
        ...

    async def told(self, bucket: str, used: int, most: int) -> None:
        """Keep what the system itself says of a quota."""
        ...

    async def pause(self, bucket: str, account: str, seconds: float) -> None:
        """Make no calls for a while: the system asked this account, or `EVERYBODY`."""
        ...


class Turns(Protocol):
    """Lets one writer at a time to a record: some systems know no conditions."""

    def turn(
        self, tenant: str, ref: RecordRef, within: float
    ) -> AbstractAsyncContextManager[None]:
        """
        Be alone with a record. Raises `ServiceUnavailable` if it is not free in time.

        A turn lasts a minute at most; then somebody else may have theirs.
        """
        ...


@dataclass(frozen=True, slots=True)
class Done:
    """
    What was written, after it was read back.

    `request` is the system's own id of the request, `before` and `after` the fields
    concerned. `unsaved` are inputs that the system silently did not take. `again` says
    that it had been done before, by an earlier try of the same deed. `made` names what
    was added or made, and how it was left, in words of the adapter's own: what they are
    told when it is to be taken back.
    """

    record: Record
    request: str = ""
    before: Mapping[str, str] = field(default_factory=dict)
    after: Mapping[str, str] = field(default_factory=dict)
    unsaved: tuple[str, ...] = ()
    note: str = ""
    again: bool = False
    made: str = ""


class Records(Protocol):
    """
    One business system of a company: an instance of Salesforce, ServiceNow and so on.

    Every call has a deadline of its own, and raises `ServiceUnavailable` when it cannot
    be answered, `Spent` when it may not be asked, `NotConnected` when the account's
    right is gone, `Gone` when there is nothing to see.
    """

    @property
    def system(self) -> System: ...

    @property
    def instance(self) -> str: ...

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of records it has, in ATOM's words."""
        ...

    def recognise(self, text: str) -> Sequence[Mention]:
        """Return the records of this instance that a text names. Pure."""
        ...

    async def resolve(
        self, access: Access, mentions: Sequence[Mention]
    ) -> Mapping[str, RecordRef]:
        """Return the records of numbers, by key; what is not found is left out."""
        ...

    async def read(
        self, access: Access, refs: Sequence[RecordRef], *, urgent: bool = True
    ) -> Mapping[RecordRef, Record | Absence]:
        """
        Read many records in as few calls as the system allows; each is answered.

        What goes wrong with the system, the budget or the account is told as an
        `Absence` of every record concerned, and not raised.
        """
        ...

    async def find(self, access: Access, words: str, limit: int) -> Sequence[Record]:
        """
        Search for words in all kinds, best first, as this account sees it.

        What comes back was checked against what was asked for: a system that ignores
        part of a question does not get to answer another one.
        """
        ...

    async def form(
        self, access: Access, act: str, ref: RecordRef | None = None, kind: str = ""
    ) -> Form:
        """Return what to ask for an act, with this account's own rights. Raises `BadInput`."""
        ...

    async def perform(self, access: Access, deed: Deed) -> Done:
        """
        Write. Raises `EditConflict`, `Rejected`, `NotYours`, `Unsure`.

        A deed whose key was done before is not done again: by the key, or where the
        system has no place for it, if `tried_us` says that it was tried before.
        """
        ...

    async def changed(
        self, access: Access, since: str
    ) -> tuple[Sequence[RecordChange], str]:
        """
        Return what changed since a position, and the next position; `since` is empty at
        first. For systems or companies without events, and after events were lost.
        """
        ...

    def heard(
        self, headers: Mapping[str, str], url: str, body: bytes, now: float
    ) -> Sequence[RecordChange]:
        """
        Return what a webhook's call says, after its signature was checked.

        `now` is in seconds since 1970. Raises `NotAllowed` for a call that is not proved
        to be the system's, and `BadInput` for one that cannot be read.
        """
        ...

    async def aclose(self) -> None: ...


class Accesses(Protocol):
    """
    Whose right a call uses. There is no way from a person to the integration, but in
    systems where nobody has an account and nothing can be written, such as HR.
    """

    def integration(self, tenant: str, system: System, instance: str) -> Access:
        """Return the integration's own account, for what everybody in a room may see."""
        ...

    async def of(
        self, tenant: str, person: str, system: System, instance: str
    ) -> Access:
        """Return a person's own account, by their key. Raises `NotConnected`."""
        ...


@runtime_checkable
class Narrows(Protocol):
    """A system that has so many sorts of a kind that one is chosen before all else."""

    async def narrowed(
        self, access: Access, act: str, ref: RecordRef | None, kind: str, chosen: str
    ) -> Form:
        """Return the form that follows a choice. Raises what `Records.form` raises."""
        ...


@runtime_checkable
class TakesBack(Protocol):
    """
    A system in which people may delete some of what they added or made themselves.

    It does `forms.TAKE_BACK` for that: what this very deed made and nothing else, as
    long as nobody changed it since. Raises `NotAllowed` with why it stays.
    """

    def takes_back(self, act: str, kind: str) -> bool:
        """Say whether what an act adds to a kind of record can be deleted. Pure."""
        ...


@runtime_checkable
class Amends(Protocol):
    """
    A system in which people may change the words that they added.

    It does `forms.AMEND` for that, with the values of the form that added them. `Done`
    names it anew in `made`. Raises what taking back does.
    """

    def amends(self, act: str, kind: str) -> bool:
        """Say whether the words that an act adds to a kind of record can be changed. Pure."""
        ...


@runtime_checkable
class Remarks(Protocol):
    """A system that tells what people say on its records."""

    async def remarks(
        self, access: Access, ref: RecordRef, since_us: int
    ) -> Sequence[Remark]:
        """
        Return what was said since then, oldest first, as far as it is for those outside.

        What is for colleagues alone is never in it, but where a system knows no others:
        then it has a class of its own. Raises `Gone`, `ServiceUnavailable`.
        """
        ...


@runtime_checkable
class AllAtOnce(Protocol):
    """A system that does several deeds in one call, all of them or none."""

    def at_once(self, deeds: Sequence[Deed]) -> int:
        """
        Return how many of the first deeds can be one call, at least 1. Pure.

        They have no keys yet.
        """
        ...

    async def perform_all(
        self, access: Access, deeds: Sequence[Deed]
    ) -> Sequence[Done]:
        """
        Write all of it or nothing. Raises `PartFailed` for the first that failed.

        Each holds what `Records.perform` does: what was done before by its key, or since
        it was tried, is not done again. `Unsure` concerns all of them.
        """
        ...


@runtime_checkable
class Lists(Protocol):
    """A system that lists all its accounts and contacts, those that changed last last."""

    @property
    def lists(self) -> tuple[str, ...]:
        """The kinds that it lists."""
        ...

    async def listed(self, access: Access, kind: str, position: str) -> Sequence[Page]:
        """
        Return what comes after a position, "" for the beginning, in one call.

        There is a page at least, and each begins where the one before it ends. What
        this account does not see is not in them. Raises what `Records` raises.
        """
        ...


@runtime_checkable
class Tends(Protocol):
    """A system at which ATOM has something that ends by itself, such as a webhook."""

    async def tend(self, access: Access) -> float:
        """Keep it alive; returns the seconds after which to come again. Never raises."""
        ...


class ContactBook(Protocol):
    """
    Which accounts and contacts there are, by what one looks them up by.

    It knows of all that the integration's account sees, and who asks may not: whatever
    it finds has to be read as the person who asks. Raises `StoreUnavailable`.
    """

    async def find(
        self, chapter: Chapter, clues: Clues, most: int
    ) -> Sequence[RecordRef]:
        """Return records that are known by all the clues; of none there is nothing."""
        ...

    async def accounts(
        self, tenant: str, contacts: Collection[RecordRef]
    ) -> Mapping[RecordRef, RecordRef]:
        """Return the accounts that contacts belong to; who belongs to none is left out."""
        ...

    async def figures(self, tenant: str) -> Sequence[Figure]:
        """Return what there is, and how old it is."""
        ...


class BookKeeping(Protocol):
    """
    How the book is written: page by page, by whoever has it. Raises `StoreUnavailable`.

    A page is taken in whole or not at all, and only onto the progress that it was read
    from. So two who read at the same time do no harm, and who was interrupted goes on.
    """

    async def progress(self, chapter: Chapter) -> Progress: ...

    async def begin(self, progress: Progress, now_us: int) -> bool:
        """Begin another lap; False if another process went on meanwhile."""
        ...

    async def take(self, progress: Progress, page: Page, now_us: int) -> bool:
        """
        Take in a page that was read at this progress; False if it is outdated.

        At the end of a lap whatever was not in it is dropped. Of people who were erased
        nothing is taken in.
        """
        ...

    async def stir(self, chapter: Chapter, now_us: int) -> None:
        """The system says that something changed."""
        ...

    async def keep_only(self, tenant: str, chapters: Collection[Chapter]) -> int:
        """Drop all chapters but these; returns how many were dropped."""
        ...
