"""
Calls of one instance: pysnow, behind a guarded session.

pysnow shares one dictionary of parameters between everything that is asked through one
of its resources, so that one person's query can be sent with another's write; each
call here has a client and a resource of its own, whose parameters are what was given
and nothing else. Its `update` reads and then replaces the whole row, and its errors
lose ServiceNow's reason: rows are patched, and refusals are returned with their words.
What is read together is read in one call, by the batch API.
"""

import base64
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import urlencode

import pysnow
import requests
from pysnow.params_builder import ParamsBuilder

from bridge.records.ports import Access, Spent
from connectors.guarded import Line, Session, host_of
from connectors.servicenow.query import Query
from connectors.servicenow.rows import Row
from connectors.servicenow.tables import ALWAYS, sys_id, table_name
from connectors.waits import asked_to_wait

TABLE, CHANGE = "/api/now", "/api/sn_chg_rest"
CATALOGUE, KNOWLEDGE = "/api/sn_sc", "/api/sn_km_api"
PATHS = ("/api/",)
_BATCH = "/api/now/v1/batch"
_MOST = 50  # requests in one batch, which has to be answered within 30 seconds
_ERROR = 400
_BROKEN = 500
_OVERRUN = 429
_UNAUTHENTICATED = 401


@dataclass(frozen=True, slots=True)
class Answer:
    """
    What was answered. A refusal (`ok` is False) holds ServiceNow's own words instead.

    `next` says that there is another page. `request` is the transaction's id.
    """

    status: int
    result: Any = None
    message: str = ""
    detail: str = ""
    next: bool = False
    request: str = ""

    @property
    def ok(self) -> bool:
        return self.status < _ERROR

    @property
    def why(self) -> str:
        """ServiceNow's reason in one line, for the person who asked."""
        told = ": ".join(part for part in (self.message, self.detail) if part)
        return " ".join(told.split())[:300] or f"status {self.status}"

    def rows(self) -> list[Row]:
        """Return the rows in a result."""
        told = self.result
        if isinstance(told, Mapping):
            told = [told]
        return [Row.of(each) for each in told or () if isinstance(each, Mapping)]


