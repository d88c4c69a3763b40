"""The kinds of records that ATOM shows, and which of their fields, in which words."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from bridge.records.model import PUBLIC

FINANCE, PERSONAL, CONFIDENTIAL = "finance", "personal", "confidential"


class Form(StrEnum):
    """How a field's value is written for people."""

    TEXT = "text"
    DAY = "day"
    MOMENT = "moment"
    MONEY = "money"
    COUNT = "count"
    AGE = "age"  # for how many days it is there, while it is open
    STAGE = "stage"  # a day, and from what to what


@dataclass(frozen=True, slots=True)
class Shown:
    """A field on a card: `path` is where its value is in an answer."""

    id: str
    label: str
    path: str
    cls: str = PUBLIC
    form: Form = Form.TEXT
    secretive: bool = False


@dataclass(frozen=True, slots=True)
class Kind:
    """
    A kind of record. `columns` are asked for beside those of `shown`, `editable` and
    `new` are what forms ask for, as far as the account may write it.
    """

    name: str
    object: str
    what: str
    prefix: str
    shown: tuple[Shown, ...]
    columns: tuple[str, ...]
    editable: tuple[str, ...]
    new: tuple[str, ...]
    children: str = ""

    def paths(self) -> tuple[str, ...]:
        """Return every column to ask for, each once."""
        asked = ("Id", "LastModifiedDate", *self.columns)
        own = (one.path for one in self.shown if one.form is not Form.COUNT)
        return tuple(dict.fromkeys((*asked, *own)))


_OWNER = Shown("owner", "Owner", "Owner.Name")
_ACTIVE = Shown("last-activity", "Last activity", "LastActivityDate", form=Form.DAY)
_ACCOUNT = Shown("account", "Account", "Account.Name")

ACCOUNT = Kind(
    "account",
    "Account",
    "Account",
    "001",
    (
        _OWNER,
        Shown("industry", "Industry", "Industry"),
        Shown("city", "City", "BillingCity"),
        Shown("country", "Country", "BillingCountry"),
        Shown("phone", "Phone", "Phone"),
        Shown("website", "Website", "Website"),
        _ACTIVE,
        Shown(
            "open-opportunities", "Open opportunities", "Opportunity", form=Form.COUNT
        ),
        Shown("open-cases", "Open cases", "Case", form=Form.COUNT),
        Shown("revenue", "Annual revenue", "AnnualRevenue", FINANCE, Form.MONEY),
    ),
    ("Name", "Type", "Rating", "Description"),
    (
        "Name",
        "Type",
        "Rating",
        "Industry",
        "BillingCity",
        "BillingCountry",
        "Phone",
        "Website",
        "AnnualRevenue",
    ),
    ("Name", "Type", "Industry", "Phone", "Website", "BillingCity", "BillingCountry"),
)
CONTACT = Kind(
    "contact",
    "Contact",
    "Contact",
    "003",
    (
        Shown("title", "Title", "Title"),
        _ACCOUNT,
        _OWNER,
        Shown("email", "Email", "Email", PERSONAL),
        Shown("mobile", "Mobile", "MobilePhone", PERSONAL),
        Shown("phone", "Phone", "Phone", PERSONAL),
        _ACTIVE,
    ),
    ("Name", "AccountId"),
    ("FirstName", "LastName", "Title", "Email", "Phone", "MobilePhone"),
    ("FirstName", "LastName", "Title", "Email", "Phone", "MobilePhone"),
)
OPPORTUNITY = Kind(
    "opportunity",
    "Opportunity",
    "Opportunity",
    "006",
    (
        _ACCOUNT,
        _OWNER,
        Shown("close-date", "Close date", "CloseDate", form=Form.DAY),
        Shown("next-step", "Next step", "NextStep"),
        Shown("amount", "Amount", "Amount", FINANCE, Form.MONEY),
        Shown("forecast", "Forecast", "ForecastCategoryName", FINANCE),
        Shown(
            "stage-change", "Last stage change", "LastStageChangeDate", form=Form.STAGE
        ),
    ),
    (
        "Name",
        "StageName",
        "Probability",
        "IsClosed",
        "IsWon",
        "Description",
        "AccountId",
    ),
    ("Name", "CloseDate", "NextStep", "Amount"),
    ("Name", "StageName", "CloseDate", "NextStep", "Amount"),
    children=(
        "(SELECT StageName, CreatedDate FROM OpportunityHistories"
        " ORDER BY CreatedDate DESC LIMIT 20)"
    ),
)
CASE = Kind(
    "case",
    "Case",
    "Case",
    "500",
    (
        _ACCOUNT,
        Shown("contact", "Contact", "Contact.Name", PERSONAL),
        _OWNER,
        Shown("origin", "Origin", "Origin"),
        Shown("opened", "Opened", "CreatedDate", form=Form.MOMENT),
        Shown("age", "Age", "CreatedDate", form=Form.AGE),
        Shown("sla", "SLA due", "SlaExitDate", form=Form.MOMENT),
        Shown("comment", "Last public comment", "CaseComments", form=Form.COUNT),
    ),
    (
        "CaseNumber",
        "Subject",
        "Status",
        "Priority",
        "IsClosed",
        "IsEscalated",
        "Description",
        "AccountId",
        "ContactId",
        "OwnerId",
    ),
    ("Subject", "Priority", "Type", "Reason"),
    ("Subject", "Priority", "Origin", "Type", "Reason", "Description"),
    children=(
        "(SELECT CommentBody, CreatedDate FROM CaseComments WHERE IsPublished = true"
        " ORDER BY CreatedDate DESC LIMIT 1)"
    ),
)
STANDARD = (ACCOUNT, CONTACT, OPPORTUNITY, CASE)


@dataclass(frozen=True, slots=True)
class Extra:
    """A field of the org's own that cards show too: `object` and `name` as in its API."""

    object: str
    name: str
    label: str
    cls: str = PUBLIC
    form: Form = Form.TEXT
    secretive: bool = False


# What many orgs have under these very names; where one has not, nothing is missed.
USUAL = (
    Extra("Opportunity", "MainCompetitors__c", "Competitor", CONFIDENTIAL),
    Extra("Account", "CreditLimit__c", "Credit limit", FINANCE, Form.MONEY),
)


class Kinds:
    """The kinds of one org, with its own fields."""

    def __init__(self, extras: tuple[Extra, ...] = USUAL) -> None:
        self.all = tuple(map(_with(extras), STANDARD))
        self._names = {kind.name: kind for kind in self.all}
        self._objects = {kind.object: kind for kind in self.all}
        self._prefixes = {kind.prefix: kind for kind in self.all}
        self.classes: Mapping[tuple[str, str], str] = {
            (kind.object, one.path): one.cls
            for kind in self.all
            for one in kind.shown
            if one.cls != PUBLIC
        }

    def named(self, name: str) -> Kind | None:
        return self._names.get(name)

    def of_object(self, object_: str) -> Kind | None:
        return self._objects.get(object_)

    def of_id(self, id_: str) -> Kind | None:
        return self._prefixes.get(id_[:3])


def _with(extras: tuple[Extra, ...]) -> Callable[[Kind], Kind]:
    def more(kind: Kind) -> Kind:
        own = [one for one in extras if one.object == kind.object]
        shown = tuple(
            Shown(_word(x.label), x.label, x.name, x.cls, x.form, x.secretive)
            for x in own
        )
        editable = kind.editable + tuple(one.name for one in own)
        return replace(kind, shown=kind.shown + shown, editable=editable)

    return more


def _word(label: str) -> str:
    return label.casefold().replace(" ", "-")
