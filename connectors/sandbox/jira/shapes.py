"""Issues, comments and people as Jira's REST API writes them."""

from collections.abc import Iterable
from typing import Any

from connectors.sandbox.jira.seed import NAMES, paragraph
from connectors.sandbox.jira.state import (
    Comment,
    Issue,
    Json,
    Site,
    Transition,
    iso,
    words,
)
from connectors.sandbox.users import User

_CATEGORIES = {
    "To Do": {"id": 2, "key": "new", "colorName": "blue-gray", "name": "To Do"},
    "In Progress": {
        "id": 4,
        "key": "indeterminate",
        "colorName": "yellow",
        "name": "In Progress",
    },
    "Done": {"id": 3, "key": "done", "colorName": "green", "name": "Done"},
}
_FIELDS = (*NAMES, "customfield_10020")


class Shapes:
    """
    Writes a site's things for one user.

    `version` is the API's: 3 has documents where 2 has text.
    """

    def __init__(self, site: Site, user: User, version: str = "3") -> None:
        self.site, self.user, self.version = site, user, version

    def issue(self, issue: Issue, fields: Iterable[str] | None) -> Json:
        """Return an issue with some fields; None is all of them."""
        told: Json = {
            "id": issue.id,
            "key": issue.key,
            "self": f"{self.site.address}/rest/api/{self.version}/issue/{issue.id}",
            "expand": "names,transitions,editmeta,changelog",
        }
        wanted = set(_FIELDS) if fields is None else _wanted(fields)
        if wanted:
            told["fields"] = {name: self._field(issue, name) for name in sorted(wanted)}
        return told

    def person(self, id_: str | None) -> Json | None:
        user = self.site.users.get(id_ or "")
        if user is None:
            return None
        return {
            "accountId": user.id,
            "accountType": "app" if user.name == "atom" else "atlassian",
            "displayName": user.shown,
            "emailAddress": user.mail,
            "active": True,
            "self": f"{self.site.address}/rest/api/3/user?accountId={user.id}",
        }

    def text(self, document: Any) -> Any:
        return words(document) if self.version == "2" else document

    def document(self, given: Any) -> Any:
        """Return what was given as a document."""
        if self.version == "2" and isinstance(given, str):
            return paragraph(given)
        return given

    def status(self, id_: str) -> Json:
        name, category = self.site.statuses[id_]
        return {"id": id_, "name": name, "statusCategory": _CATEGORIES[category]}

    def comment(self, said: Comment, *, properties: bool = False) -> Json:
        told: Json = {
            "id": said.id,
            "author": self.person(said.author),
            "updateAuthor": self.person(said.author),
            "body": self.text(said.body),
            "created": iso(said.created),
            "updated": iso(said.updated or said.created),
            "jsdPublic": True,
        }
        if said.visibility:
            told["visibility"] = said.visibility
        if properties:
            told["properties"] = [
                {"key": key, "value": value} for key, value in said.properties.items()
            ]
        return told

    def transition(self, one: Transition, *, fields: bool) -> Json:
        told: Json = {
            "id": one.id,
            "name": one.name,
            "to": self.status(one.to),
            "hasScreen": bool(one.screen),
            "isGlobal": False,
            "isInitial": False,
            "isAvailable": True,
            "isConditional": False,
            "isLooped": False,
        }
        if fields:
            told["fields"] = {
                name: self.meta(name, required=required)
                for name, required in one.screen.items()
                if name != "comment"
            }
        return told

    def meta(self, name: str, *, required: bool, project: str = "10000") -> Json:
        """Return what may be put into a field."""
        told: Json = {
            "required": required,
            "name": NAMES[name],
            "key": name,
            "fieldId": name,
            "hasDefaultValue": name in {"priority", "reporter"},
            "operations": ["set"],
            "schema": {"type": _TYPES.get(name, "string"), "system": name},
        }
        if name in {"labels", "fixVersions"}:
            told["operations"] = ["add", "set", "remove"]
            items = "string" if name == "labels" else "version"
            told["schema"] = {"type": "array", "items": items, "system": name}
        choices = self._choices(name, project)
        if choices is not None:
            told["allowedValues"] = [
                {"id": id_, "name": shown} for id_, shown in choices.items()
            ]
        return told

    def _choices(self, name: str, project: str) -> dict[str, str] | None:
        site = self.site
        mine = set(self.user.groups)
        levels = {
            id_: level
            for id_, (level, groups) in site.projects[project].levels.items()
            if groups & mine
        }
        return {
            "priority": site.priorities,
            "issuetype": site.types,
            "resolution": site.resolutions,
            "fixVersions": site.versions,
            "security": levels,
        }.get(name)

    def _field(self, issue: Issue, name: str) -> Any:  # noqa: PLR0912, C901 - one a field
        site, value = self.site, issue.values.get(name)
        match name:
            case "created":
                return iso(issue.created)
            case "updated":
                return iso(issue.updated)
            case "description":
                return self.text(value) if value else None
            case "issuetype":
                return {"id": value, "name": site.types[str(value)], "subtask": False}
            case "status":
                return self.status(str(value))
            case "project":
                project = site.projects[issue.project]
                return {"id": project.id, "key": project.key, "name": project.name}
            case "priority":
                return _named(site.priorities, value)
            case "resolution":
                return _named(site.resolutions, value)
            case "fixVersions":
                return [_named(site.versions, each) for each in value or ()]
            case "labels":
                return list(value or ())
            case "assignee" | "reporter":
                return self.person(value)
            case "security":
                levels = site.projects[issue.project].levels
                return {"id": value, "name": levels[value][0]} if value else None
            case "comment":
                heard = [c for c in issue.comments if site.hears(self.user, c)]
                told = [self.comment(each) for each in heard]
                return {"comments": told, "total": len(told), "startAt": 0}
        return value


_TYPES = {
    "duedate": "date",
    "priority": "priority",
    "issuetype": "issuetype",
    "resolution": "resolution",
    "assignee": "user",
    "reporter": "user",
    "security": "securitylevel",
    "project": "project",
}


def _wanted(fields: Iterable[str]) -> set[str]:
    """Return the fields of a list such as `*navigable,-comment,id`."""
    wanted: set[str] = set()
    for name in fields:
        if name in {"*all", "*navigable"}:
            wanted |= set(_FIELDS) - ({"comment"} if name == "*navigable" else set())
        elif name.startswith("-"):
            wanted.discard(name[1:])
        elif name in _FIELDS:
            wanted.add(name)
    return wanted


def _named(names: dict[str, str], id_: str | None) -> Json | None:
    return {"id": id_, "name": names[id_]} if id_ else None
