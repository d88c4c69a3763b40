"""
Workers out of BambooHR, or what speaks like it.

Everybody comes in one report, those included who begin later or have left; a company
that lets the key run no reports is read employee by employee. What changed is asked for
by time. Sources: BambooHR's API reference, v1: "Request a custom report", "Get Employee
Directory", "Get Employee", "Get Changed Employee IDs".
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from types import MappingProxyType
from typing import Any
from urllib.parse import quote, urlencode

from bridge.errors import BadInput
from policy.directory.hr.source import Mark, Told
from policy.directory.hr.workers import Job, Worker, day, yes, zone
from policy.directory.rest import Rest, Unread, mapping, mappings, text

# BambooHR's fields by ATOM's names.
FIELDS: Mapping[str, str] = MappingProxyType(
    {
        "name": "displayName",
        "given_name": "firstName",
        "family_name": "lastName",
        "mail": "workEmail",
        "phone": "workPhone",
        "employee_id": "employeeNumber",
        "title": "jobTitle",
        "department": "department",
        "manager": "supervisorEId",
        "hired": "hireDate",
        "last_day": "terminationDate",
        "status": "status",
        "kind": "employmentHistoryStatus",
    }
)
_ATTRIBUTES = ("given_name", "family_name", "mail", "phone", "employee_id")
_REFUSED = frozenset({HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND})
_ADVICE: Mapping[int, str] = MappingProxyType(
    {
        HTTPStatus.UNAUTHORIZED: "BambooHR refuses the API key: make a new one there",
        HTTPStatus.FORBIDDEN: "BambooHR does not let the API key's owner see this: "
        "give that account access to the fields that ATOM reads",
        HTTPStatus.NOT_FOUND: "BambooHR knows no such company: check the address",
    }
)


@dataclass(frozen=True, slots=True)
class BambooLayout:
    """
    How one company uses BambooHR.

    `fields` are its own fields by ATOM's names, beside the usual ones (`person`,
    `zone` and `involuntary` have no usual one); `attributes` are further attributes.
    `contractors` are values of the status of employment that are of other companies'.
    """

    fields: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)
    contractors: frozenset[str] = frozenset({"contractor"})
    involuntary: frozenset[str] = frozenset({"involuntary"})
    zone: str = "UTC"

    def __post_init__(self) -> None:
        unknown = set(self.fields) - {*FIELDS, "person", "zone", "involuntary"}
        if unknown:
            raise BadInput(f"there is no field {min(unknown)!r} to map")
        zone(self.zone)

    @property
    def asked(self) -> list[str]:
        """The fields of BambooHR's that are asked for."""
        usual = {**FIELDS, **self.fields}
        return list(dict.fromkeys([*usual.values(), *self.attributes.values()]))

    def worker(self, told: Mapping[str, Any]) -> Worker:
        """Read one employee. Raises `BadInput`."""

        def at(name: str) -> str:
            where = self.fields.get(name) or FIELDS.get(name, "")
            return text(told.get(where)).strip() if where else ""

        identity = text(told.get("id")).strip()
        if not identity:
            raise BadInput("an employee has no id")
        attributes = {name: at(name) for name in _ATTRIBUTES}
        for name, where in self.attributes.items():
            attributes[name] = text(told.get(where)).strip()
        whole_name = f"{at('given_name')} {at('family_name')}".strip()
        why_ended = at("involuntary").casefold()
        return Worker(
            identity,
            at("name") or whole_name,
            zone(at("zone") or self.zone),
            person=at("person"),
            hired=day(at("hired")),
            last_day=day(at("last_day")),
            involuntary=yes(why_ended) or why_ended in self.involuntary,
            inactive=at("status").casefold() == "inactive",
            guest=at("kind").casefold() in self.contractors,
            jobs=(Job(at("title"), at("department"), at("manager")),),
            attributes={name: value for name, value in attributes.items() if value},
        )


