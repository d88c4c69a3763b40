"""Entries of Active Directory in ATOM's words."""

from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from bridge.directory.model import Entry, Kind
from policy.directory.active_directory.identifiers import named, object_id, sid_text
from policy.directory.active_directory.settings import ActiveDirectorySettings
from policy.directory.active_directory.standing import (
    TRUST_ACCOUNTS,
    is_security,
    standing,
)
from policy.directory.ldap.answers import Found
from policy.directory.ldap.dn import Dn, dn

_BUILTIN_GUEST = 501  # RIDs that every domain has
_DOMAIN_GUESTS = 514


class Sort(StrEnum):
    """What an entry is, as far as ATOM tells them apart."""

    PERSON = "person"
    CONTACT = "contact"
    FOREIGN = "foreign"  # somebody of another domain, known by their SID
    GROUP = "group"
    UNIT = "unit"
    HOLDER = "holder"  # a container, which is no unit
    OTHER = "other"


_SORTS = (
    ("computer", Sort.OTHER),  # which is a user too
    ("user", Sort.PERSON),
    ("contact", Sort.CONTACT),
    ("foreignsecurityprincipal", Sort.FOREIGN),
    ("group", Sort.GROUP),
    ("organizationalunit", Sort.UNIT),
    ("domaindns", Sort.UNIT),
    ("container", Sort.HOLDER),
)


class NotReadable(ValueError):
    """An entry lacks what ATOM cannot do without; `str` says which and what."""


def sort_of(found: Found) -> Sort:
    classes = {each.lower() for each in found.texts("objectClass")}
    sort = next((sort for name, sort in _SORTS if name in classes), Sort.OTHER)
    if sort is Sort.PERSON and _number(found, "userAccountControl") & TRUST_ACCOUNTS:
        return Sort.OTHER
    return sort


def id_of(found: Found) -> str:
    """Return an entry's id. Raises NotReadable."""
    values = found.attributes.get("objectguid")
    if not values:
        raise NotReadable(f"the objectGUID of {named(found.dn).dn} cannot be read")
    return object_id(values[0])


@dataclass(frozen=True, slots=True)
class Around:
    """
    What an entry's own attributes do not say.

    `units` are the ids of organisational units by their names, `groups` those of groups
    by their SIDs; both grow as more is read. `domain` is the SID before every
    `primaryGroupID`. People and groups count below these names.
    """

    settings: ActiveDirectorySettings
    domain: str
    people_below: tuple[Dn, ...]
    groups_below: tuple[Dn, ...]
    units: dict[Dn, str]
    groups: dict[str, str]
    clock: Callable[[], float]

    def holds(self, name: Dn, sort: Sort) -> bool:
        """Whether an entry of this name is one that the settings ask for."""
        if sort is Sort.FOREIGN:  # they stand in one place, whoever they are
            return True
        bases = self.groups_below if sort is Sort.GROUP else self.people_below
        if sort is Sort.UNIT:
            return any(name.within(base) or base.within(name) for base in bases)
        return any(name.within(base) for base in bases)

    def unit_of(self, name: Dn) -> str:
        """Return the nearest unit above: containers are none."""
        return next((self.units[up] for up in name.parents() if up in self.units), "")


def person(found: Found, around: Around) -> Entry:
    """Return somebody who signs in here. Raises NotReadable."""
    told = named(found.dn)
    if not found.text("userAccountControl"):
        raise NotReadable(f"userAccountControl of {told.dn} cannot be read")
    attributes = _attributes(found, around.settings)
    primary = found.text("primaryGroupID")
    group = around.groups.get(f"{around.domain}-{primary}", "") if primary else ""
    if primary and not group:
        raise NotReadable(f"the primary group {primary} of {told.dn} cannot be read")
    return Entry(
        Kind.PERSON,
        id_of(found),
        _name(found),
        told.dn,
        around.unit_of(dn(told.dn)),
        frozenset({group} if group else ()),
        attributes=attributes,
        standing=standing(
            _number(found, "userAccountControl"),
            _number(found, "msDS-User-Account-Control-Computed"),
            _number(found, "accountExpires"),
            around.clock(),
        ),
        guest=_is_guest(primary, attributes, around.settings),
    )


