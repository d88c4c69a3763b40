"""
How long an entry of the log is kept, and what decides that.

The order of precedence is Microsoft Purview's, with regulators' minimums put where
they belong: an active hold, a regulatory floor, a request for erasure, the longest
period of keeping, an explicit scope before an implicit one, the shortest period after
which to delete. Times and periods are microseconds; nothing here reads a clock.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from math import inf

from bridge.errors import BadInput

FOREVER = -1
DAY_US = 24 * 3600 * 1_000_000

# A rule that was just changed may be a slip: nothing goes because of it for a day.
SETTLING_US = DAY_US


class State(StrEnum):
    """Where an entry is on its way out."""

    ACTIVE = "ACTIVE"
    DUE = "DUE"
    HELD = "HELD"
    PENDING_DISPOSITION = "PENDING_DISPOSITION"
    SHREDDED = "SHREDDED"
    PRUNED = "PRUNED"
    ERASURE_DEFERRED = "ERASURE_DEFERRED"

    @property
    def gone(self) -> bool:
        return self in {State.SHREDDED, State.PRUNED}


class Scope(IntEnum):
    """What a rule is about. The higher, the more explicit."""

    TENANT = 0
    CHANNEL = 1
    LABEL = 2


@dataclass(frozen=True, slots=True)
class Rule:
    """
    One rule of retention.

    `keep_us` is how long an entry is kept at least and `delete_us` when it goes:
    None means that the rule does not say, `FOREVER` has no end. A `floor` is a
    regulator's: it counts from the capture, and erasure does not go below it.
    `value` names the channel (`slack:TEAM_ID/CHANNEL_ID`) or the label.
    """

    id: str
    name: str
    scope: Scope = Scope.TENANT
    value: str = ""
    keep_us: int | None = None
    delete_us: int | None = None
    floor: bool = False
    version: int = 1
    changed_us: int = 0

    def about(self, item: "Item") -> bool:
        """Whether the rule says anything about the entry."""
        match self.scope:
            case Scope.CHANNEL:
                return self.value == item.channel
            case Scope.LABEL:
                return self.value in item.labels
        return True


@dataclass(frozen=True, slots=True)
class Item:
    """
    What a decision needs to know of an entry.

    `said_us` is the platform's claim and `captured_us` ATOM's own time. An entry that
    was brought in later (`backdated`) counts from when it was said; any other from
    whichever of the two is later, so that no false claim makes it go early.
    """

    seq: int
    channel: str
    said_us: int
    captured_us: int
    backdated: bool = False
    labels: frozenset[str] = frozenset()
    labelled_us: int = 0
    erasure_us: int = 0

    @property
    def begins_us(self) -> int:
        if self.backdated:
            return self.said_us
        return max(self.said_us, self.captured_us)


class Role(StrEnum):
    """In which step of the precedence something had a say."""

    HOLD = "hold"
    FLOOR = "floor"
    ERASURE = "erasure"
    KEEP = "keep"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Considered:
    """One thing that had a say: until or from when (None: for ever), and if it won."""

    role: Role
    id: str
    name: str
    version: int
    scope: str
    at_us: int | None
    won: bool
    why: str

    def as_dict(self) -> dict[str, object]:
        return {
            "role": str(self.role),
            "id": self.id,
            "name": self.name,
            "version": self.version,
            "scope": self.scope,
            "at_us": self.at_us,
            "won": self.won,
            "why": self.why,
        }


@dataclass(frozen=True, slots=True)
class Verdict:
    """
    What is to become of an entry. `due_us` is when its time is over, None never.

    `winner` is what that rests on; None when no rule has a say.
    """

    state: State
    due_us: int | None
    considered: tuple[Considered, ...] = ()
    matters: tuple[str, ...] = ()

    @property
    def winner(self) -> Considered | None:
        return next((each for each in self.considered if each.won), None)

    @property
    def goes(self) -> bool:
        return self.state is State.PENDING_DISPOSITION


@dataclass(frozen=True, slots=True)
class Policy:
    """
    A company's rules as they are now, and when any of them was last changed.

    A rule that was taken away counts as changed: what it kept was not meant to go at
    that very moment.
    """

    rules: tuple[Rule, ...] = ()
    changed_us: int = 0

    def shortest_us(self) -> int | None:
        """Return the shortest period after which anything can be due, None if never."""
        periods = [
            r.delete_us for r in self.rules if r.delete_us not in {None, FOREVER}
        ]
        return min((p for p in periods if p is not None), default=None)


_By = tuple[Role, str]
_End = tuple[int | None, str]


def decide(item: Item, policy: Policy, matters: Iterable[str], now_us: int) -> Verdict:
    """
    Decide what is to become of an entry.

    `matters` are those that hold it, or any of its family. `now_us` is a time that can
    be trusted: an entry goes at its due time exactly and never before.
    """
    held = tuple(sorted(set(matters)))
    rules = [rule for rule in policy.rules if rule.about(item)]
    due_us, by = _term(item, rules)
    state = State.ACTIVE
    if due_us is not None and due_us <= now_us:
        changed = max(policy.changed_us, item.labelled_us)
        settled = not changed or now_us >= changed + SETTLING_US
        state = State.PENDING_DISPOSITION if settled else State.DUE
        state = State.HELD if held else state
    if item.erasure_us and (held or state is State.ACTIVE):
        state = State.ERASURE_DEFERRED
    won = (Role.HOLD, held[0]) if held else by
    return Verdict(
        state,
        due_us,
        tuple(_considered(item, rules, held, won)),
        held,
    )


def _term(item: Item, rules: Sequence[Rule]) -> tuple[int | None, _By | None]:
    """Return when an entry's time is over (None: never) by the rules, and by which."""
    floor = _longest([r for r in rules if r.floor], item.captured_us)
    if item.erasure_us:
        if floor and _ordinal(floor[0]) > item.erasure_us:
            return floor[0], (Role.FLOOR, floor[1])
        return item.erasure_us, (Role.ERASURE, "")
    keep = _longest([r for r in rules if not r.floor], item.begins_us)
    rule = _letting_go(rules)
    delete: _End = (None, "")
    if rule:
        delete = (_end(item.begins_us, rule.delete_us), rule.id)
    # The latest end counts; of equal ones the first in the order of precedence.
    ends = ((Role.FLOOR, floor), (Role.KEEP, keep), (Role.DELETE, delete))
    present = [(role, *end) for role, end in ends if end]
    role, due_us, name = max(present, key=lambda end: _ordinal(end[1]))
    return due_us, (role, name) if name else None


