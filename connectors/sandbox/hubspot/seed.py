"""Acme's HubSpot portal, as every sandbox starts with it."""

from collections.abc import Callable
from datetime import UTC, datetime

from connectors.sandbox.hubspot.state import (
    Pipeline,
    Portal,
    Property,
    Stage,
    Thing,
)
from connectors.sandbox.users import PEOPLE, Profile, User

PORTAL = 4_242_424
# The app's own. Nothing here opens anything outside the sandbox.
CLIENT_ID = "sandbox-hubspot-client"
CLIENT_SECRET = "sandbox-hubspot-secret-that-opens-nothing"  # noqa: S105 - seeded
_MADE = datetime(2026, 10, 5, 8, tzinfo=UTC).timestamp()
_DAY = 86_400.0

# Who is not in Finance or Sales does not see what a deal is worth.
_SALES = Profile("Sales", everything=True)
_SUPPORT = Profile(
    "Support",
    {"*": "cru"},
    hidden=frozenset({"deals.amount", "deals.hs_forecast_amount"}),
)
_READER = Profile("Reader", {"*": "r"}, everything=True)
_PROFILES = {"bob": _SALES, "dana": _SALES, "alice": _SALES, "frank": _READER}

_OWNER = Property("hubspot_owner_id", "Owner", "enumeration", "select")
_DEED = Property("atom_deed", "ATOM deed", unique=True)
_MODIFIED = Property(
    "hs_lastmodifieddate", "Last modified", "datetime", "date", read_only=True
)
_LIFECYCLE = (
    ("lead", "Lead"),
    ("opportunity", "Opportunity"),
    ("customer", "Customer"),
)
_LEADS = (("NEW", "New"), ("OPEN", "Open"), ("CONNECTED", "Connected"))
_PRIORITIES = (("LOW", "Low"), ("MEDIUM", "Medium"), ("HIGH", "High"))

