"""
What the directory is told of SCIM's users and groups.

The identity provider's word is taken for who somebody is and which groups they are in.
Roles are different: one of its `roles` counts only if configuration says which of
ATOM's it stands for, and none that administers ATOM is given unless that is configured
too.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bridge.directory.model import Edge, Entry, Fate, Gone, Kind, Reading, Standing
from bridge.directory.scim import Kept, Member, ScimKind
from bridge.errors import BadInput
from policy.directory.scim.comparing import folded
from policy.directory.scim.urns import ENTERPRISE

SOURCE = "scim"

_ADMINISTERS = ("admin", "owner", "officer", "steward", "security", "break-glass")
_GUESTS = frozenset({"guest", "external"})


@dataclass(frozen=True, slots=True)
class Translation:
    """
    How resources become entries.

    `roles` are ATOM's roles by the values of the attribute `roles`, without case.
    `external` is the attribute of an entry that `externalId` is, such as `employee_id`
    or `entra_id`. Raises `BadInput` for a role that administers ATOM, unless
    `admin_roles`.
    """

    roles: Mapping[str, str] = field(default_factory=dict)
    external: str = "external_id"
    admin_roles: bool = False
    source: str = SOURCE

    def __post_init__(self) -> None:
        for role in self.roles.values():
            if not self.admin_roles and administers(role):
                raise BadInput(
                    f"the role {role} administers ATOM: set ATOM_SCIM_ADMIN_ROLES=true "
                    "if the identity provider may give it"
                )

    def entry(self, kept: Kept) -> Entry:
        """Return a resource as the directory sees it; a group without its members."""
        if kept.kind is ScimKind.GROUP:
            name = str(kept.document.get("displayName", kept.id))
            attributes = self._external(kept.document)
            return Entry(Kind.GROUP, kept.id, name, attributes=attributes)
        document = kept.document
        # Only what is said to be active is: taking the attribute away gives nothing.
        active = document.get("active") is True
        return Entry(
            Kind.PERSON,
            kept.id,
            _name(document),
            parents=frozenset(self._roles(document)),
            attributes=self._attributes(document),
            standing=Standing.ACTIVE if active else Standing.DISABLED,
            guest=folded(str(document.get("userType", ""))) in _GUESTS,
        )

    def changed(
        self,
        kept: Kept,
        joined: Sequence[Member] = (),
        left: Sequence[str] = (),
        outer: Sequence[str] = (),
    ) -> Reading:
        """
        Return what one change of a resource tells.

        `outer` are the groups that what was deleted was in.
        """
        cursor = str(kept.change).encode()
        if kept.deleted:
            inside = [Edge(member, kept.id) for member in left]
            around = [Edge(kept.id, group) for group in outer]
            return Reading(
                self.source,
                whole=False,
                left=(*inside, *around),
                gone=(Gone(kept.id, Fate.DELETED),),
                cursor=cursor,
            )
        return Reading(
            self.source,
            whole=False,
            entries=tuple(self._with_roles([self.entry(kept)])),
            joined=tuple(Edge(member.id, kept.id) for member in joined),
            left=tuple(Edge(member, kept.id) for member in left),
            cursor=cursor,
        )

    def reading(
        self,
        several: Sequence[Kept],
        members: Mapping[str, Sequence[Member]],
        *,
        cursor: int,
    ) -> Reading:
        """Return what many resources tell, groups with all of their members."""
        entries = []
        for kept in several:
            if kept.deleted:
                continue
            entry = self.entry(kept)
            if kept.kind is ScimKind.GROUP:
                inside = frozenset(m.id for m in members.get(kept.id, ()))
                entry = Entry(
                    entry.kind,
                    entry.id,
                    entry.name,
                    members=inside,
                    attributes=entry.attributes,
                )
            entries.append(entry)
        return Reading(
            self.source,
            whole=False,
            entries=tuple(self._with_roles(entries)),
            gone=tuple(Gone(kept.id) for kept in several if kept.deleted),
            cursor=str(cursor).encode(),
        )

    def _with_roles(self, entries: Sequence[Entry]) -> Iterable[Entry]:
        """Yield the entries, and before them the roles that they are in."""
        named = sorted({role for entry in entries for role in entry.parents})
        yield from (Entry(Kind.ROLE, role, role) for role in named)
        yield from entries

    def _roles(self, document: Mapping[str, Any]) -> Iterable[str]:
        known = {folded(value): role for value, role in self.roles.items()}
        for given in document.get("roles", ()):
            if role := known.get(folded(str(given.get("value", "")))):
                yield role

    def _external(self, document: Mapping[str, Any]) -> dict[str, str]:
        external = document.get("externalId")
        return {self.external: str(external)} if external else {}

    def _attributes(self, document: Mapping[str, Any]) -> dict[str, str]:
        name, extra = document.get("name", {}), document.get(ENTERPRISE, {})
        told = {
            **self._external(document),
            "user_name": document.get("userName"),
            "mail": primary(document.get("emails", ())),
            "phone": primary(document.get("phoneNumbers", ())),
            "title": document.get("title"),
            "given_name": name.get("givenName"),
            "family_name": name.get("familyName"),
            "department": extra.get("department"),
            "manager": extra.get("manager", {}).get("value"),
            "cost_center": extra.get("costCenter"),
            "organization": extra.get("organization"),
            "division": extra.get("division"),
        }
        if extra.get("employeeNumber"):
            told.setdefault("employee_id", extra["employeeNumber"])
        return {key: str(value) for key, value in told.items() if value}


def administers(role: str) -> bool:
    """Say whether a role is one that must not come from outside by accident."""
    return any(word in role.lower() for word in _ADMINISTERS)


def primary(values: Sequence[Mapping[str, Any]]) -> str:
    """Return the primary value, else the one for work, else the first."""
    ranked = sorted(
        (value for value in values if value.get("value")),
        key=lambda v: (not v.get("primary"), str(v.get("type")).lower() != "work"),
    )
    return str(ranked[0]["value"]) if ranked else ""


def _name(document: Mapping[str, Any]) -> str:
    name = document.get("name", {})
    parts = (name.get("givenName"), name.get("familyName"))
    return str(
        document.get("displayName")
        or name.get("formatted")
        or " ".join(part for part in parts if part)
        or document.get("userName", "")
    )
