"""
The Table API: `/api/now/[v1|v2/]table/{table}[/{sys_id}]`.

Source: ServiceNow's documentation, "Table API". What surprises people is here on
purpose: unknown fields are left out, unknown parts of queries too (and then more rows
come, not fewer), the limit counts rows before the access controls do, and so does
`X-Total-Count`, and fields that may not be written are dropped without a word.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from connectors.sandbox.servicenow import encoded
from connectors.sandbox.servicenow.dictionary import TABLES, Table
from connectors.sandbox.servicenow.instance import Instance, Row
from connectors.sandbox.servicenow.replies import (
    NO_RECORD,
    NOT_AUTHORIZED,
    Call,
    Failure,
    Reply,
)
from connectors.sandbox.servicenow.rights import may_write, sees, writes

_LIMIT = 10_000


def answer(instance: Instance, call: Call) -> Reply:
    """Do one call of the Table API. Raises `Failure`."""
    name, *rest = call.path
    table = instance.table(name)
    if not call.user.profile.may("r", name):
        raise Failure(403, *NOT_AUTHORIZED)
    if not rest:
        return _many(instance, table, call)
    if len(rest) > 1:
        raise Failure(400, "Requested URI does not represent any resource")
    return _one(instance, table, rest[0], call)


def _many(instance: Instance, table: Table, call: Call) -> Reply:
    if call.method == "POST":
        made = create(instance, table, call.user.profile.may("c", table.name), call)
        reply = _single(instance, table, made, call, 201)
        reply.headers["Location"] = f"{call.url}/{made['sys_id']}"
        return reply
    if call.method != "GET":
        raise Failure(405, "Method Not Allowed")
    found = search(instance, table, call.params.get("sysparm_query", ""))
    limit = _number(call.params.get("sysparm_limit"), _LIMIT)
    offset = _number(call.params.get("sysparm_offset"), 0)
    page = found[offset : offset + limit]
    rows = [each for each in page if instance_sees(instance, call, table, each)]
    if not rows and call.version == "v1":
        raise Failure(404, "No Record found", "Record doesn't exist or ACL restricts")
    shown = [_shown(instance, table, each, call) for each in rows]
    headers = {"X-Total-Count": str(len(found))}
    if call.params.get("sysparm_suppress_pagination_header") != "true":
        links = _links(call, len(found), limit, offset)
        headers |= {"Link": links} if links else {}
    return Reply({"result": shown}, headers=headers)


def instance_sees(instance: Instance, call: Call, table: Table, row: Row) -> bool:
    return sees(instance, call.user, table.name, row)


def _one(instance: Instance, table: Table, sys_id: str, call: Call) -> Reply:
    row = instance.row(table.name, sys_id)
    if not sees(instance, call.user, table.name, row):
        raise Failure(404, *NO_RECORD)
    if call.method == "GET":
        return _single(instance, table, row, call)
    if call.method in {"PATCH", "PUT"}:
        written = change(instance, table, row, call)
        return _single(instance, table, written, call)
    if call.method == "DELETE":
        if not call.user.profile.may("d", table.name):
            raise Failure(403, *NOT_AUTHORIZED)
        instance.delete(table.name, sys_id)
        return Reply(None, 204)
    raise Failure(405, "Method Not Allowed")


def search(instance: Instance, table: Table, query: str) -> list[Row]:
    """Return the rows that fit what of a query can be understood."""
    try:
        read = encoded.parse(query)
    except encoded.ScriptInQuery as script:
        instance.scripts.append(str(script))
        raise Failure(
            400, "The stand-in runs no scripts", "a real instance would run javascript:"
        ) from None

    def known(name: str) -> bool:
        there = name == encoded.TEXT or _type(table, name) is not None
        return there and name not in instance.blind

    if instance.properties.no_rows and encoded.invalid(read, known):
        return []
    found = [
        row
        for row in instance.all(table.name)
        if encoded.matches(
            read, known, _getter(instance, table, row), _text(table, row)
        )
    ]
    for name, falling in reversed(read.order):
        if known(name):
            found.sort(key=lambda row: _sortable(row, name), reverse=falling)
    return found


def _sortable(row: Row, name: str) -> str:
    return row.get(name, "")


def create(instance: Instance, table: Table, may: bool, call: Call) -> Row:  # noqa: FBT001
    """Make a row of what may be written. Raises `Failure`."""
    if not may:
        raise Failure(403, *NOT_AUTHORIZED)
    values = writable(table, call, call.body)
    values |= {"opened_by": call.user.id} if "opened_by" in table.fields else {}
    return instance.insert(table.name, values, call.user.name)


def change(instance: Instance, table: Table, row: Row, call: Call) -> Row:
    """Write what may be written of a row. Raises `Failure`."""
    if not writes(instance, call.user, table.name, row):
        raise Failure(
            403,
            "Operation Failed",
            "ACL Exception Update Failed due to security constraints",
        )
    values = writable(table, call, call.body)
    return instance.update(table.name, row["sys_id"], values, call.user.name)


def writable(table: Table, call: Call, wanted: Mapping[str, Any]) -> dict[str, str]:
    """Leave out what the user may not write, and what nobody knows, without a word."""
    return {
        name: str(value)
        for name, value in wanted.items()
        if name in table.fields
        and not table.fields[name].fixed
        and may_write(call.user.profile, table.name, name)
    }


def _single(
    instance: Instance, table: Table, row: Row, call: Call, status: int = 200
) -> Reply:
    return Reply({"result": _shown(instance, table, row, call)}, status)


def _shown(instance: Instance, table: Table, row: Row, call: Call) -> dict[str, Any]:
    wanted = [
        name for name in call.params.get("sysparm_fields", "").split(",") if name
    ] or list(table.fields)
    shown = {}
    for name in wanted:
        spec = _type(table, name)
        if spec is None or not _readable(table, name, call):
            continue
        value = _getter(instance, table, row)(name) or ""
        display = instance.shown(spec, value)
        if spec.kind == "journal":
            # Entries are written, and displayed; the field itself has no value.
            value, display = "", instance.entries(row["sys_id"], name)
        shown[name] = _as_asked(call, spec.reference, value, display)
    return shown


def _as_asked(call: Call, reference: str, value: str, display: str) -> Any:
    how = call.params.get("sysparm_display_value", "false").lower()
    link = call.url.partition("/api/")[0] + f"/api/now/table/{reference}/{value}"
    linked = reference and value
    bare = call.params.get("sysparm_exclude_reference_link", "").lower() == "true"
    if how == "all":
        both = {"display_value": display, "value": value}
        return both | ({"link": link} if linked and not bare else {})
    if how == "true":
        return (
            {"display_value": display, "link": link} if linked and not bare else display
        )
    return {"link": link, "value": value} if linked and not bare else value


def _type(table: Table, name: str) -> Any:
    """Return a field's type through its references, None if there is no such field."""
    here: Table | None = table
    *way, last = name.split(".")
    for step in way:
        spec = here.fields.get(step) if here else None
        here = TABLES.get(spec.reference) if spec else None
    return here.fields.get(last) if here else None