def _longest(rules: Sequence[Rule], from_us: int) -> _End | None:
    """Return until when rules keep what began at `from_us`, and the rule's id."""
    ends = [(_end(from_us, r.keep_us), r.id) for r in rules if r.keep_us is not None]
    return max(ends, key=lambda end: (_ordinal(end[0]), end[1]), default=None)


def _letting_go(rules: Sequence[Rule]) -> Rule | None:
    """Return the rule after which to delete: the most explicit, then the shortest."""
    deleting = [r for r in rules if r.delete_us is not None]
    return min(
        deleting, key=lambda r: (-r.scope, _ordinal(r.delete_us), r.id), default=None
    )


def _end(from_us: int, period: int | None) -> int | None:
    return None if period is None or period == FOREVER else from_us + period


def _ordinal(end: int | None) -> float:
    return inf if end is None or end == FOREVER else end


_BECAUSE = {
    Role.HOLD: "an active hold comes before everything else",
    Role.FLOOR: "a regulatory floor comes before erasure and every other rule",
    Role.ERASURE: "a request for erasure comes before rules that are no regulator's",
    Role.KEEP: "the longest period of keeping counts",
    Role.DELETE: "the most explicit scope counts, then the shortest period",
}


def _considered(
    item: Item, rules: Sequence[Rule], held: Sequence[str], won: _By | None
) -> Iterator[Considered]:
    why = _BECAUSE[won[0]] if won else "nothing lets the entry go"
    for matter in held:
        mine = (Role.HOLD, matter)
        yield Considered(Role.HOLD, matter, "", 0, "", None, mine == won, why)
    if item.erasure_us:
        mine, asked = (Role.ERASURE, ""), item.erasure_us
        yield Considered(Role.ERASURE, "", "", 0, "", asked, mine == won, why)
    for rule in sorted(rules, key=lambda r: (not r.floor, -r.scope, r.id)):
        begins = item.captured_us if rule.floor else item.begins_us
        keeping = Role.FLOOR if rule.floor else Role.KEEP
        for role, period in ((keeping, rule.keep_us), (Role.DELETE, rule.delete_us)):
            if period is not None:
                yield Considered(
                    role,
                    rule.id,
                    rule.name,
                    rule.version,
                    rule.scope.name.lower(),
                    _end(begins, period),
                    won == (role, rule.id),
                    why,
                )


def years(number: int) -> int:
    """Return a period that is never shorter than so many calendar years."""
    return (365 * number + (number + 3) // 4) * DAY_US


PRESETS = {
    "sec-17a-4": ("SEC Rule 17a-4(b): communications, 3 years", years(3)),
    "finra-4511": ("FINRA Rule 4511: 6 years", years(6)),
    "mifid-ii": ("MiFID II Article 16(7): 5 years", years(5)),
    "mifid-ii-7": ("MiFID II Article 16(7), on request: 7 years", years(7)),
}


def preset(name: str) -> Rule:
    """Return a regulator's minimum for the whole company. Raises `BadInput`."""
    if name not in PRESETS:
        known = ", ".join(PRESETS)
        raise BadInput(f"'{name}' is no regulatory floor: there are {known}")
    title, period = PRESETS[name]
    return Rule(name, title, keep_us=period, floor=True)
