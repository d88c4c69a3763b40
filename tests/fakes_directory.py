"""A directory in memory, small enough to trust by reading."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from bridge.directory.model import Kind, Subject
from bridge.messages import Person


@dataclass
class FakeDirectory:
    """
    Implements `bridge.directory.ports.Directory` and `Names` for one company.

    `people` holds subjects by account, as `platform:id`; `things` names by kind and id.
    """

    tenant: str = "acme"
    people: dict[str, Subject] = field(default_factory=dict)
    things: dict[tuple[Kind, str], str] = field(default_factory=dict)
    paths: dict[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    nested: dict[str, tuple[str, ...]] = field(default_factory=dict)
    age: int = 0
    number: int = 1
    known: bool = True

    def configured(self, tenant: str) -> bool:
        return self.known and tenant == self.tenant

    def version(self, tenant: str) -> str:
        return f"{tenant}:{self.number}"

    def age_seconds(self, tenant: str) -> int:
        return self.age

    def subject(self, tenant: str, person: Person, account: str) -> Subject | None:
        if tenant != self.tenant:
            return None
        return self.people.get(f"{person.platform.value}:{person.id}")

    def subjects(self, tenant: str) -> Sequence[Subject]:
        if tenant != self.tenant:
            return ()
        return list({s.id: s for s in self.people.values()}.values())

    def path(self, tenant: str, subject: str, ancestor: str) -> Sequence[str]:
        return self.paths.get((subject, ancestor), ())

    def named(self, tenant: str, kind: Kind, name: str) -> Sequence[str]:
        if tenant != self.tenant:
            return ()
        wanted = name.casefold()
        return [
            id_
            for (its, id_), called in self.things.items()
            if its is kind and wanted in {called.casefold(), id_.casefold()}
        ]

    def name_of(self, tenant: str, kind: Kind, id_: str) -> str | None:
        return self.things.get((kind, id_)) if tenant == self.tenant else None

    def within(self, tenant: str, ancestor: str) -> Sequence[str]:
        return [s.id for s in self.subjects(tenant) if ancestor in s.ancestors]

    def above(self, tenant: str, ancestor: str) -> Sequence[str]:
        return self.nested.get(ancestor, ())

    def change(self, account: str, **changes: object) -> None:
        """Change somebody, as a source would: person and directory get new versions."""
        old = self.people[account]
        self.number += 1
        new = replace(old, version=self.number, **changes)  # type: ignore[arg-type]
        self.people[account] = new

    def join(self, account: str, groups: Iterable[str]) -> None:
        known = self.people[account].ancestors
        self.change(account, ancestors=known | {f"group:{g}" for g in groups})
