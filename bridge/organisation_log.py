"""What an organisation's platform keeps about its own administration."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """
    One entry of Slack's audit log, as Slack has it in `raw`.

    `actor` may be nobody in particular, `conversation` empty where it is about none.
    """

    id: str
    at_us: int
    action: str
    actor: str
    team: str
    conversation: str
    raw: Mapping[str, Any]


class AuditLogs(Protocol):
    """An organisation's audit log."""

    async def since(self, us: int) -> Sequence[AuditEntry]:
        """
        Return everything since a time, oldest first: all of it or an error.

        Raises `ServiceUnavailable` or `CannotTell`.
        """
        ...


@dataclass(frozen=True, slots=True)
class GridHold:
    """A legal hold as Slack's organisation has it. Slack's cover people only."""

    id: str
    name: str
    description: str
    active: bool
    people: tuple[str, ...]
    begun_us: int = 0
    released_us: int = 0


class LegalHolds(Protocol):
    """
    Legal holds that the platform itself keeps, so that it deletes nothing either.

    Methods raise `ServiceUnavailable` when it does not answer, and `Refused` with a
    sentence for people where ATOM may not.
    """

    async def all(self) -> Sequence[GridHold]:
        """Return every hold, the released ones included."""
        ...

    async def create(
        self, name: str, description: str, people: Sequence[str]
    ) -> GridHold:
        """
        Begin a hold over people, by their ids, or return the one of this name.

        Asking again adds whoever is missing: nothing is held twice.
        """
        ...

    async def release(self, hold: str) -> None:
        """End a hold; one that ended is ended."""
        ...
