"""What stands in the instance at first: the company's incidents, changes and catalogue."""

from typing import Any

from connectors.sandbox.servicenow.dictionary import TABLES
from connectors.sandbox.servicenow.instance import Instance, id_of
from connectors.sandbox.servicenow.rights import (
    ADMIN,
    AGENT,
    APPROVAL_ADMIN,
    EMPLOYEE,
)
from connectors.sandbox.users import PEOPLE, User

_AGENTS = frozenset({"alice", "erin", "chen", "carol"})
_ADMINS = {"alice": ADMIN, "erin": APPROVAL_ADMIN}
_DEPARTMENTS = ("IT", "Engineering", "Sales", "Finance")
_GROUPS = ("Service Desk", "Web Ops", "Network", "CAB")
_SERVICES = ("web-01..08", "Email", "VPN gateway", "Payroll", "Printer 3rd floor")
INTEGRATION = "atom.integration"
WAITING = "CHG0030351"  # all three approvers have to agree
ANY_OF = "CHG0030352"  # one of two is enough


def users() -> dict[str, User]:
    """Return the company's people as the instance knows them, by user name."""
    made = {}
    for name, shown, title in (*PEOPLE, (INTEGRATION, "ATOM", "Integration")):
        profile = AGENT if name in _AGENTS or name == INTEGRATION else EMPLOYEE
        profile = _ADMINS.get(name, profile)
        made[name] = User(
            user_id(name),
            name,
            shown,
            profile,
            f"{name}@acme.example",
            title=title,
        )
    return made


def user_id(name: str) -> str:
    return id_of("sys_user", name)


def group_id(name: str) -> str:
    return id_of("sys_user_group", name)


def item_id(name: str) -> str:
    return id_of("sc_cat_item", name)


def sys_id(number: str) -> str:
    """Return the id of a seeded row that has a number."""
    return id_of("number", number)


def fill(instance: Instance) -> None:
    """Put the seed into an empty instance."""
    _places(instance)
    _incidents(instance)
    _changes(instance)
    _catalogue(instance)
    _knowledge(instance)
    instance.told.clear()


def _places(instance: Instance) -> None:
    for user in users().values():
        row = {"name": user.shown, "user_name": user.name, "email": user.mail}
        instance.insert("sys_user", row, "system", user.id)
    for table, names in (
        ("sys_user_group", _GROUPS),
        ("cmdb_ci", _SERVICES),
        ("cmn_department", _DEPARTMENTS),
        ("cmn_location", ("Berlin", "Porto", "Austin")),
    ):
        for name in names:
            instance.insert(table, {"name": name}, "system", id_of(table, name))
    manager = {"manager": user_id("carol")}
    instance.update("sys_user_group", group_id("CAB"), manager, "system")
    for table, known in TABLES.items():
        for element, spec in known.fields.items():
            for place, (value, label) in enumerate(spec.choices.items()):
                choice = {"name": table, "element": element, "value": value}
                choice |= {"label": label, "sequence": f"{place:03d}", "language": "en"}
                instance.insert("sys_choice", choice, "system")


def _numbered(instance: Instance, table: str, by: str, **values: str) -> None:
    instance.insert(table, values, by, sys_id(values["number"]))


def _incidents(instance: Instance) -> None:
    for number, title, text, caller, ci, impact, urgency in (
        (
            "INC0010001",
            "Email does not arrive",
            "Since this morning no mail from outside comes in, for all of Sales.",
            "bob",
            "Email",
            "1",
            "2",
        ),
        (
            "INC0010002",
            "VPN drops every few minutes",
            "The VPN client loses its connection and asks for the token again.",
            "dana",
            "VPN gateway",
            "2",
            "2",
        ),
        (
            "INC0010003",
            "Printer on the 3rd floor offline",
            "Paper is in, the display says “offline”.",
            "dave",
            "Printer 3rd floor",
            "3",
            "3",
        ),
    ):
        _numbered(
            instance,
            "incident",
            caller,
            number=number,
            short_description=title,
            description=text,
            caller_id=user_id(caller),
            opened_by=user_id(caller),
            cmdb_ci=id_of("cmdb_ci", ci),
            impact=impact,
            urgency=urgency,
            assignment_group=group_id("Service Desk"),
        )
    row = instance.row("incident", sys_id("INC0010002"))
    said = {"comments": "We are looking at the gateway.", "work_notes": "Node 2 leaks."}
    said |= {"state": "2", "assigned_to": user_id("erin")}
    said |= {"sla_due": "2026-12-04 16:00:00"}
    instance.update("incident", row["sys_id"], said, "erin")