_PROPERTIES: dict[str, tuple[Property, ...]] = {
    "contacts": (
        Property("email", "Email", unique=True),
        Property("firstname", "First name"),
        Property("lastname", "Last name"),
        Property("phone", "Phone number", field_type="phonenumber"),
        Property("jobtitle", "Job title"),
        Property("lifecyclestage", "Lifecycle", "enumeration", "radio", _LIFECYCLE),
        Property("hs_lead_status", "Lead status", "enumeration", "radio", _LEADS),
        Property(
            "notes_last_updated", "Last activity", "datetime", "date", read_only=True
        ),
        Property(
            "associatedcompanyid", "Primary company", "number", "number", read_only=True
        ),
        Property(
            "lastmodifieddate", "Last modified", "datetime", "date", read_only=True
        ),
    ),
    "companies": (
        Property("name", "Company name"),
        Property("domain", "Domain"),
        Property("industry", "Industry"),
        Property("city", "City"),
        Property("phone", "Phone number", field_type="phonenumber"),
        Property("annualrevenue", "Annual revenue", "number", "number"),
        Property("lifecyclestage", "Lifecycle", "enumeration", "radio", _LIFECYCLE),
        _MODIFIED,
    ),
    "deals": (
        Property("dealname", "Deal name"),
        Property("amount", "Amount", "number", "number"),
        Property(
            "deal_currency_code",
            "Currency",
            "enumeration",
            "select",
            (("EUR", "EUR"), ("USD", "USD")),
        ),
        Property("closedate", "Close date", "datetime", "date"),
        Property("dealstage", "Deal stage", "enumeration", "radio"),
        Property("pipeline", "Pipeline", "enumeration", "select"),
        Property("description", "Description", field_type="textarea"),
        Property("hs_forecast_amount", "Forecast amount", "number", "number"),
        Property(
            "hs_primary_associated_company",
            "Primary company",
            "number",
            "number",
            read_only=True,
        ),
        Property(
            "notes_last_updated", "Last activity", "datetime", "date", read_only=True
        ),
        Property(
            "notes_next_activity_date",
            "Next activity",
            "datetime",
            "date",
            read_only=True,
        ),
        _MODIFIED,
    ),
    "tickets": (
        Property("subject", "Ticket name"),
        Property("content", "Description", field_type="textarea"),
        Property("hs_pipeline", "Pipeline", "enumeration", "select"),
        Property("hs_pipeline_stage", "Status", "enumeration", "select"),
        Property(
            "hs_ticket_priority", "Priority", "enumeration", "select", _PRIORITIES
        ),
        Property("hs_ticket_category", "Category", "enumeration", "select"),
        Property(
            "hs_primary_company_id",
            "Primary company",
            "number",
            "number",
            read_only=True,
        ),
        _MODIFIED,
    ),
    "notes": (
        Property("hs_note_body", "Body", field_type="html"),
        Property("hs_timestamp", "Date", "datetime", "date"),
        _OWNER,
        _MODIFIED,
    ),
    "tasks": (
        Property("hs_task_subject", "Title"),
        Property("hs_task_body", "Notes", field_type="html"),
        Property("hs_task_status", "Status"),
        Property("hs_timestamp", "Due date", "datetime", "date"),
        _MODIFIED,
    ),
}
_DEALS = Pipeline(
    "default",
    "Sales Pipeline",
    (
        Stage("appointmentscheduled", "Appointment Scheduled", probability="0.2"),
        Stage("qualifiedtobuy", "Qualified To Buy", probability="0.4"),
        Stage("presentationscheduled", "Presentation Scheduled", probability="0.6"),
        Stage("contractsent", "Contract Sent", probability="0.9"),
        Stage("closedwon", "Closed Won", closed=True, probability="1.0"),
        Stage("closedlost", "Closed Lost", closed=True, probability="0.0"),
    ),
)
_RENEWALS = Pipeline(
    "87001",
    "Renewals",
    (
        Stage("87011", "Due", probability="0.5"),
        Stage("87012", "Renewed", closed=True, probability="1.0"),
    ),
)
_TICKETS = Pipeline(
    "0",
    "Support Pipeline",
    (
        Stage("1", "New"),
        Stage("2", "Waiting on contact"),
        Stage("3", "Waiting on us"),
        Stage("4", "Closed", closed=True),
    ),
)
_ROWS: tuple[tuple[str, str, dict[str, str]], ...] = (
    (
        "companies",
        "20101",
        {
            "name": "Globex",
            "domain": "globex.example",
            "industry": "MANUFACTURING",
            "city": "Hamburg",
            "phone": "+49 40 555 0101",
            "annualrevenue": "48000000",
            "lifecyclestage": "customer",
        },
    ),
    (
        "companies",
        "20102",
        {
            "name": "Vandelay Imports",
            "domain": "vandelay.example",
            "city": "Rotterdam",
            "lifecyclestage": "lead",
        },
    ),
    (
        "contacts",
        "10101",
        {
            "firstname": "Grace",
            "lastname": "Hill",
            "email": "grace@globex.example",
            "phone": "+49 40 555 0111",
            "jobtitle": "Head of Operations",
            "lifecyclestage": "customer",
            "hs_lead_status": "CONNECTED",
        },
    ),
    (
        "contacts",
        "10102",
        {
            "firstname": "Hugo",
            "lastname": "Marsh",
            "email": "hugo@globex.example",
            "phone": "+49 40 555 0112",
            "jobtitle": "Buyer",
            "lifecyclestage": "customer",
        },
    ),
    (
        "contacts",
        "10103",
        {
            "firstname": "Art",
            "lastname": "Vandelay",
            "email": "art@vandelay.example",
            "lifecyclestage": "lead",
            "hs_lead_status": "NEW",
        },
    ),
    (
        "deals",
        "30101",
        {
            "dealname": "Globex renewal FY27",
            "amount": "84000",
            "deal_currency_code": "EUR",
            "closedate": "2026-12-15T00:00:00.000Z",
            "dealstage": "contractsent",
            "pipeline": "default",
            "hs_forecast_amount": "75600",
            "notes_last_updated": "2026-11-20T10:00:00.000Z",
            "hubspot_owner_id": "501",
        },
    ),
    (
        "deals",
        "30102",
        {
            "dealname": "Falcon pilot at Globex",
            "amount": "12500",
            "deal_currency_code": "EUR",
            "closedate": "2027-01-29T00:00:00.000Z",
            "dealstage": "qualifiedtobuy",
            "pipeline": "default",
            "hubspot_owner_id": "501",
        },
    ),
    (
        "deals",
        "30103",
        {
            "dealname": "Vandelay starter",
            "amount": "3900",
            "dealstage": "appointmentscheduled",
            "pipeline": "default",
            "hubspot_owner_id": "502",
        },
    ),
    (
        "deals",
        "30104",
        {
            "dealname": "Project Umbra takeover",
            "amount": "9500000",
            "dealstage": "qualifiedtobuy",
            "pipeline": "default",
            "hubspot_owner_id": "502",
        },
    ),
    (
        "tickets",
        "40101",
        {
            "subject": "Login fails after the Falcon update",
            "content": "Globex cannot sign in since Monday.",
            "hs_pipeline": "0",
            "hs_pipeline_stage": "3",
            "hs_ticket_priority": "HIGH",
            "hubspot_owner_id": "503",
        },
    ),
    (
        "tickets",
        "40102",
        {
            "subject": "Invoice in the wrong currency",
            "content": "It says USD.",
            "hs_pipeline": "0",
            "hs_pipeline_stage": "1",
            "hs_ticket_priority": "LOW",
        },
    ),
)
_LINKS = (
    ("deals", "30101", "companies", "20101"),
    ("deals", "30102", "companies", "20101"),
    ("deals", "30103", "companies", "20102"),
    ("deals", "30101", "contacts", "10101"),
    ("contacts", "10101", "companies", "20101"),
    ("contacts", "10102", "companies", "20101"),
    ("contacts", "10103", "companies", "20102"),
    ("tickets", "40101", "companies", "20101"),
    ("tickets", "40101", "contacts", "10102"),
)


