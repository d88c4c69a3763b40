"""What employees' records ask of an HR system; BambooHR and Workday are two."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from bridge.records.model import RecordChange
from bridge.records.ports import Access
from connectors.hr.employees import Employee
from connectors.rest import Rest


class Feed(Protocol):
    """One HR system. Reads alone: HR's own people write there."""

    @property
    def rest(self) -> Rest: ...

    async def employees(
        self, access: Access, ids: Sequence[str], *, urgent: bool
    ) -> Mapping[str, Employee]:
        """Return employees by id; whom the account does not see is left out."""
        ...

    async def everybody(self, access: Access) -> Sequence[Employee]:
        """Return all whom the account sees, as far as it sees them."""
        ...

    async def changed(
        self, access: Access, since: str
    ) -> tuple[Sequence[RecordChange], str]:
        """Return what changed since a position; see `bridge.records.ports`."""
        ...

    def heard(
        self, headers: Mapping[str, str], body: bytes, now: float
    ) -> Sequence[RecordChange]:
        """Return what a webhook says. Raises `NotAllowed` and `BadInput`."""
        ...


def text(value: Any) -> str:
    """Return a value as text; what is neither text nor number is nothing."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return str(value).strip()


def number(value: Any) -> int | None:
    """Return a value as a whole number, None for what is none."""
    told = text(value)
    return int(told[:9]) if told.isdecimal() else None
