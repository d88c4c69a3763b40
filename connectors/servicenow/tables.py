"""Which tables of ServiceNow are read, what their rows are called here, and their fields."""

import re
from dataclasses import dataclass

from bridge.errors import BadInput
from bridge.records.model import PUBLIC

PERSONAL = "personal"  # who somebody is: the caller, who ordered
INTERNAL = "it-internal"  # what the service desk tells itself
SYS_ID = re.compile(r"[0-9a-f]{32}")

# Read to compare and to sort by, in whatever table.
ALWAYS = ("sys_id", "sys_mod_count", "sys_updated_on", "sys_updated_by")


@dataclass(frozen=True, slots=True)
class Shown:
    """One field as a card shows it; `time` says that it holds a time in UTC."""

    field: str
    label: str
    cls: str = PUBLIC
    time: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """
    A table whose rows are records.

    `title` and `body` are the fields of those, `prefix` starts its numbers, `needed`
    are fields that are read but not shown by themselves.
    """

    name: str
    kind: str
    what: str
    prefix: str
    title: str
    body: str
    shown: tuple[Shown, ...]
    needed: tuple[str, ...] = ()

    @property
    def fields(self) -> tuple[str, ...]:
        """Everything that is asked for when a row is read."""
        own = (self.title, self.body, *(each.field for each in self.shown))
        return tuple(dict.fromkeys((*ALWAYS, "number", *own, *self.needed)))


INCIDENT = Table(
    "incident",
    "incident",
    "Incident",
    "INC",
    "short_description",
    "description",
    (
        Shown("impact", "Impact"),
        Shown("urgency", "Urgency"),
        Shown("assignment_group", "Assignment group"),
        Shown("assigned_to", "Assigned to"),
        Shown("cmdb_ci", "Configuration item"),
        Shown("business_service", "Service"),
        Shown("caller_id", "Caller", PERSONAL),
        Shown("opened_at", "Opened", time=True),
        Shown("sla_due", "SLA due", time=True),
        Shown("due_date", "Due", time=True),
        Shown("hold_reason", "On hold for"),
        Shown("close_code", "Resolution code"),
        Shown("close_notes", "Resolution notes"),
    ),
    ("state", "priority", "active", "comments", "work_notes"),
)
CHANGE = Table(
    "change_request",
    "change",
    "Change",
    "CHG",
    "short_description",
    "description",
    (
        Shown("risk", "Risk"),
        Shown("assignment_group", "Assignment group"),
        Shown("assigned_to", "Assigned to"),
        Shown("requested_by", "Requested by"),
        Shown("cmdb_ci", "Configuration item"),
        Shown("conflict_status", "Conflicts"),
        Shown("backout_plan", "Backout plan", INTERNAL),
        Shown("test_plan", "Test plan", INTERNAL),
        Shown("implementation_plan", "Implementation plan", INTERNAL),
        Shown("justification", "Justification", INTERNAL),
    ),
    (
        "state",
        "type",
        "approval",
        "start_date",
        "end_date",
        "active",
        "comments",
        "work_notes",
    ),
)
REQUEST = Table(
    "sc_request",
    "request",
    "Request",
    "REQ",
    "short_description",
    "description",
    (
        Shown("requested_for", "Requested for", PERSONAL),
        Shown("opened_by", "Ordered by", PERSONAL),
        Shown("price", "Price"),
        Shown("opened_at", "Ordered", time=True),
        Shown("due_date", "Due", time=True),
    ),
    ("state", "stage", "request_state", "approval", "active", "comments", "work_notes"),
)
ITEM = Table(
    "sc_cat_item",
    "item",
    "Catalogue item",
    "",
    "name",
    "short_description",
    (
        Shown("category", "Category"),
        Shown("price", "Price"),
        Shown("recurring_price", "Recurring price"),
        Shown("delivery_time", "Delivery time"),
    ),
    ("active", "sys_class_name", "description"),
)
ARTICLE = Table(
    "kb_knowledge",
    "article",
    "Knowledge article",
    "KB",
    "short_description",
    "text",
    (
        Shown("kb_knowledge_base", "Knowledge base"),
        Shown("kb_category", "Category"),
        Shown("published", "Published"),
        Shown("valid_to", "Valid to"),
    ),
    ("workflow_state", "active"),
)

TABLES = (INCIDENT, CHANGE, REQUEST, ITEM, ARTICLE)
KINDS = {each.kind: each for each in TABLES}
BY_NAME = {each.name: each for each in TABLES}
BY_PREFIX = {each.prefix: each for each in TABLES if each.prefix}

# What is read besides: nothing else is ever put into a path.
BESIDES = frozenset(
    {
        "sys_user",
        "sys_user_group",
        "sys_user_delegate",
        "sys_choice",
        "sys_journal_field",
        "sysapproval_approver",
        "sc_req_item",
        "cmn_location",
        "cmn_department",
        "core_company",
        "cmdb_ci",
    }
)


def table_of(kind: str) -> Table:
    """Return the table of a kind of records. Raises `BadInput`."""
    if kind not in KINDS:
        raise BadInput("ServiceNow has incident, change, item, request and article")
    return KINDS[kind]


def table_name(name: str) -> str:
    """Return a table's name if it may be asked for. Raises `BadInput`."""
    if name not in BY_NAME and name not in BESIDES:
        raise BadInput("that table is not read from here")
    return name


def sys_id(text: str) -> str:
    """Return an id of ServiceNow's. Raises `BadInput` for anything else."""
    if not SYS_ID.fullmatch(text):
        raise BadInput("that is no id of ServiceNow's: copy its number or link")
    return text
