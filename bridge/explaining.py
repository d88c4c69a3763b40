"""Why the policy says what it says, in parts that any platform can show."""

from dataclasses import dataclass
from typing import Protocol

from bridge.access import Asked, Decision


@dataclass(frozen=True, slots=True)
class Way:
    """By which names somebody is in what a rule asks for, the nearest first."""

    into: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RuleHit:
    """A rule that made the decision, and how the person comes to be concerned."""

    id: str
    allows: bool
    reason: str
    ways: tuple[Way, ...] = ()


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A rule that would have allowed it, but for what is missing."""

    id: str
    reason: str
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """
    A decision with all that made it so.

    `name` is what the directory calls the person, empty if it does not know them;
    `facts` are what is known of them and of the place, one line each. `near` is filled
    when nothing allows it: the rules that came nearest, the nearest first.
    """

    asked: Asked
    decision: Decision
    name: str
    facts: tuple[str, ...]
    hits: tuple[RuleHit, ...]
    near: tuple[NearMiss, ...] = ()


class Explains(Protocol):
    """Answers `why`."""

    async def why(self, asked: Asked) -> Explanation:
        """Decide as it would be decided now, and explain it."""
        ...
