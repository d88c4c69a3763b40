"""
A record of a business system, free of any vendor's vocabulary.

What a connector reads is a `Record`: everything that one account may see of it. Nobody
is shown a `Record`: `bridge.records.redaction` makes a card of it that holds only what
its audience may see, and renderers receive nothing else.
"""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

from bridge.access import Action
from bridge.cards import Tone
from bridge.errors import BadInput

PUBLIC = "public"  # the class of fields that everybody in the room may see


class System(StrEnum):
    """A kind of business system. The values are the names that policies use."""

    SALESFORCE = "salesforce"
    SERVICENOW = "servicenow"
    JIRA = "jira"
    HUBSPOT = "hubspot"
    HR = "hr"

    @property
    def shown(self) -> str:
        """The system's name as its vendor writes it."""
        return _SHOWN[self]


_SHOWN = {
    System.SALESFORCE: "Salesforce",
    System.SERVICENOW: "ServiceNow",
    System.JIRA: "Jira",
    System.HUBSPOT: "HubSpot",
    System.HR: "HR",
}
# What an id, a kind and an instance may look like, before any URL is built with it.
_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,127}")


@dataclass(frozen=True, slots=True, order=True)
class RecordRef:
    """
    One record's address: `instance` is the name under which the company configured
    the system, `kind` the record's type in ATOM's words (`case`, `incident`, `issue`),
    `id` the vendor's own id that never changes.

    Raises `BadInput` for what could not be an address, so that none reaches a URL.
    """

    system: System
    instance: str
    kind: str
    id: str

    def __post_init__(self) -> None:
        for part in (self.instance, self.kind, self.id):
            if not _WORD.fullmatch(part) or ".." in part:
                raise BadInput("that is no record's address: copy its number or link")

    @property
    def thing(self) -> str:
        """The record as policies name it."""
        return f"{self.system}/{self.kind}/{self.id}"

    def __str__(self) -> str:
        return f"{self.system}:{self.instance}/{self.kind}/{self.id}"

    @classmethod
    def parse(cls, address: str) -> Self:
        """Read what `str` wrote. Raises `BadInput`."""
        system, colon, rest = address.partition(":")
        pieces = rest.split("/")
        if system not in set(System) or not colon or len(pieces) != 3:  # noqa: PLR2004
            raise BadInput("that is no record's address: copy its number or link")
        return cls(System(system), *pieces)


# From 1973 to 9987. Nothing is changed so often that a count would get there.
_TIMES = range(10**14, 253_000_000_000_000_000)


@dataclass(frozen=True, slots=True, order=True)
class Revision:
    """
    Which state of a record this is.

    `order` grows with every change, and is compared only within one record: a
    modification count, or a time in microseconds where the vendor counts none. `text`
    is the same as the vendor writes it, and takes it in a condition.
    """

    order: int
    text: str = field(default="", compare=False)

    @property
    def at_us(self) -> int | None:
        """When it was made, in microseconds UTC; None if it counts changes."""
        return self.order if self.order in _TIMES else None


NEVER = Revision(-1)


@dataclass(frozen=True, slots=True)
class Fact:
    """
    One field of a record: `text` as people read it, plain and unescaped; empty means
    that the field is empty. `cls` is the class that policies decide on. `secretive`
    says that its label alone would tell too much. `raw` is the vendor's own value, for
    comparing and for the record of what was changed.
    """

    id: str
    label: str
    text: str
    cls: str = PUBLIC
    secretive: bool = False
    raw: str = ""


@dataclass(frozen=True, slots=True)
class Status:
    """Where a record stands, in words; the tone only underlines them."""

    text: str
    tone: Tone = Tone.PLAIN


class Look(StrEnum):
    """How a button is meant."""

    PLAIN = "plain"
    PRIMARY = "primary"
    DANGER = "danger"


class Needs(StrEnum):
    """What is asked before an act is done."""

    NOTHING = "nothing"
    CONFIRMATION = "confirmation"
    FORM = "form"