def _changes(instance: Instance) -> None:
    common = {
        "type": "normal",
        "state": "-3",
        "approval": "requested",
        "risk": "3",
        "assignment_group": group_id("Web Ops"),
        "requested_by": user_id("chen"),
        "opened_by": user_id("chen"),
        "cmdb_ci": id_of("cmdb_ci", "web-01..08"),
        "start_date": "2026-12-05 22:00:00",
        "end_date": "2026-12-05 23:30:00",
        "backout_plan": "Boot the nodes with the former profile.",
        "test_plan": "Run the smoke tests on each node.",
        "conflict_status": "No Conflict",
    }
    for number, title, text in (
        (
            WAITING,
            "Increase memory on prod web tier",
            "Raise 32 GB to 64 GB on web-01..08 to absorb <peak> traffic & remove swap.",
        ),
        (
            ANY_OF,
            "Renew the certificate of the VPN gateway",
            "Replace the certificate that runs out in January.",
        ),
    ):
        values = common | {"number": number, "short_description": title}
        _numbered(instance, "change_request", "chen", **values, description=text)
    instance.properties.deciding[sys_id(WAITING)] = "all"
    for number, name, group in (
        (WAITING, "alice", ""),
        (WAITING, "erin", ""),
        (WAITING, "dave", "CAB"),
        (ANY_OF, "alice", "CAB"),
        (ANY_OF, "carol", "CAB"),
    ):
        approval = {"approver": user_id(name), "sysapproval": sys_id(number)}
        approval |= {"document_id": sys_id(number), "source_table": "change_request"}
        approval |= {"group": group_id(group)} if group else {}
        instance.insert(
            "sysapproval_approver", approval, "system", id_of("approval", number + name)
        )
    _numbered(
        instance,
        "change_request",
        "chen",
        number="CHG0030353",
        short_description="Patch the staging databases",
        description="Monthly patches.",
        type="standard",
        state="-2",
        approval="approved",
        assignment_group=group_id("Web Ops"),
        requested_by=user_id("chen"),
    )


def variable(  # noqa: PLR0913 - one entry of the vendor's list
    name: str,
    label: str,
    type_: int,
    friendly: str,
    *,
    mandatory: bool = False,
    choices: dict[str, str] | None = None,
    reference: str = "",
    value: str = "",
) -> dict[str, Any]:
    """Return a variable of an item as the API shows it."""
    return {
        "active": True,
        "id": id_of("variable", name),
        "name": name,
        "label": label,
        "type": type_,
        "friendly_type": friendly,
        "mandatory": mandatory,
        "reference": reference,
        "value": value,
        "displayvalue": value,
        "read_only": False,
        "help_text": "",
        "choices": [
            {"label": shown, "value": each} for each, shown in (choices or {}).items()
        ],
    }


def _catalogue(instance: Instance) -> None:
    for title in ("Hardware", "Access", "Can We Help You?"):
        category = id_of("sc_category", title)
        instance.insert("sc_category", {"title": title}, "system", category)
    for name, said, html, category, price in (
        (
            "Developer laptop",
            "A laptop for software engineers",
            "<p>14 inch, <b>32 GB</b> &amp; 1 TB.<script>x()</script></p>",
            "Hardware",
            "$1,800.00",
        ),
        ("Second screen", "A 27 inch screen", "<p>27 inch</p>", "Hardware", "$320.00"),
        ("Shared mailbox", "A mailbox for a team", "", "Access", ""),
        ("Report an outage", "Tell us what does not work", "", "Can We Help You?", ""),
    ):
        values = {"name": name, "short_description": said, "description": html}
        values |= {"category": id_of("sc_category", category), "price": price}
        values |= {"delivery_time": "1970-01-03 00:00:00"}
        instance.insert("sc_cat_item", values, "system", item_id(name))
    instance.variables[item_id("Developer laptop")] = [
        variable(
            "memory",
            "Memory",
            5,
            "select_box",
            mandatory=True,
            choices={"32": "32 GB", "64": "64 GB"},
        ),
        variable("reason", "Why do you need it?", 2, "multi_line_text", mandatory=True),
        variable("bag", "Add a bag", 7, "check_box", value="false"),
        variable("site", "Deliver to", 8, "reference", reference="cmn_location"),
        variable("needed_by", "Needed by", 9, "date"),
        variable("sec", "About you", 11, "label"),
    ]
    instance.variables[item_id("Shared mailbox")] = [
        variable("address", "Address", 6, "single_line_text", mandatory=True),
        variable("secret", "Pass phrase", 25, "masked", mandatory=True),
    ]
    instance.properties.approver = user_id("alice")
    outage = item_id("Report an outage")
    instance.producers[outage] = "incident"
    instance.variables[outage] = [
        variable("short_description", "What?", 6, "single_line_text", mandatory=True),
        variable("description", "Tell us more", 2, "multi_line_text"),
    ]


def _knowledge(instance: Instance) -> None:
    base = id_of("kb_knowledge_base", "IT")
    instance.insert("kb_knowledge_base", {"title": "IT"}, "system", base)
    for number, title, text, state in (
        (
            "KB0000020",
            "How to set up the VPN",
            "<h1>VPN</h1><p>Install the client, then sign in.</p>",
            "published",
        ),
        (
            "KB0000021",
            "Why email can be late",
            "<p>Mail from outside is scanned &amp; may wait.</p>",
            "published",
        ),
        ("KB0000022", "Draft about VPN", "<p>Not yet.</p>", "draft"),
    ):
        _numbered(
            instance,
            "kb_knowledge",
            "alice",
            number=number,
            short_description=title,
            text=text,
            workflow_state=state,
            kb_knowledge_base=base,
            published="2026-03-01",
        )