def contact(found: Found, around: Around) -> Entry:
    """Return somebody outside, who has an address here and no account."""
    told = named(found.dn)
    return Entry(
        Kind.PERSON,
        id_of(found),
        _name(found),
        told.dn,
        around.unit_of(dn(told.dn)),
        attributes=_attributes(found, around.settings),
        guest=True,
    )


def foreigner(found: Found) -> Entry | None:
    """Return somebody of another domain; None for what every Windows has, as Everyone."""
    sid = _sid(found)
    if not sid.startswith("S-1-5-21-"):
        return None
    told = named(found.dn)
    return Entry(
        Kind.PERSON, id_of(found), sid, told.dn, attributes={"sid": sid}, guest=True
    )


def group(found: Found, members: frozenset[str] | None, around: Around) -> Entry | None:
    """
    Return a group, None if it is a distribution list that nobody asked for.

    It is in no unit: whoever is in a group does not stand where the group stands.
    """
    lists = around.settings.distribution_groups
    if not is_security(_number(found, "groupType")) and not lists:
        return None
    told = named(found.dn)
    attributes = {"sid": _sid(found), "account": found.text("sAMAccountName")}
    return Entry(
        Kind.GROUP,
        id_of(found),
        found.text("cn") or found.text("name"),
        told.dn,
        members=members,
        attributes={k: v for k, v in attributes.items() if v},
    )


def unit(found: Found, around: Around) -> Entry:
    told = named(found.dn)
    return Entry(
        Kind.UNIT,
        id_of(found),
        found.text("name"),
        told.dn,
        around.unit_of(dn(told.dn)),
    )


def _attributes(found: Found, settings: ActiveDirectorySettings) -> dict[str, str]:
    told = {ours: found.text(theirs) for ours, theirs in settings.mapping.items()}
    first, others = _addresses(found)
    told["mail"] = told.get("mail") or first
    told["aliases"] = " ".join(others)
    told["manager"] = named(found.text("manager")).id
    told["sid"] = _sid(found)
    told["immutable_id"] = _immutable_id(found)
    return {name: value for name, value in told.items() if value}


def _addresses(found: Found) -> tuple[str, list[str]]:
    """Return the first address and the others of proxyAddresses, which marks by case."""
    first, others = "", set()
    for each in found.texts("proxyAddresses"):
        kind, _, address = each.partition(":")
        if kind == "SMTP":
            first = address
        elif kind.lower() == "smtp":
            others.add(address.lower())
    return first, sorted(others)


def _immutable_id(found: Found) -> str:
    """Return what Entra calls onPremisesImmutableId: by default it is the objectGUID."""
    for name in ("ms-ds-consistencyguid", "objectguid"):
        if values := found.attributes.get(name):
            return b64encode(values[0]).decode()
    return ""


def _is_guest(
    primary: str, attributes: Mapping[str, str], settings: ActiveDirectorySettings
) -> bool:
    rid = attributes.get("sid", "").rpartition("-")[2]
    kind = attributes.get("employee_type", "").casefold()
    return (
        primary == str(_DOMAIN_GUESTS)
        or rid == str(_BUILTIN_GUEST)
        or kind in {each.casefold() for each in settings.guest_types}
    )


def _name(found: Found) -> str:
    names = ("displayName", "cn", "name")
    return next((name for each in names if (name := found.text(each))), "")


def _sid(found: Found) -> str:
    values = found.attributes.get("objectsid")
    return sid_text(values[0]) if values else ""


def _number(found: Found, name: str) -> int:
    text = found.text(name)
    try:
        return int(text) if text else 0
    except ValueError as error:
        raise NotReadable(f"{name} of {named(found.dn).dn} is no number") from error
