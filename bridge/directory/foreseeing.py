"""
See who will stand how before a change of the directory is written down.

What movers keep for a while has to be in the same version as what they lose. So the
change is tried beside the real view, with the people it is about and all groups.
"""

from collections.abc import Iterable, Iterator

from bridge.directory.grace import AT_WORK, Leniency, changed
from bridge.directory.held import Delta, Kept, Membership, State
from bridge.directory.model import Grace, Kind, Subject
from bridge.directory.view import LiveDirectory


def graces(
    view: LiveDirectory, tenant: str, delta: Delta, leniency: Leniency, now_us: int
) -> list[tuple[str, Grace]]:
    """
    Return what begins to be kept with a change of the directory, and what ends with it.

    Each is with ATOM's id of the person. What ends has `until_us` 0.
    """
    if not (leniency.days or view.state(tenant).graces):
        return []
    touched = [
        s for who in _touched(view, tenant, delta) if (s := view.find(tenant, who))
    ]
    touched = [s for s in touched if s.standing in AT_WORK or s.kept]
    if not touched:
        return []
    after = _foreseen(view, tenant, delta, touched)
    there = {_ancestor(kept): kept.entry.name for kept in after.things(tenant)}

    def lasting(ancestor: str) -> int:
        gone = ancestor not in there and not ancestor.startswith(f"{Kind.DEPARTMENT}:")
        return 0 if gone else leniency.kept_us(ancestor, there.get(ancestor, ""))

    found = []
    for before in touched:
        new = after.find(tenant, before.id)
        above = {a: view.above(tenant, a) for a in before.ancestors}
        found += [
            (before.id, grace) for grace in changed(before, new, lasting, above, now_us)
        ]
    return found


def _touched(view: LiveDirectory, tenant: str, delta: Delta) -> list[str]:
    """Return the people that a change may take something from, or give it back to."""
    state = view.state(tenant)
    refs = {k.ref for k in delta.kept if k.entry.kind is Kind.PERSON}
    refs |= {ref for ref, _ in delta.people}
    ids = {each.member for each in delta.memberships}
    refs |= {(source, i) for i in ids for source in view.sources(tenant)}
    found = {state.people[ref] for ref in refs if ref in state.people}
    nodes = {k.entry.id for k in delta.kept if _regroups(state.entries.get(k.ref), k)}
    nodes |= {kept.entry.id for kept in view.things(tenant) if kept.entry.id in ids}
    if nodes:
        wanted = {f"{kind}:{node}" for kind in Kind for node in nodes}
        everybody = view.subjects(tenant)
        found |= {s.id for s in everybody if not wanted.isdisjoint(s.ancestors)}
    return sorted(found)


def _regroups(before: Kept | None, after: Kept) -> bool:
    """Whether a group and the like is told of otherwise than before."""
    if before is None or after.entry.kind is Kind.PERSON:
        return False
    return (before.entry, before.life.gone) != (after.entry, after.life.gone)


def _foreseen(
    view: LiveDirectory, tenant: str, delta: Delta, people: Iterable[Subject]
) -> LiveDirectory:
    """Return how a change will leave some people: a view of them and all groups alone."""
    state, sources = view.state(tenant), view.sources(tenant)
    mine = {k.entry.id for one in people for k in view.entries(tenant, one.id)}
    some = [state.entries.get((source, i)) for i in mine for source in sources]
    groups = [k for k in state.entries.values() if k.entry.kind is not Kind.PERSON]
    entries = (*groups, *(k for k in some if k and k.entry.kind is Kind.PERSON))
    wanted = mine | {k.entry.id for k in groups}
    whose = {k.ref: state.people[k.ref] for k in entries if k.ref in state.people}
    made = view.beside(tenant)
    now = Delta(1, entries, tuple(_edges(state, wanted)), tuple(whose.items()))
    made.follow(tenant, now)
    ids = {k.entry.id for k in entries}
    fresh = {k.entry.id for k in delta.kept if k.entry.kind is not Kind.PERSON}
    made.follow(
        tenant,
        Delta(
            2,
            tuple(k for k in delta.kept if k.entry.id in ids | fresh),
            tuple(m for m in delta.memberships if m.member in ids | fresh),
            tuple(p for p in delta.people if p[0][1] in ids),
        ),
    )
    return made


def _edges(state: State, wanted: set[str]) -> Iterator[Membership]:
    for (source, group), members in state.members.items():
        for member in members & wanted:
            yield Membership(source, group, member, 0)


def _ancestor(kept: Kept) -> str:
    return f"{kept.entry.kind}:{kept.entry.id}"
