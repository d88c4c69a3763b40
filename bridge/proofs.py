"""How lately, and by what, somebody proved who they are."""

from dataclasses import dataclass
from typing import Protocol

# As good as never: an age that is not known is not left out, for then no rule holds.
UNKNOWN_AGE = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Proof:
    """
    What is known of somebody's session.

    `available` says whether the company has a second factor at all, without which
    nobody can be asked for one. `method` is by what it was, such as `webauthn`.
    """

    available: bool = False
    mfa_age_seconds: int = UNKNOWN_AGE
    method: str = ""
    session_age_seconds: int = UNKNOWN_AGE
    break_glass: bool = False


class Proofs(Protocol):
    """Asks who proved what. Answers at once: it is asked for every decision."""

    def of(self, tenant: str, subject: str) -> Proof:
        """Return what is known; of what is not known, a very great age."""
        ...


@dataclass(frozen=True, slots=True)
class NoProofs:
    """Implements `Proofs` where no second factor is set up."""

    def of(self, tenant: str, subject: str) -> Proof:
        del tenant, subject
        return _NONE


_NONE = Proof()
