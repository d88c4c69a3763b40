"""
Records to try cards with: one of every kind as connectors read it, and some made up.

Those made up have classes, and something of each sort that may not be seen, in ways in
which a company may set its systems up.
"""

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
from tests.record_fixtures import NAMES, READ_US, recorded

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
        replace(TAKE, act="assign", label="Assign to me"),
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
)

# One of each kind, as connectors read it from its system's stand-in.
RECORDS: dict[str, Record] = {name: recorded(name) for name in NAMES}


def secrets_of(record: Record) -> list[str]:
    """Return the values that somebody who sees only what is public may not see."""
    kept = [fact.text for fact in record.facts if fact.cls != PUBLIC and fact.text]
    kept += [fact.label for fact in record.facts if fact.secretive]
    if record.title_cls != PUBLIC:
        kept.append(record.title)
    if record.body and record.body.cls != PUBLIC:
        kept.append(record.body.text)
    return kept
