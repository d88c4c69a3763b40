"""Acme's Jira site, as every sandbox starts with it."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from connectors.sandbox.jira.state import (
    Comment,
    Issue,
    Project,
    Site,
    Transition,
)
from connectors.sandbox.users import PEOPLE, Profile, User

CLOUD_ID = "11223344-a1b2-3b33-c444-def123456789"
# The app's own. Nothing here opens anything outside the sandbox.
CLIENT_ID = "sandbox-jira-client"
CLIENT_SECRET = "sandbox-jira-secret-that-opens-nothing-else"  # noqa: S105 - seeded, and worth nothing
HOOK_SECRET = "sandbox-jira-hook-secret"  # noqa: S105 - see above

_PROFILE = Profile("Jira user")  # groups decide there, not profiles
_EVERYBODY = frozenset({"jira-users"})
_BUILDERS = frozenset({"engineering", "it", "apps"})
_DELETERS = frozenset({"it"})
_MANAGERS = frozenset({"finance", "it"})
_STATUSES = {
    "1": ("To Do", "To Do"),
    "3": ("In Progress", "In Progress"),
    "10001": ("In Review", "In Progress"),
    "10002": ("Done", "Done"),
}
_START = Transition("11", "Start work", "3")
_REVIEW = Transition("21", "Ask for review", "10001", {"comment": False})
_DONE = Transition("31", "Done", "10002", {"resolution": True})
_BACK = Transition("41", "Back to work", "3")
_REOPEN = Transition("51", "Reopen", "1", {"comment": False})
_MADE = datetime(2026, 11, 2, 9, tzinfo=UTC).timestamp()
_DAY = 86_400.0

_Row = tuple[int, str, str, str, str, str | None, str, Mapping[str, Any]]
_ISSUES: tuple[_Row, ...] = (
    (
        38,
        "Story",
        "Plan the spring launch of Falcon",
        "10002",
        "3",
        "alice",
        "dana",
        {},
    ),
    (
        39,
        "Task",
        "Order test devices for the Globex pilot",
        "3",
        "3",
        "chen",
        "bob",
        {},
    ),
    (
        40,
        "Bug",
        "Export to CSV loses umlauts",
        "1",
        "3",
        None,
        "frank",
        {"labels": ["export"]},
    ),
    (41, "Story", "Single sign-on for partners", "10001", "2", "carol", "alice", {}),
    (
        42,
        "Bug",
        "Login fails after the Falcon update",
        "3",
        "2",
        "bob",
        "chen",
        {
            "labels": ["falcon", "login"],
            "duedate": "2026-12-15",
            "fixVersions": ["10100"],
            "customfield_10020": [{"id": 7, "name": "Falcon 12", "state": "active"}],
        },
    ),
    (
        43,
        "Task",
        "Prepare the reorganisation of Finance",
        "1",
        "2",
        "dana",
        "alice",
        {"security": "10500"},
    ),
    (44, "Task", "Rotate the keys of the build servers", "1", "2", "erin", "erin", {}),
    (45, "Story", "Globex wants reports by region", "1", "3", "chen", "dave", {}),
    (46, "Bug", "Search is slow for long words", "3", "4", "carol", "carol", {}),
    (47, "Task", "Tell customers of the new prices", "1", "3", "frank", "dana", {}),
)


def seeded(now: Callable[[], float], address: str) -> Site:
    """Return the site, as it is at the beginning."""
    site = Site(CLOUD_ID, address, now)
    for user in _users():
        site.users[user.id] = user
        site.basic[user.mail] = f"sandbox-jira-{user.name}"
    site.projects = {each.id: each for each in _projects()}
    site.statuses = dict(_STATUSES)
    site.workflow = {
        "1": (_START,),
        "3": (_REVIEW, _DONE),
        "10001": (_BACK, _DONE),
        "10002": (_REOPEN,),
    }
    site.priorities = {"1": "Highest", "2": "High", "3": "Medium", "4": "Low"}
    site.types = {"10004": "Bug", "10002": "Task", "10001": "Story"}
    site.resolutions = {"10000": "Done", "10001": "Won't Do", "10002": "Duplicate"}
    site.versions = {"10100": "Falcon 1.2", "10101": "Falcon 1.3"}
    for row in _ISSUES:
        _add(site, "10000", row)
    secret: _Row = (
        1,
        "Task",
        "Talk with the works council",
        "1",
        "3",
        None,
        "alice",
        {},
    )
    _add(site, "10001", secret)
    _comment(site, "10042", "chen", "It began with version 1.2, on every browser.")
    _comment(site, "10042", "bob", "I can see it too. Looking into the session cookie.")
    _comment(site, "10042", "alice", "Globex asked for a date.", "it")
    return site


def _users() -> list[User]:
    departments = {
        "it": {"alice", "erin"},
        "engineering": {"bob", "chen", "carol"},
        "finance": {"dana", "dave", "frank"},
    }
    found = []
    for name, shown, title in PEOPLE:
        inside = [group for group, people in departments.items() if name in people]
        mail, id_ = f"{name}@acme.example", f"712020:{name}"
        groups = (*inside, "jira-users")
        found.append(User(id_, name, shown, _PROFILE, mail, groups, title))
    # The integration: it sees the project, and no security level.
    groups = ("jira-users", "apps")
    app = User("712020:atom", "atom", "ATOM", _PROFILE, "atom@acme.example", groups)
    return [*found, app]


def _projects() -> list[Project]:
    levels = {"10500": ("Management only", _MANAGERS)}
    return [
        Project(
            "10000", "ACME", "Acme", _EVERYBODY, _BUILDERS, levels, _DELETERS, last=47
        ),
        Project("10001", "SECRET", "Staff matters", frozenset({"it"}), _BUILDERS),
    ]


def _add(site: Site, project: str, row: _Row) -> None:
    number, kind, summary, status, priority, assignee, reporter, more = row
    prefix = {"10000": "10", "10001": "90"}[project]
    made = _MADE + (number % 40) * _DAY / 2
    types = {name: id_ for id_, name in site.types.items()}
    text = f"{summary}. Told by {site.users[f'712020:{reporter}'].shown}."
    issue = Issue(
        f"{prefix}{number:03d}",
        f"{site.projects[project].key}-{number}",
        project,
        {
            "summary": summary,
            "description": paragraph(text),
            "issuetype": types[kind],
            "status": status,
            "priority": priority,
            "assignee": f"712020:{assignee}" if assignee else None,
            "reporter": f"712020:{reporter}",
            "resolution": "10000" if status == "10002" else None,
            **more,
        },
        made,
        made + _DAY / 4,
    )
    site.issues[issue.id] = issue
    # What was there before is in the index at once.
    lag, site.lag = site.lag, float("-inf")
    site.index(issue)
    site.lag = lag


def _comment(
    site: Site, issue: str, author: str, text: str, group: str | None = None
) -> None:
    shown = {"type": "group", "value": group} if group else None
    said = Comment(
        site.number(), f"712020:{author}", paragraph(text), _MADE + _DAY, shown
    )
    site.issues[issue].comments.append(said)


def paragraph(text: str) -> dict[str, Any]:
    """Return a document of one paragraph."""
    inside = [{"type": "text", "text": text}]
    return {
        "type": "doc",
        "version": 1,
        "content": [{"type": "paragraph", "content": inside}],
    }


NAMES: Mapping[str, str] = MappingProxyType(
    {
        "summary": "Summary",
        "description": "Description",
        "issuetype": "Issue Type",
        "status": "Status",
        "priority": "Priority",
        "assignee": "Assignee",
        "reporter": "Reporter",
        "resolution": "Resolution",
        "labels": "Labels",
        "fixVersions": "Fix versions",
        "duedate": "Due date",
        "security": "Security Level",
        "customfield_10020": "Sprint",
        "project": "Project",
        "created": "Created",
        "updated": "Updated",
        "comment": "Comment",
    }
)
