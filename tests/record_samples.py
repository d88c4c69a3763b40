"""A record of every kind, as connectors read them, with all that may not be seen."""

from dataclasses import replace

from bridge.access import Action
from bridge.cards import Tone
from bridge.records.model import (
    PUBLIC,
    Fact,
    Look,
    Needs,
    Offer,
    Record,
    RecordRef,
    Revision,
    Status,
)

READ_US = 1_793_392_860_000_000  # 2026-10-30 20:41 UTC
HOSTS = frozenset(
    {
        "acme.lightning.force.com",
        "acme.service-now.com",
        "acme.atlassian.net",
        "app.hubspot.com",
        "hr.acme.example",
    }
)

COMMENT = Offer("comment", "Comment…", needs=Needs.FORM)
EDIT = Offer("edit", "Edit…", needs=Needs.FORM)
TAKE = Offer("take", "Take it", needs=Needs.CONFIRMATION)
STAGE = Offer("stage", "Change stage…", look=Look.PRIMARY, needs=Needs.FORM)
NOTE = Offer("log", "Log note…", Action.RECORD_CREATE, needs=Needs.FORM)
CREATE = Offer("new-case", "New case…", Action.RECORD_CREATE, needs=Needs.FORM)
APPROVE = Offer(
    "approve",
    "Approve",
    Action.RECORD_APPROVE,
    Look.PRIMARY,
    Needs.CONFIRMATION,
    "Records your approval in ServiceNow as you, on revision 7.",
)
REJECT = Offer(
    "reject", "Reject…", Action.RECORD_APPROVE, Look.DANGER, needs=Needs.FORM
)


def _facts(public: dict[str, str], **classes: dict[str, str]) -> tuple[Fact, ...]:
    """Return fields by label; those of a class come after what is public."""
    facts = [_fact(label, text, PUBLIC) for label, text in public.items()]
    for cls, inside in classes.items():
        facts += [
            _fact(label, text, cls.replace("_", "-")) for label, text in inside.items()
        ]
    return tuple(facts)


def _fact(label: str, text: str, cls: str) -> Fact:
    return Fact(label.lower().replace(" ", "_"), label, text, cls)


def _record(
    address: str, what: str, title: str, status: Status, page: str, **more: object
) -> Record:
    made = Record(
        ref=RecordRef.parse(address),
        what=what,
        title=title,
        status=status,
        rev=Revision(7, "7"),
        as_of_us=READ_US,
        url=f"https://{page}",
    )
    return replace(made, **more)  # type: ignore[arg-type]


