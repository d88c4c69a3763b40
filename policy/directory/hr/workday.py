"""
Workers out of Workday, or what speaks like it: a paged list with dates of effect.

Workday's own listing names little of a worker, so companies publish what others may read
as a report; both are lists of objects whose places are configured. Sources: Workday REST
API, staffing v6 (`data`, `total`, `limit`, `offset`), and Reports as a Service
(`Report_Entry`); OAuth 2.0 with a refresh token.
"""

import asyncio
import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from types import MappingProxyType
from typing import Any
from urllib.parse import urlencode

from bridge.errors import BadInput
from policy.directory.hr.source import Mark, Told
from policy.directory.hr.workers import Job, Worker, day, yes, zone
from policy.directory.rest import Rest, Unread, mapping, mappings, text

# Where a worker's facts stand, by ATOM's names; a dot goes one object deeper.
PLACES: Mapping[str, str] = MappingProxyType(
    {
        "id": "workerId",
        "name": "descriptor",
        "person": "person.id",
        "given_name": "person.firstName",
        "family_name": "person.lastName",
        "mail": "person.email",
        "phone": "person.phone",
        "kind": "workerType.descriptor",
        "hired": "hireDate",
        "last_day": "terminationDate",
        "involuntary": "terminationInvoluntary",
        "active": "isActive",
        "zone": "location.timeZone",
        "jobs": "jobs",
    }
)
# The same of a job, below "jobs"; without jobs, of the worker.
JOB_PLACES: Mapping[str, str] = MappingProxyType(
    {
        "title": "businessTitle",
        "department": "supervisoryOrganization.descriptor",
        "manager": "manager.workerId",
        "primary": "isPrimary",
        "starts": "effectiveDate",
        "ends": "endDate",
    }
)
_ATTRIBUTES = ("given_name", "family_name", "mail", "phone")
_PAGE = 100  # Workday's own largest
_PAGES = 10_000
_EARLY = 60.0  # seconds before its end that a token is renewed


@dataclass(frozen=True, slots=True)
class WorkdayLayout:
    """
    How one company's list is laid out.

    `places` and `job_places` are where facts stand, beside the usual; `attributes` are
    further attributes. `contractors` are kinds of workers of other companies.
    """

    places: Mapping[str, str] = field(default_factory=dict)
    job_places: Mapping[str, str] = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)
    contractors: frozenset[str] = frozenset({"contingent worker", "contractor"})
    zone: str = "UTC"

    def __post_init__(self) -> None:
        for given, known in ((self.places, PLACES), (self.job_places, JOB_PLACES)):
            if unknown := set(given) - set(known):
                raise BadInput(f"there is no place {min(unknown)!r} to map")
        zone(self.zone)

    def worker(self, told: Mapping[str, Any]) -> Worker:
        """Read one worker. Raises `BadInput`."""

        def at(name: str) -> Any:
            return _at(told, self.places.get(name, PLACES[name]))

        identity = _said(at("id"))
        if not identity:
            raise BadInput("a worker has no id")
        attributes = {name: _said(at(name)) for name in _ATTRIBUTES}
        for name, place in self.attributes.items():
            attributes[name] = _said(_at(told, place))
        jobs = list(mappings(at("jobs"))) or [told]
        whole_name = f"{attributes['given_name']} {attributes['family_name']}".strip()
        return Worker(
            identity,
            _said(at("name")) or whole_name,
            zone(_said(at("zone")) or self.zone),
            person=_said(at("person")),
            hired=day(_said(at("hired"))),
            last_day=day(_said(at("last_day"))),
            involuntary=_is_so(at("involuntary")),
            inactive=at("active") is False or _said(at("active")) in {"0", "false"},
            guest=_said(at("kind")).casefold() in self.contractors,
            jobs=tuple(self._job(one) for one in jobs),
            attributes={name: value for name, value in attributes.items() if value},
        )

    def _job(self, told: Mapping[str, Any]) -> Job:
        def at(name: str) -> Any:
            return _at(told, self.job_places.get(name, JOB_PLACES[name]))

        return Job(
            _said(at("title")),
            _said(at("department")),
            _said(at("manager")),
            _is_so(at("primary")),
            day(_said(at("starts"))),
            day(_said(at("ends"))),
        )


