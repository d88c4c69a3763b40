"""Record types: which of a picklist's values go with each, and who may use which."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from connectors.sandbox.salesforce.refusals import Refused
from connectors.sandbox.salesforce.schema import Field
from connectors.sandbox.users import User

COLUMN = "RecordTypeId"
MASTER = "012000000000000AAA"
FIELD = Field(COLUMN, "Record Type ID", "reference", 18, defaulted=True)


@dataclass(frozen=True, slots=True)
class RecordType:
    """
    `only` are the users to whom it is available, empty for all; `usual` those whose
    default it is. `values` are what picklists have in it, where that is not everything.
    """

    id: str
    name: str
    values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    only: frozenset[str] = frozenset()
    usual: frozenset[str] = frozenset()

    def is_for(self, user: User) -> bool:
        return not self.only or user.name in self.only


def infos(types: tuple[RecordType, ...], user: User) -> list[dict[str, Any]]:
    """Return what `describe` tells a user of them; the master is always among them."""
    told = [
        {
            "recordTypeId": one.id,
            "name": one.name,
            "active": True,
            "available": one.is_for(user),
            "defaultRecordTypeMapping": user.name in one.usual,
            "master": False,
        }
        for one in types
    ]
    usual = any(one["defaultRecordTypeMapping"] for one in told)
    master = {
        "recordTypeId": MASTER,
        "name": "Master",
        "active": True,
        "available": True,
        "defaultRecordTypeMapping": not usual,
        "master": True,
    }
    return [*told, master]


def usual_of(types: tuple[RecordType, ...], user: User) -> str | None:
    return next((one.id for one in types if user.name in one.usual), None)


def check(
    types: tuple[RecordType, ...], user: User, before: Mapping[str, Any], after: Any
) -> None:
    """Raise `Refused` for a type that is not the user's, and for another type's value."""
    if not types or not (wanted := after.get(COLUMN)):
        return
    one = next((each for each in types if each.id == wanted), None)
    if one is None or (wanted != before.get(COLUMN) and not one.is_for(user)):
        told = "Record Type ID: this ID value isn't valid for the user: "
        raise Refused(400, "INVALID_CROSS_REFERENCE_KEY", told + str(wanted), [COLUMN])
    for name, values in one.values.items():
        value = after.get(name)
        if value and value != before.get(name) and value not in values:
            raise Refused(
                400,
                "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
                f"bad value for restricted picklist field: {value}",
                [name],
            )
