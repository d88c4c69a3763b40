"""
The SCIM server's endpoints: RFC 7644 section 3.2, for one company's client at a time.

An answer is 202 instead of 200, 201 or 204 if the change is stored and the directory's
own circuit breaker lets it wait for an admin's word.
"""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from bridge.directory.scim import ScimKind
from bridge.directory.scim_server import ScimAnswer, ScimRequest
from policy.directory.scim import discovery
from policy.directory.scim.asking import Query, wanted
from policy.directory.scim.bulk import Bulk, Done, Step
from policy.directory.scim.patching import PATCH, operations
from policy.directory.scim.problems import (
    Problem,
    invalid_path,
    invalid_syntax,
    unknown,
)
from policy.directory.scim.rendering import etag, location
from policy.directory.scim.schemas import shape
from policy.directory.scim.service import Answer, ScimService
from policy.directory.scim.showing import Wanted
from policy.directory.scim.targets import Caller, Target, tagged

_ENDPOINTS = {shape(kind).endpoint.strip("/").lower(): kind for kind in ScimKind}
_HELD = 202

_Act = Callable[[ScimRequest, Sequence[str]], Awaitable[ScimAnswer]]


@dataclass(frozen=True, slots=True)
class ScimEndpoints:
    """Implements `bridge.directory.scim_server.ScimServer`."""

    service: ScimService

    async def answer(self, request: ScimRequest) -> ScimAnswer:
        try:
            acts, given = self._route(request.path)
            method = "GET" if request.method == "HEAD" else request.method
            if method not in acts:
                refusal = Problem(405, f"{request.method} is not for this endpoint")
                allow = {"Allow": ", ".join(acts)}
                return ScimAnswer(405, refusal.answer().body, allow)
            return await acts[method](request, given)
        except Problem as problem:
            return problem.answer()

    def _route(self, path: str) -> tuple[Mapping[str, _Act], Sequence[str]]:
        routes: Sequence[tuple[str, Mapping[str, _Act]]] = (
            ("", {"GET": self._everything}),
            ("ServiceProviderConfig", {"GET": self._config}),
            ("ResourceTypes", {"GET": self._types}),
            ("ResourceTypes/([^/]+)", {"GET": self._type}),
            ("Schemas", {"GET": self._schemas}),
            ("Schemas/([^/]+)", {"GET": self._schema}),
            ("Me", dict.fromkeys(("GET", "POST", "PUT", "PATCH", "DELETE"), _nobody)),
            ("Bulk", {"POST": self._bulk}),
            (r"\.search", {"POST": self._search_all}),
            ("(Users|Groups)", {"GET": self._list, "POST": self._create}),
            (r"(Users|Groups)/\.search", {"POST": self._search}),
            (
                "(Users|Groups)/([^/]+)",
                {
                    "GET": self._read,
                    "PUT": self._replace,
                    "PATCH": self._patch,
                    "DELETE": self._delete,
                },
            ),
        )
        for pattern, acts in routes:
            if found := re.fullmatch(pattern, path):
                return acts, found.groups()
        raise unknown("there is no such endpoint: see RFC 7644, 3.2")

    async def _config(self, request: ScimRequest, _: Sequence[str]) -> ScimAnswer:
        discovery.refuse_filter(request.query)
        return ScimAnswer(200, discovery.service(request.base))

    async def _types(self, request: ScimRequest, _: Sequence[str]) -> ScimAnswer:
        discovery.refuse_filter(request.query)
        return ScimAnswer(200, discovery.listed(discovery.types(request.base)))

    async def _type(self, request: ScimRequest, given: Sequence[str]) -> ScimAnswer:
        return ScimAnswer(200, discovery.one_type(given[0], request.base))

    async def _schemas(self, request: ScimRequest, _: Sequence[str]) -> ScimAnswer:
        discovery.refuse_filter(request.query)
        return ScimAnswer(200, discovery.listed(discovery.schemas(request.base)))

    async def _schema(self, request: ScimRequest, given: Sequence[str]) -> ScimAnswer:
        return ScimAnswer(200, discovery.one_schema(given[0], request.base))

    async def _everything(self, request: ScimRequest, _: Sequence[str]) -> ScimAnswer:
        return await self._found(request, list(ScimKind), Query.of_url(request.query))

    async def _list(self, request: ScimRequest, given: Sequence[str]) -> ScimAnswer:
        query = Query.of_url(request.query)
        return await self._found(request, [_kind(given)], query)

    async def _search_all(self, request: ScimRequest, _: Sequence[str]) -> ScimAnswer:
        query = Query.of_body(_body(request))
        return await self._found(request, list(ScimKind), query)

    async def _search(self, request: ScimRequest, given: Sequence[str]) -> ScimAnswer:
        query = Query.of_body(_body(request))
        return await self._found(request, [_kind(given)], query)

    async def _found(
        self, request: ScimRequest, kinds: Sequence[ScimKind], query: Query
    ) -> ScimAnswer:
        found = await self.service.search(_caller(request), kinds, query)
        return ScimAnswer(
            200, discovery.listed(found.documents, found.total, found.start)
        )

    async def _create(self, request: ScimRequest, given: Sequence[str]) -> ScimAnswer:
        payload = _body(request)
        made = await self.service.create(_caller(request), _kind(given), payload)
        return _shown(request, made, 201)

    async def _read(self, request: ScimRequest, given: Sequence[str]) -> ScimAnswer:
        caller, target, shows = (
            _caller(request),
            _target(request, given),
            _wanted(request),
        )
        if request.none_match:
            kept = await self.service.kept(caller, target)
            if tagged(request.none_match, kept.version):
                return ScimAnswer(304, None, {"ETag": etag(kept.version)})
        read = await self.service.read(caller, target, shows)
        return ScimAnswer(200, read.document, _headers(request, read))

    async def _replace(self, request: ScimRequest, given: Sequence[str]) -> ScimAnswer:
        payload = _body(request)
        target = _target(request, given)
        put = await self.service.replace(_caller(request), target, payload)
        return _shown(request, put, 200)

    async def _patch(self, request: ScimRequest, given: Sequence[str]) -> ScimAnswer:
        steps = operations(_body(request))
        target = _target(request, given)
        patched = await self.service.patch(_caller(request), target, steps)
        return _shown(request, patched, 200)

    async def _delete(self, request: ScimRequest, given: Sequence[str]) -> ScimAnswer:
        target = _target(request, given)
        deleted = await self.service.delete(_caller(request), target)
        return ScimAnswer(_HELD if deleted.held else 204)

    async def _bulk(self, request: ScimRequest, _: Sequence[str]) -> ScimAnswer:
        async def execute(step: Step) -> Done:
            return await self._step(_caller(request), step)

        return ScimAnswer(200, await Bulk.of(_body(request), execute).run())

    async def _step(self, caller: Caller, step: Step) -> Done:
        """Do one operation of a bulk request, and tell how it ended."""
        try:
            kind, resource = _bulk_path(step)
            status, done = await self._done(caller, step, kind, resource)
        except Problem as problem:
            where = f"{caller.base}/{step.path.strip('/')}"
            made = step.method == "POST"
            body = problem.answer().body
            return Done(problem.status, location="" if made else where, body=body)
        place = location(caller.base, kind, done.kept.id)
        version = "" if step.method == "DELETE" else etag(done.kept.version)
        return Done(_HELD if done.held else status, done.kept.id, place, version)

    async def _done(
        self, caller: Caller, step: Step, kind: ScimKind, resource: str
    ) -> tuple[int, Answer]:
        target = Target(kind, resource, step.version)
        match step.method:
            case "POST":
                return 201, await self.service.create(caller, kind, step.data)
            case "PUT":
                return 200, await self.service.replace(caller, target, step.data)
            case "PATCH":
                steps = operations(_as_patch(step.data))
                return 200, await self.service.patch(caller, target, steps)
            case _:
                return 204, await self.service.delete(caller, target)


