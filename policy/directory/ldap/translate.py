"""From what a directory shows to ATOM's entries: classes, names, standing, places."""

from collections.abc import Callable
from dataclasses import dataclass, field

from bridge.directory.model import Entry, Kind, Standing
from bridge.errors import BadInput
from policy.directory.ldap.answers import Found
from policy.directory.ldap.dn import Dn, dn
from policy.directory.ldap.index import Index, Name
from policy.directory.ldap.shape import Shape, expiry_seconds


@dataclass(frozen=True, slots=True)
class Draft:
    """
    What will be an entry, its relations still names.

    Names mean something only once everything is known, so they are looked up last.
    `ends_at` is when the account will end by the calendar, in seconds.
    """

    kind: Kind
    id: str
    at: Dn
    name: str
    path: str
    attributes: dict[str, str] = field(default_factory=dict)
    standing: Standing = Standing.ACTIVE
    guest: bool = False
    members: tuple[str, ...] = ()
    user_names: tuple[str, ...] = ()
    number: int | None = None
    ends_at: int | None = None

    @property
    def user(self) -> str:
        """The name that lists of user names mean; only people have one."""
        return self.attributes.get("user_name", "")

    @property
    def other(self) -> Name | None:
        """What it may be called by beside its DN."""
        if self.kind is Kind.GROUP:
            return self.number
        return self.user.lower() or None


def draft(
    shape: Shape, found: Found, key: str, now: Callable[[], float]
) -> Draft | None:
    """Read one entry; None if it is nothing that ATOM keeps. Raises BadInput."""
    kind, at = shape.kind(found), dn(found.dn)
    name, path = shape.name(found), found.dn
    match kind:
        case None:
            return None
        case Kind.PERSON:
            return _person(shape, found, now(), Draft(kind, key, at, name, path))
        case Kind.GROUP:
            lists = (shape.members, shape.member_names)
            members, users = (
                tuple(text for name in names for text in found.texts(name))
                for names in lists
            )
            mail = found.text(shape.attributes.get("mail", "mail"))
            shown = {"mail": mail} if mail else {}
            return Draft(
                kind,
                key,
                at,
                name,
                path,
                shown,
                members=members,
                user_names=users,
                number=shape.number(found),
            )
        case _:
            return Draft(kind, key, at, name, path)


def _person(shape: Shape, found: Found, now: float, made: Draft) -> Draft:
    ends_at = expiry_seconds(found)
    return Draft(
        made.kind,
        made.id,
        made.at,
        made.name,
        made.path,
        shape.values(found),
        shape.standing(found, now),
        shape.guest(found),
        number=shape.number(found),
        ends_at=ends_at if ends_at is not None and ends_at > now else None,
    )


def finished(made: Draft, index: Index) -> Entry:
    """Put ids for names. A name that nothing in scope answers to is nobody."""
    attributes = made.attributes
    if manager := attributes.pop("manager", ""):
        name = _named(manager)
        if name and (found := index.id(name)):
            attributes["manager"] = found
    return Entry(
        made.kind,
        made.id,
        made.name,
        made.path,
        index.unit(made.at),
        _primary(made, index),
        _members(made, index) if made.kind is Kind.GROUP else None,
        attributes,
        made.standing,
        made.guest,
    )


def settled(made: Draft, index: Index) -> bool:
    """
    Whether all that an entry says of itself can be told already.

    Who may do less from now on is told of in any case.
    """
    if made.standing not in {Standing.ACTIVE, Standing.LOCKED}:
        return True
    manager = _named(made.attributes.get("manager", ""))
    return manager is None or index.id(manager) is not None


def _primary(made: Draft, index: Index) -> frozenset[str]:
    """Return the POSIX group that somebody is in by their own entry."""
    if made.kind is not Kind.PERSON or made.number is None:
        return frozenset()
    group = index.id(made.number)
    return frozenset((group,)) if group else frozenset()


def _members(made: Draft, index: Index) -> frozenset[str]:
    names: list[Name] = [user.lower() for user in made.user_names if user]
    names += [name for name in map(_named, made.members) if name is not None]
    members = {index.id(name) for name in names} - {None, made.id}
    return frozenset(each for each in members if each)


def _named(text: str) -> Dn | None:
    """Take a DN apart that stands in a value; what is none names nobody."""
    try:
        return dn(text) if text else None
    except BadInput:
        return None