@dataclass(frozen=True, slots=True)
class Offer:
    """
    Something that can be done with a record, by its `act`: `approve`, `stage`, `edit`.

    It is shown by what the room may do and authorised when somebody clicks: `right` is
    what the policy is asked then. `label` and `confirm` are read by everybody in the
    room, so they hold no values of fields.
    """

    act: str
    label: str
    right: Action = Action.RECORD_UPDATE
    look: Look = Look.PLAIN
    needs: Needs = Needs.NOTHING
    confirm: str = ""


@dataclass(frozen=True, slots=True)
class Record:
    """
    A record as one account of the business system sees it.

    `what` is its kind for people ("Normal change"), `key` the number people say
    (`CHG0030351`, empty where there is none), `url` its page in the system itself.
    `as_of_us` is when it was read. `secured` says that the system keeps it from most
    people (a Jira security level): then an open channel gets no more than a button.
    `title_cls` and `status_cls` are the classes of the title and of the status, as
    those of fields. Whatever else is set, `what`, `key` and `url` are for everybody who
    may know of the record at all.
    """

    ref: RecordRef
    what: str
    title: str
    status: Status
    rev: Revision
    as_of_us: int
    key: str = ""
    url: str = ""
    facts: tuple[Fact, ...] = ()
    body: Fact | None = None
    offers: tuple[Offer, ...] = ()
    secured: bool = False
    title_cls: str = PUBLIC
    status_cls: str = PUBLIC

    @property
    def classes(self) -> frozenset[str]:
        """The classes that decide how much of it is shown; `PUBLIC` is always one."""
        of_fields = {each.cls for each in self.facts}
        if self.body:
            of_fields.add(self.body.cls)
        return frozenset(of_fields | {PUBLIC, self.title_cls, self.status_cls})

    def fact(self, id_: str) -> Fact | None:
        """Return a field, None if this account does not see it."""
        return next((each for each in self.facts if each.id == id_), None)


@dataclass(frozen=True, slots=True)
class Remark:
    """
    What somebody said on a record, for those outside as well: `by` is their name, `text`
    plain. `cls` is the class that policies decide on, as that of fields.

    `id` is the system's own. A deed that said it has a `Done.made` which begins with one of
    `names`.
    """

    id: str
    by: str
    text: str
    said_us: int
    cls: str = PUBLIC
    names: frozenset[str] = frozenset()


class Absence(StrEnum):
    """Why there is no record to show. Each is told in words of its own."""

    GONE = "gone"  # deleted, or not for this account: the vendor does not say which
    UNREACHABLE = "unreachable"  # the system is down, or too slow
    SPENT = "spent"  # the budget of calls is used up
    UNCONNECTED = "unconnected"  # the person has not connected their account


@dataclass(frozen=True, slots=True)
class Mention:
    """
    A record that a text names, by its link or by its number.

    `ref` is set where the text holds the record's own id; a number (`key`, with the
    `kind` it belongs to) has to be looked up first. `start` and `end` are its place in
    the text.
    """

    system: System
    instance: str
    kind: str
    key: str
    start: int
    end: int
    ref: RecordRef | None = None
    url: str = ""


class ChangeKind(StrEnum):
    """What a business system tells of a record."""

    CHANGED = "changed"
    CREATED = "created"
    DELETED = "deleted"
    RESTORED = "restored"
    COMMENTED = "commented"
    MISSED = "missed"  # events were lost: whatever is shown has to be read anew


@dataclass(frozen=True, slots=True)
class RecordChange:
    """
    A business system says that something changed. It is a hint to read, never content.

    `ref` is None where everything of the instance may have changed. `event` tells
    repeated deliveries apart. `ours` says that ATOM's own write caused it. `actor` is
    who did it, in the system's words. `fields` are the names of what changed.
    """

    system: System
    instance: str
    kind: ChangeKind
    event: str
    ref: RecordRef | None = None
    rev: Revision = NEVER
    ours: bool = False
    actor: str = ""
    fields: tuple[str, ...] = ()
