"""What people and admins may say about whose an account is."""

from dataclasses import dataclass
from typing import Protocol

from bridge.directory.accounts import Account, Confidence, How
from bridge.directory.model import Subject
from bridge.messages import Channel, Person


@dataclass(frozen=True, slots=True)
class Known:
    """An account, and whom ATOM takes it for, with all accounts of that person."""

    account: Account
    subject: Subject | None = None
    confidence: Confidence = Confidence.NONE
    how: How | None = None
    others: tuple[Account, ...] = ()


class AccountDesk(Protocol):
    """Where whose an account is can be seen, confirmed and denied."""

    async def about(self, tenant: str, person: Person, channel: Channel) -> Known:
        """Return whom an account is taken for. Raises `NotFound` without a directory."""
        ...

    async def code(self, tenant: str, person: Person, channel: Channel) -> str:
        """
        Return a code by which the person's other account is shown to be theirs as well.

        Raises `NotAllowed` for guests and people of other organisations.
        """
        ...

    async def confirm(
        self, tenant: str, person: Person, channel: Channel, code: str
    ) -> Known:
        """
        Take both accounts for the same person's from now on.

        Raises `NotFound` for a bad code, `Conflict` if they are two people's, and
        `NotAllowed` for guests and people of other organisations.
        """
        ...

    async def deny(self, tenant: str, person: Person, channel: Channel) -> None:
        """Take the account for nobody's from now on; admins hear of it."""
        ...

    async def decree(
        self, tenant: str, admin: str, person: Person, channel: Channel, named: str
    ) -> Known:
        """
        Take an account for somebody's on an admin's word.

        `named` is an address, a user name or an id of the directory. Raises `NotFound`
        or `Conflict` unless it is one person, and `NotAllowed` for guests' accounts.
        """
        ...
