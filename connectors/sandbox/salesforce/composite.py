"""Several calls in one: composite requests, and collections of up to 200 records."""

import re
from collections.abc import Mapping
from copy import deepcopy
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from connectors.sandbox.salesforce.asking import Asking
from connectors.sandbox.salesforce.refusals import Refused, told
from connectors.sandbox.salesforce.rest import Call, Reply, Rest
from connectors.sandbox.salesforce.store import Row, Store
from connectors.sandbox.users import User

_MOST_CALLS, _MOST_QUERIES, _MOST_RECORDS = 25, 5, 200
_NAME = re.compile(r"\w+", re.ASCII)
_VERSION_PATH = re.compile(r"/services/data/v[\d.]+/")


class Composite:
    """The resources below `composite`."""

    def __init__(self, store: Store, rest: Rest) -> None:
        self._store = store
        self._rest = rest

    def handle(self, call: Call) -> Reply:
        try:
            match call.path.strip("/").split("/"), call.method:
                case ["composite"], "POST":
                    return self._several(call)
                case ["composite", "sobjects", kind], "POST":
                    return self._read(call, kind)
                case ["composite", "sobjects"], "POST" | "PATCH" | "DELETE":
                    return self._collection(call)
        except Refused as no:
            return Reply(no.status, no.body())
        return Reply(404, told("NOT_FOUND").body())

    def _several(self, call: Call) -> Reply:
        wanted = call.body.get("compositeRequest", [])
        queries = [one for one in wanted if "/query" in one["url"]]
        if len(wanted) > _MOST_CALLS or len(queries) > _MOST_QUERIES:
            raise Refused(400, "LIMIT_EXCEEDED", "too many subrequests")
        _well_formed(wanted)
        before = deepcopy((self._store.rows, self._store.changes))
        replies: dict[str, Reply] = {}
        whole, failed = bool(call.body.get("allOrNone")), ""
        for one in wanted:
            if failed:
                break  # what comes after it is not tried
            reply = self._rest.handle(_inner(call, one, replies))
            replies[one["referenceId"]] = reply
            if whole and reply.status >= 400:  # noqa: PLR2004 - HTTP's own number
                failed = one["referenceId"]
        if failed:
            self._store.rows, self._store.changes = before
            halted = "The transaction was rolled back since another operation in the"
            halted += " same transaction failed."
            undone = Reply(400, [{"errorCode": "PROCESSING_HALTED", "message": halted}])
            names = [one["referenceId"] for one in wanted]
            replies = {n: replies[n] if n == failed else undone for n in names}
        answers = [
            {
                "body": reply.body,
                "httpHeaders": dict(reply.headers),
                "httpStatusCode": reply.status,
                "referenceId": name,
            }
            for name, reply in replies.items()
        ]
        return Reply(200, {"compositeResponse": answers})

    def _read(self, call: Call, kind: str) -> Reply:
        ids, fields = call.body.get("ids", []), call.body.get("fields", [])
        _few(ids)
        asking = Asking(self._store, call.user)
        rows: list[Row | None] = []
        for id_ in ids:
            try:
                row = self._store.row(call.user, kind, id_)
            except Refused:
                rows.append(None)
            else:
                rows.append(asking.fields(kind, row, fields))
        return Reply(200, rows)

    def _collection(self, call: Call) -> Reply:
        if call.method == "DELETE":
            records = [{"id": one} for one in call.query.get("ids", "").split(",")]
            all_or_none = call.query.get("allOrNone") == "true"
        else:
            records = call.body.get("records", [])
            all_or_none = bool(call.body.get("allOrNone"))
        _few(records)
        before = deepcopy((self._store.rows, self._store.changes))
        results = [
            self._one(call.user, call.method, one, call.client) for one in records
        ]
        if all_or_none and not all(one["success"] for one in results):
            self._store.rows, self._store.changes = before
            rolled = Refused(400, "ALL_OR_NONE_OPERATION_ROLLED_BACK", "rolled back")
            results = [
                {"success": False, "errors": one["errors"] or [rolled.inner()]}
                for one in results
            ]
        return Reply(200, results)

    def _one(self, user: User, method: str, record: Row, client: str) -> Row:
        values = {
            name: value
            for name, value in record.items()
            if name not in {"id", "Id", "attributes"}
        }
        id_ = str(record.get("id") or record.get("Id") or "")
        kind = str(record.get("attributes", {}).get("type", "")) or self._kind(id_)
        try:
            if method == "POST":
                id_ = self._store.create(user, kind, values, client)["Id"]
            elif method == "PATCH":
                self._store.update(user, kind, id_, values, client)
            else:
                self._store.delete(user, kind, id_, client)
        except Refused as no:
            return {"success": False, "errors": [no.inner()]}
        return {"id": id_, "success": True, "errors": []}

    def _kind(self, id_: str) -> str:
        return next(
            (kind for kind, rows in self._store.rows.items() if id_ in rows), ""
        )


def _well_formed(wanted: Any) -> None:
    """Refuse the whole call for one part that cannot be read, or says too much."""
    names = [str(one.get("referenceId", "")) for one in wanted]
    if not all(_NAME.fullmatch(one) for one in names) or len(set(names)) < len(names):
        raise Refused(400, "INVALID_INPUT", "Provide a unique referenceId")
    for one in wanted:
        given = {str(name).casefold() for name in one.get("httpHeaders") or ()}
        if given & {"accept", "authorization", "content-type"}:
            raise Refused(400, "INVALID_INPUT", "These headers are inherited")


def _inner(call: Call, one: Mapping[str, Any], replies: Mapping[str, Reply]) -> Call:
    split = urlsplit(_referred(one["url"], replies))
    path = _VERSION_PATH.sub("", split.path, count=1)
    headers = dict(call.headers) | dict(one.get("httpHeaders", {}))
    body = _referred(one.get("body"), replies)
    return Call(
        call.user, one["method"], path, dict(parse_qsl(split.query)), headers, body
    )


def _referred(value: Any, replies: Mapping[str, Reply]) -> Any:
    """Put in what earlier answers said, for `@{name.id}`."""
    if isinstance(value, dict):
        return {name: _referred(one, replies) for name, one in value.items()}
    if not isinstance(value, str):
        return value

    def found(match: re.Match[str]) -> str:
        reply = replies.get(match[1])
        body = reply.body if reply else None
        return str(body.get(match[2], "")) if isinstance(body, dict) else ""

    return re.sub(r"@\{(\w+)\.(\w+)\}", found, value)


def _few(records: Any) -> None:
    if not isinstance(records, list) or len(records) > _MOST_RECORDS:
        raise Refused(400, "LIMIT_EXCEEDED", "record limit reached")
