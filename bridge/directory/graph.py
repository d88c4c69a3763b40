"""
Who is directly in what, as all sources together tell.

An id of a group belongs to the source that is named first among those that give it: no
source can put people into another one's groups.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from bridge.directory.closure import Closure
from bridge.directory.held import Kept, Membership, Ref, State
from bridge.directory.model import Entry, Kind


@dataclass(slots=True)
class Graph:
    """
    Edges of a state, kept as it changes.

    `nodes` are groups and the like by id, `above` what those are directly in, `listed`
    what entries of people are in by their groups' own lists. `unknown` are members that
    nobody told of yet.
    """

    state: State
    sources: Sequence[str]
    nodes: dict[str, Kept] = field(default_factory=dict)
    above: dict[str, set[str]] = field(default_factory=dict)
    listed: dict[Ref, set[str]] = field(default_factory=dict)
    unknown: dict[str, set[tuple[str, str]]] = field(default_factory=dict)
    closure: Closure = field(init=False)

    def __post_init__(self) -> None:
        self.closure = Closure(self.above)

    def rebuild(self) -> None:
        """Find everything anew."""
        self.nodes = self._owned()
        self.above, self.listed, self.unknown = {}, {}, {}
        for (source, group), members in self.state.members.items():
            for member in members if self.owns(source, group) else ():
                self._put(source, member, group)
        for kept in self.nodes.values():
            self._put_own(kept)
        self.closure = Closure(self.above)

    def owns(self, source: str, group: str) -> bool:
        """Whether a source may say who is in a group."""
        owner = self.nodes.get(group)
        return owner is not None and owner.source == source

    def admit(self, kept: Kept) -> bool:
        """Take in an entry that was not there before; False if all has to be redone."""
        entry = kept.entry
        if any((s, entry.id) in self.state.entries for s in self._others(kept.source)):
            return False
        if entry.kind is not Kind.PERSON:
            if kept.life.gone:
                return True
            self.nodes[entry.id] = kept
            for member in self.state.members.get(kept.ref, ()):
                self._put(kept.source, member, entry.id)
            self._put_own(kept)
            self._adopt(kept)
        for source, group in self.unknown.pop(entry.id, ()):
            if self.owns(source, group):
                self._put(source, entry.id, group)
        if entry.kind is not Kind.PERSON:
            self.closure.changed()
        return True

    def rename(self, kept: Iterable[Kept]) -> None:
        """Take over what changed of groups that are in what they were in."""
        for each in kept:
            if each.entry.id in self.nodes and self.owns(each.source, each.entry.id):
                self.nodes[each.entry.id] = each

    def follow(self, each: Membership) -> Ref | None:
        """Follow one membership; return the person's entry it was about, if any."""
        if not self.owns(each.source, each.group):
            return None
        person = self.person(each.source, each.member)
        if person is None and each.member not in self.nodes:
            waiting = self.unknown.setdefault(each.member, set())
            if each.ended:
                waiting.discard((each.source, each.group))
            else:
                waiting.add((each.source, each.group))
            return None
        if not each.ended:
            self._put(each.source, each.member, each.group)
        elif person:
            self.listed.get(person, set()).discard(each.group)
        else:
            self.above.get(each.member, set()).discard(each.group)
        if person is None:
            self.closure.changed()
        return person

    def direct(self, refs: Sequence[Ref]) -> set[str]:
        """Return what somebody is directly in, who has these entries."""
        found: set[str] = set()
        for ref in refs:
            kept = self.state.entries[ref]
            if kept.life.gone:
                continue
            found |= self.listed.get(ref, set())
            found.update(
                own for own in memberships(kept.entry) if self._grants(kept, own)
            )
        return found

    def person(self, source: str, member: str) -> Ref | None:
        """Return the entry of a person that a source means: its own, or another's."""
        for each in (source, *self._others(source)):
            kept = self.state.entries.get((each, member))
            if kept is not None:
                return kept.ref if kept.entry.kind is Kind.PERSON else None
        return None

    def _grants(self, kept: Kept, group: str) -> bool:
        return self.owns(kept.source, group)

    def _put(self, source: str, member: str, group: str) -> None:
        if person := self.person(source, member):
            self.listed.setdefault(person, set()).add(group)
        elif member in self.nodes:
            self.above.setdefault(member, set()).add(group)
        else:
            self.unknown.setdefault(member, set()).add((source, group))

    def _put_own(self, kept: Kept) -> None:
        """A unit stands in another unit, a group may say itself what it is in."""
        for parent in memberships(kept.entry):
            if self._grants(kept, parent):
                self.above.setdefault(kept.entry.id, set()).add(parent)

    def _adopt(self, kept: Kept) -> None:
        """Let groups that waited for this one as their parent be in it."""
        for other in self.nodes.values():
            if other.source == kept.source and kept.entry.id in memberships(
                other.entry
            ):
                self.above.setdefault(other.entry.id, set()).add(kept.entry.id)

    def _others(self, source: str) -> Iterator[str]:
        return (each for each in self.sources if each != source)

    def _owned(self) -> dict[str, Kept]:
        order = {source: n for n, source in enumerate(self.sources)}
        living = [
            kept
            for kept in self.state.entries.values()
            if kept.entry.kind is not Kind.PERSON and not kept.life.gone
        ]
        last = len(order)
        living.sort(key=lambda k: (order.get(k.source, last), k.source), reverse=True)
        return {kept.entry.id: kept for kept in living}


def memberships(entry: Entry) -> frozenset[str]:
    """Return what an entry itself says that it is in."""
    return entry.parents | {entry.unit} if entry.unit else entry.parents
