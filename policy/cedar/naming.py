"""Which ids the names in rules stand for: asked once, when a version is saved."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from bridge.directory.model import Kind
from bridge.directory.ports import Names
from policy.cedar.yaml_reading import Node

ENTITIES = {
    Kind.PERSON: "User",
    Kind.GROUP: "Group",
    Kind.UNIT: "Unit",
    Kind.DEPARTMENT: "Department",
    Kind.ROLE: "DirectoryRole",
}
KINDS = {entity: kind for kind, entity in ENTITIES.items()}
_PLURAL = {
    Kind.PERSON: "people",
    Kind.GROUP: "groups",
    Kind.UNIT: "units",
    Kind.DEPARTMENT: "departments",
    Kind.ROLE: "roles",
}


class Resolver(Protocol):
    """Tells the id that a name stands for."""

    def id_of(self, kind: Kind, node: Node) -> str:
        """Return the id. Raises `BadInput` if no name, or several, are meant."""
        ...

    def knows(self, kind: Kind, id_: str) -> bool:
        """Return whether the company has something of that id."""
        ...


def key(kind: Kind, name: str) -> str:
    """Return under what a name and its id are kept together."""
    return f"{kind.value}|{name}"


@dataclass
class FromDirectory:
    """Asks the company's own directory, and remembers what it said in `found`."""

    names: Names
    tenant: str
    found: dict[str, str] = field(default_factory=dict)

    def id_of(self, kind: Kind, node: Node) -> str:
        name = node.text()
        ids = self.names.named(self.tenant, kind, name)
        if not ids:
            raise node.wrong(f"the directory has no {kind.value} {name!r}")
        if len(ids) > 1:
            raise node.wrong(
                f"the directory has {len(ids)} {_PLURAL[kind]} called {name!r}: "
                "write the path or the id"
            )
        self.found[key(kind, name)] = ids[0]
        return ids[0]

    def knows(self, kind: Kind, id_: str) -> bool:
        return self.names.name_of(self.tenant, kind, id_) is not None


@dataclass(frozen=True)
class AsSaved:
    """Takes the ids that were found when the version was saved."""

    found: Mapping[str, str]

    def id_of(self, kind: Kind, node: Node) -> str:
        name = node.text()
        id_ = self.found.get(key(kind, name))
        if id_ is None:
            raise node.wrong(f"no id was saved for the {kind.value} {name!r}")
        return id_

    def knows(self, kind: Kind, id_: str) -> bool:
        del kind, id_
        return True  # it was asked when the version was saved
