"""What the business rules post, signed as the script that ATOM ships signs it."""

import hashlib
import hmac
from typing import Any

from connectors.sandbox.servicenow.instance import Happened, Instance

_TOLD = frozenset({"incident", "change_request", "sc_request"})
# Rows that are told as a change of another: its table, the field that names it, and what.
_OF = {
    "sysapproval_approver": ("change_request", "sysapproval", "approvals"),
    "sc_req_item": ("sc_request", "request", "items"),
}


def signed(raw: bytes, at: int, secret: str) -> dict[str, str]:
    """Return the headers of the shipped business rule."""
    told = hmac.new(secret.encode(), f"{at}.".encode() + raw, hashlib.sha256)
    return {
        "Content-Type": "application/json",
        "X-ATOM-Timestamp": str(at),
        "X-ATOM-Signature": f"v1={told.hexdigest()}",
    }


def event(instance: Instance, told: Happened) -> dict[str, Any] | None:
    """Return what a rule posts: ids and names of fields, never a value of one."""
    row, table, changed = told.row, told.table, list(told.changed)
    if table in _OF:
        table, field, what = _OF[table]
        if what == "approvals":
            table = row["source_table"] or table
        if table not in _TOLD:
            return None
        found = instance.rows[table].get(row[field])
        if found is None:
            return None
        row, changed = found, [what]
    if table not in _TOLD:
        return None
    event = f"{told.row['sys_id']}:{told.op}:{told.row['sys_mod_count']}"
    return {
        "event_id": event,
        "table": table,
        "sys_id": row["sys_id"],
        "number": row["number"],
        "op": "update" if table != told.table else told.op,
        "changed": changed,
        "sys_mod_count": int(row["sys_mod_count"]),
        "sys_updated_on": row["sys_updated_on"],
        "sys_updated_by": told.row["sys_updated_by"],
    }
