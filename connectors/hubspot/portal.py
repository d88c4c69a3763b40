"""How a company's HubSpot is configured, and what ATOM shows of its objects."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from yarl import URL

from bridge.errors import BadInput
from bridge.records.model import PUBLIC, RecordRef, System

FINANCE, PERSONAL = "finance", "personal"


@dataclass(frozen=True, slots=True)
class Shown:
    """A property that is shown: its label, and the class that policies decide on."""

    property: str
    label: str
    cls: str = PUBLIC


@dataclass(frozen=True, slots=True)
class Kind:
    """
    A kind of objects: HubSpot's name for them and number, the properties that make the
    title, and the pair of properties that says where one stands, if any does.
    """

    name: str
    what: str
    plural: str
    number: str
    title: tuple[str, ...]
    shown: tuple[Shown, ...]
    stage: str = ""
    pipeline: str = ""
    status: str = ""
    body: str = ""
    modified: str = "hs_lastmodifieddate"
    asked: tuple[str, ...] = ()  # what is asked for in forms, the first is needed
    primary: str = ""  # has the id of the company that it belongs to first of all

    @property
    def read(self) -> tuple[str, ...]:
        """All properties that are read: nothing else is asked for."""
        named = (
            *self.title,
            *(each.property for each in self.shown if each.property != COMPANY),
            *self.asked,
            self.stage,
            self.pipeline,
            self.status,
            self.body,
            self.modified,
            self.primary,
        )
        extra = ("deal_currency_code",) if self.name == "deal" else ()
        return tuple(dict.fromkeys(filter(None, (*named, *extra))))


COMPANY = "company"  # no property: what an object belongs to
OWNER = "hubspot_owner_id"

_KINDS = (
    Kind(
        "contact",
        "Contact",
        "contacts",
        "0-1",
        ("firstname", "lastname"),
        (
            Shown(COMPANY, "Company"),
            Shown("jobtitle", "Job title"),
            Shown(OWNER, "Owner"),
            Shown("hs_lead_status", "Lead status"),
            Shown("notes_last_updated", "Last activity"),
            Shown("email", "Email", PERSONAL),
            Shown("phone", "Phone", PERSONAL),
        ),
        status="lifecyclestage",
        modified="lastmodifieddate",
        primary="associatedcompanyid",
        asked=(
            "lastname",
            "firstname",
            "email",
            "phone",
            "jobtitle",
            "lifecyclestage",
            "hs_lead_status",
        ),
    ),
    Kind(
        "company",
        "Company",
        "companies",
        "0-2",
        ("name",),
        (
            Shown(OWNER, "Owner"),
            Shown("industry", "Industry"),
            Shown("city", "City"),
            Shown("domain", "Domain"),
            Shown("phone", "Phone", PERSONAL),
            Shown("annualrevenue", "Annual revenue", FINANCE),
        ),
        status="lifecyclestage",
        asked=("name", "domain", "industry", "city", "phone", "lifecyclestage"),
    ),
    Kind(
        "deal",
        "Deal",
        "deals",
        "0-3",
        ("dealname",),
        (
            Shown(COMPANY, "Company"),
            Shown("pipeline", "Pipeline"),
            Shown(OWNER, "Owner"),
            Shown("closedate", "Close date"),
            Shown("amount", "Amount", FINANCE),
            Shown("notes_last_updated", "Last activity"),
            Shown("notes_next_activity_date", "Next activity"),
        ),
        stage="dealstage",
        pipeline="pipeline",
        primary="hs_primary_associated_company",
        asked=("dealname", "closedate", "amount", "description"),
    ),
    Kind(
        "ticket",
        "Ticket",
        "tickets",
        "0-5",
        ("subject",),
        (
            Shown(COMPANY, "Company"),
            Shown("hs_pipeline", "Pipeline"),
            Shown(OWNER, "Owner"),
            Shown("hs_ticket_priority", "Priority"),
            Shown("hs_ticket_category", "Category"),
        ),
        stage="hs_pipeline_stage",
        pipeline="hs_pipeline",
        body="content",
        primary="hs_primary_company_id",
        asked=("subject", "content", "hs_ticket_priority"),
    ),
)
KINDS: Mapping[str, Kind] = MappingProxyType({each.name: each for each in _KINDS})
PLURALS: Mapping[str, Kind] = MappingProxyType({each.plural: each for each in _KINDS})
NUMBERS: Mapping[str, Kind] = MappingProxyType({each.number: each for each in _KINDS})


@dataclass(frozen=True, slots=True)
class Portal:
    """
    A portal as ATOM knows it.

    `page` is where people have it in their browsers. `classes` are classes of
    properties, as `deal.amount`, beside the usual. `client_secret` signs what webhooks
    send, `app_id` is ATOM's own app there. `settle` is how many seconds searches may be
    behind. `version` is the version of the objects' paths.
    """

    instance: str
    portal_id: int
    page: URL
    client_secret: str = field(default="", repr=False)
    app_id: int = 0
    classes: Mapping[str, str] = field(default_factory=dict)
    marker: str = "atom_deed"
    settle: float = 30.0
    version: str = "v3"

    @property
    def bucket(self) -> str:
        return f"{System.HUBSPOT}:{self.instance}"

    def ref(self, kind: Kind, id_: str) -> RecordRef:
        return RecordRef(System.HUBSPOT, self.instance, kind.name, id_)

    def address(self, kind: Kind, id_: str) -> str:
        """Return an object's page."""
        path = ("contacts", str(self.portal_id), "record", kind.number, id_)
        return str(self.page.joinpath(*path))

    def cls(self, kind: Kind, shown: Shown) -> str:
        return self.classes.get(f"{kind.name}.{shown.property}", shown.cls)


def kind_of(name: str) -> Kind:
    """Return a kind by ATOM's name. Raises `BadInput`."""
    if name not in KINDS:
        raise BadInput(f"HubSpot has no {name[:40]}: choose one of {', '.join(KINDS)}")
    return KINDS[name]
