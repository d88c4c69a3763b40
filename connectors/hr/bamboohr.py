"""
Employees out of BambooHR.

Fields are asked for by name, so that nothing else is ever sent. Sources: BambooHR's API
reference, v1: "Get Employee", "Request a custom report", "Get Employee Directory", "Get
Updated Employee IDs"; "Webhooks" for the signature.
"""

import asyncio
import base64
import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from bridge.errors import BadInput, NotAllowed, ServiceUnavailable
from bridge.records.model import (
    NEVER,
    ChangeKind,
    RecordChange,
    Revision,
    System,
)
from bridge.records.ports import Access
from connectors.hr.employees import Company, Employee
from connectors.hr.feed import number, text
from connectors.rest import Answer, Call, Manner, Rest

# BambooHR's fields by ATOM's names: all that is ever read.
FIELDS: Mapping[str, str] = MappingProxyType(
    {
        "name": "displayName",
        "role": "jobTitle",
        "team": "department",
        "manager": "supervisor",
        "site": "location",
        "start": "hireDate",
        "last_day": "terminationDate",
        "status": "status",
        "changed": "lastChanged",
    }
)
_DATES = frozenset({"start", "last_day"})
_NO_DATE = "0000-00-00"
_AT_ONCE = 5  # calls for single employees
_OLDEST = 5 * 60  # seconds that a webhook's call may be old
_KINDS = {
    "created": ChangeKind.CREATED,
    "inserted": ChangeKind.CREATED,
    "updated": ChangeKind.CHANGED,
    "deleted": ChangeKind.DELETED,
}


def basic(key: str) -> str:
    """The header of BambooHR's keys: the key is the name, and any password will do."""
    return f"Basic {base64.b64encode(f'{key}:x'.encode()).decode()}"


MANNER = Manner(authorization=basic, request_ids=("X-Request-Id",))


