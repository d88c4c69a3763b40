"""
Who may look at what is on record, and do something about it.

None of these duties comes with being an admin: each is assigned to somebody by name,
and each use of it is a log entry.
"""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Protocol


class Duty(StrEnum):
    """What a compliance officer may be trusted with."""

    READ = "compliance.read"
    SEARCH = "compliance.search"
    EXPORT = "compliance.export"
    HOLD = "compliance.hold"
    RETAIN = "compliance.retain"
    ERASE = "compliance.erase"
    APPROVE = "compliance.approve"
    ASSIGN = "compliance.assign"


@dataclass(frozen=True, slots=True)
class Officer:
    """
    Somebody who acts on the record.

    `name` is how the log knows them: `slack:TEAM_ID/USER_ID`, `teams:TENANT_ID/USER_ID`
    or, at the command line, `cli:ACCOUNT`.
    """

    name: str


class Duties(Protocol):
    """Who was trusted with what."""

    async def require(self, tenant: str, officer: Officer, duty: Duty) -> None:
        """
        Raise `Refused`, saying who can help, unless the officer has the duty.

        Being refused is a log entry.
        """
        ...


class Approvals(Protocol):
    """Acts that take a second person: exports, and destroying keys."""

    async def ask(self, tenant: str, officer: Officer, act: str, digest: str) -> str:
        """
        Ask for approval and return its id.

        `act` is what a person reads; `digest` (hexadecimal SHA-256) binds the approval
        to the very thing that would be done. Asking again returns the same id.
        """
        ...

    async def spend(self, tenant: str, officer: Officer, digest: str) -> str:
        """
        Use an approval up and return its id.

        Raises `Refused`, saying how to get one, unless somebody else with the duty to
        approve agreed to exactly this, not too long ago, and it was not used yet.
        """
        ...


class Holds(Protocol):
    """
    Legal holds: what must be kept, whatever else asks for its end.

    A matter is what a hold was made for; its id is the hold's. A hold that was
    released still counts until its grace is over.
    """

    async def active(self, tenant: str) -> Sequence[str]:
        """Return the ids of the matters that still hold, sorted."""
        ...

    def held(
        self, tenant: str, references: Collection[str]
    ) -> AsyncIterator[tuple[int, str]]:
        """
        Yield the position and matter of every held entry under these subject keys.

        `references` are the log's `key_ref`. An entry that several matters hold comes
        once for each. Entries come in the order of the log.
        """
        ...

    async def version(self, tenant: str) -> int:
        """
        Return a number that every change of a hold raises, in its own transaction.

        Whoever destroys something compares it there with what was true when they
        asked what is held: see `storage.compliance.retention.barrier`.
        """
        ...


class Matches(Protocol):
    """Whether a search query finds one entry."""

    def check(self, query: str) -> None:
        """Raise `BadInput`, in one line, unless the query can be understood."""
        ...

    def matches(
        self, query: str, row: Mapping[str, Any], body: Mapping[str, Any]
    ) -> bool:
        """Say whether the entry, its columns and its opened body, is found."""
        ...


class Forgets(Protocol):
    """What was made from entries' text, and has to go with it: a search index."""

    async def forget(self, tenant: str, seqs: Collection[int]) -> None:
        """Forget entries. Those it never knew are no error; asking again is safe."""
        ...


@dataclass(frozen=True, slots=True)
class Asked:
    """An act that waits for a second person. `act` is what a person reads."""

    id: str
    act: str
    asked_by: str


class DutyBook(Protocol):
    """Changing who was trusted with what, in words that people type."""

    async def holders(self, tenant: str) -> list[tuple[str, Duty]]:
        """Return every officer's name with each duty that they have."""
        ...

    async def give(self, tenant: str, actor: Officer, officer: str, duty: str) -> str:
        """
        Give a duty and say so in a line.

        Raises `BadInput` for names that are none and, on record, `Refused`.
        """
        ...

    async def take(self, tenant: str, actor: Officer, officer: str, duty: str) -> str:
        """Take a duty and say so in a line. Raises likewise, and `NotFound`."""
        ...


class ApprovalDesk(Protocol):
    """Where second persons see what waits for them, and decide."""

    async def pending(self, tenant: str, officer: Officer) -> list[Asked]:
        """Return what waits, newest first. Raises `Refused` unless it is theirs."""
        ...

    async def agree(self, tenant: str, officer: Officer, approval: str) -> str:
        """
        Agree, and return the act.

        Raises `Refused` for whoever asked themselves or has no duty to approve,
        `NotFound`, and `Conflict` if it was decided or has expired.
        """
        ...

    async def decline(self, tenant: str, officer: Officer, approval: str) -> str:
        """Say no, and return the act. Raises likewise; whoever asked may say no."""
        ...


class Restrictions(Protocol):
    """Whose entries are kept and not used (GDPR, Art. 18)."""

    async def authors(self, tenant: str) -> frozenset[str]:
        """
        Return the ids, on their platform, of those whose entries nobody is shown.

        Searching and reading leave them out; holds, proofs and retention do not.
        """
        ...


class Recipients(Protocol):
    """Whoever got copies of what was erased (GDPR, Art. 19)."""

    async def tell(
        self, tenant: str, officer: Officer, positions: Collection[int]
    ) -> int:
        """
        Have every copy of these entries' messages taken down; return how many.

        Call it after the keys are destroyed. Asking again is safe. Raises `Refused`.
        """
        ...
