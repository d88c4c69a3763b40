"""What an object's fields are to one account: its description, kept for a while."""

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bridge.records.ports import Access, Gone, NotYours
from connectors.remembered import Remembered
from connectors.salesforce.client import Client

_KEPT = 15 * 60.0
_KNOWN = 24 * 3600.0
_MOST_KEPT = 2_000


@dataclass(frozen=True, slots=True)
class FieldOf:
    """One field, as the account may use it."""

    name: str
    label: str
    type: str
    length: int
    createable: bool
    updateable: bool
    needed: bool
    choices: tuple[tuple[str, str], ...]
    controller: str
    fitting: Mapping[str, tuple[str, ...]]


Fields = Mapping[str, FieldOf]


@dataclass(frozen=True, slots=True)
class RecordType:
    """A record type that an account may use; `usual` if new records get it."""

    id: str
    name: str
    usual: bool


@dataclass(frozen=True, slots=True)
class _Described:
    fields: Fields
    types: tuple[RecordType, ...]


Values = Mapping[str, frozenset[str]]
"""What can be chosen in each picklist."""


class Metadata:
    """Descriptions by account and object; asked for again with `If-Modified-Since`."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._fresh = Remembered[_Described](_KEPT, most=_MOST_KEPT)
        # What was true once, and when: to be asked whether it still is.
        self._known = Remembered[tuple[str, _Described]](_KNOWN, most=_MOST_KEPT)
        self._values = Remembered[Values](_KEPT, most=_MOST_KEPT)

    async def fields(self, access: Access, object_: str) -> Fields:
        """
        Return the fields that an account sees. Raises `NotYours` for an object that is
        not for it.
        """
        return (await self._described(access, object_)).fields

    async def types(self, access: Access, object_: str) -> Sequence[RecordType]:
        """Return the record types that an account may use, its usual one first."""
        return (await self._described(access, object_)).types

    async def values(self, access: Access, object_: str, type_: str) -> Values:
        """Return what can be chosen in a record type, for the picklists that it knows."""
        key = f"{access.account}\0{object_}\0{type_}"
        known = self._values.get(key)
        if known is None:
            known = await self._client.choices(access, object_, type_)
            self._values.keep(key, known)
        return known

    async def _described(self, access: Access, object_: str) -> _Described:
        key = f"{access.account}\0{object_}"
        fresh = self._fresh.get(key)
        if fresh is not None:
            return fresh
        since, before = self._known.get(key) or ("", _Described({}, ()))
        try:
            described, date = await self._client.describe(access, object_, since)
        except Gone:  # an object that is not for an account looks as if it were none
            raise NotYours("your Salesforce account may not do this") from None
        found = before if described is None else _whole(described)
        if not found.fields:
            raise NotYours("your Salesforce account may not do this")
        self._fresh.keep(key, found)
        self._known.keep(key, (date, found))
        return found


def _whole(described: Mapping[str, Any]) -> _Described:
    types = [
        RecordType(
            str(one["recordTypeId"]),
            str(one.get("name") or one["recordTypeId"]),
            bool(one.get("defaultRecordTypeMapping")),
        )
        for one in described.get("recordTypeInfos") or ()
        # The master stands for having none.
        if one.get("available") and not one.get("master")
    ]
    types.sort(key=lambda one: (not one.usual, one.name))
    return _Described(_fields(described), tuple(types))


def _fields(described: Mapping[str, Any]) -> Fields:
    told = {str(one["name"]): one for one in described.get("fields", ())}
    return {name: _field(one, told) for name, one in told.items()}


def _field(one: Mapping[str, Any], all_: Mapping[str, Mapping[str, Any]]) -> FieldOf:
    active = [each for each in one.get("picklistValues") or () if each.get("active")]
    controller = str(one.get("controllerName") or "")
    createable = bool(one.get("createable"))
    return FieldOf(
        str(one["name"]),
        str(one.get("label") or one["name"]),
        str(one.get("type", "string")),
        int(one.get("length") or 0),
        createable,
        bool(one.get("updateable")),
        createable and not one.get("nillable") and not one.get("defaultedOnCreate"),
        tuple(
            (str(each["value"]), str(each.get("label") or each["value"]))
            for each in active
        ),
        controller,
        _fitting(active, all_.get(controller)) if controller else {},
    )


def _fitting(
    choices: Sequence[Mapping[str, Any]], controller: Mapping[str, Any] | None
) -> Mapping[str, tuple[str, ...]]:
    """
    Return which choices go with each value of the controller.

    `validFor` is a bitmap in base64: the first bit is the controller's first option, and
    so on. A controller that is a checkbox has the options false and true.
    """
    if controller is None:
        return {}
    options = [str(each["value"]) for each in controller.get("picklistValues") or ()]
    if controller.get("type") == "boolean":
        options = ["false", "true"]
    fitting: dict[str, list[str]] = {option: [] for option in options}
    for choice in choices:
        bits = base64.b64decode(str(choice.get("validFor") or ""))
        for place, option in enumerate(options):
            byte = bits[place // 8] if place // 8 < len(bits) else 0
            if byte & (0x80 >> place % 8):
                fitting[option].append(str(choice["value"]))
    return {option: tuple(values) for option, values in fitting.items()}
