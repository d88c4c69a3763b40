"""
The brake on a directory: what is too much at once waits for somebody's word.

Three things wait apart from each other: what would be taken (`removals`), many newcomers
(`growth`), and whoever would come into a group of admins (`admins`). That a source
itself says somebody is disabled never waits: a leaver for security's sake must not.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace

from bridge.directory.difference import Change, What
from bridge.directory.frozen import (
    ADMINS,
    AGREED,
    FIRST,
    GROWTH,
    REMOVALS,
    Frozen,
    stands,
)
from bridge.directory.graph import memberships
from bridge.directory.held import Life, State
from bridge.directory.model import Kind, Reading

_GOING = {What.MISS, What.SUSPEND}


@dataclass(frozen=True, slots=True)
class Limits:
    """
    What may happen within `window_us` without a word. A share is of what there is now.

    What is above both the number and the share is too much. `admins` are the ids or
    names of groups and roles that nobody gets into without a second person's word.
    """

    people: int = 5
    people_share: float = 0.02
    memberships: int = 25
    memberships_share: float = 0.05
    group: int = 50
    group_share: float = 0.30
    newcomers: int = 25
    newcomers_share: float = 0.10
    admins: frozenset[str] = frozenset()
    window_us: int = 3_600_000_000


@dataclass(frozen=True, slots=True)
class Verdict:
    """What may happen now, and what waits."""

    passed: tuple[Change, ...]
    frozen: tuple[Frozen, ...] = ()


@dataclass(slots=True)
class _Case:
    state: State
    source: str
    limits: Limits
    now_us: int
    first: bool
    taken: list[Change] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Circumstances:
    """
    When it happens, and what was before.

    `first` is for a source that was never read completely. `waiting` is what waits
    already, by its sort.
    """

    now_us: int
    first: bool = False
    waiting: Mapping[str, Frozen] = field(default_factory=dict)


def judged(
    state: State,
    reading: Reading,
    changes: Sequence[Change],
    limits: Limits,
    at: Circumstances,
) -> Verdict:
    """
    Say what passes and what waits.

    As long as removals wait, further ones that are told of wait with them; a complete
    reading of everything judges anew.
    """
    waiting = at.waiting
    kept = {
        sort: [c for c in each.changes if stands(state, reading, c)]
        for sort, each in waiting.items()
    }
    case = _Case(state, reading.source, limits, at.now_us, at.first)
    frozen: list[Frozen] = []
    rest = list(changes)

    held, rest, reason = _admins(case, rest)
    frozen += _set(case, ADMINS, [*kept.get(ADMINS, []), *held], reason, waiting)

    held, rest, reason = _growth(case, rest)
    frozen += _set(case, GROWTH, [*kept.get(GROWTH, []), *held], reason, waiting)

    before = kept.get(REMOVALS, [])
    if reading.whole and reading.complete:
        # It names who is missing itself. Memberships it may not tell again.
        rest += [change for change in before if change.what is What.LEAVE]
        before = []
    held, rest, reason = _removals(case, rest, shut=bool(before))
    frozen += _set(case, REMOVALS, [*before, *held], reason, waiting)
    passed = [_marked(change, first=at.first) for change in rest]
    return Verdict(tuple(sorted(passed, key=lambda c: c.key)), tuple(frozen))


def _marked(change: Change, *, first: bool) -> Change:
    new = change.what in {What.ADD, What.JOIN}
    return replace(change, why=FIRST) if first and new else change


def _set(
    case: _Case,
    sort: str,
    changes: Iterable[Change],
    reason: str,
    waiting: Mapping[str, Frozen],
) -> list[Frozen]:
    one_each = {change.key: change for change in changes}
    if not one_each:
        return []
    before = waiting.get(sort)
    why = reason or (before.reason if before else "")
    ordered = tuple(one_each[key] for key in sorted(one_each))
    return [Frozen(case.source, sort, ordered, why)]


def _admins(
    case: _Case, changes: list[Change]
) -> tuple[list[Change], list[Change], str]:
    inner = leading_to(case.state, case.limits.admins)
    if case.first or not inner:
        return [], changes, ""
    held, rest = [], []
    for change in changes:
        if change.what is What.JOIN and change.group in inner:
            held.append(change)
        elif change.entry and _gained(case.state, change) & inner:
            held.append(change)
            rest += _without_gain(case.state, change, inner)
        else:
            rest.append(change)
    return held, rest, f"{len(held)} would come into a group of admins"


def _without_gain(
    state: State, change: Change, inner: AbstractSet[str]
) -> list[Change]:
    """Return the rest of a change that would also bring somebody among admins."""
    entry = change.entry
    if entry is None:
        return []
    gained = _gained(state, change) & inner
    unit = "" if entry.unit in gained else entry.unit
    less = replace(entry, parents=entry.parents - gained, unit=unit)
    return _unless_as_before(state, replace(change, entry=less))


def _growth(
    case: _Case, changes: list[Change]
) -> tuple[list[Change], list[Change], str]:
    coming = [c for c in changes if _is_newcomer(case.state, c)]
    there = case.state.living(case.source, Kind.PERSON)
    most = max(case.limits.newcomers, case.limits.newcomers_share * there)
    recent = 0 if case.first else _recently(case, gone=False)
    if case.first or not coming or len(coming) + recent <= most:
        return [], changes, ""
    reason = f"{len(coming)} people would be added to {there}"
    names = {change.key for change in coming}
    return coming, [c for c in changes if c.key not in names], reason


def _is_newcomer(state: State, change: Change) -> bool:
    if change.kind is not Kind.PERSON:
        return False
    kept = state.entries.get(change.ref)
    back = change.what is What.RETURN and kept is not None and kept.life.gone
    return change.what is What.ADD or back


def _removals(
    case: _Case, changes: list[Change], *, shut: bool
) -> tuple[list[Change], list[Change], str]:
    taking = [c for c in changes if _takes(case.state, c)]
    if not taking:
        return [], changes, ""
    reasons = _too_much(case, taking)
    if not reasons and not shut:
        return [], changes, ""
    names = {change.key for change in taking}
    rest = [c for c in changes if c.key not in names]
    for change in taking:
        rest += _what_need_not_wait(case.state, change)
    return [_final(c) for c in taking], rest, "; ".join(reasons)


def _final(change: Change) -> Change:
    """Return what is done once somebody agreed: who was missed, is suspended."""
    return replace(change, what=What.SUSPEND) if change.what is What.MISS else change


def _takes(state: State, change: Change) -> bool:
    """Whether it takes anything from anybody, other than by an account's standing."""
    if change.what in _GOING or change.what is What.LEAVE:
        return True
    return change.what in {What.CHANGE, What.DISABLE} and bool(_lost(state, change))


