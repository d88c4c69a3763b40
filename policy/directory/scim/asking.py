"""Queries: RFC 7644 section 3.4.2, from a URL or from the body of a `.search`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from policy.directory.scim.problems import invalid_syntax, invalid_value
from policy.directory.scim.showing import Wanted

SEARCH = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"
MOST_RESULTS = 1_000
USUAL_RESULTS = 100
_MOST_NAMES = 100
_USUAL = Wanted()


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked for. `start` counts from 1."""

    filter: str = ""
    sort_by: str = ""
    descending: bool = False
    start: int = 1
    count: int = USUAL_RESULTS
    wanted: Wanted = _USUAL

    @classmethod
    def of_url(cls, given: Mapping[str, str]) -> "Query":
        """Read a query string's parameters, whose names have any case."""
        return cls.of({name.lower(): value for name, value in given.items()})

    @classmethod
    def of_body(cls, payload: object) -> "Query":
        """Read a search request."""
        if not isinstance(payload, dict):
            raise invalid_syntax("the body has to be an object")
        given = {name.lower(): value for name, value in payload.items()}
        schemas = given.get("schemas")
        named = schemas if isinstance(schemas, list) else []
        if SEARCH.lower() not in [str(each).lower() for each in named]:
            raise invalid_syntax(f"schemas has to name {SEARCH}")
        return cls.of(given)

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> "Query":
        order = _text(given, "sortorder").lower() or "ascending"
        if order not in {"ascending", "descending"}:
            raise invalid_value("sortOrder is ascending or descending")
        return cls(
            filter=_text(given, "filter"),
            sort_by=_text(given, "sortby").strip(),
            descending=order == "descending",
            # Less than the least is the least: RFC 7644 section 3.4.2.4.
            start=max(1, _number(given, "startindex", 1)),
            count=min(MOST_RESULTS, max(0, _number(given, "count", USUAL_RESULTS))),
            wanted=wanted(given),
        )


def wanted(given: Mapping[str, Any]) -> Wanted:
    """Read which attributes are wanted; names of parameters are in lower case."""
    return Wanted(_names(given, "attributes"), _names(given, "excludedattributes"))


def _text(given: Mapping[str, Any], name: str) -> str:
    value = given.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise invalid_value(f"{name} has to be a text")
    return value


def _number(given: Mapping[str, Any], name: str, usual: int) -> int:
    value = given.get(name)
    if value is None or value == "":
        return usual
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise invalid_value(f"{name} has to be a whole number")
    try:
        number = int(value)
    except ValueError as error:
        raise invalid_value(f"{name} has to be a whole number") from error
    return max(-1, min(number, 2**53))


def _names(given: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = given.get(name)
    if value is None:
        return ()
    several = value.split(",") if isinstance(value, str) else value
    if not isinstance(several, list) or len(several) > _MOST_NAMES:
        raise invalid_value(f"{name} has to be a list of at most {_MOST_NAMES} names")
    if not all(isinstance(each, str) for each in several):
        raise invalid_value(f"{name} has to be a list of names")
    return tuple(each.strip() for each in several if each.strip())
