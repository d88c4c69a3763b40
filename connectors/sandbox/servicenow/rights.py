"""Who sees and writes what: the instance's access controls, row by row and by field."""

from collections.abc import Mapping
from dataclasses import replace

from connectors.sandbox.servicenow.instance import Instance
from connectors.sandbox.users import Profile, User

# Tables that everybody with an account may read.
_OPEN = {
    "sys_user": "r",
    "sys_user_group": "r",
    "sys_user_delegate": "r",
    "sys_choice": "r",
    "sys_journal_field": "r",
    "sc_cat_item": "r",
    "sc_category": "r",
    "kb_knowledge": "r",
    "kb_knowledge_base": "r",
    "cmn_department": "r",
    "cmn_location": "r",
    "cmdb_ci": "r",
    "sc_request": "r",
    "sc_req_item": "r",
    "sysapproval_approver": "ru",
}
AGENT = Profile(
    "itil",
    _OPEN
    | {
        "incident": "cru",
        "change_request": "cru",
        "change_task": "cru",
        "sc_request": "ru",
    },
    readonly=frozenset({"incident.due_date", "incident.number"}),
    everything=True,
)
# Who administers the instance: an agent may delete no task there.
ADMIN = replace(
    AGENT,
    name="admin",
    objects={**AGENT.objects, "incident": "crud", "change_request": "crud"},
)
EMPLOYEE = Profile(
    "employee",
    _OPEN | {"incident": "cru", "change_request": "r", "sc_request": "ru"},
    hidden=frozenset(
        {
            "incident.work_notes",
            "change_request.work_notes",
            "change_request.backout_plan",
            "change_request.test_plan",
            "change_request.implementation_plan",
            "change_request.justification",
        }
    ),
    readonly=frozenset(
        {
            "incident.assigned_to",
            "incident.assignment_group",
            "incident.state",
            "incident.close_code",
            "incident.close_notes",
            "incident.due_date",
            "sc_request.approval",
            "sc_request.request_state",
            "sc_request.stage",
            "sc_request.state",
        }
    ),
)
# Whoever has this role may change any approval, its approver included.
APPROVAL_ADMIN = replace(AGENT, name="approval_admin")
_OWN = ("caller_id", "opened_by", "requested_for", "requested_by", "assigned_to")


def sees(instance: Instance, user: User, table: str, row: Mapping[str, str]) -> bool:
    """Say whether somebody may see a row."""
    if not user.profile.may("r", table):
        return False
    if table == "sys_journal_field":
        return _sees_entry(instance, user, row)
    if table == "sysapproval_approver":
        return user.profile.everything or acts_for(instance, user, row["approver"])
    if user.profile.everything or not set(_OWN) & set(row):
        return True
    return any(row.get(name) == user.id for name in _OWN) or _approves(
        instance, user, row["sys_id"]
    )


def writes(instance: Instance, user: User, table: str, row: Mapping[str, str]) -> bool:
    """Say whether somebody may write a row."""
    if not user.profile.may("u", table) or not sees(instance, user, table, row):
        return False
    if table == "sysapproval_approver":
        return hands_on(user.profile) or acts_for(instance, user, row["approver"])
    return True


def hands_on(profile: Profile) -> bool:
    """Say whether somebody may make another person the approver."""
    return profile.name in {APPROVAL_ADMIN.name, ADMIN.name}


def may_write(profile: Profile, table: str, name: str) -> bool:
    """Say whether somebody may write a field, of rows that they may write."""
    if (table, name) == ("sysapproval_approver", "approver"):
        return hands_on(profile)
    return profile.writes(table, name)


def acts_for(instance: Instance, user: User, approver: str) -> bool:
    """Say whether an approval is somebody's own, or they stand in for who it is."""
    if approver == user.id:
        return True
    return any(
        row["user"] == approver
        and row["delegate"] == user.id
        and row["approvals"] == "true"
        and row["starts"] <= instance.now
        and (not row["ends"] or instance.now <= row["ends"])
        for row in instance.all("sys_user_delegate")
    )


def hiding(profile: Profile, *names: str) -> Profile:
    """Return a profile that sees fewer fields (`table.field`)."""
    return replace(profile, hidden=profile.hidden | set(names))


def locking(profile: Profile, *names: str) -> Profile:
    """Return a profile that cannot write some fields (`table.field`)."""
    return replace(profile, readonly=profile.readonly | set(names))


def _sees_entry(instance: Instance, user: User, row: Mapping[str, str]) -> bool:
    if not user.profile.sees(row["name"], row["element"]):
        return False
    about = instance.rows.get(row["name"], {}).get(row["element_id"])
    return about is not None and sees(instance, user, row["name"], about)


def _approves(instance: Instance, user: User, sys_id: str) -> bool:
    return any(
        row["sysapproval"] == sys_id and acts_for(instance, user, row["approver"])
        for row in instance.all("sysapproval_approver")
    )
