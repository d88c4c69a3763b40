"""Acme's employees as their HR systems have them, what is nobody's business included."""

from datetime import datetime, timedelta
from typing import Any

from connectors.sandbox.users import PEOPLE, Profile, User

OF_HR = frozenset({"dana", "atom"})
# What everybody's access level shows of others.
KEYS = frozenset(
    {
        "id",
        "displayName",
        "firstName",
        "lastName",
        "jobTitle",
        "department",
        "supervisor",
        "location",
        "hireDate",
        "workEmail",
        "status",
        "lastChanged",
    }
)
_DEPARTMENTS = {"it": ("alice", "erin"), "finance": ("dana", "dave", "frank")}
_MANAGERS = {"it": "Alice Wong", "finance": "Dana Fox", "engineering": "Alice Wong"}
_PRIVATE = {
    "payRate": "61000.00 EUR",
    "ssn": "078-05-1120",
    "address1": "Elbchaussee 101",
    "homeEmail": "somebody@home.example",
    "dateOfBirth": "1990-02-03",
    "ethnicity": "not told",
}
_PROFILE = Profile("Employee")


def users() -> dict[str, User]:
    found = {
        name: User(str(101 + n), name, shown, _PROFILE, f"{name}@acme.example")
        for n, (name, shown, _) in enumerate(PEOPLE)
    }
    found["atom"] = User("900", "atom", "ATOM", _PROFILE)
    return found


def employees(now: datetime) -> dict[str, dict[str, Any]]:
    """Return employees by BambooHR's ids; one of them joins next month."""
    found = {
        str(101 + n): _employee(name, shown, title, now)
        for n, (name, shown, title) in enumerate(PEOPLE)
    }
    frank = next(one for one in found.values() if one["firstName"] == "Frank")
    frank["terminationDate"] = f"{now + timedelta(days=90):%Y-%m-%d}"
    found["121"] = {
        **_employee("nora", "Nora Feld", "Financial Analyst", now),
        "department": "Finance",
        "supervisor": "Dana Fox",
        "hireDate": f"{_next_month(now):%Y-%m-%d}",
        "customOnboardingDone": "2",
        "customOnboardingTotal": "7",
        "customAnnounced": "No",
    }
    return found


def workers(now: datetime) -> list[dict[str, Any]]:
    """Return the same people as a report of Workday's has them."""
    return [
        {
            "Employee_ID": f"W-{id_}",
            "Worker": told["displayName"],
            "Business_Title": told["jobTitle"],
            "Supervisory_Organization": [{"Descriptor": told["department"]}],
            "Manager": told["supervisor"],
            "Location": {"Descriptor": told["location"]},
            "Hire_Date": f"{told['hireDate']}-08:00",
            "Termination_Date": told.get("terminationDate", ""),
            "Active": "1",
            "Onboarding_Done": told.get("customOnboardingDone", ""),
            "Onboarding_Total": told.get("customOnboardingTotal", ""),
            "Annual_Pay": told["payRate"],
            "National_ID": told["ssn"],
        }
        for id_, told in employees(now).items()
    ]


def _employee(name: str, shown: str, title: str, now: datetime) -> dict[str, Any]:
    first, _, last = shown.partition(" ")
    inside = [d for d, people in _DEPARTMENTS.items() if name in people]
    department = inside[0] if inside else "engineering"
    return {
        "displayName": shown,
        "firstName": first,
        "lastName": last,
        "jobTitle": title,
        "department": "IT" if department == "it" else department.capitalize(),
        "supervisor": _MANAGERS[department],
        "location": "Hamburg",
        "hireDate": "2024-03-01",
        "workEmail": f"{name}@acme.example",
        "status": "Active",
        "lastChanged": f"{now - timedelta(days=30):%Y-%m-%dT%H:%M:%S+00:00}",
        **_PRIVATE,
    }


def _next_month(now: datetime) -> datetime:
    return (now.replace(day=1) + timedelta(days=32)).replace(day=1)