@dataclass(frozen=True, slots=True)
class BambooHr:
    """
    Implements `connectors.hr.feed.Feed`.

    `fields` are the company's own fields by ATOM's names, beside the usual ones:
    `announced`, `done` and `total` have no usual one.
    """

    rest: Rest
    company: Company
    fields: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        unknown = set(self.fields) - {*FIELDS, "announced", "done", "total"}
        if unknown:
            raise BadInput(f"there is no field {min(unknown)!r} of employees")

    @property
    def names(self) -> Mapping[str, str]:
        return {**FIELDS, **self.fields}

    async def employees(
        self, access: Access, ids: Sequence[str], *, urgent: bool
    ) -> Mapping[str, Employee]:
        # Employees' ids are numbers there; nothing else is asked for.
        wanted = [id_ for id_ in dict.fromkeys(ids) if id_.isdecimal()]
        gate = asyncio.Semaphore(_AT_ONCE)
        params = {"fields": ",".join(self.names.values())}

        async def one(id_: str) -> Employee | None:
            async with gate:
                call = Call("GET", ("employees", id_), params, urgent=urgent)
                answer = await self.rest.send(access, call)
            if answer.status in {HTTPStatus.NOT_FOUND, HTTPStatus.FORBIDDEN}:
                return None
            return self._employee(_granted(answer).object)

        found = await asyncio.gather(*(one(id_) for id_ in wanted))
        return {each.id: each for each in found if each is not None}

    async def everybody(self, access: Access) -> Sequence[Employee]:
        """Those included who join later, if the account may run reports."""
        call = Call(
            "POST",
            ("reports", "custom"),
            {"format": "JSON", "onlyCurrent": "false"},
            {"title": "ATOM", "fields": ["id", *self.names.values()]},
            repeatable=True,
        )
        answer = await self.rest.send(access, call)
        if answer.status == HTTPStatus.FORBIDDEN:
            answer = await self.rest.send(
                access, Call("GET", ("employees", "directory"))
            )
        told = _granted(answer).object.get("employees")
        return [self._employee(each) for each in _objects(told) if each.get("id")]

    async def changed(
        self, access: Access, since: str
    ) -> tuple[Sequence[RecordChange], str]:
        if not since:
            now = datetime.fromtimestamp(self.rest.clock(), UTC)
            return [], f"{now:%Y-%m-%dT%H:%M:%SZ}"
        if not _moment(since):
            raise BadInput("that is no position in BambooHR's changes")
        path, params = ("employees", "changed"), {"since": since}
        answer = await self.rest.send(access, Call("GET", path, params, urgent=False))
        told = _granted(answer).object
        changes = told.get("employees")
        found = [
            self._change(id_, text(each.get("action")), text(each.get("lastChanged")))
            for id_, each in (changes if isinstance(changes, dict) else {}).items()
            if isinstance(each, dict) and str(id_).isdecimal()
        ]
        return found, text(told.get("latest")) or since

    def heard(
        self, headers: Mapping[str, str], body: bytes, now: float
    ) -> Sequence[RecordChange]:
        told = {name.casefold(): value for name, value in headers.items()}
        if not self._signed(told, body, now):
            raise NotAllowed("the call is not signed by BambooHR, or is an old one")
        try:
            event = json.loads(body)
        except (ValueError, RecursionError):
            raise BadInput("BambooHR's call cannot be read") from None
        if not isinstance(event, dict):
            raise BadInput("BambooHR's call cannot be read")
        # Values that were sent along are not even looked at.
        return [each for each in self._events(event) if each is not None]

    def _events(self, event: Mapping[str, Any]) -> Iterable[RecordChange | None]:
        data = event.get("data")
        if isinstance(data, dict):
            what = text(event.get("type")).rpartition(".")[2]
            at, id_ = text(event.get("timestamp")), text(data.get("employeeId"))
            yield self._event(id_, what, at, data.get("changedFields"))
        for each in _objects(event.get("employees")):
            id_, at = text(each.get("id")), text(each.get("timestamp"))
            what, names = text(each.get("action")), each.get("changedFields")
            yield self._event(id_, what, at, names)

    def _event(self, id_: str, what: str, at: str, fields: Any) -> RecordChange | None:
        allowed = {theirs: ours for ours, theirs in self.names.items()}
        names = [str(n) for n in fields] if isinstance(fields, list) else []
        known = tuple(allowed[name] for name in names if name in allowed)
        if not id_.isdecimal() or (names and not known):
            return None
        change = self._change(id_, what, at)
        return RecordChange(
            System.HR,
            self.company.instance,
            change.kind,
            change.event,
            change.ref,
            change.rev,
            fields=known,
        )

    def _change(self, id_: str, what: str, at: str) -> RecordChange:
        moment = _moment(at)
        return RecordChange(
            System.HR,
            self.company.instance,
            _KINDS.get(what.casefold(), ChangeKind.CHANGED),
            f"{id_}-{what.casefold()}@{at}"[:200],
            self.company.ref(id_),
            Revision(moment, at) if moment else NEVER,
        )

    def _signed(self, told: Mapping[str, str], body: bytes, now: float) -> bool:
        stamp = told.get("x-bamboohr-timestamp", "")
        given = told.get("x-bamboohr-signature", "").casefold()
        short = stamp.isdecimal() and len(stamp) < 15  # noqa: PLR2004 - digits
        if not self.company.hook_key or not short or abs(now - int(stamp)) > _OLDEST:
            return False
        key = self.company.hook_key.encode()
        digest = hmac.new(key, body + stamp.encode(), hashlib.sha256).hexdigest()
        return hmac.compare_digest(digest.encode(), given.encode())

    def _employee(self, told: Mapping[str, Any]) -> Employee:
        def at(name: str) -> str | None:
            where = self.names.get(name, "")
            if where not in told:
                return None
            said = text(told[where])
            return "" if name in _DATES and said == _NO_DATE else said

        announced, changed = at("announced"), at("changed") or ""
        moment = _moment(changed)
        return Employee(
            text(told.get("id")),
            at("name"),
            at("role"),
            at("team"),
            at("manager"),
            at("site"),
            at("start"),
            at("last_day"),
            (at("status") or "").casefold() == "inactive",
            None if announced is None else announced.casefold() in {"yes", "true", "1"},
            number(at("done")),
            number(at("total")),
            Revision(moment, changed) if moment else None,
        )


def _granted(answer: Answer) -> Answer:
    if answer.well:
        return answer
    if answer.status == HTTPStatus.FORBIDDEN:
        raise NotAllowed("BambooHR does not let this account see employees")
    raise ServiceUnavailable(f"BambooHR said {answer.status}")


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [e for e in value if isinstance(e, dict)] if isinstance(value, list) else []


def _moment(written: str) -> int:
    """Return a time in microseconds since 1970, 0 for none."""
    try:
        told = datetime.fromisoformat(written)
    except ValueError:
        return 0
    told = told if told.tzinfo else told.replace(tzinfo=UTC)
    return round(told.timestamp() * 1_000_000)
