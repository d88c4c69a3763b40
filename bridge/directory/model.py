"""People, groups and units as one source tells of them, and as decisions see them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """What an entry of a directory is."""

    PERSON = "person"
    GROUP = "group"
    UNIT = "unit"  # an organisational unit, which has one place in a tree
    DEPARTMENT = "department"
    ROLE = "role"


class Standing(StrEnum):
    """Whether somebody may do anything at all, as their source says."""

    ACTIVE = "active"
    LOCKED = "locked"  # for now, after wrong passwords: not a reason to take access
    DISABLED = "disabled"
    EXPIRED = "expired"
    PENDING = "pending"  # hired, and not there yet
    LEFT = "left"


@dataclass(frozen=True, slots=True)
class Entry:
    """
    One thing in a directory, as one source tells of it.

    `id` never changes and is never given again: objectGUID and entryUUID in canonical
    lower case, Entra's `tid/oid`, a SCIM id, a worker's id. `path` is where it stands
    for people to read (a DN), never a key. `unit` is the id of the unit it stands in and
    `parents` are further ids that it is a member of by its own attribute (primary group,
    department). `members` are the ids of what is directly in it, None if this source
    does not tell them here. `attributes` are by ATOM's names: mail, user_name, title,
    department, manager, employee_id, given_name, family_name, phone, clearance; those
    that name other systems' ids (`immutable_id`, `slack_id`, `entra_id`) join sources.
    """

    kind: Kind
    id: str
    name: str
    path: str = ""
    unit: str = ""
    parents: frozenset[str] = frozenset()
    members: frozenset[str] | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    standing: Standing = Standing.ACTIVE
    guest: bool = False


@dataclass(frozen=True, slots=True)
class Edge:
    """That something (a person or a group) is directly in a group, by their ids."""

    member: str
    group: str


class Fate(StrEnum):
    """Why a source does not name something any more."""

    DELETED = "deleted"
    OUT_OF_SCOPE = "out of scope"  # it lives on where the source does not look


@dataclass(frozen=True, slots=True)
class Gone:
    """What a source says is gone. What it merely does not name is not gone."""

    id: str
    fate: Fate = Fate.DELETED


@dataclass(frozen=True, slots=True)
class Reading:
    """
    One answer of a source: everything there is (`whole`), or what changed.

    `cursor` says from where to read on, opaque, stored together with what was read.
    `complete` is False if the source broke off, was slow, refused a part or sent
    referrals: what is missing then is unknown, and nobody is removed for it; `why` says
    in one line what happened. `attributes` of an entry in a change are all of them;
    `cleared` is not needed then. `joined` and `left` are changes of single edges.
    """

    source: str
    whole: bool
    complete: bool = True
    why: str = ""
    entries: tuple[Entry, ...] = ()
    joined: tuple[Edge, ...] = ()
    left: tuple[Edge, ...] = ()
    gone: tuple[Gone, ...] = ()
    cursor: bytes = b""


@dataclass(frozen=True, slots=True, order=True)
class Grace:
    """
    Something that somebody left, and keeps until a moment; microseconds UTC.

    `ancestor` is written as in `Subject.ancestors`.
    """

    ancestor: str
    since_us: int
    until_us: int


@dataclass(frozen=True, slots=True)
class Subject:
    """
    Somebody the directory knows, as a decision sees them.

    `id` is ATOM's own of the person, stable and never given again. `ancestors` are the
    ids of every group, unit, department and role they are in, directly or through
    others, each as `group:ID`, `unit:ID`, `department:ID`, `role:ID`. `confidence` is
    how sure it is that the account is theirs (0 guess, 1 same proven address,
    2 provisioned by an id, 3 proved by the person). `kept` are those of the ancestors
    that they left and keep for a while. `version` changes with any of it.
    """

    id: str
    name: str
    standing: Standing = Standing.ACTIVE
    guest: bool = False
    department: str = ""
    unit: str = ""
    clearance: int = 0
    confidence: int = 0
    ancestors: frozenset[str] = frozenset()
    version: int = 0
    kept: tuple[Grace, ...] = ()
