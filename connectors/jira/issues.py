"""An issue of Jira's as a record."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from bridge.access import Action
from bridge.cards import Tone
from bridge.errors import ServiceUnavailable
from bridge.records.model import (
    NEVER,
    Fact,
    Look,
    Needs,
    Offer,
    Record,
    Revision,
    Status,
)
from connectors.jira import adf
from connectors.jira.site import Site

_OFFERS = (
    Offer("transition", "Transition…", look=Look.PRIMARY, needs=Needs.FORM),
    Offer("assign", "Assign to me"),
    Offer("comment", "Comment…", needs=Needs.FORM),
    Offer("edit", "Edit…", right=Action.RECORD_UPDATE, needs=Needs.FORM),
)
_SHOWN = {
    "issuetype": "Type",
    "priority": "Priority",
    "assignee": "Assignee",
    "reporter": "Reporter",
    "sprint": "Sprint",
    "duedate": "Due",
    "labels": "Labels",
    "fixVersions": "Fix version",
}
_LONGEST_BODY = 3000


def fields_of(site: Site) -> list[str]:
    """Return the fields that are asked for: nothing else is read."""
    names = [site.sprint if name == "sprint" else name for name in _SHOWN]
    return [*names, "summary", "status", "description", "updated", "security"]


def record(issue: Mapping[str, Any], site: Site, as_of_us: int) -> Record:
    """Read an issue. Raises `ServiceUnavailable` for what is none."""
    try:
        id_, key, fields = str(issue["id"]), str(issue["key"]), issue["fields"]
        summary, status = str(fields["summary"]), fields["status"]
        ref = site.ref(id_)
    except (KeyError, TypeError) as error:
        raise ServiceUnavailable("Jira sent an issue that cannot be read") from error
    body = adf.plain(fields.get("description"))[:_LONGEST_BODY]
    return Record(
        ref,
        str(_of(fields.get("issuetype"), "name") or "Issue"),
        summary,
        Status(_of(status, "name"), _tone(status)),
        revision(fields),
        as_of_us,
        key=key,
        url=site.address(key),
        facts=tuple(_facts(fields, site)),
        body=Fact("description", "Description", body, site.cls("description"))
        if body
        else None,
        offers=_OFFERS,
        secured=bool(fields.get("security")),
    )


def revision(fields: Mapping[str, Any]) -> Revision:
    """Return which state of an issue this is: Jira counts none, so when it changed."""
    written = str(fields.get("updated") or "")
    moment = moment_us(written)
    return Revision(moment, written) if moment else NEVER


def moment_us(written: str) -> int:
    """Return a time as Jira writes it in microseconds since 1970, 0 for none."""
    try:
        told = datetime.fromisoformat(written)
    except ValueError:
        return 0
    told = told if told.tzinfo else told.replace(tzinfo=UTC)
    return round(told.timestamp() * 1000) * 1000


def _facts(fields: Mapping[str, Any], site: Site) -> Iterator[Fact]:
    for name, label in _SHOWN.items():
        value = fields.get(site.sprint if name == "sprint" else name)
        yield Fact(name, label, _text(value), site.cls(name), raw=_raw(value))


def _text(value: Any) -> str:
    if isinstance(value, list):
        # Of the sprints that an issue went through, the last is the one it is in.
        told = value[-1:] if value and _of(value[-1], "state") else value
        return ", ".join(filter(None, map(_text, told)))
    if isinstance(value, Mapping):
        return _of(value, "displayName") or _of(value, "name") or _of(value, "value")
    return value if isinstance(value, str) else ""


def _raw(value: Any) -> str:
    if isinstance(value, list):
        return ",".join(filter(None, map(_raw, value)))
    if isinstance(value, Mapping):
        return _of(value, "accountId") or _of(value, "id")
    return value if isinstance(value, str) else ""


def _of(value: Any, name: str) -> str:
    told = value.get(name) if isinstance(value, Mapping) else None
    return str(told) if isinstance(told, str | int) else ""


def _tone(status: Any) -> Tone:
    category = status.get("statusCategory") if isinstance(status, Mapping) else None
    return Tone.GOOD if _of(category, "key") == "done" else Tone.PLAIN
