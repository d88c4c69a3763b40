"""Faults that tests order: what goes wrong, on which call, how many times."""

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import count
from typing import Any

STATUSES = ("429", "500", "502", "503", "504", "412")
KINDS = frozenset(
    {
        *STATUSES,
        *(f"{status}_after" for status in STATUSES),
        "delay",
        "delay_after",
        "drop",
        "duplicate",
        "error",
        "error_after",
        "page",
        "reorder",
        "reset",
        "reset_after",
        "timeout",
        "timeout_after",
    }
)


@dataclass(frozen=True, slots=True)
class Fault:
    """
    What is to go wrong with one call.

    A kind that ends in `_after` strikes when the effect stands already: the caller
    cannot know. `error` is the platform's own error code, for the kind `error`. A
    `page` is HTML for people, with status 200, in the place of what was asked for.
    """

    kind: str
    seconds: float = 1.0
    retry_after: int = 1
    error: str = "internal_error"

    @property
    def after(self) -> bool:
        return self.kind.endswith("_after")

    @property
    def what(self) -> str:
        """The kind without when it strikes."""
        return self.kind.removesuffix("_after")

    @property
    def status(self) -> int | None:
        """The HTTP status to answer with, if that is the fault."""
        return int(self.what) if self.what in STATUSES else None


@dataclass(slots=True)
class _Rule:
    id: int
    on: str
    fault: Fault
    times: int
    skip: int
    match: dict[str, str]
    hits: int = 0

    def covers(self, call: str, facts: Mapping[str, str]) -> bool:
        return fnmatchcase(call, self.on) and all(
            facts.get(name) == value for name, value in self.match.items()
        )

    def as_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "on": self.on,
            "fault": self.fault.kind,
            "seconds": self.fault.seconds,
            "retry_after": self.fault.retry_after,
            "error": self.fault.error,
            "times": self.times,
            "skip": self.skip,
            "match": self.match,
            "hits": self.hits,
        }


class Faults:
    """The faults in force. The oldest that covers a call strikes."""

    def __init__(self) -> None:
        self._rules: list[_Rule] = []
        self._ids = count(1)

    def add(self, rule: Mapping[str, Any]) -> int:
        """Put a fault in force and return its id; raises ValueError on nonsense."""
        made = _rule(next(self._ids), rule)
        self._rules.append(made)
        return made.id

    def lift(self, number: int) -> bool:
        """Take one fault out of force; False if there is none of that number."""
        before = len(self._rules)
        self._rules = [rule for rule in self._rules if rule.id != number]
        return len(self._rules) < before

    def clear(self) -> None:
        self._rules.clear()

    def listing(self) -> list[dict[str, Any]]:
        """Every fault that was ordered, the spent ones too, with its hits."""
        return [rule.as_json() for rule in self._rules]

    def take(self, call: str, facts: Mapping[str, str]) -> Fault | None:
        """Return what goes wrong with this call, and count it."""
        for rule in self._rules:
            if rule.hits >= rule.times or not rule.covers(call, facts):
                continue
            if rule.skip:
                rule.skip -= 1
                continue
            rule.hits += 1
            return rule.fault
        return None


def _rule(number: int, rule: Mapping[str, Any]) -> _Rule:
    kind = str(rule.get("fault", ""))
    if kind not in KINDS:
        raise ValueError(f"unknown fault {kind!r}; known: {', '.join(sorted(KINDS))}")
    if not rule.get("on"):
        raise ValueError("a fault needs 'on', the call that it strikes")
    fault = Fault(
        kind,
        float(rule.get("seconds", 1.0)),
        int(rule.get("retry_after", 1)),
        str(rule.get("error", "internal_error")),
    )
    match = {str(name): str(value) for name, value in rule.get("match", {}).items()}
    times, skip = int(rule.get("times", 1)), int(rule.get("skip", 0))
    return _Rule(number, str(rule["on"]), fault, times, skip, match)
