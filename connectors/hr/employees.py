"""
An employee as a record: what a team has to know when somebody joins or leaves.

What HR systems know beyond that (pay, home, birthday, numbers of the state) has no
place here, and is not read: `Employee` is all there is.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

from bridge.cards import Tone
from bridge.records.model import (
    PUBLIC,
    Fact,
    Mention,
    Record,
    RecordRef,
    Revision,
    Status,
    System,
)

KIND = "employee"
HR = "hr"  # the class of what only HR knows yet
_URL = re.compile(r"https?://[^\s<>|\"'`\\]+", re.IGNORECASE)
_TRAILING = ".,;:!?)]}*_~"
_LONGEST = 300


@dataclass(frozen=True, slots=True)
class Employee:
    """
    Somebody who works at a company, will, or did. A field that the account may not see
    is None; one that is empty is "".

    `announced` says that the company has told that they join; `done` of `total` is how
    far their checklist is.
    """

    id: str
    name: str | None = None
    role: str | None = None
    team: str | None = None
    manager: str | None = None
    site: str | None = None
    start: str | None = None
    last_day: str | None = None
    inactive: bool = False
    announced: bool | None = None
    done: int | None = None
    total: int | None = None
    rev: Revision | None = None


@dataclass(frozen=True, slots=True)
class Company:
    """
    A company's HR as ATOM knows it.

    `page` is an employee's page with `{id}` in it. `classes` are classes of fields by
    their ids, where they are not the usual. `hook_key` signs what webhooks send.
    """

    instance: str
    page: str
    classes: Mapping[str, str] = field(default_factory=dict)
    hook_key: str = field(default="", repr=False)

    @property
    def bucket(self) -> str:
        return f"{System.HR}:{self.instance}"

    def ref(self, id_: str) -> RecordRef:
        return RecordRef(System.HR, self.instance, KIND, id_)

    def mentions(self, text: str) -> list[Mention]:
        """Return the employees that are named by links: names of people are not."""
        before, _, after = self.page.partition("{id}")
        found = []
        for match in _URL.finditer(text):
            url = match[0].rstrip(_TRAILING)
            if not url.startswith(before) or not url.endswith(after):
                continue
            id_ = url[len(before) : len(url) - len(after)]
            if re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}", id_):
                start, ref = match.start(), self.ref(id_)
                end = start + len(url)
                found.append(
                    Mention(System.HR, self.instance, KIND, id_, start, end, ref, url)
                )
        return found


def record(told: Employee, company: Company, today: date, as_of_us: int) -> Record:
    """
    Return an employee as a record.

    Until somebody is announced, or is there, the record is of their role: the name is a
    fact that only HR's class shows.
    """
    starts = _day(told.start)
    known = told.announced or _is_there(told, starts, today)
    role = told.role or "Employee"
    title = f"{told.name} – {role}" if known and told.name else role
    if not known and told.start:
        title = f"{role}, from {told.start}"
    return Record(
        company.ref(told.id),
        "Employee" if known else "New employee",
        title[:_LONGEST],
        _status(told, starts, today),
        told.rev or Revision(as_of_us),
        as_of_us,
        url=company.page.replace("{id}", told.id),
        facts=tuple(_facts(told, company, known=known)),
    )


def _facts(told: Employee, company: Company, *, known: bool) -> Iterator[Fact]:
    checklist = None
    if told.done is not None and told.total is not None:
        checklist = f"{told.done} of {told.total} done"
    rows = (
        ("name", "Name", told.name, PUBLIC if known else HR),
        ("role", "Role", told.role, PUBLIC),
        ("start", "Start date", told.start, PUBLIC),
        ("site", "Site", told.site, PUBLIC),
        ("manager", "Manager", told.manager, PUBLIC),
        ("team", "Team", told.team, PUBLIC),
        ("checklist", "Checklist", checklist, PUBLIC),
        # That somebody leaves is HR's to tell, and even that there is a day.
        ("last_day", "Last day", told.last_day, HR),
    )
    for name, label, text, cls in rows:
        if text is None or (name == "last_day" and not text):
            continue
        cls_ = company.classes.get(name, cls)
        yield Fact(
            name, label, text[:_LONGEST], cls_, cls_ == HR and name == "last_day"
        )


def _status(told: Employee, starts: date | None, today: date) -> Status:
    ends = _day(told.last_day)
    if told.inactive or (ends is not None and ends < today):
        return Status("Left")
    if starts is not None and starts > today:
        return Status("Joining", Tone.GOOD)
    return Status("Here", Tone.PLAIN)


def _is_there(told: Employee, starts: date | None, today: date) -> bool:
    """Whether somebody has begun. Many have no word on being announced by then."""
    if starts is None:
        return told.announced is None
    return starts <= today


def _day(written: str | None) -> date | None:
    try:
        return date.fromisoformat(written or "")
    except ValueError:
        return None