async def _nobody(_request: ScimRequest, _given: Sequence[str]) -> ScimAnswer:
    raise Problem(501, "a token is a company's and not a person's: there is no /Me")


def _body(request: ScimRequest) -> Any:
    try:
        return orjson.loads(request.body)
    except orjson.JSONDecodeError as error:
        raise invalid_syntax("the body is no JSON") from error


def _caller(request: ScimRequest) -> Caller:
    return Caller(request.tenant, request.base)


def _kind(given: Sequence[str]) -> ScimKind:
    return _ENDPOINTS[given[0].lower()]


def _target(request: ScimRequest, given: Sequence[str]) -> Target:
    return Target(_kind(given), given[1], request.match)


def _wanted(request: ScimRequest) -> Wanted:
    return wanted({name.lower(): value for name, value in request.query.items()})


def _headers(request: ScimRequest, told: Answer) -> dict[str, str]:
    place = location(request.base, told.kept.kind, told.kept.id)
    return {"ETag": etag(told.kept.version), "Location": place}


def _shown(request: ScimRequest, told: Answer, status: int) -> ScimAnswer:
    document = _wanted(request).of(shape(told.kept.kind), told.document)
    return ScimAnswer(_HELD if told.held else status, document, _headers(request, told))


def _bulk_path(step: Step) -> tuple[ScimKind, str]:
    parts = step.path.strip("/").split("/")
    kind = _ENDPOINTS.get(parts[0].lower())
    whole = 1 if step.method == "POST" else 2
    if kind is None or len(parts) != whole:
        raise invalid_path(f"{step.method} needs a path such as /Users or /Users/ID")
    return kind, parts[1] if whole > 1 else ""


def _as_patch(data: Any) -> Any:
    """Return a PATCH body; within a bulk request its schemas may be left out."""
    if isinstance(data, dict) and not any(name.lower() == "schemas" for name in data):
        return {"schemas": [PATCH], **data}
    return data
