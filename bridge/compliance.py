"""
Who may look at what is on record, and do something about it.

None of these duties comes with being an admin: each is assigned to somebody by name,
and each use of it is a log entry.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol


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