def _readable(table: Table, name: str, call: Call) -> bool:
    return call.user.profile.sees(table.name, name.partition(".")[0])


def _getter(instance: Instance, table: Table, row: Row) -> Callable[[str], str | None]:
    def get(name: str) -> str | None:
        here, at = table, row
        *way, last = name.split(".")
        for step in way:
            spec = here.fields.get(step)
            if spec is None or not spec.reference:
                return None
            here = TABLES[spec.reference]
            at = instance.rows[here.name].get(at.get(step, ""), {})
        return at.get(last)

    return get


def _text(table: Table, row: Row) -> str:
    return " ".join(row.get(name, "") for name in table.searched)


def _number(text: str | None, otherwise: int) -> int:
    return int(text) if text and text.isdecimal() else otherwise


def _links(call: Call, total: int, limit: int, offset: int) -> str:
    if not limit:
        return ""
    last = (max(total - 1, 0) // limit) * limit
    pages: Sequence[tuple[str, int]] = [
        ("first", 0),
        *([("prev", max(offset - limit, 0))] if offset else []),
        *([("next", offset + limit)] if offset + limit < total else []),
        ("last", last),
    ]
    return ",".join(
        f'<{call.url}?{urlencode({**call.params, "sysparm_offset": str(at)})}>;rel="{rel}"'
        for rel, at in pages
    )
