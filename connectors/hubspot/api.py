"""
The calls that are made of HubSpot's CRM API, and what its refusals mean.

Sources: HubSpot, "CRM API | Objects", "Search the CRM", "API usage guidelines".
"""

import asyncio
import re
from collections.abc import (
    AsyncIterator,
    Awaitable,
    Callable,
    Iterable,
    Mapping,
    Sequence,
)
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from bridge.errors import AtomError, ServiceUnavailable
from bridge.records.ports import Access, Gone, NotYours, Rejected, Spent
from connectors.hubspot.pace import Pace
from connectors.hubspot.portal import Kind
from connectors.remembered import Remembered
from connectors.rest import Answer, Call, Manner, Quota, Rest

MOST = 100  # objects in a batch
_A_MOMENT = 2.0  # seconds that a search is waited for
_TAKEN = re.compile(r"Existing ID: (\d+)")

Sleep = Callable[[float], Awaitable[None]]
Json = Mapping[str, Any]


def _quota(headers: Mapping[str, str]) -> Quota | None:
    most = headers.get("X-HubSpot-RateLimit-Daily", "")
    left = headers.get("X-HubSpot-RateLimit-Daily-Remaining", "")
    if not most.isdecimal() or not left.isdecimal():
        return None
    return Quota(int(most) - int(left), int(most))


def _pauses(answer: Answer) -> bool:
    """The limit by the second is of searches alone."""
    return answer.object.get("policyName") != "SECONDLY"


MANNER = Manner(quota=_quota, pauses=_pauses, request_ids=("X-HubSpot-Correlation-Id",))


class Taken(Rejected):
    """Another object has a value that has to be unique; `id` is the other's."""

    def __init__(self, reason: str, id_: str) -> None:
        super().__init__(reason)
        self.id = id_


