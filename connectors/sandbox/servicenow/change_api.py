"""
The Change Management API: `/api/sn_chg_rest/[v1/]change…`.

Source: ServiceNow's documentation, "Change Management API". Every value is a pair of
`value` and `display_value`; what could not be written is named in `__meta`.
"""

from collections.abc import Mapping
from typing import Any

from connectors.sandbox.servicenow import table_api
from connectors.sandbox.servicenow.choices import CHANGE_STATE
from connectors.sandbox.servicenow.dictionary import TABLES, Table
from connectors.sandbox.servicenow.instance import Instance, Row
from connectors.sandbox.servicenow.replies import (
    NO_RECORD,
    NOT_AUTHORIZED,
    Call,
    Failure,
    Reply,
)
from connectors.sandbox.servicenow.rights import sees

_CHANGE = TABLES["change_request"]
_TASK = TABLES["change_task"]
_TYPES = frozenset({"normal", "standard", "emergency"})
# Which state follows which, by the type of change.
_NEXT: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "normal": {
        "-5": ("-4", "4"),
        "-4": ("-3", "4"),
        "-3": ("-2", "4"),
        "-2": ("-1", "4"),
        "-1": ("0", "4"),
        "0": ("3",),
    },
    "standard": {"-5": ("-2", "4"), "-2": ("-1", "4"), "-1": ("0", "4"), "0": ("3",)},
    "emergency": {
        "-5": ("-3", "4"),
        "-3": ("-2", "4"),
        "-2": ("-1", "4"),
        "-1": ("0",),
    },
}


def answer(instance: Instance, call: Call) -> Reply:
    """Do one call of the Change API. Raises `Failure`."""
    if not call.user.profile.may("r", "change_request"):
        raise Failure(403, *NOT_AUTHORIZED)
    path = list(call.path[1:])
    kind = path.pop(0) if path and path[0] in _TYPES else ""
    if not path:
        return (
            _made(instance, kind, call)
            if call.method == "POST"
            else _all(instance, kind, call)
        )
    if kind == "standard" and call.method == "POST":
        return _made(instance, kind, call)
    row = _row(instance, call, path[0])
    match path[1:]:
        case []:
            return _one(instance, row, call)
        case ["nextstates"]:
            return Reply({"result": nextstates(row)})
        case ["approvals"] if call.method in {"PATCH", "POST"}:
            return _approve(instance, row, call)
        case ["conflict"]:
            return _conflict(instance, row, call)
        case ["task"]:
            return _tasks(instance, row, call)
    raise Failure(400, "Requested URI does not represent any resource")


def _row(instance: Instance, call: Call, sys_id: str) -> Row:
    row = instance.rows["change_request"].get(sys_id)
    if row is None or not sees(instance, call.user, "change_request", row):
        raise Failure(404, *NO_RECORD)
    return row


def _all(instance: Instance, kind: str, call: Call) -> Reply:
    query = call.params.get("sysparm_query", "")
    query = f"{query}^type={kind}" if kind else query
    rows = [
        _pairs(instance, _CHANGE, row, call)
        for row in table_api.search(instance, _CHANGE, query)
        if sees(instance, call.user, "change_request", row)
    ]
    return Reply({"result": rows[: int(call.params.get("sysparm_limit", "500"))]})


def _made(instance: Instance, kind: str, call: Call) -> Reply:
    # Fields come as pairs in the address, or in the body.
    told = {
        name: value
        for name, value in call.params.items()
        if not name.startswith("sysparm_")
    }
    wanted = {**told, **call.body}
    if not call.user.profile.may("c", "change_request"):
        raise Failure(403, *NOT_AUTHORIZED)
    values = table_api.writable(_CHANGE, call, wanted)
    values |= {"type": kind or "normal", "requested_by": call.user.id}
    row = instance.insert("change_request", values, call.user.name)
    return _written(instance, row, wanted, call)


def _one(instance: Instance, row: Row, call: Call) -> Reply:
    if call.method == "GET":
        return Reply({"result": _pairs(instance, _CHANGE, row, call)})
    if call.method != "PATCH":
        raise Failure(405, "Method Not Allowed")
    wanted = dict(call.body)
    state = str(wanted.get("state", row["state"]))
    if state != row["state"] and state not in _open(row):
        # The state model keeps a change where it is; the rest is written.
        del wanted["state"]
    inner = Call(
        call.user, "PATCH", call.path, call.params, wanted, call.url, call.version
    )
    changed = table_api.change(instance, _CHANGE, row, inner)
    return _written(instance, changed, call.body, call)


