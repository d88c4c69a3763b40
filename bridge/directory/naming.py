"""What people and groups are called, to find them by what rules and admins write."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from bridge.directory.graph import Graph
from bridge.directory.held import Kept
from bridge.directory.model import Kind

_KEYS = ("mail", "user_name")  # what a person is found by beside the name


@dataclass(slots=True)
class Register:
    """Names of one version of a directory, in any case, with the ids they stand for."""

    version: int = -1
    ids: dict[tuple[Kind, str], dict[str, None]] = field(default_factory=dict)
    shown: dict[tuple[Kind, str], str] = field(default_factory=dict)

    @classmethod
    def of(cls, graph: Graph) -> "Register":
        state = graph.state
        made = cls(state.version)
        for ref in sorted(state.people):
            kept = state.entries[ref]
            if not kept.life.gone:
                made._put_person(kept, state.people[ref])
        for kept in graph.nodes.values():
            entry = kept.entry
            made._put(entry.kind, entry.id, entry.name, entry.name, entry.path)
        made._put_departments(state.entries[ref] for ref in sorted(state.people))
        return made

    def find(self, kind: Kind, name: str) -> Sequence[str]:
        return list(self.ids.get((kind, folded(name)), ()))

    def _put_person(self, kept: Kept, who: str) -> None:
        entry = kept.entry
        more = [entry.attributes.get(key, "") for key in _KEYS]
        self._put(Kind.PERSON, who, entry.name, entry.name, entry.path, entry.id, *more)

    def _put(self, kind: Kind, id_: str, shown: str, *names: str) -> None:
        self.shown.setdefault((kind, id_), shown or id_)
        for name in {folded(id_), *map(folded, names)} - {""}:
            self.ids.setdefault((kind, name), {})[id_] = None

    def _put_departments(self, people: Iterable[Kept]) -> None:
        """Departments may be no more than a word that people have."""
        for kept in people:
            name = kept.entry.attributes.get("department", "")
            if name and (Kind.DEPARTMENT, folded(name)) not in self.ids:
                self._put(Kind.DEPARTMENT, folded(name), name)


def folded(name: str) -> str:
    """Return a name as names are compared: in any case, however it is spaced."""
    return " ".join(name.casefold().split())