@dataclass(slots=True)
class Api:
    """One portal's API, as whoever asks."""

    rest: Rest
    version: str = "v3"
    sleep: Sleep = asyncio.sleep
    _known: Remembered[Any] = field(default_factory=lambda: Remembered(600.0))
    _named: Remembered[str] = field(default_factory=lambda: Remembered(60.0))
    _pace: Pace = field(init=False)

    def __post_init__(self) -> None:
        self._pace = Pace(self.rest.clock, self.sleep)

    async def get(self, access: Access, *path: str, **params: str) -> Json:
        """Return what stands there. Raises `Gone`."""
        answer = await self.rest.send(access, Call("GET", path, params))
        return self.granted(answer).object

    async def write(
        self, access: Access, method: str, path: Sequence[str], body: Any
    ) -> Answer:
        """Write once. Raises `Rejected`, `Taken` and `Unsure`."""
        return self.granted(await self.rest.send(access, Call(method, path, json=body)))

    def objects(self, kind: str, *more: str) -> tuple[str, ...]:
        return ("crm", self.version, "objects", kind, *more)

    async def read(
        self,
        access: Access,
        kind: str,
        ids: Iterable[str],
        properties: Iterable[str],
        *,
        urgent: bool = True,
    ) -> dict[str, Json]:
        """Return objects as they are now, by id; what is not there is left out."""
        found: dict[str, Json] = {}
        wanted = list(dict.fromkeys(ids))
        for start in range(0, len(wanted), MOST):
            body = {
                "properties": list(properties),
                "inputs": [{"id": each} for each in wanted[start : start + MOST]],
            }
            path = self.objects(kind, "batch", "read")
            told = await self._asked(access, path, body, urgent=urgent)
            found |= {str(each["id"]): each for each in dicts(told.get("results"))}
        return found

    async def names(self, access: Access, companies: Iterable[str]) -> dict[str, str]:
        """Return companies' names by id, as this account was told within a minute."""
        keys = {id_: f"{access.account}/{id_}" for id_ in companies}
        found = {
            id_: name
            for id_, key in keys.items()
            if (name := self._named.get(key)) is not None
        }
        unknown = [id_ for id_ in keys if id_ not in found]
        read = await self.read(access, "companies", unknown, ["name"])
        for id_, each in read.items():
            found[id_] = str((each.get("properties") or {}).get("name") or "")
            self._named.keep(keys[id_], found[id_])
        return found

    async def linked(
        self, access: Access, kind: str, ids: Sequence[str], to: str
    ) -> dict[str, list[str]]:
        """Return the ids of what objects belong to, the first of each first."""
        path = ("crm", "v4", "associations", kind, to, "batch", "read")
        found: dict[str, list[str]] = {}
        for start in range(0, len(ids), MOST):
            body = {"inputs": [{"id": each} for each in ids[start : start + MOST]]}
            told = await self._asked(access, path, body)
            for each in dicts(told.get("results")):
                others = [str(o["toObjectId"]) for o in dicts(each.get("to"))]
                found[str((each.get("from") or {}).get("id"))] = others
        return found

    async def search(
        self, access: Access, kind: Kind, body: Json, *, urgent: bool = True
    ) -> Json:
        """Search; there are few searches a second, so one may be waited for."""
        path = self.objects(kind.plural, "search")
        try:
            async with self._turn(urgent=urgent):
                return await self._asked(access, path, body, urgent=urgent)
        except Spent as spent:  # others search in this portal as well
            if spent.retry_after > _A_MOMENT:
                raise
            await self.sleep(spent.retry_after)
        async with self._turn(urgent=urgent):
            return await self._asked(access, path, body, urgent=urgent)

    @asynccontextmanager
    async def _turn(self, *, urgent: bool) -> AsyncIterator[None]:
        """Wait for a place among the searches of this process, and then of all."""
        async with self._pace.turn(urgent=urgent):
            budget, bucket = self.rest.budget, self.rest.bucket
            while wait := await budget.search(bucket, urgent=urgent):
                await self.sleep(wait)
            yield

    async def pipelines(self, access: Access, kind: Kind) -> list[Json]:
        """Return the pipelines of a kind; they are the same for all accounts."""
        path = ("crm", "v3", "pipelines", kind.plural)
        return dicts((await self._remembered(access, path)).get("results"))

    async def properties(self, access: Access, kind: Kind) -> list[Json]:
        """Return what this account may know of objects of a kind."""
        told = await self.get(access, "crm", "v3", "properties", kind.plural)
        return dicts(told.get("results"))

    async def owners(self, access: Access) -> dict[str, str]:
        """Return the names of owners by their ids."""
        told = await self._remembered(access, ("crm", "v3", "owners"))
        return {
            str(each.get("id")): " ".join(
                filter(
                    None, (str(each.get(n) or "") for n in ("firstName", "lastName"))
                )
            )
            or str(each.get("email") or "")
            for each in dicts(told.get("results"))
        }

    def granted(self, answer: Answer) -> Answer:
        """Return the answer if it is no refusal."""
        if not answer.well:
            raise _refusal(answer)
        return answer

    async def _remembered(self, access: Access, path: Sequence[str]) -> Json:
        name = "/".join(path)
        known: Json | None = self._known.get(name)
        if known is None:
            known = await self.get(access, *path)
            self._known.keep(name, known)
        return known

    async def _asked(
        self, access: Access, path: Sequence[str], body: Any, *, urgent: bool = True
    ) -> Json:
        call = Call("POST", path, json=body, urgent=urgent, repeatable=True)
        return self.granted(await self.rest.send(access, call)).object


def dicts(value: Any) -> list[Json]:
    """Return the objects of a list; of anything else, none."""
    return [e for e in value if isinstance(e, dict)] if isinstance(value, list) else []


def _refusal(answer: Answer) -> AtomError:
    told = answer.object
    match answer.status:
        case HTTPStatus.NOT_FOUND:
            return Gone("it was deleted, or is not yours to see")
        case HTTPStatus.FORBIDDEN:
            return NotYours("HubSpot does not let you do that")
        case HTTPStatus.CONFLICT:
            message = str(told.get("message", ""))
            match = _TAKEN.search(message)
            return Taken("there is one like that already", match[1] if match else "")
        case HTTPStatus.BAD_REQUEST:
            return Rejected("HubSpot does not take what was entered", _wrong(told))
    return ServiceUnavailable(f"HubSpot said {answer.status}")


def _wrong(told: Json) -> dict[str, str]:
    found = {}
    for each in dicts(told.get("errors")):
        context = each.get("context")
        names = context.get("propertyName") if isinstance(context, dict) else None
        for name in names if isinstance(names, list) else ():
            found[str(name)] = str(each.get("message", "is not taken"))[:200]
    return found