def seeded(now: Callable[[], float]) -> Portal:
    """Return the portal, as it is at the beginning."""
    portal = Portal(PORTAL, now)
    portal.pipelines = {"deals": (_DEALS, _RENEWALS), "tickets": (_TICKETS,)}
    for kind, told in _PROPERTIES.items():
        own = (
            (_DEED, _OWNER)
            if kind in {"deals", "tickets", "contacts", "companies"}
            else (_OWNER,)
        )
        portal.properties[kind] = {each.name: each for each in (*told, *own)}
        portal.things[kind] = {}
    for number, (kind, id_, values) in enumerate(_ROWS):
        made = _MADE + number * _DAY
        thing = Thing(id_, kind, dict(values), made, made + _DAY * 20)
        thing.indexed.append((float("-inf"), portal.valued(thing), False))
        portal.things[kind][id_] = thing
    portal.links = set(_LINKS)
    portal.private = {"30104"}
    owners = {"bob": "501", "dana": "502", "carol": "503"}
    for name, shown, _ in PEOPLE:
        if name in owners:
            first, _, last = shown.partition(" ")
            portal.owners.append(
                {
                    "id": owners[name],
                    "email": f"{name}@acme.example",
                    "firstName": first,
                    "lastName": last,
                    "userId": int(owners[name]) + 9000,
                    "archived": False,
                }
            )
    return portal


def users() -> dict[str, User]:
    found = {
        name: User(
            str(9100 + number),
            name,
            shown,
            _PROFILES.get(name, _SUPPORT),
            f"{name}@acme.example",
            title=title,
        )
        for number, (name, shown, title) in enumerate(PEOPLE)
    }
    found["atom"] = User("9200", "atom", "ATOM", _SALES, "atom@acme.example")
    return found
