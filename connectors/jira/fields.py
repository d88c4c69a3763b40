"""
Fields of issues in forms: what can be entered, and how Jira wants it.

Source: Jira Cloud REST API v3, "Get create field metadata for a project and issue type
id", "Get edit issue metadata": each field has a schema and, if need be, allowed values.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from bridge.records.forms import Choice, Input, InputKind
from bridge.records.ports import Rejected
from connectors.jira import adf

_LONGEST_SUMMARY = 255
_LONGEST_TEXT = 32_767
_ID = frozenset({"priority", "issuetype", "resolution", "securitylevel", "option"})
_ARRAYS = {"option": "id", "version": "id", "component": "id"}
_TEXTAREA = "com.atlassian.jira.plugin.system.customfieldtypes:textarea"


@dataclass(frozen=True, slots=True)
class Field:
    """One field, as Jira describes it."""

    id: str
    name: str
    type: str
    items: str = ""
    required: bool = False
    long: bool = False
    choices: tuple[Choice, ...] = ()

    @property
    def kind(self) -> InputKind | None:
        """How it is entered, None if it cannot be in a chat."""
        if self.type in _ID:
            return InputKind.CHOICE
        if self.type == "array":
            return self._kind_of_many()
        if self.long:
            return InputKind.TEXT
        return _KINDS.get(self.type)

    def _kind_of_many(self) -> InputKind | None:
        if self.items == "string":
            return InputKind.LINE
        return InputKind.CHOICES if self.items in _ARRAYS else None

    def input(self, value: str = "") -> Input | None:
        """Return the input for it, None if it cannot be entered in a chat."""
        kind = self.kind
        if kind is None:
            return None
        many = self.type == "array" and self.items == "string"
        longest = _LONGEST_TEXT if kind is InputKind.TEXT else 0
        return Input(
            self.id,
            self.name,
            kind,
            value,
            self.required,
            self.choices,
            longest=_LONGEST_SUMMARY if self.id == "summary" else longest,
            hint="Separate with commas" if many else "",
        )

    def encoded(self, text: str) -> Any:
        """Return what was entered as Jira takes it. Raises `Rejected`."""
        if not text.strip():
            return [] if self.type == "array" else None
        if self.long:
            return adf.document(text)
        if self.type in _ID:
            return {"id": text}
        if self.type == "array":
            return self._many(text)
        if self.type == "number":
            return self._number(text)
        return text.strip()

    def decoded(self, value: Any) -> str:
        """Return what Jira has as it would be entered."""
        if value is None:
            return ""
        if self.long:
            return adf.plain(value)
        if isinstance(value, list):
            return ",".join(str(_id(each)) for each in value)
        return str(_id(value))

    def same(self, one: str, other: str) -> bool:
        """Say whether two entries mean the same."""
        if self.type == "array":
            return _parts(one) == _parts(other)
        return one.split() == other.split() if self.long else one == other

    def _many(self, text: str) -> list[Any]:
        parts = sorted(_parts(text))
        if self.items == "string":
            return parts
        return [{_ARRAYS[self.items]: each} for each in parts]

    def _number(self, text: str) -> float:
        try:
            return float(text)
        except ValueError:
            raise Rejected("that is no number", {self.id: "is no number"}) from None


_KINDS = {
    "string": InputKind.LINE,
    "date": InputKind.DATE,
    "number": InputKind.NUMBER,
}


def described(told: Iterable[Mapping[str, Any]]) -> dict[str, Field]:
    """Read metadata of fields, by their ids."""
    found = {}
    for each in told:
        id_ = str(each.get("fieldId") or each.get("key") or "")
        schema = each.get("schema")
        if id_ and isinstance(schema, Mapping):
            found[id_] = _field(id_, each, schema)
    return found


def _field(id_: str, told: Mapping[str, Any], schema: Mapping[str, Any]) -> Field:
    allowed = told.get("allowedValues")
    choices = [
        Choice(
            str(each["id"]), str(each.get("name") or each.get("value") or each["id"])
        )
        for each in (allowed if isinstance(allowed, list) else ())
        if isinstance(each, Mapping) and "id" in each
    ]
    long = schema.get("system") in {"description", "environment"}
    return Field(
        id_,
        str(told.get("name") or id_),
        str(schema.get("type") or ""),
        str(schema.get("items") or ""),
        bool(told.get("required")),
        long or schema.get("custom") == _TEXTAREA,
        tuple(choices),
    )


def _id(value: Any) -> Any:
    if isinstance(value, Mapping):
        return value.get("id") or value.get("accountId") or ""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _parts(text: str) -> set[str]:
    return {part.strip() for part in text.split(",") if part.strip()}
