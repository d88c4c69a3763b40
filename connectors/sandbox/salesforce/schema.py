"""What objects the org has, and their fields, as `describe` tells them."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Field:
    """
    One field. `fits` says for a dependent picklist which values of `controller` each of
    its values goes with. `fixed` fields are written by the system alone.
    """

    name: str
    label: str
    type: str = "string"
    length: int = 255
    needed: bool = False
    defaulted: bool = False
    fixed: bool = False
    choices: tuple[str, ...] = ()
    controller: str = ""
    fits: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    to: tuple[str, ...] = ()
    relation: str = ""
    external: bool = False
    create_only: bool = False


def choice(name: str, label: str, *choices: str, **more: Any) -> Field:
    return Field(name, label, "picklist", 255, choices=choices, **more)


def to(name: str, label: str, relation: str, *kinds: str, **more: Any) -> Field:
    return Field(name, label, "reference", 18, to=kinds, relation=relation, **more)


_SYSTEM = (
    Field("Id", "Record ID", "id", 18, fixed=True),
    Field("CreatedDate", "Created", "datetime", 0, fixed=True),
    to("CreatedById", "Created by", "CreatedBy", "User", fixed=True),
    Field("LastModifiedDate", "Last modified", "datetime", 0, fixed=True),
    to("LastModifiedById", "Last modified by", "LastModifiedBy", "User", fixed=True),
    Field("SystemModstamp", "System modstamp", "datetime", 0, fixed=True),
    Field("IsDeleted", "Deleted", "boolean", 0, fixed=True),
)
_OWNER = to("OwnerId", "Owner", "Owner", "User", defaulted=True, needed=True)
_ACTIVE = Field("LastActivityDate", "Last activity", "date", 0, fixed=True)
_KEY = Field("ATOM_Key__c", "ATOM key", "string", 64, external=True)
_ABOUT = Field("Description", "Description", "textarea", 32_000)

STAGES: dict[str, tuple[int, str]] = {
    "Prospecting": (10, "Pipeline"),
    "Qualification": (20, "Pipeline"),
    "Proposal/Price Quote": (50, "Best Case"),
    "Negotiation/Review": (80, "Commit"),
    "Closed Won": (100, "Closed"),
    "Closed Lost": (0, "Omitted"),
}
_TYPES = ("Question", "Problem", "Feature Request")

OBJECTS: dict[str, tuple[Field, ...]] = {
    "Account": (
        *_SYSTEM,
        Field("Name", "Account name", needed=True),
        choice("Type", "Type", "Prospect", "Customer", "Partner"),
        choice("Rating", "Rating", "Hot", "Warm", "Cold"),
        choice("Industry", "Industry", "Energy", "Finance", "Manufacturing", "Retail"),
        Field("BillingCity", "Billing city", length=40),
        Field("BillingCountry", "Billing country", length=80),
        Field("Phone", "Phone", "phone", 40),
        Field("Domain__c", "Domain", length=255),
        Field("Website", "Website", "url"),
        Field("AnnualRevenue", "Annual revenue", "currency", 0),
        Field("CreditLimit__c", "Credit limit", "currency", 0),
        _OWNER,
        _ACTIVE,
        _ABOUT,
        _KEY,
    ),
    "Contact": (
        *_SYSTEM,
        Field("FirstName", "First name", length=40),
        Field("LastName", "Last name", length=80, needed=True),
        Field("Name", "Full name", length=121, fixed=True),
        Field("Title", "Title", length=128),
        to("AccountId", "Account", "Account", "Account"),
        Field("Email", "Email", "email", 80),
        Field("Work_Email__c", "Work Email", "email", 80),
        Field("Phone", "Phone", "phone", 40),
        Field("MobilePhone", "Mobile", "phone", 40),
        _OWNER,
        _ACTIVE,
        _ABOUT,
        _KEY,
    ),
    "Opportunity": (
        *_SYSTEM,
        Field("Name", "Opportunity name", length=120, needed=True),
        to("AccountId", "Account", "Account", "Account"),
        choice("StageName", "Stage", *STAGES, needed=True),
        Field("Probability", "Probability", "percent", 0),
        Field("CloseDate", "Close date", "date", 0, needed=True),
        Field("NextStep", "Next step"),
        Field("Amount", "Amount", "currency", 0),
        choice("ForecastCategoryName", "Forecast", *dict(STAGES.values()).values()),
        Field("MainCompetitors__c", "Main competitors", length=100),
        Field("LastStageChangeDate", "Last stage change", "datetime", 0, fixed=True),
        Field("IsClosed", "Closed", "boolean", 0, fixed=True),
        Field("IsWon", "Won", "boolean", 0, fixed=True),
        _OWNER,
        _ABOUT,
        _KEY,
    ),
    "Case": (
        *_SYSTEM,
        Field("CaseNumber", "Case number", length=30, fixed=True),
        Field("Subject", "Subject", length=255),
        choice(
            "Status",
            "Status",
            "New",
            "Working",
            "Escalated",
            "Closed",
            needed=True,
            defaulted=True,
        ),
        choice("Priority", "Priority", "High", "Medium", "Low", defaulted=True),
        choice("Origin", "Origin", "Phone", "Email", "Web", "Chat"),
        choice("Type", "Type", *_TYPES),
        choice(
            "Reason",
            "Reason",
            "Instructions not clear",
            "Performance",
            "Breakdown",
            "New idea",
            "Other",
            controller="Type",
            fits={
                "Instructions not clear": ("Question",),
                "Performance": ("Problem",),
                "Breakdown": ("Problem",),
                "New idea": ("Feature Request",),
                "Other": _TYPES,
            },
        ),
        to("AccountId", "Account", "Account", "Account"),
        to("ContactId", "Contact", "Contact", "Contact"),
        Field("IsEscalated", "Escalated", "boolean", 0, defaulted=True),
        Field("IsClosed", "Closed", "boolean", 0, fixed=True),
        Field("ClosedDate", "Closed on", "datetime", 0, fixed=True),
        Field("SlaExitDate", "SLA due", "datetime", 0, fixed=True),
        to("OwnerId", "Owner", "Owner", "User", "Group", defaulted=True, needed=True),
        _ABOUT,
        _KEY,
    ),
    "CaseComment": (
        *_SYSTEM,
        to("ParentId", "Case", "Parent", "Case", needed=True, create_only=True),
        Field("CommentBody", "Comment", "textarea", 4000),
        Field("IsPublished", "Public", "boolean", 0, defaulted=True),
    ),
    "Task": (
        *_SYSTEM,
        Field("Subject", "Subject", "combobox"),
        to("WhatId", "About", "What", "Account", "Opportunity", "Case"),
        to("WhoId", "Person", "Who", "Contact"),
        choice(
            "Status", "Status", "Not Started", "Completed", defaulted=True, needed=True
        ),
        choice("TaskSubtype", "Kind", "Task", "Call", "Email", create_only=True),
        Field("ActivityDate", "Due", "date", 0),
        _OWNER,
        _ABOUT,
        _KEY,
    ),
    "OpportunityHistory": (
        *_SYSTEM,
        to("OpportunityId", "Opportunity", "Opportunity", "Opportunity", fixed=True),
        choice("StageName", "Stage", *STAGES, fixed=True),
    ),
    "User": (
        *_SYSTEM,
        Field("Name", "Name", fixed=True),
        Field("Username", "Username", fixed=True),
        Field("Email", "Email", "email", fixed=True),
    ),
    "Group": (
        *_SYSTEM,
        Field("Name", "Name", fixed=True),
        Field("Type", "Type", fixed=True),
    ),
}
# Child relationships, by parent: name -> child, and the child's field.
CHILDREN = {
    "Case": {"CaseComments": ("CaseComment", "ParentId")},
    "Opportunity": {"OpportunityHistories": ("OpportunityHistory", "OpportunityId")},
}


def field_of(kind: str, name: str) -> Field | None:
    wanted = name.casefold()
    for one in OBJECTS.get(kind, ()):
        if one.name.casefold() == wanted:
            return one
    return None


def relation_of(kind: str, name: str) -> Field | None:
    wanted = name.casefold()
    for one in OBJECTS.get(kind, ()):
        if one.relation and one.relation.casefold() == wanted:
            return one
    return None


def described(one: Field, *, writable: bool) -> dict[str, Any]:
    """Return a field as `describe` shows it."""
    controller = field_of("Case", one.controller) if one.controller else None
    return {
        "name": one.name,
        "label": one.label,
        "type": one.type,
        "length": one.length,
        "nillable": not one.needed,
        "createable": writable and not one.fixed,
        "updateable": writable and not one.fixed and not one.create_only,
        "defaultedOnCreate": one.defaulted,
        "externalId": one.external,
        "idLookup": one.external or one.type == "id",
        "restrictedPicklist": one.type == "picklist",
        "dependentPicklist": bool(one.controller),
        "controllerName": one.controller or None,
        "referenceTo": list(one.to),
        "relationshipName": one.relation or None,
        "picklistValues": [
            {
                "value": value,
                "label": value,
                "active": True,
                "defaultValue": False,
                "validFor": _bitmap(one.fits.get(value, ()), controller),
            }
            for value in one.choices
        ],
    }


def _bitmap(fitting: tuple[str, ...], controller: Field | None) -> str | None:
    """Return which of the controller's options a value goes with, a bit for each."""
    if controller is None:
        return None
    bits = bytearray((len(controller.choices) + 7) // 8)
    for place, value in enumerate(controller.choices):
        if value in fitting:
            bits[place // 8] |= 0x80 >> place % 8
    return base64.b64encode(bytes(bits)).decode()
