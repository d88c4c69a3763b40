"""What the HR stand-ins hold: employees, when they changed, and what is to go wrong."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

FAULTS = frozenset({"429", "500", "503", "reset", "page", "half"})


@dataclass(slots=True)
class Fault:
    """What goes wrong with a call, how often, and after how many that go well."""

    on: str
    kind: str
    times: int = 1
    skip: int = 0
    retry_after: int | None = 1


@dataclass(slots=True)
class Company:
    """
    One company's HR. Employees are kept by BambooHR's names, workers by Workday's.

    Each change has a moment of its own, so that "changed since" never misses one.
    """

    name: str = "acme"
    bamboo_key: str = "sandbox-bamboo-key"
    refresh_token: str = "sandbox-refresh-token"  # noqa: S105 - seeded, and worth nothing
    client: tuple[str, str] = ("sandbox-client", "sandbox-client-secret")
    employees: dict[str, dict[str, Any]] = field(default_factory=dict)
    workers: list[dict[str, Any]] = field(default_factory=list)
    changes: dict[str, tuple[datetime, str]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    reports: bool = True  # whether the key may run reports
    vanishing: int = 0  # workers who leave the list between its pages
    _now: datetime = datetime(2026, 1, 1, tzinfo=UTC)

    def tick(self) -> datetime:
        """Return a moment that nothing had before."""
        self._now += timedelta(seconds=1)
        return self._now

    @property
    def now(self) -> datetime:
        return self._now

    def change(self, employee: str, values: Mapping[str, Any]) -> None:
        """Hire somebody, or write another value into their record."""
        action = "Updated" if employee in self.employees else "Inserted"
        known = self.employees.get(employee, {"id": employee})
        self.employees[employee] = {**known, **values}
        self.changes[employee] = (self.tick(), action)

    def remove(self, employee: str) -> None:
        """Delete a record. Who leaves is not deleted: their last day is written."""
        del self.employees[employee]
        self.changes[employee] = (self.tick(), "Deleted")

    def fault(self, call: str) -> Fault | None:
        """Return what goes wrong with this call, and count it."""
        for fault in self.faults:
            if fault.on != call or not fault.times:
                continue
            if fault.skip:
                fault.skip -= 1
                continue
            fault.times -= 1
            return fault
        return None
