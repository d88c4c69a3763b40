"""What the instance's dictionary knows: tables, their fields, and choices with labels."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from connectors.sandbox.servicenow import choices


@dataclass(frozen=True, slots=True)
class Field:
    """
    A field. `reference` names the table that it points to; a `journal` only takes
    entries; a `fixed` one is written by the instance alone.
    """

    label: str
    kind: str = "string"
    reference: str = ""
    choices: Mapping[str, str] = field(default_factory=dict)
    fixed: bool = False
    default: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table; `display` is the field that stands for a row elsewhere."""

    name: str
    label: str
    display: str
    fields: Mapping[str, Field]
    prefix: str = ""
    searched: tuple[str, ...] = ()


def _ref(label: str, table: str) -> Field:
    return Field(label, "reference", table)


def _text(label: str) -> Field:
    return Field(label)


def _picked(label: str, values: Mapping[str, str], default: str = "") -> Field:
    return Field(label, "choice", choices=values, default=default)


_SYS = {
    "sys_id": Field("Sys ID", fixed=True),
    "sys_mod_count": Field("Updates", "integer", fixed=True),
    "sys_updated_on": Field("Updated", "glide_date_time", fixed=True),
    "sys_updated_by": Field("Updated by", fixed=True),
    "sys_created_on": Field("Created", "glide_date_time", fixed=True),
    "sys_created_by": Field("Created by", fixed=True),
    "sys_class_name": Field("Class", fixed=True),
}
_TASK = {
    "number": Field("Number", fixed=True),
    "short_description": _text("Short description"),
    "description": _text("Description"),
    "active": Field("Active", "boolean", default="true"),
    "assignment_group": _ref("Assignment group", "sys_user_group"),
    "assigned_to": _ref("Assigned to", "sys_user"),
    "opened_by": _ref("Opened by", "sys_user"),
    "opened_at": Field("Opened", "glide_date_time"),
    "due_date": Field("Due date", "glide_date_time"),
    "sla_due": Field("SLA due", "glide_date_time"),
    "cmdb_ci": _ref("Configuration item", "cmdb_ci"),
    "business_service": _ref("Service", "cmdb_ci"),
    "comments": Field("Additional comments", "journal"),
    "work_notes": Field("Work notes", "journal"),
    "correlation_id": _text("Correlation ID"),
    "approval": _picked("Approval", choices.APPROVAL, "not requested"),
}
_SEARCHED = ("number", "short_description", "description")


def _task(
    name: str, label: str, prefix: str, own: Mapping[str, Field]
) -> tuple[str, Table]:
    fields = {**_SYS, **_TASK, **own}
    return name, Table(name, label, "number", fields, prefix, _SEARCHED)


def _plain(
    name: str,
    label: str,
    display: str,
    own: Mapping[str, Field],
    searched: tuple[str, ...] = (),
) -> tuple[str, Table]:
    return name, Table(name, label, display, {**_SYS, **own}, "", searched)


