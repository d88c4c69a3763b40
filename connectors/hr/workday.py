"""
Employees out of Workday, by a report that the company publishes as a web service.

A report comes whole and says nothing of changes. Source: Workday, "Reports as a Service":
`Report_Entry` is a list, and is missing in an empty report; fields of one value may be
text, groups are lists. The integration's user signs in with name and password.
"""

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from bridge.errors import BadInput, NotAllowed, ServiceUnavailable
from bridge.records.model import ChangeKind, RecordChange, System
from bridge.records.ports import Access
from connectors.hr.employees import Company, Employee
from connectors.hr.feed import number, text
from connectors.rest import Call, Manner, Rest

# Columns of the report by ATOM's names: all that is taken of it.
COLUMNS: Mapping[str, str] = MappingProxyType(
    {
        "id": "Employee_ID",
        "name": "Worker",
        "role": "Business_Title",
        "team": "Supervisory_Organization",
        "manager": "Manager",
        "site": "Location",
        "start": "Hire_Date",
        "last_day": "Termination_Date",
        "active": "Active",
        "announced": "Announced",
        "done": "Onboarding_Done",
        "total": "Onboarding_Total",
    }
)


def basic(pair: str) -> str:
    """The header of name and password, which is what an account's token is here."""
    return f"Basic {base64.b64encode(pair.encode()).decode()}"


MANNER = Manner(authorization=basic, request_ids=("X-Request-Id",))


@dataclass(frozen=True, slots=True)
class Workday:
    """
    Implements `connectors.hr.feed.Feed`. `report` is the report's owner and its name;
    `columns` are the company's own columns by ATOM's names, beside the usual.
    """

    rest: Rest
    company: Company
    report: tuple[str, str]
    columns: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if unknown := set(self.columns) - set(COLUMNS):
            raise BadInput(f"there is no field {min(unknown)!r} of employees")

    async def employees(
        self, access: Access, ids: Sequence[str], *, urgent: bool
    ) -> Mapping[str, Employee]:
        wanted = set(ids)
        everybody = await self._read(access, urgent=urgent)
        return {each.id: each for each in everybody if each.id in wanted}

    async def everybody(self, access: Access) -> Sequence[Employee]:
        return await self._read(access, urgent=True)

    async def changed(
        self, access: Access, since: str
    ) -> tuple[Sequence[RecordChange], str]:
        everybody = await self._read(access, urgent=False)
        told = sorted(str(each) for each in everybody)
        digest = hashlib.sha256(json.dumps(told).encode()).hexdigest()
        if since in {"", digest}:
            return [], digest
        # Which of them changed is not told, so that all shown ones are read anew.
        missed = RecordChange(
            System.HR, self.company.instance, ChangeKind.MISSED, digest
        )
        return [missed], digest

    def heard(
        self,
        headers: Mapping[str, str],  # noqa: ARG002 - it sends none
        body: bytes,  # noqa: ARG002 - likewise
        now: float,  # noqa: ARG002 - likewise
    ) -> Sequence[RecordChange]:
        raise NotAllowed("Workday sends no webhooks")

    async def _read(self, access: Access, *, urgent: bool) -> list[Employee]:
        call = Call("GET", self.report, {"format": "json"}, urgent=urgent)
        answer = await self.rest.send(access, call)
        if answer.status in {HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND}:
            raise NotAllowed("Workday does not let this account read the report")
        entries = answer.object.get("Report_Entry", [])
        if not answer.well or not isinstance(entries, list):
            raise ServiceUnavailable(f"Workday said {answer.status}")
        found = (self._employee(each) for each in entries if isinstance(each, dict))
        return [each for each in found if each.id]

    def _employee(self, told: Mapping[str, Any]) -> Employee:
        names = {**COLUMNS, **self.columns}

        def at(name: str) -> str | None:
            return _said(told[names[name]]) if names[name] in told else None

        announced, active = at("announced"), at("active")
        return Employee(
            at("id") or "",
            at("name"),
            at("role"),
            at("team"),
            at("manager"),
            at("site"),
            (at("start") or "")[:10] if at("start") is not None else None,
            (at("last_day") or "")[:10] if at("last_day") is not None else None,
            (active or "1").casefold() in {"0", "false", "no"},
            None if announced is None else announced.casefold() in {"1", "yes", "true"},
            number(at("done")),
            number(at("total")),
        )


def _said(value: Any) -> str:
    """Return a column's value: text, or the text of what it refers to."""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, list):
        return ", ".join(filter(None, map(_said, value)))
    if isinstance(value, Mapping):
        return text(value.get("Descriptor") or value.get("descriptor"))
    return text(value)
