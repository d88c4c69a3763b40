"""What the business rules post, signed as the script that ATOM ships signs it."""

import hashlib
import hmac
from typing import Any

from connectors.sandbox.servicenow.instance import Happened, Instance

_TOLD = frozenset({"incident", "change_request", "sc_request", "sysapproval_approver"})


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
    if told.table not in _TOLD:
        return None
    row, table, changed = told.row, told.table, list(told.changed)
    if table == "sysapproval_approver":
        change = instance.rows["change_request"].get(row["sysapproval"])
        if change is None:
            return None
        row, table, changed = change, "change_request", ["approvals"]
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
