"""How a directory's entries are read: its classes and attributes, and ATOM's names."""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

from bridge.directory.model import Kind, Standing
from policy.directory.ldap.answers import Found
from policy.directory.ldap.dn import filter_value

_PERMANENT = "000001010000Z"  # pwdAccountLockedTime of what an administrator locked
_SECONDS_A_DAY = 86_400
_TERMS_AT_ONCE = 100  # in one filter
_MANY = 1000  # people whose groups are not asked for one by one

_ATTRIBUTES = {
    "mail": "mail",
    "user_name": "uid",
    "title": "title",
    "department": "departmentNumber",
    "manager": "manager",
    "employee_id": "employeeNumber",
    "given_name": "givenName",
    "family_name": "sn",
    "phone": "telephoneNumber",
}


@dataclass(frozen=True, slots=True)
class Shape:
    """
    What is a person, a group and a unit here, and which attributes say what.

    Names of classes and attributes may be in any case. `attributes` are ATOM's names and
    this directory's. `members` hold DNs, `member_names` hold values of `user_name`.
    `group_number` is a group's own number, and that of somebody's primary group.
    `disabled` are attributes that say TRUE of a disabled account. Whoever has one of
    `guests` (attribute and value) is a guest.
    """

    id: str = "entryUUID"
    person_classes: tuple[str, ...] = ("inetOrgPerson", "posixAccount")
    group_classes: tuple[str, ...] = (
        "groupOfNames",
        "groupOfUniqueNames",
        "posixGroup",
    )
    unit_classes: tuple[str, ...] = (
        "organizationalUnit",
        "organization",
        "locality",
        "domain",
        "dcObject",
        "nsContainer",
    )
    names: tuple[str, ...] = ("displayName", "cn", "ou", "o", "dc", "l")
    attributes: Mapping[str, str] = field(default_factory=lambda: dict(_ATTRIBUTES))
    members: tuple[str, ...] = ("member", "uniqueMember")
    member_names: tuple[str, ...] = ("memberUid",)
    group_number: str = "gidNumber"
    disabled: tuple[str, ...] = ("nsAccountLock", "loginDisabled")
    guests: tuple[tuple[str, str], ...] = ()

    def asked(self) -> tuple[str, ...]:
        """Name every attribute to ask for; operational ones come only if named."""
        names = [
            "objectClass",
            self.id,
            *self.names,
            *self.attributes.values(),
            *self.members,
            *self.member_names,
            *([self.group_number] if self.group_number else []),
            *self.disabled,
            *(name for name, _ in self.guests),
            "pwdAccountLockedTime",
            "shadowExpire",
            "hasSubordinates",
            "modifyTimestamp",
        ]
        unique = {name.lower(): name for name in reversed(names)}
        return tuple(sorted(unique.values()))

    def filter(self) -> str:
        """Find what is of any of the classes."""
        classes = (*self.person_classes, *self.group_classes, *self.unit_classes)
        return any_of_all(f"(objectClass={each})" for each in classes)

    def lists(self, who: Sequence[tuple[str, str]]) -> Iterator[str]:
        """
        Find the groups that name somebody of these, by DN or by user name.

        Where nearly everybody is new, all groups are found at once.
        """
        if len(who) > _MANY:
            yield any_of_all(f"(objectClass={each})" for each in self.group_classes)
            return
        yield from any_of(
            f"({name}={filter_value(value)})"
            for path, user in who
            for names, value in ((self.members, path), (self.member_names, user))
            for name in names
            if value
        )

    def people_of(self, number: int) -> str:
        """Find the people whose primary group has this number."""
        people = any_of_all(f"(objectClass={each})" for each in self.person_classes)
        return f"(&({self.group_number}={number}){people})"

    def kind(self, found: Found) -> Kind | None:
        """Say what an entry is; somebody who is also a container is somebody."""
        classes = {each.lower() for each in found.texts("objectClass")}
        for kind, names in (
            (Kind.PERSON, self.person_classes),
            (Kind.GROUP, self.group_classes),
            (Kind.UNIT, self.unit_classes),
        ):
            if any(name.lower() in classes for name in names):
                return kind
        return None

    def name(self, found: Found) -> str:
        return next(filter(None, map(found.text, self.names)), found.dn)

    def values(self, found: Found) -> dict[str, str]:
        """Return what is said of an entry by ATOM's names; what is not said is not in."""
        said = {ours: found.text(theirs) for ours, theirs in self.attributes.items()}
        return {ours: value for ours, value in said.items() if value}

    def standing(self, found: Found, now_seconds: float) -> Standing:
        """Say whether somebody may do anything; the strictest word counts."""
        if any(found.text(name).upper() == "TRUE" for name in self.disabled):
            return Standing.DISABLED
        locked = found.text("pwdAccountLockedTime")
        if locked == _PERMANENT:
            return Standing.DISABLED
        expires = expiry_seconds(found)
        if expires is not None and expires <= now_seconds:
            return Standing.EXPIRED
        return Standing.LOCKED if locked else Standing.ACTIVE

    def guest(self, found: Found) -> bool:
        return any(
            value.lower() in {each.lower() for each in found.texts(name)}
            for name, value in self.guests
        )

    def number(self, found: Found) -> int | None:
        """Return the number of a POSIX group, or of somebody's primary one."""
        text = found.text(self.group_number) if self.group_number else ""
        return int(text) if text.isascii() and text.isdigit() else None

    def identity(self, found: Found) -> str:
        """Return the id that never changes, empty if the entry shows none."""
        return canonical(found.text(self.id))


def any_of(terms: Iterable[str]) -> Iterator[str]:
    """Write filters that find what any of these terms finds, some terms at a time."""
    rest = iter(terms)
    while some := list(itertools.islice(rest, _TERMS_AT_ONCE)):
        yield any_of_all(some)


def any_of_all(terms: Iterable[str]) -> str:
    return f"(|{''.join(terms)})"


def expiry_seconds(found: Found) -> int | None:
    """Return when an account ends (shadowExpire, in days), None if it does not."""
    text = found.text("shadowExpire")
    try:
        days = int(text)
    except ValueError:
        return None
    return days * _SECONDS_A_DAY if days >= 0 else None


def canonical(text: str) -> str:
    """Write an id in one way: as a UUID in lower case if it is one."""
    try:
        return str(UUID(text))
    except ValueError:
        return text.strip()


OPENLDAP = Shape()
DS389 = replace(OPENLDAP, id="nsUniqueId")
FREEIPA = replace(
    OPENLDAP,
    id="ipaUniqueID",
    group_classes=("ipaUserGroup", "groupOfNames", "posixGroup"),
)

PRESETS: Mapping[str, Shape] = {
    "openldap": OPENLDAP,
    "389ds": DS389,
    "freeipa": FREEIPA,
}