@dataclass(frozen=True, slots=True)
class BambooFeed:
    """
    Implements `policy.directory.hr.source.Feed`.

    `base` is the company's address: https://api.bamboohr.com/api/gateway.php/COMPANY/v1
    """

    rest: Rest
    base: str
    key: str = field(repr=False)
    layout: BambooLayout = field(default_factory=BambooLayout)

    async def everything(self, mark: Mark) -> Told:
        # Asked before the workers: what changes meanwhile is told again, not lost.
        since = await self._latest(text(mark.get("since")))
        try:
            employees = await self._report()
        except Unread as unread:
            if unread.status not in _REFUSED:
                raise _advised(unread) from unread
            employees = await self._one_by_one()
        workers, problems = self._read(employees)
        return Told(tuple(workers), {"since": since}, problems=tuple(problems))

    async def changed(self, mark: Mark) -> Told | None:
        since = text(mark.get("since"))
        if not since:
            return await self.everything(mark)
        answer = await self._get(f"employees/changed?{urlencode({'since': since})}")
        changes = mapping(answer.get("employees"))
        if not changes:
            return None
        gone, employees = [], []
        for identity, change in changes.items():
            removed = text(mapping(change).get("action")).casefold() == "deleted"
            found = None if removed else await self._employee(identity)
            if found is None:
                gone.append(identity)
            else:
                employees.append(found)
        workers, problems = self._read(employees)
        return Told(
            tuple(workers),
            {"since": text(answer.get("latest")) or since},
            whole=False,
            problems=tuple(problems),
            gone=tuple(gone),
        )

    async def _latest(self, since: str) -> str:
        """Return the time up to which the workers about to be read are current."""
        query = urlencode({"since": since or "2000-01-01T00:00:00Z"})
        answer = await self._get(f"employees/changed?{query}")
        return text(answer.get("latest")) or since

    async def _report(self) -> list[Mapping[str, Any]]:
        answer = await self.rest.json(
            f"{self.base.rstrip('/')}/reports/custom?format=JSON&onlyCurrent=false",
            self._headers(),
            method="POST",
            body={"title": "ATOM", "fields": ["id", *self.layout.asked]},
        )
        return _employees(answer)

    async def _one_by_one(self) -> list[Mapping[str, Any]]:
        listed = _employees(await self._get("employees/directory"))
        found = []
        for one in listed:
            employee = await self._employee(text(one.get("id")))
            if employee is not None:
                found.append(employee)
        return found

    async def _employee(self, identity: str) -> Mapping[str, Any] | None:
        fields = quote(",".join(self.layout.asked), safe=",")
        path = f"employees/{quote(identity, safe='')}?fields={fields}"
        try:
            url = f"{self.base.rstrip('/')}/{path}"
            return await self.rest.json(url, self._headers())
        except Unread as unread:
            if unread.status == HTTPStatus.NOT_FOUND:
                return None
            raise _advised(unread) from unread

    async def _get(self, path: str) -> Mapping[str, Any]:
        try:
            return await self.rest.json(
                f"{self.base.rstrip('/')}/{path}", self._headers()
            )
        except Unread as unread:
            raise _advised(unread) from unread

    def _headers(self) -> Mapping[str, str]:
        # The key is the name of the user; the password may be anything.
        basic = base64.b64encode(f"{self.key}:x".encode()).decode()
        return {"Authorization": f"Basic {basic}"}

    def _read(
        self, employees: list[Mapping[str, Any]]
    ) -> tuple[list[Worker], list[str]]:
        workers: dict[str, Worker] = {}
        problems = []
        for told in employees:
            try:
                worker = self.layout.worker(told)
            except BadInput as error:
                problems.append(f"employee {text(told.get('id'))[:40]}: {error}")
            else:
                workers[worker.id] = worker
        return list(workers.values()), problems


def _employees(answer: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    if not isinstance(answer.get("employees"), list):
        raise Unread("BambooHR sent a list without employees")
    return list(mappings(answer["employees"]))


def _advised(unread: Unread) -> Unread:
    advice = _ADVICE.get(unread.status)
    return Unread(advice, unread.status, unread.code) if advice else unread