def _written(
    instance: Instance, row: Row, wanted: Mapping[str, Any], call: Call
) -> Reply:
    ignored = [
        name
        for name, value in wanted.items()
        if name not in _CHANGE.fields
        or not call.user.profile.writes("change_request", name)
        or (_CHANGE.fields[name].kind != "journal" and row[name] != str(value))
    ]
    result = _pairs(instance, _CHANGE, row, call)
    return Reply({"result": {**result, "__meta": {"ignoredFields": ignored}}})


def _open(row: Row) -> list[str]:
    """Return the states that a change may be moved to now."""
    return [
        each
        for each in _NEXT.get(row["type"], _NEXT["normal"]).get(row["state"], ())
        if all(passed for _name, passed in _conditions(row, each))
    ]


def _conditions(row: Row, to: str) -> list[tuple[str, bool]]:
    if to == "4":
        return []
    if row["state"] in {"-4", "-3"}:
        return [("Change is approved", row["approval"] == "approved")]
    if to == "-4":
        return [("Assignment group is filled in", bool(row["assignment_group"]))]
    return []


def nextstates(row: Row) -> dict[str, Any]:
    """Return which states a change can be moved to, and what keeps it from others."""
    steps = _NEXT.get(row["type"], _NEXT["normal"]).get(row["state"], ())
    open_ = _open(row)
    transitions = [
        [
            {
                "sys_id": row["sys_id"],
                "display_value": f"{CHANGE_STATE[row['state']]} to {CHANGE_STATE[to]}",
                "from_state": row["state"],
                "to_state": to,
                "transition_available": to in open_,
                "automatic_transition": row["state"] in {"-4", "-3"} and to != "4",
                "conditions": [
                    {
                        "passed": passed,
                        "condition": {"name": name, "description": name, "sys_id": ""},
                    }
                    for name, passed in _conditions(row, to)
                ],
            }
        ]
        for to in steps
    ]
    available = [row["state"], *open_]
    return {
        "available_states": available,
        "state_transitions": transitions,
        "state_label": {each: CHANGE_STATE[each] for each in [row["state"], *steps]},
    }


def _approve(instance: Instance, row: Row, call: Call) -> Reply:
    state = str(call.body.get("state", ""))
    comments = str(call.body.get("comments", ""))
    if state not in {"approved", "rejected"}:
        raise Failure(400, "Invalid state provided", "approved or rejected")
    if state == "rejected" and not comments.strip():
        raise Failure(400, "Comments are mandatory", "when rejecting an approval")
    mine = [
        each
        for each in instance.all("sysapproval_approver")
        if each["sysapproval"] == row["sys_id"]
        and each["approver"] == call.user.id
        and each["state"] == "requested"
    ]
    if not mine:
        raise Failure(
            400, "User does not have a pending approval", "for this change request"
        )
    values = {"state": state} | ({"comments": comments} if comments else {})
    for each in mine:
        instance.update("sysapproval_approver", each["sys_id"], values, call.user.name)
    return Reply({"result": [_pairs(instance, _CHANGE, row, call)]})


def _conflict(instance: Instance, row: Row, call: Call) -> Reply:
    if call.method == "POST":
        instance.update(
            "change_request",
            row["sys_id"],
            {"conflict_status": "No Conflict"},
            "system",
        )
    found = row["conflict_status"]
    status = "COMPLETED" if found else "NOT_RUN"
    conflicts = [{"type": "Blackout"}] if found == "Conflict" else []
    return Reply(
        {
            "result": {
                "status": {"value": status, "display_value": status.title()},
                "conflict_status": {
                    "value": found,
                    "display_value": found or "Not Run",
                },
                "conflicts": conflicts,
            }
        }
    )


def _tasks(instance: Instance, row: Row, call: Call) -> Reply:
    if call.method == "POST":
        if not call.user.profile.may("c", "change_task"):
            raise Failure(403, *NOT_AUTHORIZED)
        values = table_api.writable(_TASK, call, {**call.params, **call.body})
        values["change_request"] = row["sys_id"]
        made = instance.insert("change_task", values, call.user.name)
        return Reply({"result": _pairs(instance, _TASK, made, call)})
    tasks = [
        _pairs(instance, _TASK, each, call)
        for each in instance.all("change_task")
        if each["change_request"] == row["sys_id"]
    ]
    return Reply({"result": tasks})


def _pairs(
    instance: Instance, table: Table, row: Row, call: Call
) -> dict[str, dict[str, str]]:
    return {
        name: {
            "value": "" if spec.kind == "journal" else row[name],
            "display_value": (
                "" if spec.kind == "journal" else instance.shown(spec, row[name])
            ),
        }
        for name, spec in table.fields.items()
        if call.user.profile.sees(table.name, name)
    }
