"""What of Active Directory is read, and how its attributes are called in ATOM."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from bridge.errors import BadInput
from policy.directory.ldap.dn import Dn, dn
from policy.directory.ldap.settings import LdapSettings

# ATOM's names, and the attributes they are taken from.
ATTRIBUTES: Mapping[str, str] = {
    "mail": "mail",
    "user_name": "userPrincipalName",
    "account": "sAMAccountName",
    "given_name": "givenName",
    "family_name": "sn",
    "title": "title",
    "department": "department",
    "company": "company",
    "phone": "telephoneNumber",
    "employee_id": "employeeID",
    "employee_type": "employeeType",
}
_LARGEST_PAGE = 1000  # Active Directory's MaxPageSize


class Way(StrEnum):
    """How changes are found. `auto` takes the first that the account is allowed."""

    AUTO = "auto"
    DIRSYNC = "dirsync"
    USN = "usn"


@dataclass(frozen=True, slots=True)
class ActiveDirectorySettings:
    """
    One domain, read as one source.

    People are read below `bases` and groups below `group_bases`, both the whole domain
    if empty; `people_filter` and `groups_filter` narrow them further. `attributes` adds
    to ATTRIBUTES, or takes one away if its value is empty. Distribution lists and
    contacts are left out unless asked for. Whose employeeType is one of `guest_types` is
    a guest, as are Domain Guests. A change is looked for every `poll_seconds`, besides
    being told of it; what was deleted every `vanished_seconds`, if the account may not
    see that. `sign_of_life_seconds` is how often it is said that nothing changed.
    """

    name: str
    ldap: LdapSettings
    bases: tuple[str, ...] = ()
    group_bases: tuple[str, ...] = ()
    people_filter: str = ""
    groups_filter: str = ""
    attributes: Mapping[str, str] = field(default_factory=dict)
    distribution_groups: bool = False
    contacts: bool = False
    guest_types: frozenset[str] = frozenset()
    page_size: int = _LARGEST_PAGE
    changes: Way = Way.AUTO
    poll_seconds: float = 1.0
    sign_of_life_seconds: float = 15.0
    vanished_seconds: float = 30.0

    def checked(self) -> "ActiveDirectorySettings":
        """Return these settings if they can be used. Raises BadInput with what to do."""
        self.ldap.checked()
        for base in (*self.bases, *self.group_bases):
            dn(base)
        if not 1 <= self.page_size <= _LARGEST_PAGE:
            raise BadInput(f"page_size is 1 to {_LARGEST_PAGE}")
        if self.poll_seconds <= 0 or self.sign_of_life_seconds <= 0:
            raise BadInput("poll_seconds and sign_of_life_seconds are above 0")
        for each in (self.people_filter, self.groups_filter):
            if each and not (each.startswith("(") and each.endswith(")")):
                raise BadInput(f"a filter stands in parentheses: {each}")
        return self

    @property
    def mapping(self) -> Mapping[str, str]:
        """Which attribute each of ATOM's names is taken from."""
        return {k: v for k, v in {**ATTRIBUTES, **self.attributes}.items() if v}

    @property
    def people_below(self) -> tuple[str, ...]:
        return outermost(self.bases)

    @property
    def groups_below(self) -> tuple[str, ...]:
        return outermost(self.group_bases)

    @property
    def digest(self) -> str:
        """Name what is read: with other settings, a cursor is of no use."""
        what = [
            sorted(self.people_below),
            sorted(self.groups_below),
            self.people_filter,
            self.groups_filter,
            sorted(self.mapping.items()),
            self.distribution_groups,
            self.contacts,
            sorted(self.guest_types),
            self.changes,
        ]
        return hashlib.sha256(json.dumps(what).encode()).hexdigest()[:16]


def outermost(bases: tuple[str, ...]) -> tuple[str, ...]:
    """Leave out what is below another one, so that nothing is read twice."""
    parsed: dict[Dn, str] = {}
    for base in bases:
        parsed.setdefault(dn(base), base)
    return tuple(
        text
        for name, text in parsed.items()
        if not any(name != other and name.within(other) for other in parsed)
    )
