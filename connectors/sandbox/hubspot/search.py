"""
Searching, which is a bit late and has limits of its own.

Source: HubSpot, "Search the CRM": five groups of six filters, 18 in all; 200 results a
page and 10,000 a query; new and changed objects take a moment to be found.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from aiohttp import web

from connectors.sandbox.http import answer, body_of
from connectors.sandbox.hubspot.objects import Objects
from connectors.sandbox.hubspot.refusals import Refusal
from connectors.sandbox.hubspot.state import Json, Portal, Thing
from connectors.sandbox.users import User

_GROUPS, _FILTERS, _ALL, _LIMIT, _CAP, _LONGEST = 5, 6, 18, 200, 10_000, 3000
_SEARCHED = {
    "contacts": ("firstname", "lastname", "email", "phone"),
    "companies": ("name", "domain", "phone"),
    "deals": ("dealname", "description", "dealstage"),
    "tickets": ("subject", "content"),
    "notes": ("hs_note_body",),
    "tasks": ("hs_task_subject", "hs_task_body"),
}

Values = Mapping[str, str | None]


class Search:
    """One portal's search."""

    def __init__(self, portal: Portal, objects: Objects) -> None:
        self._portal, self._objects = portal, objects

    async def search(self, request: web.Request, user: User) -> web.Response:
        kind, asked = self._objects.kind(request), await body_of(request)
        groups = asked.get("filterGroups") or []
        self._check(kind, groups, asked)
        limit, after = int(asked.get("limit") or 10), int(asked.get("after") or 0)
        found = []
        for thing in self._portal.things[kind].values():
            values = self._portal.known(thing)
            if not self._portal.sees(user, thing):
                continue
            if values is not None and _fits(kind, values, groups, asked.get("query")):
                found.append((values, thing))
        for sort in reversed(asked.get("sorts") or [{"propertyName": "hs_object_id"}]):
            name = sort if isinstance(sort, str) else sort.get("propertyName", "")
            down = not isinstance(sort, str) and sort.get("direction") == "DESCENDING"
            found.sort(key=lambda each, by=name: _rank(each[0].get(by)), reverse=down)
        page = found[after : after + limit]
        told: Json = {
            "total": len(found),
            "results": [
                self._shown(thing, values, user, asked) for values, thing in page
            ],
        }
        if after + limit < len(found):
            told["paging"] = {"next": {"after": str(after + limit)}}
        return answer(told)

    def _shown(
        self, thing: Thing, values: Values, user: User, asked: Mapping[str, Any]
    ) -> Json:
        """What is found is shown as the index knows it, not as it is."""
        told = self._objects.shown(thing, user, asked.get("properties") or ())
        known = {name: values.get(name) for name in told["properties"]}
        return {**told, "properties": known}

    def _check(
        self, kind: str, groups: list[Mapping[str, Any]], asked: Mapping[str, Any]
    ) -> None:
        filters = [each for group in groups for each in group.get("filters", ())]
        most = max((len(group.get("filters", ())) for group in groups), default=0)
        limit, after = int(asked.get("limit") or 10), int(asked.get("after") or 0)
        if len(groups) > _GROUPS or most > _FILTERS or len(filters) > _ALL:
            raise Refusal(400, "VALIDATION_ERROR", "There are too many filters.")
        if not 0 < limit <= _LIMIT or after + limit > _CAP:
            raise Refusal(400, "VALIDATION_ERROR", "limit or after is too large.")
        if len(str(asked.get("query") or "")) > _LONGEST:
            raise Refusal(400, "VALIDATION_ERROR", "The query is too long.")
        known = {*self._portal.properties[kind], "hs_object_id", "createdate"}
        for each in filters:
            if each.get("propertyName") not in known:
                why = f"Invalid property name: {each.get('propertyName')}"
                raise Refusal(400, "VALIDATION_ERROR", why)


def _fits(
    kind: str, values: Values, groups: list[Mapping[str, Any]], query: Any
) -> bool:
    if query:
        text = " ".join(values.get(name) or "" for name in _SEARCHED[kind]).casefold()
        if not all(word in text for word in str(query).casefold().split()):
            return False
    return not groups or any(
        all(_holds(values, each) for each in group.get("filters", ()))
        for group in groups
    )


def _holds(values: Values, told: Mapping[str, Any]) -> bool:
    has = values.get(str(told["propertyName"]))
    wanted = str(told.get("value", ""))
    match told.get("operator"):
        case "HAS_PROPERTY":
            return bool(has)
        case "NOT_HAS_PROPERTY":
            return not has
        case "EQ":
            return (has or "").casefold() == wanted.casefold()
        case "NEQ":
            return bool(has) and (has or "").casefold() != wanted.casefold()
        case "IN":
            return (has or "") in {str(each) for each in told.get("values", ())}
        case "CONTAINS_TOKEN":
            pattern = re.escape(wanted.casefold()).replace(r"\*", r"\w*")
            return re.search(rf"\b{pattern}\b", (has or "").casefold()) is not None
        case "BETWEEN":
            high = _number(str(told.get("highValue", "")))
            return bool(has) and _number(wanted) <= _number(has or "") <= high
        case "GT" | "GTE" | "LT" | "LTE" as operator:
            return bool(has) and _compared(str(operator), has or "", wanted)
    raise Refusal(400, "VALIDATION_ERROR", "Invalid operator")


def _compared(operator: str, has: str, wanted: str) -> bool:
    one, other = _number(has), _number(wanted)
    return {
        "GT": one > other,
        "GTE": one >= other,
        "LT": one < other,
        "LTE": one <= other,
    }[operator]


def _number(text: str) -> float:
    """Return a number, or a time in milliseconds."""
    try:
        return float(text)
    except ValueError:
        pass
    try:
        return datetime.fromisoformat(text).timestamp() * 1000
    except ValueError:
        return float("nan")


def _rank(value: str | None) -> tuple[bool, float, str]:
    number = _number(value or "")
    usable = number == number  # noqa: PLR0124 - not a number is not itself
    return bool(value), number if usable else 0.0, value or ""