@dataclass(slots=True)
class WorkdayTokens:
    """Access tokens by a refresh token. `clock` gives monotonic seconds."""

    rest: Rest
    url: str
    client_id: str
    client_secret: str = field(repr=False)
    refresh_token: str = field(repr=False)
    clock: Callable[[], float]
    _token: str = field(default="", repr=False)
    _until: float = 0.0
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def token(self) -> str:
        """Return a token that is good for a while. Raises `Unread`."""
        async with self._lock:
            if self.clock() >= self._until:
                await self._renew()
            return self._token

    def forget(self) -> None:
        """The token was refused: get another."""
        self._until = 0.0

    async def _renew(self) -> None:
        pair = f"{self.client_id}:{self.client_secret}".encode()
        basic = base64.b64encode(pair).decode()
        try:
            answer = await self.rest.json(
                self.url,
                {"Authorization": f"Basic {basic}"},
                method="POST",
                form={
                    "grant_type": "refresh_token",
                    "refresh_token": self.refresh_token,
                },
            )
        except Unread as unread:
            if unread.status in {HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED}:
                why = "Workday refuses ATOM's API client or its refresh token"
                raise Unread(why, unread.status, unread.code) from unread
            raise
        self._token = text(answer.get("access_token"))
        if not self._token:
            raise Unread("Workday gave no token")
        lasts = answer.get("expires_in")
        seconds = float(lasts) if isinstance(lasts, int | float) else 0.0
        self._until = self.clock() + max(0.0, seconds - _EARLY)


@dataclass(frozen=True, slots=True)
class WorkdayFeed:
    """
    Implements `policy.directory.hr.source.Feed`. `url` is the list, without its query.

    The list says nothing of what changed, so it is read whole at every look. A list that
    changes while it is read is read again; one that never holds still is not believed
    to be whole.
    """

    rest: Rest
    tokens: WorkdayTokens
    url: str
    layout: WorkdayLayout = field(default_factory=WorkdayLayout)

    async def everything(self, mark: Mark) -> Told:
        told, problems = await self._listed()
        if problems:
            told, problems = await self._listed()
        workers: dict[str, Worker] = {}
        for one in told:
            try:
                worker = self.layout.worker(one)
            except BadInput as error:
                name = _said(_at(one, self.layout.places.get("id", PLACES["id"])))
                problems.append(f"worker {name[:40]}: {error}")
            else:
                workers[worker.id] = worker
        mark = {"workers": len(workers)}
        return Told(tuple(workers.values()), mark, problems=tuple(problems))

    async def changed(self, mark: Mark) -> Told | None:
        return await self.everything(mark)

    async def _listed(self) -> tuple[list[Mapping[str, Any]], list[str]]:
        """Return the list, and what is wrong with it as a whole."""
        found: list[Mapping[str, Any]] = []
        totals: set[int] = set()
        for _ in range(_PAGES):
            query = urlencode({"limit": _PAGE, "offset": len(found)})
            answer = await self._get(f"{self.url}?{query}")
            page, total = _page(answer)
            found += page
            if total is None:  # a report comes in one piece
                return found, []
            totals.add(total)
            if not page or len(found) >= total:
                break
        problems = []
        if len(totals) > 1 or len(found) != max(totals, default=0):
            problems.append("Workday's list changed while it was read")
        return found, problems

    async def _get(self, url: str) -> Mapping[str, Any]:
        for attempt in (1, 2):
            headers = {"Authorization": f"Bearer {await self.tokens.token()}"}
            try:
                return await self.rest.json(url, headers)
            except Unread as unread:
                if unread.status != HTTPStatus.UNAUTHORIZED or attempt > 1:
                    raise _advised(unread) from unread
                self.tokens.forget()
        raise AssertionError("unreachable")


def _page(answer: Mapping[str, Any]) -> tuple[list[Mapping[str, Any]], int | None]:
    if isinstance(report := answer.get("Report_Entry"), list):
        return list(mappings(report)), None
    total = answer.get("total")
    if not isinstance(answer.get("data"), list) or not isinstance(total, int):
        raise Unread("Workday sent a list without workers")
    return list(mappings(answer["data"])), total


def _advised(unread: Unread) -> Unread:
    if unread.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
        why = (
            "Workday does not let ATOM's integration user read workers: give its security "
            "group the domain's view permission"
        )
        return Unread(why, unread.status, unread.code)
    return unread


def _at(told: Any, place: str) -> Any:
    for step in place.split("."):
        told = mapping(told).get(step)
    return told


def _said(value: Any) -> str:
    return ("true" if value is True else text(value)).strip()


def _is_so(value: Any) -> bool:
    return value is True or yes(text(value))
