"""What one Jira site holds, and who may see and do what in it."""

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime
from typing import Any

from connectors.sandbox.users import User

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Transition:
    """A step of a workflow. `screen` are the fields that it asks for; True: required."""

    id: str
    name: str
    to: str
    screen: Mapping[str, bool] = field(default_factory=dict)


@dataclass(slots=True)
class Project:
    """
    A project. Who is in none of the groups of `browse` does not know that it exists.

    `levels` are its security levels by id: name, and the groups that see their issues.
    """

    id: str
    key: str
    name: str
    browse: frozenset[str]
    edit: frozenset[str]
    levels: dict[str, tuple[str, frozenset[str]]] = field(default_factory=dict)
    delete: frozenset[str] = frozenset()  # the groups that may delete issues
    required: frozenset[str] = frozenset()  # beside summary, project and type
    last: int = 0


@dataclass(slots=True)
class Comment:
    """A comment; `visibility` keeps it to a role or a group, here a group's name."""

    id: str
    author: str
    body: Json
    created: float
    visibility: Json | None = None
    properties: dict[str, Any] = field(default_factory=dict)
    updated: float = 0.0  # since when it reads as it does, if it was edited


@dataclass(slots=True)
class Issue:
    """An issue. `values` are by field id, as the site keeps them: ids, no objects."""

    id: str
    key: str
    project: str
    values: Json
    created: float
    updated: float
    comments: list[Comment] = field(default_factory=list)
    properties: dict[str, Any] = field(default_factory=dict)
    # What the index holds: from when, and the document; the last one counts.
    indexed: list[tuple[float, Json]] = field(default_factory=list)


@dataclass(slots=True)
class DynamicHook:
    """A webhook that an app registered for itself. It ends after 30 days."""

    id: int
    app: str
    url: str
    jql: str
    events: tuple[str, ...]
    expires: float


@dataclass(slots=True)
class AdminHook:
    """A webhook that an administrator set up; `secret` signs what it sends."""

    url: str
    secret: str
    events: tuple[str, ...] = ("jira:issue_created", "jira:issue_updated")


@dataclass(slots=True)
class Site:
    """
    A site. `now` gives seconds since 1970, `lag` is how far the index is behind.

    `burst` is how many calls a user may make within a second, `per_issue` how many
    writes an issue takes within two; 0 is as many as they like.
    """

    cloud_id: str
    address: str
    now: Callable[[], float]
    users: dict[str, User] = field(default_factory=dict)  # by account id
    projects: dict[str, Project] = field(default_factory=dict)
    statuses: dict[str, tuple[str, str]] = field(default_factory=dict)
    workflow: dict[str, tuple[Transition, ...]] = field(default_factory=dict)
    priorities: dict[str, str] = field(default_factory=dict)
    types: dict[str, str] = field(default_factory=dict)
    resolutions: dict[str, str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    issues: dict[str, Issue] = field(default_factory=dict)
    basic: dict[str, str] = field(default_factory=dict)  # API token by mail
    admin_hooks: list[AdminHook] = field(default_factory=list)
    dynamic_hooks: list[DynamicHook] = field(default_factory=list)
    lag: float = 0.0
    burst: int = 0
    per_issue: int = 0
    told: list[Json] = field(default_factory=list)  # events that wait to be sent
    failing: set[str] = field(default_factory=set)  # ids that bulk reads fail to give
    numbers: int = 20_000
    _last: float = 0.0

    def become(self, other: "Site") -> None:
        """Hold what another site holds."""
        for each in fields(other):
            setattr(self, each.name, getattr(other, each.name))

    def moment(self) -> float:
        """Return now; two changes never have the same time, however near they are."""
        self._last = max(self.now(), self._last + 0.001)
        return self._last

    def number(self) -> str:
        self.numbers += 1
        return str(self.numbers)

    def found(self, named: str) -> Issue | None:
        """Return an issue by its id or its key."""
        by_key = (one for one in self.issues.values() if one.key == named.upper())
        return self.issues.get(named) or next(by_key, None)

    def sees(self, user: User, issue: Issue) -> bool:
        """Say whether somebody may know of an issue."""
        project = self.projects[issue.project]
        if not project.browse & set(user.groups):
            return False
        level = issue.values.get("security")
        return level is None or bool(project.levels[level][1] & set(user.groups))

    def edits(self, user: User, issue: Issue) -> bool:
        return bool(self.projects[issue.project].edit & set(user.groups))

    def hears(self, user: User, comment: Comment) -> bool:
        """Say whether somebody may read a comment."""
        wanted = (comment.visibility or {}).get("value")
        return wanted is None or wanted in user.groups

    def index(self, issue: Issue) -> None:
        """Let searches find an issue as it is, after a while."""
        document = document_of(self, issue)
        issue.indexed.append((self.now() + self.lag, document))
        visible = [each for each in issue.indexed if each[0] <= self.now()]
        keep = len(issue.indexed) - max(0, len(visible) - 1)
        del issue.indexed[:-keep]

    def document(self, issue: Issue, *, current: bool) -> Json | None:
        """Return what is searched: as it is, or as far as the index knows it."""
        if current:
            return document_of(self, issue)
        known = [told for since, told in issue.indexed if since <= self.now()]
        return known[-1] if known else None


def document_of(site: Site, issue: Issue) -> Json:
    """Return an issue as searches see it: for each field, the words that name it."""
    values = issue.values
    project = site.projects[issue.project]
    status, category = site.statuses[values["status"]]
    level = values.get("security")
    return deepcopy(
        {
            "id": issue.id,
            "key": issue.key,
            "project": [project.key, project.id, project.name],
            "summary": [values.get("summary") or ""],
            "description": [words(values.get("description"))],
            "comment": [words(each.body) for each in issue.comments],
            "status": [status, values["status"]],
            "statuscategory": [category],
            "issuetype": [site.types[values["issuetype"]], values["issuetype"]],
            "priority": _named(site.priorities, values.get("priority")),
            "resolution": _named(site.resolutions, values.get("resolution")),
            "assignee": _person(site, values.get("assignee")),
            "reporter": _person(site, values.get("reporter")),
            "labels": list(values.get("labels", ())),
            "level": [project.levels[level][0], level] if level else [],
            "created": iso(issue.created),
            "updated": iso(issue.updated),
            "duedate": values.get("duedate"),
        }
    )


def _named(names: Mapping[str, str], id_: str | None) -> list[str]:
    return [names[id_], id_] if id_ else []


def _person(site: Site, id_: str | None) -> list[str]:
    return [id_, site.users[id_].shown] if id_ else []


def words(document: Any) -> str:
    """Return the text of a document in Atlassian's format."""
    if not isinstance(document, dict):
        return ""
    inside = " ".join(words(each) for each in document.get("content", ()))
    return str(document.get("text", "")) + inside


def iso(moment: float) -> str:
    """Write a time as Jira does: 2026-11-22T19:58:04.123+0000."""
    told = datetime.fromtimestamp(moment, UTC)
    return f"{told:%Y-%m-%dT%H:%M:%S}.{told.microsecond // 1000:03d}+0000"
