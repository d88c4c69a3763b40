"""What one HubSpot portal holds: objects with properties, and what they belong to."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any

from connectors.sandbox.users import User

Json = dict[str, Any]
# What is told of an object unless somebody asks for other properties.
DEFAULTS: Mapping[str, tuple[str, ...]] = {
    "contacts": ("email", "firstname", "lastname"),
    "companies": ("domain", "name"),
    "deals": ("amount", "closedate", "dealname", "dealstage", "pipeline"),
    "tickets": (
        "content",
        "hs_pipeline",
        "hs_pipeline_stage",
        "hs_ticket_category",
        "hs_ticket_priority",
        "subject",
    ),
    "notes": (),
    "tasks": (),
}
# Contacts were there first, and call it differently.
CHANGED = {"contacts": "lastmodifieddate"}
# Where an object has the id of its first company.
PRIMARY = {
    "contacts": "associatedcompanyid",
    "deals": "hs_primary_associated_company",
    "tickets": "hs_primary_company_id",
}
MADE = {"notes": "hs_createdate", "tasks": "hs_createdate"}


@dataclass(frozen=True, slots=True)
class Property:
    """What can be known of objects of a type."""

    name: str
    label: str
    type: str = "string"
    field_type: str = "text"
    options: tuple[tuple[str, str], ...] = ()  # value and label
    read_only: bool = False
    unique: bool = False


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of a pipeline."""

    id: str
    label: str
    closed: bool = False
    probability: str = ""


@dataclass(frozen=True, slots=True)
class Pipeline:
    """A pipeline of deals or tickets."""

    id: str
    label: str
    stages: tuple[Stage, ...]


@dataclass(slots=True)
class Thing:
    """An object of the CRM. All values are text; None is no value."""

    id: str
    kind: str
    values: dict[str, str | None]
    created: float
    updated: float
    archived: bool = False
    # What searches know: from when, and the values; the last that counts.
    indexed: list[tuple[float, dict[str, str | None], bool]] = field(
        default_factory=list
    )


@dataclass(slots=True)
class Portal:
    """
    A company's portal. `lag` is how far searches are behind, in seconds; `burst` how
    many calls an app may make in ten seconds, `searches` in one; `daily` in a day.
    """

    id: int
    now: Callable[[], float]
    properties: dict[str, dict[str, Property]] = field(default_factory=dict)
    pipelines: dict[str, tuple[Pipeline, ...]] = field(default_factory=dict)
    things: dict[str, dict[str, Thing]] = field(default_factory=dict)
    owners: list[Json] = field(default_factory=list)
    links: set[tuple[str, str, str, str]] = field(default_factory=set)
    private: set[str] = field(default_factory=set)  # ids that only some may see
    lag: float = 0.0
    burst: int = 110
    searches: int = 5
    daily: int = 250_000
    number: int = 40_000_000
    _last: float = 0.0

    def become(self, other: "Portal") -> None:
        """Hold what another portal holds."""
        for each in fields(other):
            setattr(self, each.name, getattr(other, each.name))

    def sees(self, user: User, thing: Thing) -> bool:
        """Say whether somebody may know of an object: some are for their team alone."""
        return user.profile.everything or thing.id not in self.private

    def moment(self) -> float:
        """Return now; two changes never have the same time."""
        self._last = max(self.now(), self._last + 0.001)
        return self._last

    def new_id(self) -> str:
        self.number += 7
        return str(self.number)

    def index(self, thing: Thing) -> None:
        """Let searches find an object as it is, after a while."""
        told = (self.now() + self.lag, self.valued(thing), thing.archived)
        thing.indexed.append(told)
        known = [each for each in thing.indexed if each[0] <= self.now()]
        del thing.indexed[: max(0, len(known) - 1)]

    def known(self, thing: Thing) -> dict[str, str | None] | None:
        """Return the values that searches know of an object, None for an unknown one."""
        known = [each for each in thing.indexed if each[0] <= self.now()]
        return None if not known or known[-1][2] else known[-1][1]

    def valued(self, thing: Thing) -> dict[str, str | None]:
        """Return all values, those included that HubSpot sets itself."""
        return {
            **thing.values,
            "hs_object_id": thing.id,
            MADE.get(thing.kind, "createdate"): iso(thing.created),
            CHANGED.get(thing.kind, "hs_lastmodifieddate"): iso(thing.updated),
            **self._primary(thing),
        }

    def _primary(self, thing: Thing) -> dict[str, str | None]:
        """Return the company that an object belongs to first: the first it was given."""
        if thing.kind not in PRIMARY:
            return {}
        companies = self.linked(thing.kind, thing.id, "companies")
        return {PRIMARY[thing.kind]: next(iter(companies), None)}

    def linked(self, kind: str, id_: str, to: str) -> list[str]:
        """Return the ids of what an object belongs together with."""
        there = {b for k, a, t, b in self.links if (k, a, t) == (kind, id_, to)}
        back = {a for t, a, k, b in self.links if (k, b, t) == (kind, id_, to)}
        return sorted(there | back, key=int)


def iso(moment: float) -> str:
    """Write a time as HubSpot does: 2026-11-22T19:58:04.123Z."""
    told = datetime.fromtimestamp(moment, UTC)
    return f"{told:%Y-%m-%dT%H:%M:%S}.{told.microsecond // 1000:03d}Z"
