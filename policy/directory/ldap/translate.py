"""From what a directory shows to ATOM's entries: classes, names, standing, places."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from bridge.directory.model import Entry, Kind, Standing
from bridge.errors import BadInput
from policy.directory.ldap.answers import Found
from policy.directory.ldap.dn import Dn, dn
from policy.directory.ldap.index import Index, Name
from policy.directory.ldap.shape import Shape, expiry_seconds


@dataclass(frozen=True, slots=True)
class Draft:
    """
    An entry whose relations are still names.

    Names mean something only once everything is known, so they are looked up last.
    """

    entry: Entry
    at: Dn
    manager: str = ""
    members: tuple[str, ...] = ()
    user_names: tuple[str, ...] = ()
    ends_at: int | None = None

    @property
    def user(self) -> str:
        return self.entry.attributes.get("user_name", "")


def draft(
    shape: Shape, found: Found, key: str, now: Callable[[], float]
) -> Draft | None:
    """Read one entry; None if it is nothing that ATOM keeps. Raises BadInput."""
    kind, at = shape.kind(found), dn(found.dn)
    if kind is None:
        return None
    name = shape.name(found)
    entry = Entry(kind, key, name, path=found.dn)
    if kind is Kind.UNIT:
        return Draft(entry, at)
    if kind is Kind.GROUP:
        members = [text for name in shape.members for text in found.texts(name)]
        users = [text for name in shape.member_names for text in found.texts(name)]
        mail = {"mail": found.text(shape.attributes.get("mail", "mail"))}
        entry = replace(entry, attributes={k: v for k, v in mail.items() if v})
        return Draft(entry, at, "", tuple(members), tuple(users))
    moment = now()
    values = shape.values(found)
    ends_at = expiry_seconds(found)
    standing: Standing = shape.standing(found, moment)
    manager = values.pop("manager", "")
    entry = replace(
        entry, attributes=values, standing=standing, guest=shape.guest(found)
    )
    waits = ends_at if ends_at is not None and ends_at > moment else None
    return Draft(entry, at, manager, ends_at=waits)


def finished(made: Draft, index: Index) -> Entry:
    """Put ids for names. A name that nothing in scope answers to is nobody."""
    entry = replace(made.entry, unit=index.unit(made.at))
    if entry.kind is Kind.GROUP:
        return _with_members(entry, made, index)
    name = _named(made.manager)
    manager = index.id(name) if name else None
    if manager is None:
        return entry
    return replace(entry, attributes={**entry.attributes, "manager": manager})


def _with_members(entry: Entry, made: Draft, index: Index) -> Entry:
    names: list[Name] = [user.lower() for user in made.user_names if user]
    names += [name for name in map(_named, made.members) if name is not None]
    members = {index.id(name) for name in names} - {None, entry.id}
    return replace(entry, members=frozenset(each for each in members if each))


def _named(text: str) -> Dn | None:
    """Take a DN apart that stands in a value; what is none names nobody."""
    try:
        return dn(text) if text else None
    except BadInput:
        return None
