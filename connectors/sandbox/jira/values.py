"""What may be written into an issue's fields, and what is said of everything else."""

import re
from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

from connectors.sandbox.jira.refusals import Refusal
from connectors.sandbox.jira.shapes import Shapes
from connectors.sandbox.jira.state import Json, Project, Site

EDITABLE = (
    "summary",
    "description",
    "priority",
    "assignee",
    "labels",
    "fixVersions",
    "duedate",
    "security",
)
_LONGEST = 255
_NO_SCREEN = (
    "Field '{0}' cannot be set. It is not on the appropriate screen, or unknown."
)


def taken(
    given: Mapping[str, Any], shapes: Shapes, project: Project, allowed: Collection[str]
) -> Json:
    """Return values as the site keeps them. Raises `Refusal` with an error a field."""
    values, errors = {}, {}
    for name, value in given.items():
        if name not in allowed:
            errors[name] = _NO_SCREEN.format(name)
            continue
        try:
            values[name] = _value(name, value, shapes, project)
        except ValueError as error:
            errors[name] = str(error)
    if errors:
        raise Refusal(400, errors=errors)
    return values


def _value(name: str, value: Any, shapes: Shapes, project: Project) -> Any:
    site = shapes.site
    match name:
        case "summary":
            return _summary(value)
        case "description":
            return _document(shapes.document(value))
        case "assignee" | "reporter":
            return _person(site, value)
        case "labels":
            return _labels(value)
        case "duedate":
            return _day(value)
        case "fixVersions":
            return [_choice(site.versions, each, "Version") for each in value or ()]
        case "security":
            mine = set(shapes.user.groups)
            levels = {
                id_: level
                for id_, (level, groups) in project.levels.items()
                if groups & mine
            }
            return _choice(levels, value, "Security level") if value else None
    names = {
        "priority": site.priorities,
        "issuetype": site.types,
        "resolution": site.resolutions,
    }[name]
    return _choice(names, value, name.capitalize())


def _summary(value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("You must specify a summary of the issue.")
    if "\n" in value:
        raise ValueError(
            "The summary is invalid because it contains newline characters."
        )
    if len(value) > _LONGEST:
        raise ValueError("Summary must be less than 255 characters.")
    return value


def _document(value: Any) -> Any:
    if value is None:
        return None
    if not isinstance(value, dict) or value.get("type") != "doc":
        raise ValueError(
            "Operation value must be an Atlassian Document (see the Atlassian "
            "Document Format)"
        )
    return value


def _person(site: Site, value: Any) -> str | None:
    id_ = value.get("accountId", value.get("id")) if isinstance(value, dict) else None
    if value is None or id_ is None:
        return None
    if id_ not in site.users:
        raise ValueError(f"User '{id_}' does not exist.")
    return str(id_)


def _labels(value: Any) -> list[str]:
    if not isinstance(value, list):
        raise ValueError("data was not an array")  # noqa: TRY004 - it is told, not raised
    for each in value:
        if re.search(r"\s", str(each)):
            raise ValueError(f"The label '{each}' contains spaces which is invalid.")
    return sorted({str(each) for each in value})


def _day(value: Any) -> str | None:
    if not value:
        return None
    try:
        return date.fromisoformat(str(value)).isoformat()
    except ValueError:
        raise ValueError(f"Error parsing date string: {value}") from None


def _choice(names: Mapping[str, str], value: Any, what: str) -> str:
    told = value if isinstance(value, dict) else {}
    id_ = str(told.get("id", ""))
    by_name = {shown: one for one, shown in names.items()}
    if id_ in names:
        return id_
    if told.get("name") in by_name:
        return by_name[str(told["name"])]
    raise ValueError(f"{what} with id '{id_ or told.get('name')}' is not valid")