_LEVEL = choices.LEVEL
TABLES: Mapping[str, Table] = dict(
    [
        _task(
            "incident",
            "Incident",
            "INC",
            {
                "state": _picked("State", choices.INCIDENT_STATE, "1"),
                "incident_state": _picked("Incident state", choices.INCIDENT_STATE),
                "impact": _picked("Impact", _LEVEL, "3"),
                "urgency": _picked("Urgency", _LEVEL, "3"),
                "priority": Field(
                    "Priority", "choice", choices=choices.PRIORITY, fixed=True
                ),
                "caller_id": _ref("Caller", "sys_user"),
                "hold_reason": _picked("On hold reason", choices.HOLD_REASON),
                "close_code": _picked("Resolution code", choices.CLOSE_CODE),
                "close_notes": _text("Resolution notes"),
            },
        ),
        _task(
            "change_request",
            "Change Request",
            "CHG",
            {
                "state": _picked("State", choices.CHANGE_STATE, "-5"),
                "type": _picked("Type", choices.CHANGE_TYPE, "normal"),
                "risk": _picked("Risk", choices.RISK, "3"),
                "requested_by": _ref("Requested by", "sys_user"),
                "start_date": Field("Planned start date", "glide_date_time"),
                "end_date": Field("Planned end date", "glide_date_time"),
                "backout_plan": _text("Backout plan"),
                "test_plan": _text("Test plan"),
                "implementation_plan": _text("Implementation plan"),
                "justification": _text("Justification"),
                "conflict_status": _picked("Conflict status", choices.CONFLICT),
                "close_code": _picked("Close code", choices.CHANGE_CLOSE),
                "close_notes": _text("Close notes"),
            },
        ),
        _task(
            "change_task",
            "Change Task",
            "CTASK",
            {
                "change_request": _ref("Change request", "change_request"),
                "state": _picked("State", choices.TASK_STATE, "1"),
            },
        ),
        _task(
            "sc_request",
            "Request",
            "REQ",
            {
                "state": _picked("State", choices.TASK_STATE, "1"),
                "request_state": _picked("Request state", choices.REQUEST_STATE),
                "stage": _picked("Stage", choices.STAGE, "requested"),
                "requested_for": _ref("Requested for", "sys_user"),
                "price": _text("Price"),
            },
        ),
        _task(
            "sc_req_item",
            "Requested Item",
            "RITM",
            {
                "state": _picked("State", choices.TASK_STATE, "1"),
                "stage": _picked("Stage", choices.STAGE, "request_approved"),
                "request": _ref("Request", "sc_request"),
                "cat_item": _ref("Item", "sc_cat_item"),
                "requested_for": _ref("Requested for", "sys_user"),
                "quantity": Field("Quantity", "integer"),
                "price": _text("Price"),
            },
        ),
        _plain(
            "sc_cat_item",
            "Catalog Item",
            "name",
            {
                "name": _text("Name"),
                "short_description": _text("Short description"),
                "description": Field("Description", "html"),
                "category": _ref("Category", "sc_category"),
                "price": _text("Price"),
                "recurring_price": _text("Recurring price"),
                "delivery_time": Field("Delivery time", "glide_duration"),
                "active": Field("Active", "boolean", default="true"),
            },
            ("name", "short_description", "description"),
        ),
        _plain("sc_category", "Category", "title", {"title": _text("Title")}),
        _plain(
            "kb_knowledge",
            "Knowledge",
            "number",
            {
                "number": Field("Number", fixed=True),
                "short_description": _text("Short description"),
                "text": Field("Article body", "html"),
                "workflow_state": _picked("Workflow", choices.WORKFLOW, "published"),
                "active": Field("Active", "boolean", default="true"),
                "kb_knowledge_base": _ref("Knowledge base", "kb_knowledge_base"),
                "kb_category": _text("Category"),
                "published": Field("Published", "glide_date"),
                "valid_to": Field("Valid to", "glide_date"),
            },
            ("number", "short_description", "text"),
        ),
        _plain("kb_knowledge_base", "Knowledge Base", "title", {"title": _text("T")}),
        _plain(
            "sys_user",
            "User",
            "name",
            {
                "name": _text("Name"),
                "user_name": _text("User ID"),
                "email": _text("Email"),
                "active": Field("Active", "boolean", default="true"),
                "department": _ref("Department", "cmn_department"),
                "vip": Field("VIP", "boolean"),
            },
        ),
        _plain(
            "sys_user_group",
            "Group",
            "name",
            {
                "name": _text("Name"),
                "manager": _ref("Manager", "sys_user"),
                "active": Field("Active", "boolean", default="true"),
            },
        ),
        _plain("cmn_department", "Department", "name", {"name": _text("Name")}),
        _plain("cmn_location", "Location", "name", {"name": _text("Name")}),
        _plain("cmdb_ci", "Configuration Item", "name", {"name": _text("Name")}),
        _plain(
            "sys_user_delegate",
            "Delegate",
            "delegate",
            {
                "user": _ref("User", "sys_user"),
                "delegate": _ref("Delegate", "sys_user"),
                "starts": Field("Starts", "glide_date_time"),
                "ends": Field("Ends", "glide_date_time"),
                "approvals": Field("Approvals", "boolean", default="true"),
            },
        ),
        _plain(
            "sysapproval_approver",
            "Approval",
            "approver",
            {
                "approver": _ref("Approver", "sys_user"),
                "state": _picked("State", choices.APPROVER_STATE, "requested"),
                "sysapproval": _ref("Approval for", "change_request"),
                "document_id": _text("Approving"),
                "source_table": _text("Source table"),
                "group": _ref("Group", "sys_user_group"),
                "due_date": Field("Due date", "glide_date_time"),
                "comments": Field("Comments", "journal"),
            },
        ),
        _plain(
            "sys_journal_field",
            "Journal Entry",
            "value",
            {
                "name": _text("Table"),
                "element": _text("Element"),
                "element_id": _text("Element ID"),
                "value": _text("Value"),
            },
        ),
        _plain(
            "sys_choice",
            "Choice",
            "label",
            {
                "name": _text("Table"),
                "element": _text("Element"),
                "label": _text("Label"),
                "value": _text("Value"),
                "sequence": Field("Sequence", "integer"),
                "inactive": Field("Inactive", "boolean", default="false"),
                "language": _text("Language"),
            },
        ),
    ]
)
