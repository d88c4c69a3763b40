"""What movers keep for a while of what they left, as admins see it and end it."""

from dataclasses import dataclass
from typing import Protocol

from bridge.compliance import Officer
from bridge.directory.accounts import Account


@dataclass(frozen=True, slots=True)
class Whom:
    """Who is meant: an account on a platform, or else how the directory calls them."""

    named: str
    account: Account | None = None


@dataclass(frozen=True, slots=True)
class KeptThing:
    """
    Something that somebody keeps; times are microseconds UTC.

    `person` is ATOM's id of them, `ancestor` as in `Subject.ancestors`, and `what` is
    what that is called, with its kind.
    """

    person: str
    name: str
    ancestor: str
    what: str
    since_us: int
    until_us: int


class KeptDesk(Protocol):
    """
    Where it is seen and ended, by who has the duty to approve.

    Both raise `Refused` for whoever has not, `NotFound` without a directory or if it
    knows nobody of that name, and `BadInput` if it knows several.
    """

    async def kept(
        self, tenant: str, officer: Officer, whom: Whom | None = None
    ) -> list[KeptThing]:
        """Return what somebody keeps, or everybody, what ends first first."""
        ...

    async def end(
        self, tenant: str, officer: Officer, whom: Whom, what: str = ""
    ) -> list[KeptThing]:
        """
        End something now, or all that somebody keeps, and return what ended.

        What it is in ends with it. `what` is its name or its id. Raises `Conflict` if
        they keep nothing of it.
        """
        ...
