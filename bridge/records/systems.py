"""The business systems that a company has connected."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from bridge.errors import BadInput, NotFound
from bridge.records.model import RecordRef, System
from bridge.records.ports import Records


class Systems(Protocol):
    """Which systems there are."""

    def of(self, tenant: str) -> Sequence[Records]:
        """Return a company's systems, in the order in which people think of them."""
        ...


@dataclass(frozen=True, slots=True)
class Connected:
    """Implements `Systems` with what was configured at the start."""

    known: Mapping[str, Sequence[Records]]

    def of(self, tenant: str) -> Sequence[Records]:
        return self.known.get(tenant, ())


def the(systems: Systems, tenant: str, system: System, instance: str) -> Records:
    """Return one system of a company. Raises `NotFound`."""
    for each in systems.of(tenant):
        if (each.system, each.instance) == (system, instance):
            return each
    raise NotFound(f"{system.shown} is not connected here any more.")


def home(systems: Systems, tenant: str, ref: RecordRef) -> Records:
    """Return the system where a record lives. Raises `NotFound`."""
    return the(systems, tenant, ref.system, ref.instance)


def having(systems: Systems, tenant: str, kind: str) -> tuple[Records, str]:
    """
    Return the system that has a kind of record: `issue`, or `jira/issue` if several do.

    Raises `BadInput` with the kinds that there are.
    """
    name, slash, rest = kind.partition("/")
    wanted = rest if slash else name
    found = [
        each
        for each in systems.of(tenant)
        if wanted in each.kinds and (not slash or name in {each.system, each.instance})
    ]
    if len(found) == 1:
        return found[0], wanted
    known = ", ".join(kinds_of(systems.of(tenant))) or "none: no system is connected"
    if not found:
        raise BadInput(f"There is no kind of record '{kind}'. There are {known}.")
    ways = " or ".join(f"{each.instance}/{wanted}" for each in found)
    raise BadInput(f"Several systems have that: write {ways}.")


def kinds_of(systems: Iterable[Records]) -> list[str]:
    """Return every kind as people name it, with its system."""
    return [f"{each.system}/{kind}" for each in systems for kind in each.kinds]
