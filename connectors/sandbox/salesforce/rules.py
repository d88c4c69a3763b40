"""What the org's admins have set up: defaults, validation rules, derived fields."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from connectors.sandbox.salesforce.refusals import Refused
from connectors.sandbox.salesforce.schema import OBJECTS, STAGES, Field

Row = dict[str, Any]
_DEFAULTS: dict[str, Row] = {
    "Case": {"Status": "New", "Priority": "Medium"},
    "Task": {"Status": "Not Started", "TaskSubtype": "Task"},
}


def defaults(kind: str) -> Row:
    return dict(_DEFAULTS.get(kind, {}))


def taken(one: Field, value: Any) -> Any:
    """Return a value as the org keeps it. Raises `Refused`."""
    if value is None or value == "":
        return None
    kinds = {"currency": (int, float), "percent": (int, float), "boolean": (bool,)}
    wanted = kinds.get(one.type, (str,))
    if not isinstance(value, wanted) or (
        isinstance(value, bool) and bool not in wanted
    ):
        raise _unreadable(one, value)
    if isinstance(value, str):
        _text(one, value)
    return float(value) if float in wanted else value


def _text(one: Field, value: str) -> None:
    """Raise `Refused` for a text that does not fit its field."""
    if one.type == "date":
        try:
            date.fromisoformat(value)
        except ValueError:
            raise _unreadable(one, value) from None
    if one.length and len(value) > one.length:
        told = f"{one.label}: data value too large: (max length={one.length})"
        raise Refused(400, "STRING_TOO_LONG", told, [one.name])
    if one.type == "email" and "@" not in value:
        told = f"{one.label}: invalid email address: {value}"
        raise Refused(400, "INVALID_EMAIL_ADDRESS", told, [one.name])
    if one.choices and value not in one.choices:
        told = f"{one.label}: bad value for restricted picklist field: {value}"
        code = "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
        raise Refused(400, code, told, [one.name])


def check(kind: str, before: Row, after: Row) -> None:
    """Raise `Refused` for what lacks something, or what a validation rule forbids."""
    missing = [
        one.name
        for one in OBJECTS[kind]
        if one.needed and not one.fixed and after.get(one.name) is None
    ]
    if missing:
        raise Refused(
            400,
            "REQUIRED_FIELD_MISSING",
            f"Required fields are missing: [{', '.join(missing)}]",
            missing,
        )
    for one in OBJECTS[kind]:
        value = after.get(one.name)
        if one.controller and value and value != before.get(one.name):
            _fits(one, value, after)
    if kind == "Case" and after["Status"] == "Closed" and not after["Reason"]:
        raise _forbidden("Say why before you close a case.", "Reason")
    won = after.get("StageName") == "Closed Won"
    if kind == "Opportunity" and won and not after["NextStep"]:
        raise _forbidden("A won deal needs a next step: who takes over?", "NextStep")
    if kind == "Account" and after["Name"] == "Test":
        raise _forbidden("No test accounts in this org.")


def _fits(one: Field, value: str, after: Row) -> None:
    if after.get(one.controller) not in one.fits.get(value, ()):
        raise Refused(
            400,
            "FIELD_INTEGRITY_EXCEPTION",
            f"{one.label}: value does not fit {one.controller}",
            [one.name],
        )


def derive(kind: str, before: Mapping[str, Any], after: Row, at: str) -> None:
    """Fill in what the org works out by itself."""
    if kind == "Contact":
        names = (after.get("FirstName"), after["LastName"])
        after["Name"] = " ".join(filter(None, names))
    elif kind == "Opportunity" and before.get("StageName") != after["StageName"]:
        chance, forecast = STAGES[after["StageName"]]
        after["Probability"], after["ForecastCategoryName"] = float(chance), forecast
        after["IsWon"] = after["StageName"] == "Closed Won"
        after["IsClosed"] = after["StageName"].startswith("Closed")
        after["LastStageChangeDate"] = at
    elif kind == "Case" and before.get("Status") != after["Status"]:
        after["IsClosed"] = after["Status"] == "Closed"
        after["ClosedDate"] = at if after["IsClosed"] else None


def _forbidden(sentence: str, *fields: str) -> Refused:
    return Refused(400, "FIELD_CUSTOM_VALIDATION_EXCEPTION", sentence, fields)


def _unreadable(one: Field, value: Any) -> Refused:
    return Refused(
        400,
        "JSON_PARSER_ERROR",
        f"Cannot deserialize instance of {one.type} from value {value!r}",
    )
