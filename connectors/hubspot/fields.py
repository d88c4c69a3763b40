"""
Properties in forms: what can be entered, and how HubSpot wants it.

Source: HubSpot, "Properties API": type, field type, options, and what may be written.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from bridge.records.forms import Choice, Input, InputKind
from connectors.hubspot.api import Json, dicts
from connectors.hubspot.objects import day_of

_LONGEST = 65_536
_KINDS = {
    "string": InputKind.LINE,
    "number": InputKind.NUMBER,
    "date": InputKind.DATE,
    "datetime": InputKind.DATE,
    "bool": InputKind.CHECK,
    "enumeration": InputKind.CHOICE,
}


@dataclass(frozen=True, slots=True)
class Field:
    """One property, as HubSpot describes it to one account."""

    name: str
    label: str
    type: str
    field_type: str
    choices: tuple[Choice, ...] = ()
    writable: bool = True
    unique: bool = False

    def input(self, value: str, *, required: bool = False) -> Input | None:
        """Return the input for it, None if it cannot be entered in a chat."""
        kind = _KINDS.get(self.type)
        if kind is None or not self.writable:
            return None
        if self.field_type in {"textarea", "html"}:
            kind = InputKind.TEXT
        if self.field_type == "checkbox":
            kind = InputKind.CHOICES
        if kind in {InputKind.CHOICE, InputKind.CHOICES} and not self.choices:
            return None
        return Input(
            self.name,
            self.label,
            kind,
            value,
            required,
            self.choices,
            longest=_LONGEST if kind is InputKind.TEXT else 0,
        )

    def encoded(self, text: str) -> str:
        """Return what was entered as HubSpot takes it; empty clears a property."""
        text = text.strip()
        if self.field_type == "checkbox":
            return ";".join(part.strip() for part in text.split(",") if part.strip())
        return text

    def decoded(self, value: object) -> str:
        """Return what HubSpot has as it would be entered."""
        text = "" if value is None else str(value)
        if self.type in {"date", "datetime"}:
            return day_of(text)
        if self.field_type == "checkbox":
            return ",".join(text.split(";"))
        return text

    def same(self, one: str, other: str) -> bool:
        """Say whether two entries mean the same."""
        if self.type != "number":
            return one.strip() == other.strip()
        try:
            return float(one or "nan") == float(other or "nan") or one == other
        except ValueError:
            return one == other


def described(told: Iterable[Json]) -> dict[str, Field]:
    """Read the metadata of properties, by their names."""
    found = {}
    for each in told:
        name, rights = str(each.get("name", "")), each.get("modificationMetadata")
        fixed = isinstance(rights, dict) and bool(rights.get("readOnlyValue"))
        found[name] = Field(
            name,
            str(each.get("label") or name),
            str(each.get("type", "")),
            str(each.get("fieldType", "")),
            tuple(
                Choice(str(o.get("value", "")), str(o.get("label", "")))
                for o in dicts(each.get("options"))
                if not o.get("hidden")
            ),
            not (fixed or each.get("calculated") or each.get("hidden")),
            bool(each.get("hasUniqueValue")),
        )
    return found
