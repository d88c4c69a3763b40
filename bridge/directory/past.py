"""
What people were in by what their own entries said: departments, units, roles.

Groups that name their members tell of an end themselves; of these only the entry
before knows.
"""

from collections.abc import Iterable, Iterator, Mapping

from bridge.directory.graph import memberships
from bridge.directory.held import Kept, Lost, Ref
from bridge.directory.model import Entry, Kind
from bridge.directory.naming import folded


def past(
    before: Mapping[Ref, Kept],
    after: Iterable[Kept],
    people: Mapping[Ref, str],
    now_us: int,
) -> Iterator[tuple[str, Lost]]:
    """Return what people's entries say no more, with ATOM's ids of the people."""
    for kept in after:
        old, person = before.get(kept.ref), people.get(kept.ref)
        entries = {kept.entry.kind, old.entry.kind if old else None}
        if old is None or person is None or entries != {Kind.PERSON}:
            continue
        if kept.life.gone:
            continue
        for thing in sorted(memberships(old.entry) - memberships(kept.entry)):
            yield person, Lost(thing, now_us, kept.source)
        word = _department(old.entry)
        if word and word != _department(kept.entry):
            yield person, Lost(word, now_us, kept.source, Kind.DEPARTMENT)


def _department(entry: Entry) -> str:
    return folded(entry.attributes.get("department", ""))