def _what_need_not_wait(state: State, change: Change) -> list[Change]:
    """Return a change without what it takes: it disables, renames and adds at once."""
    kept, entry = state.entries.get(change.ref), change.entry
    if kept is None or entry is None:
        return []
    parents = kept.entry.parents | entry.parents
    more = replace(entry, parents=parents, unit=kept.entry.unit or entry.unit)
    return _unless_as_before(state, replace(change, entry=more))


def _unless_as_before(state: State, change: Change) -> list[Change]:
    kept = state.entries.get(change.ref)
    same = kept is not None and not kept.life.gone and kept.entry == change.entry
    return [] if same else [change]


def _too_much(case: _Case, taking: list[Change]) -> list[str]:
    state, limits, reasons = case.state, case.limits, []
    people = sum(c.kind is Kind.PERSON and c.what in _GOING for c in taking)
    people += _recently(case, gone=True) if people else 0
    there = state.living(case.source, Kind.PERSON)
    if people > max(limits.people, limits.people_share * there):
        reasons.append(f"{people} of {there} people would be suspended")
    losses = _losses(state, taking)
    recent = _recent_endings(case) if losses else Counter[str]()
    lost = losses.total() + recent.total()
    edges = max(1, _edges(state, case.source))
    if lost > max(limits.memberships, limits.memberships_share * edges):
        reasons.append(f"{lost} memberships would end")
    for group, count in sorted(losses.items()):
        reasons += _of_group(case, group, count, recent[group])
    for change in taking:
        if change.kind is Kind.UNIT and change.what in _GOING:
            reasons.append(f"the unit {change.name} would vanish")
    return reasons


def _of_group(case: _Case, group: str, count: int, recent: int) -> list[str]:
    limits, name = case.limits, group
    kept = case.state.entries.get((case.source, group))
    size = len(case.state.members.get((case.source, group), ()))
    if kept:
        name = kept.entry.name
    if size > limits.group and count + recent > limits.group_share * (size + recent):
        return [f"{name} would lose {count + recent} of {size + recent}"]
    if {group, name} & limits.admins and size and count >= size:
        return [f"{name} would have nobody left"]
    return []


def _losses(state: State, taking: Iterable[Change]) -> Counter[str]:
    """Count how many memberships would end, by group."""
    losses: Counter[str] = Counter()
    for change in taking:
        if change.what is What.LEAVE:
            losses[change.group] += 1
        elif change.what in _GOING and change.kind is not Kind.PERSON:
            losses[change.id] += len(state.members.get(change.ref, ()))
        elif change.entry:
            losses.update(_lost(state, change))
    return +losses


def _recently(case: _Case, *, gone: bool) -> int:
    """Count people who came or went within the window, and nobody agreed to it."""
    since = case.now_us - case.limits.window_us
    return sum(
        kept.entry.kind is Kind.PERSON
        and kept.since_us > since
        and kept.life.gone is gone
        and kept.life is not Life.MISSING
        and _sudden(kept.why)
        for kept in case.state.lately.values()
        if kept.source == case.source
    )


def _sudden(why: str) -> bool:
    return why != FIRST and not why.endswith(AGREED)


def _recent_endings(case: _Case) -> Counter[str]:
    since = case.now_us - case.limits.window_us
    return Counter(
        each.group
        for each in case.state.endings.values()
        if each.source == case.source and each.at_us > since and _sudden(each.why)
    )


def _edges(state: State, source: str) -> int:
    return state.edges(source) + state.own_edges(source)


def _lost(state: State, change: Change) -> frozenset[str]:
    kept = state.entries.get(change.ref)
    if kept is None or change.entry is None or kept.life.gone:
        return frozenset()
    return memberships(kept.entry) - memberships(change.entry)


def _gained(state: State, change: Change) -> frozenset[str]:
    kept = state.entries.get(change.ref)
    before = memberships(kept.entry) if kept and not kept.life.gone else frozenset()
    return memberships(change.entry) - before if change.entry else frozenset()


def leading_to(state: State, groups: AbstractSet[str]) -> frozenset[str]:
    """Return the ids of groups (given by id or name), and of all that are in them."""
    if not groups:
        return frozenset()
    found = {
        kept.entry.id
        for kept in state.entries.values()
        if kept.entry.kind is not Kind.PERSON
        and {kept.entry.id, kept.entry.name} & groups
    } | set(groups)
    inside: dict[str, set[str]] = {}
    for (_, group), members in state.members.items():
        inside.setdefault(group, set()).update(members)
    waiting = list(found)
    while waiting:
        for member in inside.get(waiting.pop(), ()):
            if member not in found:
                found.add(member)
                waiting.append(member)
    return frozenset(found)