@dataclass(frozen=True, slots=True)
class Part:
    """One question of several: an address below the instance, and its parameters."""

    space: str
    path: str
    params: Mapping[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        query = f"?{urlencode(self.params)}" if self.params else ""
        return f"{self.space}{self.path}{query}"


@dataclass(frozen=True, slots=True)
class Page:
    """Which rows of a table to read: as many of `limit` as the account may see."""

    query: Query
    fields: Sequence[str]
    limit: int
    offset: int = 0


def rows_of(table: str, page: Page) -> Part:
    """Return the question for rows; what the query asks about is always read too."""
    wanted = dict.fromkeys((*ALWAYS, *page.fields, *sorted(page.query.fields)))
    return Part(
        TABLE,
        f"/table/{table_name(table)}",
        {
            "sysparm_query": page.query.text,
            "sysparm_fields": ",".join(wanted),
            "sysparm_limit": str(page.limit),
            "sysparm_offset": str(page.offset),
            "sysparm_display_value": "all",
            "sysparm_exclude_reference_link": "true",
        },
    )


class OnlyGiven(ParamsBuilder):  # type: ignore[misc]  # pysnow ships no types
    """Parameters as they were given: pysnow's own would be added to every write."""

    def as_dict(self) -> dict[str, str]:
        return dict(self.custom_params)


class ServiceNowManners:
    """Implements `connectors.guarded.Manners`."""

    def refused(self, answer: requests.Response) -> bool:
        return answer.status_code == _UNAUTHENTICATED

    def quota(self, answer: requests.Response) -> tuple[int, int] | None:  # noqa: ARG002
        # ServiceNow tells the limit of a rule, and never how much of it is used.
        return None

    def pause(self, answer: requests.Response) -> tuple[str | None, float] | None:
        if answer.status_code != _OVERRUN:
            return None
        return None, asked_to_wait(answer.headers, time.time())


class Calls:
    """What can be asked of the instance that a line leads to."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._host = host_of(line.pin.base)

    async def ask(
        self, access: Access, parts: Sequence[Part], *, urgent: bool = True
    ) -> list[Answer]:
        """Read several things at once, in the order they were asked for."""
        answers: list[Answer] = []
        for start in range(0, len(parts), _MOST):
            some = parts[start : start + _MOST]
            work = partial(self._batch, parts=some)
            answers += await self._line.call(access, work, urgent=urgent)
        for answer in answers:
            if answer.status == _OVERRUN:
                seconds = float(answer.detail)
                await self._line.budget.pause(
                    self._line.bucket, access.account, seconds
                )
                raise Spent("ServiceNow takes no more calls for now", seconds)
        return answers

    async def get(self, access: Access, part: Part) -> Answer:
        """Read one thing."""

        def work(session: Session) -> Answer:
            return self._one(session, "GET", part, None)

        return await self._line.call(access, work)

    async def write(
        self,
        access: Access,
        method: str,
        part: Part,
        body: Mapping[str, Any] | None = None,
    ) -> Answer:
        """
        Write one thing, with no retry of its own. Raises `Unsure` for a lost answer.
        """

        def work(session: Session) -> Answer:
            return self._one(session, method, part, body)

        return await self._line.call(access, work, writes=True)

    def _one(
        self,
        session: Session,
        method: str,
        part: Part,
        body: Mapping[str, Any] | None,
    ) -> Answer:
        client = pysnow.Client(host=self._host, session=session)
        client.parameters = OnlyGiven()
        resource = client.resource(api_path=part.path, base_path=part.space)
        resource.parameters.add_custom(dict(part.params))
        data = None if body is None else json.dumps(body)
        response = resource.request(method, data=data)
        try:
            result = response.all()
        except requests.HTTPError as error:
            status = 0 if error.response is None else error.response.status_code
            if error.response is None or not _ERROR <= status < _BROKEN:
                raise session.lost("does not work now") from error
            return _refusal(status, _json(error.response.text))
        except pysnow.exceptions.MissingResult as error:
            raise session.lost("gave an answer that cannot be read") from error
        return Answer(
            _ERROR // 2,
            result[0] if isinstance(result, list) and len(result) == 1 else result,
            next='rel="next"' in session.heard.get("Link", ""),
            request=session.heard.get("X-Transaction-ID", ""),
        )

    def _batch(self, session: Session, parts: Sequence[Part]) -> list[Answer]:
        asked: list[dict[str, Any]] = [
            {
                "id": str(place),
                "method": "GET",
                "url": part.url,
                "headers": [{"name": "Accept", "value": "application/json"}],
            }
            for place, part in enumerate(parts)
        ]
        response = session.post(
            f"https://{self._host}{_BATCH}",
            json={"batch_request_id": "1", "rest_requests": asked},
            headers={"Accept": "application/json"},
        )
        if response.status_code >= _ERROR:
            raise session.lost("does not work now")
        told = response.json()
        served = told.get("serviced_requests") if isinstance(told, dict) else None
        if not isinstance(served, list):
            raise session.lost("gave an answer that cannot be read")
        found = {str(each.get("id")): _served(each) for each in served}
        missing = Answer(503, message="not answered in time")
        return [found.get(str(place), missing) for place in range(len(parts))]


def row_of(table: str, id_: str, fields: Sequence[str] = ()) -> Part:
    """Return the address of one row, to read or to write."""
    return _shown(f"/table/{table_name(table)}/{sys_id(id_)}", fields)


def new_row(table: str, fields: Sequence[str]) -> Part:
    """Return the address to make a row at."""
    return _shown(f"/table/{table_name(table)}", fields)


def _shown(path: str, fields: Sequence[str]) -> Part:
    params = {
        "sysparm_display_value": "all",
        "sysparm_exclude_reference_link": "true",
    }
    if fields:
        params["sysparm_fields"] = ",".join(dict.fromkeys((*ALWAYS, *fields)))
    return Part(TABLE, path, params)


def _served(each: Mapping[str, Any]) -> Answer:
    status = int(each.get("status_code", _BROKEN))
    headers = {str(h["name"]): str(h["value"]) for h in each.get("headers") or ()}
    if status == _OVERRUN:
        return Answer(status, detail=str(asked_to_wait(headers, time.time())))
    told = _json(base64.b64decode(each.get("body") or "").decode("utf-8", "replace"))
    if status >= _ERROR:
        return _refusal(status, told)
    if not isinstance(told, Mapping) or "result" not in told:
        return Answer(_BROKEN, message="an answer that cannot be read")
    return Answer(status, told["result"], next='rel="next"' in headers.get("Link", ""))


def _refusal(status: int, told: Any) -> Answer:
    error = told.get("error") if isinstance(told, Mapping) else None
    if not isinstance(error, Mapping):
        return Answer(status)
    return Answer(
        status,
        message=str(error.get("message") or ""),
        detail=str(error.get("detail") or ""),
    )


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