ACCOUNT = _record(
    "salesforce:main/account/001xx000003DGb2AAG",
    "Account",
    "Globex & Sons",
    Status("Customer · Hot", Tone.GOOD),
    "acme.lightning.force.com/lightning/r/Account/001xx000003DGb2AAG/view",
    facts=_facts(
        {
            "Owner": "Dana Reyes",
            "Industry": "Manufacturing",
            "Billing city": "Hamburg, Germany",
            "Phone": "+49 40 5550 1234",
            "Last activity": "2026-10-28",
            "Open opportunities": "3",
            "Open cases": "1",
        },
        sales_finance={"Annual revenue": "€ 48,200,000", "Credit": "AA- 1.2m"},
    ),
    offers=(NOTE, CREATE, EDIT),
)
CONTACT = _record(
    "salesforce:main/contact/003xx000004TmiQAAS",
    "Contact",
    "Hank Scorpio",
    Status("Globex & Sons"),
    "acme.lightning.force.com/lightning/r/Contact/003xx000004TmiQAAS/view",
    facts=_facts(
        {"Title": "CEO", "Account": "Globex & Sons", "Owner": "Dana Reyes"},
        personal={"Email": "hank@globex.example", "Mobile": "+49 170 555 9876"},
    ),
    offers=(replace(NOTE, act="call", label="Log call…"), EDIT),
)
OPPORTUNITY = _record(
    "salesforce:main/opportunity/0065g00000AbCdEAAV",
    "Opportunity · Enterprise",
    "Globex – platform renewal FY27",
    Status("Negotiation/Review · 80%", Tone.GOOD),
    "acme.lightning.force.com/lightning/r/Opportunity/0065g00000AbCdEAAV/view",
    facts=(
        *_facts(
            {
                "Account": "Globex & Sons",
                "Owner": "Dana Reyes",
                "Close date": "2026-12-15",
                "Next step": "Legal redlines back to Globex",
            },
            sales_finance={"Amount": "€ 1,250,000", "Forecast": "Commit 1.1m"},
        ),
        Fact(
            "competitor", "Competitor", "Initech Ltd", "sales-finance", secretive=True
        ),
    ),
    offers=(STAGE, EDIT, NOTE),
)
CASE = _record(
    "salesforce:main/case/5005g00000XyZabAAF",
    "Case",
    "Cannot sign in after the update",
    Status("Working · High", Tone.WARNING),
    "acme.lightning.force.com/lightning/r/Case/5005g00000XyZabAAF/view",
    key="00001026",
    facts=_facts(
        {
            "Account": "Globex & Sons",
            "Owner": "Tier 2",
            "Origin": "E-mail",
            "Age": "2 days",
            "SLA milestone": "First response in 3 h",
        },
        personal={"Contact": "Hank Scorpio, +49 170 555 9876"},
    ),
    body=Fact("comment", "Last comment", "We see a 403 since Tuesday.", PUBLIC),
    offers=(TAKE, COMMENT, replace(EDIT, act="status", label="Change status…")),
)
INCIDENT = _record(
    "servicenow:acme/incident/9c573169c611228700193229fff72400",
    "Incident",
    "Mail is down in Berlin",
    Status("In progress · P1", Tone.BAD),
    "acme.service-now.com/nav_to.do?uri=incident.do?sys_id=9c573169c611228700193229fff72400",
    key="INC0010023",
    facts=_facts(
        {
            "Impact": "1 - High",
            "Urgency": "1 - High",
            "Assignment group": "Network",
            "Assigned to": "Beth Anglin",
            "Service": "Email",
            "Opened": "2026-10-30 08:12 UTC",
            "SLA due": "2026-10-30 12:12 UTC",
        },
        it_internal={
            "Caller": "Abel Tuter, desk 4.117",
            "Work notes": "root pw rotated on mx2",
        },
    ),
    body=Fact("comments", "Last comment", "Failover started.\nNext word at 9:30."),
    offers=(TAKE, COMMENT, replace(EDIT, act="resolve", label="Resolve…")),
)
CHANGE = _record(
    "servicenow:acme/change/0f4ac6c4b750230096c3e4f6ee11a9fe",
    "Normal change",
    "Increase memory on prod web tier",
    Status("Authorize – approval requested", Tone.WARNING),
    "acme.service-now.com/nav_to.do?uri=change_request.do?sys_id=0f4ac6c4b750230096c3e4f6ee11a9fe",
    key="CHG0030351",
    facts=_facts(
        {
            "Risk": "Moderate",
            "Window": "28 Nov 22:00 – 23:30 UTC",
            "Assignment group": "Web Ops",
            "Requested by": "Beth Anglin",
            "Approvals": "1 of 3 · waiting on A. Tuter, CAB",
            "Conflicts": "None found",
        },
        it_internal={"Backout plan": "Restore snapshot web-2026-11-27"},
    ),
    body=Fact(
        "description",
        "Description",
        "Raise 32 GB to 64 GB on web-01..08 to absorb <peak> traffic & remove swap.",
    ),
    offers=(APPROVE, REJECT, COMMENT),
)
CATALOG_ITEM = _record(
    "servicenow:acme/catalog-item/774906834fbb4200086eeed18110c737",
    "Catalog item",
    "Developer laptop",
    Status("€ 2,199.00"),
    "acme.service-now.com/com.glideapp.servicecatalog_cat_item_view.do?sysparm_id=774906834fbb4200086eeed18110c737",
    facts=_facts(
        {
            "Category": "Hardware",
            "Delivery time": "5 days",
            "Approver": "Your manager",
            "Recurring": "",
        }
    ),
    body=Fact("short_description", "Description", "16 inches, 64 GB, three years."),
    offers=(
        Offer("order", "Order…", Action.RECORD_CREATE, Look.PRIMARY, Needs.FORM),
        Offer("order-for", "For someone else…", Action.RECORD_CREATE, needs=Needs.FORM),
    ),
)
REQUEST = _record(
    "servicenow:acme/request/6eed229047801200e0ef563dbb9a71c2",
    "Request",
    "Developer laptop for Ana Ek",
    Status("Waiting for approval", Tone.WARNING),
    "acme.service-now.com/nav_to.do?uri=sc_req_item.do?sys_id=6eed229047801200e0ef563dbb9a71c2",
    key="RITM0010112",
    facts=_facts(
        {"Stage": "Approval · 1 of 4", "Requested for": "Ana Ek", "Due": "2026-11-06"},
        it_internal={"Cost centre": "4711-EU"},
    ),
    offers=(COMMENT,),
)
KNOWLEDGE = _record(
    "servicenow:acme/knowledge/3b07857187032100deddb882a2e3ec20",
    "Knowledge article",
    "How to reset your password",
    Status("Published"),
    "acme.service-now.com/kb_view.do?sysparm_article=KB0010012",
    key="KB0010012",
    facts=_facts({"Category": "Accounts", "Updated": "2026-09-01", "Views": "1,204"}),
    body=Fact("text", "Text", "1. Open the portal.\n2. Choose *Forgot password*."),
)
ISSUE = _record(
    "jira:acme/issue/10042",
    "Bug",
    "Totals are wrong after a refund",
    Status("In Progress", Tone.WARNING),
    "acme.atlassian.net/browse/SHOP-117",
    key="SHOP-117",
    facts=_facts(
        {
            "Priority": "High",
            "Assignee": "Mia Krystof",
            "Reporter": "Ana Ek",
            "Sprint": "Sprint 42",
            "Due": "2026-11-12",
            "Labels": "refund, totals",
            "Fix version": "3.8.1",
        }
    ),
    offers=(
        Offer("transition", "Transition…", look=Look.PRIMARY, needs=Needs.FORM),
        replace(TAKE, act="assign-me", label="Assign me"),
        COMMENT,
    ),
)
SECURED_ISSUE = replace(
    ISSUE,
    ref=RecordRef.parse("jira:acme/issue/10043"),
    key="SEC-9",
    title="Tokens stand in the access log",
    secured=True,
)
DEAL = _record(
    "hubspot:acme/deal/8675309",
    "Deal",
    "Initech rollout",
    Status("Contract sent · 90%", Tone.GOOD),
    "app.hubspot.com/contacts/1/record/0-3/8675309",
    facts=_facts(
        {
            "Pipeline": "Sales",
            "Owner": "Dana Reyes",
            "Company": "Initech",
            "Close date": "2026-11-30",
            "Next activity": "Call on Tuesday",
        },
        sales_finance={"Amount": "$ 87,500"},
    ),
    offers=(STAGE, replace(NOTE, act="note", label="Note…")),
)
HUBSPOT_CONTACT = _record(
    "hubspot:acme/contact/51",
    "Contact",
    "Bill Lumbergh",
    Status("Customer", Tone.GOOD),
    "app.hubspot.com/contacts/1/record/0-1/51",
    facts=_facts(
        {"Company": "Initech", "Owner": "Dana Reyes", "Lead status": "Open"},
        personal={"Email": "bill@initech.example", "Phone": "+1 512 555 0199"},
    ),
    offers=(replace(NOTE, act="note", label="Note…"), EDIT),
)
COMPANY = _record(
    "hubspot:acme/company/77",
    "Company",
    "Initech",
    Status("Customer", Tone.GOOD),
    "app.hubspot.com/contacts/1/record/0-2/77",
    facts=_facts(
        {"Owner": "Dana Reyes", "Industry": "Software", "City": "Austin"},
        sales_finance={"Annual revenue": "$ 12,000,000"},
    ),
    offers=(replace(NOTE, act="note", label="Note…"),),
)
TICKET = _record(
    "hubspot:acme/ticket/1812",
    "Ticket",
    "TPS reports print twice",
    Status("Waiting on us", Tone.WARNING),
    "app.hubspot.com/contacts/1/record/0-5/1812",
    facts=_facts(
        {"Pipeline": "Support", "Priority": "Medium", "Owner": "Tier 1"},
        personal={"Reported by": "Bill Lumbergh <bill@initech.example>"},
    ),
    offers=(COMMENT,),
)
EMPLOYEE = _record(
    "hr:people/employee/e-2041",
    "New hire",
    "Nadia Petrova",
    Status("Step 3 of 7 · equipment ordered", Tone.WARNING),
    "hr.acme.example/people/e-2041",
    title_cls="hr",
    facts=_facts(
        {
            "Role": "Site reliability engineer",
            "Start date": "2026-12-01",
            "Site": "Berlin",
            "Team": "Platform",
            "Checklist": "3 of 7",
        },
        hr={"Manager": "Ana Ek"},
    ),
    offers=(replace(TAKE, act="step", label="Mark step done"),),
)

RECORDS: dict[str, Record] = {
    "account": ACCOUNT,
    "contact": CONTACT,
    "opportunity": OPPORTUNITY,
    "case": CASE,
    "incident": INCIDENT,
    "change": CHANGE,
    "catalog_item": CATALOG_ITEM,
    "request": REQUEST,
    "knowledge": KNOWLEDGE,
    "issue": ISSUE,
    "secured_issue": SECURED_ISSUE,
    "deal": DEAL,
    "hubspot_contact": HUBSPOT_CONTACT,
    "company": COMPANY,
    "ticket": TICKET,
    "employee": EMPLOYEE,
}


def secrets_of(record: Record) -> list[str]:
    """Return the values that somebody who sees only what is public may not see."""
    kept = [fact.text for fact in record.facts if fact.cls != PUBLIC and fact.text]
    kept += [fact.label for fact in record.facts if fact.secretive]
    if record.title_cls != PUBLIC:
        kept.append(record.title)
    if record.body and record.body.cls != PUBLIC:
        kept.append(record.body.text)
    return kept
