"""REST resources, as functions of method, path, headers and body: composite uses them too."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import format_datetime, parsedate_to_datetime
from typing import Any
from urllib.parse import unquote

from connectors.sandbox.salesforce import ids, record_types
from connectors.sandbox.salesforce.asking import Asking, sosl
from connectors.sandbox.salesforce.refusals import Refused, missing_type, told
from connectors.sandbox.salesforce.schema import OBJECTS, described, field_of
from connectors.sandbox.salesforce.store import Row, Store, moment, shown
from connectors.sandbox.users import User

VERSION = "62.0"
_PAGE = 2000
_WINDOW = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Call:
    """One request, alone or inside a composite one. `path` is below `/services/data/vX/`."""

    user: User
    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None

    @property
    def client(self) -> str:
        """Who calls itself how, in `Sforce-Call-Options: client=…`."""
        match = re.search(r"client=([^,;]+)", self.header("Sforce-Call-Options"))
        return match[1] if match else ""

    def header(self, name: str) -> str:
        wanted = name.casefold()
        for one, value in self.headers.items():
            if one.casefold() == wanted:
                return value
        return ""


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer; `body` None is empty."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Rest:
    """The resources that one call inside or outside of a composite can ask for."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._pages: dict[str, list[Row]] = {}
        self.page = _PAGE

    def handle(self, call: Call) -> Reply:
        """Answer a call; what the org refuses is an answer too."""
        try:
            return self._route(call)
        except Refused as no:
            return Reply(no.status, no.body())

    def _route(self, call: Call) -> Reply:
        parts = [unquote(one) for one in call.path.strip("/").split("/")]
        match parts:
            case ["query" | "queryAll"]:
                return self._query(call, deleted=parts[0] == "queryAll")
            case ["query" | "queryAll", more]:
                return self._more(more)
            case ["search"]:
                words, wanted = sosl(call.query.get("q", ""))
                found = Asking(self._store, call.user).search(words, wanted, 2000)
                return Reply(200, {"searchRecords": found})
            case ["parameterizedSearch"]:
                return self._search(call)
            case ["sobjects"]:
                return Reply(200, {"sobjects": self._kinds(call.user)})
            case ["sobjects", kind, *rest]:
                return self._sobject(call, kind, rest)
            case ["ui-api", "object-info", kind, "picklist-values", record_type]:
                return self._choices(call.user, kind, record_type)
        raise told("NOT_FOUND")

    def _sobject(self, call: Call, kind: str, rest: list[str]) -> Reply:
        if kind not in OBJECTS:
            raise told("NOT_FOUND")
        match call.method, rest:
            case "POST", []:
                row = self._store.create(
                    call.user, kind, _object(call.body), call.client
                )
                return Reply(201, {"id": row["Id"], "success": True, "errors": []})
            case "GET", []:
                return Reply(200, {"objectDescribe": {"name": kind}, "recentItems": []})
            case "GET", ["describe"]:
                return self._describe(call, kind)
            case "GET", ["describe", "layouts", *_]:
                return Reply(200, {"layouts": [], "recordTypeMappings": []})
            case "GET", ["updated" | "deleted" as what]:
                return self._replicated(call, kind, what)
            case _, [id_]:
                return self._row(call, kind, id_)
            case "PATCH" | "GET", [name, value]:
                return self._by_key(call, kind, name, value)
        raise told("NOT_FOUND")

    def _row(self, call: Call, kind: str, id_: str) -> Reply:
        row = self._store.row(call.user, kind, id_)
        if call.method == "GET":
            asking = Asking(self._store, call.user)
            if self._unchanged(call, kind, row):
                return Reply(304)
            names = [one for one in call.query.get("fields", "").split(",") if one]
            body = (
                asking.fields(kind, row, names)
                if names
                else asking.everything(kind, row)
            )
            return Reply(200, body, {"ETag": _etag(row)} if kind == "Account" else {})
        if call.method == "PATCH":
            self._condition(call, kind, row)
            self._store.update(call.user, kind, id_, _object(call.body), call.client)
            return Reply(204)
        if call.method == "DELETE":  # conditions are not supported here
            self._store.delete(call.user, kind, id_, call.client)
            return Reply(204)
        raise Refused(405, "METHOD_NOT_ALLOWED", "HTTP Method not allowed")

    def _condition(self, call: Call, kind: str, row: Row) -> None:
        """Hold a write to its condition: to the second; ETags for accounts alone."""
        since = call.header("If-Unmodified-Since")
        if since and _second(row["LastModifiedDate"]) > _http_date(since):
            raise told("PRECONDITION_FAILED")
        wanted = call.header("If-Match")
        if wanted and kind == "Account" and _etag(row) not in wanted:
            raise told("PRECONDITION_FAILED")

    def _unchanged(self, call: Call, kind: str, row: Row) -> bool:
        known = call.header("If-None-Match")
        if known and kind == "Account":
            return _etag(row) in known
        since = call.header("If-Modified-Since")
        return bool(since) and _second(row["LastModifiedDate"]) <= _http_date(since)

    def _by_key(self, call: Call, kind: str, name: str, value: str) -> Reply:
        one = field_of(kind, name)
        if one is None or not one.external:
            message = f"Provided external ID field does not exist: {name}"
            raise Refused(404, "NOT_FOUND", message)
        row = self._store.by_key(kind, one.name, value)
        if call.method == "GET":
            if row is None or not self._store.shares(call.user, row):
                raise told("NOT_FOUND")
            return Reply(200, Asking(self._store, call.user).everything(kind, row))
        values = _object(call.body)
        if row is None:
            made = self._store.create(
                call.user, kind, values | {one.name: value}, call.client
            )
            told_ = {"id": made["Id"], "success": True, "errors": [], "created": True}
            return Reply(201, told_)
        self._store.update(call.user, kind, row["Id"], values, call.client)
        told_ = {"id": row["Id"], "success": True, "errors": [], "created": False}
        return Reply(200, told_)

    def _query(self, call: Call, *, deleted: bool) -> Reply:
        asking = Asking(self._store, call.user)
        rows = asking.query(call.query.get("q", ""), deleted=deleted)
        return Reply(200, self._paged(rows, len(rows), 0))

    def _paged(self, rows: list[Row], total: int, start: int) -> Row:
        first, rest = rows[: self.page], rows[self.page :]
        told_: Row = {"totalSize": total, "done": not rest, "records": first}
        if rest:
            place = start + len(first)
            cursor = f"01g5g00000{len(self._pages):05d}AAA-{place}"
            self._pages[cursor] = rest
            told_["nextRecordsUrl"] = f"/services/data/v{VERSION}/query/{cursor}"
        return told_

    def _more(self, cursor: str) -> Reply:
        rest = self._pages.get(cursor)
        if rest is None:
            raise Refused(400, "INVALID_QUERY_LOCATOR", "invalid query locator")
        place = int(cursor.rpartition("-")[2])
        return Reply(200, self._paged(rest, place + len(rest), place))

    def _search(self, call: Call) -> Reply:
        asked: Row = _object(call.body) if call.method == "POST" else {**call.query}
        most = int(asked.get("overallLimit") or 2000)
        wanted = [
            (
                str(one["name"]),
                [str(name) for name in one.get("fields", ["Id"])],
                int(one.get("limit", asked.get("defaultLimit") or 2000)),
            )
            for one in asked.get("sobjects", ())
        ]
        found = Asking(self._store, call.user).search(str(asked["q"]), wanted, most)
        return Reply(200, {"searchRecords": found})

    def _kinds(self, user: User) -> list[Row]:
        return [{"name": kind} for kind in OBJECTS if user.profile.may("r", kind)]

    def _describe(self, call: Call, kind: str) -> Reply:
        profile = call.user.profile
        if not profile.may("r", kind):
            raise told("NOT_FOUND")
        # The org's metadata never changes, so that whoever has it has the newest.
        if call.header("If-Modified-Since"):
            return Reply(304)
        fields = [
            described(one, writable=profile.writes(kind, one.name))
            for one in self._store.columns(call.user, kind)
        ]
        body = {
            "name": kind,
            "label": kind,
            "keyPrefix": ids.PREFIXES[kind],
            "createable": profile.may("c", kind),
            "updateable": profile.may("u", kind),
            "deletable": profile.may("d", kind),
            "fields": fields,
            "recordTypeInfos": record_types.infos(self._store.types(kind), call.user),
        }
        changed = format_datetime(self._store.clock.moment(), usegmt=True)
        return Reply(200, body, {"Last-Modified": changed})

    def _choices(self, user: User, kind: str, record_type: str) -> Reply:
        if kind not in OBJECTS or not user.profile.may("r", kind):
            raise missing_type(kind)
        types = {one.id: one.values for one in self._store.types(kind)}
        if record_type not in {*types, record_types.MASTER}:
            raise told("NOT_FOUND")
        kept = types.get(record_type, {})
        values = {
            one.name: {
                "controllerValues": {},
                "values": [
                    {"value": value["value"], "label": value["label"], "validFor": []}
                    for value in described(one, writable=True)["picklistValues"]
                    if value["value"] in kept.get(one.name, one.choices)
                ],
            }
            for one in self._store.columns(user, kind)
            if one.type == "picklist"
        }
        return Reply(200, {"picklistFieldValues": values})

    def _replicated(self, call: Call, kind: str, what: str) -> Reply:
        if not call.user.profile.may("r", kind):
            raise told("NOT_FOUND")
        try:
            start, end = moment(call.query["start"]), moment(call.query["end"])
        except (KeyError, ValueError):
            raise Refused(400, "INVALID_FIELD", "start and end are needed") from None
        now = self._store.clock.moment()
        if end <= start or now - start > _WINDOW:
            raise Refused(400, "INVALID_REPLICATION_DATE", "window is too large")
        # Both times are cut to the minute, as the vendor does.
        latest = shown(now.replace(second=0, microsecond=0))
        gone = what == "deleted"
        rows = [
            row
            for row in self._store.rows[kind].values()
            if row["IsDeleted"] == gone
            and self._store.shares(call.user, row)
            and start <= moment(row["SystemModstamp"]) < end
        ]
        if not gone:
            ids_ = [row["Id"] for row in rows]
            return Reply(200, {"ids": ids_, "latestDateCovered": latest})
        told_ = [{"id": r["Id"], "deletedDate": r["SystemModstamp"]} for r in rows]
        earliest = shown(now - timedelta(days=15))
        covered = {"earliestDateAvailable": earliest, "latestDateCovered": latest}
        return Reply(200, {"deletedRecords": told_, **covered})


def _object(body: Any) -> Row:
    if not isinstance(body, dict):
        raise Refused(400, "JSON_PARSER_ERROR", "Unexpected character")
    return body


def _etag(row: Row) -> str:
    told_ = hashlib.sha256(f"{row['Id']}{row['SystemModstamp']}".encode())
    return f'"{told_.hexdigest()[:20]}--gzip"'


def _second(text: str) -> float:
    return moment(text).replace(microsecond=0).timestamp()


def _http_date(text: str) -> float:
    try:
        return parsedate_to_datetime(text).timestamp()
    except ValueError:
        raise Refused(400, "INVALID_HEADER", "date is not valid") from None
