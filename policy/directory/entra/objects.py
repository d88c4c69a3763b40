"""
Read users and groups as Graph tells of them. Nothing here speaks to anybody.

Sources: Microsoft Graph v1.0, resource types user and group, and delta query for both.
"""

from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from bridge.directory.model import Entry, Kind, Standing
from policy.directory.rest import mapping, mappings, text

# ATOM's names of attributes, and where Graph keeps them.
ATTRIBUTES: Mapping[str, str] = {
    "mail": "mail",
    "user_name": "userPrincipalName",
    "title": "jobTitle",
    "department": "department",
    "employee_id": "employeeId",
    "given_name": "givenName",
    "family_name": "surname",
    "phone": "mobilePhone",
    "company": "companyName",
    "immutable_id": "onPremisesImmutableId",
}
_ALWAYS = ("id", "displayName", "accountEnabled", "userType", "externalUserState")
_GROUP = (
    "id",
    "displayName",
    "mail",
    "groupTypes",
    "securityEnabled",
    "onPremisesSecurityIdentifier",
)
_MEMBER_KINDS = frozenset({"", "#microsoft.graph.user", "#microsoft.graph.group"})
_EXTERNAL = "#EXT#"
_GUID = 16  # bytes


@dataclass(frozen=True, slots=True)
class Shape:
    """
    How one tenant's objects become entries.

    `attributes` are further ones by ATOM's names, with where Graph keeps each: a
    property, or `onPremisesExtensionAttributes/extensionAttribute1`. Distribution lists
    carry no rights in Entra, so they are read only with `mail_lists`. People of other
    companies whom the tenant calls members are guests unless `trust_external_members`.
    With `administrative_units` those are groups as well.
    """

    tenant: str
    attributes: Mapping[str, str] = field(default_factory=dict)
    mail_lists: bool = False
    trust_external_members: bool = False
    administrative_units: bool = False

    @property
    def user_select(self) -> str:
        """What is asked of a user."""
        wanted = [*_ALWAYS, *ATTRIBUTES.values(), *self.attributes.values()]
        return ",".join(dict.fromkeys(path.partition("/")[0] for path in wanted))

    @property
    def group_select(self) -> str:
        return ",".join(_GROUP)

    def key(self, oid: str) -> str:
        """Return the key of an object: its id is unique within its tenant alone."""
        return f"{self.tenant}/{oid.lower()}"

    def person(
        self, user: Mapping[str, Any], *, standing: Standing | None = None
    ) -> Entry:
        """Return a user as an entry."""
        key = self.key(text(user.get("id")))
        principal = text(user.get("userPrincipalName"))
        told = {
            name: text(_at(user, path))
            for name, path in {**ATTRIBUTES, **self.attributes}.items()
        }
        told["entra_id"] = key
        told["object_guid"] = anchor_guid(told["immutable_id"])
        told["manager"] = self._manager(user)
        return Entry(
            Kind.PERSON,
            key,
            text(user.get("displayName")) or principal or key,
            attributes={name: value for name, value in told.items() if value},
            standing=standing or _standing(user),
            guest=self._is_guest(user, principal),
        )

    def group(self, group: Mapping[str, Any], members: frozenset[str] | None) -> Entry:
        """Return a group as an entry, with its members' keys if they are known."""
        key = self.key(text(group.get("id")))
        told = {
            "mail": text(group.get("mail")),
            "sid": text(group.get("onPremisesSecurityIdentifier")),
            "entra_id": key,
        }
        return Entry(
            Kind.GROUP,
            key,
            text(group.get("displayName")) or key,
            members=members,
            attributes={name: value for name, value in told.items() if value},
        )

    def unit(self, unit: Mapping[str, Any], people: frozenset[str]) -> Entry:
        """Return an administrative unit, as a group of those who are in it."""
        key = self.key(text(unit.get("id")))
        restricted = unit.get("isMemberManagementRestricted") is True
        kind = "administrative unit"
        told = {"kind": f"restricted {kind}" if restricted else kind, "entra_id": key}
        name = text(unit.get("displayName")) or key
        return Entry(Kind.GROUP, key, name, members=people, attributes=told)

    def counts(self, group: Mapping[str, Any]) -> bool:
        """Say whether rights may hang on a group."""
        kinds = group.get("groupTypes")
        unified = isinstance(kinds, list) and "Unified" in kinds
        # What is not told is not held against it.
        secure = group.get("securityEnabled") is not False
        return self.mail_lists or secure or unified

    def members(self, changes: Any) -> tuple[list[str], list[str]]:
        """Return who joined and who left by `members@delta` or a list of members."""
        joined: list[str] = []
        left: list[str] = []
        for one in mappings(changes):
            oid = text(one.get("id"))
            if oid and text(one.get("@odata.type")) in _MEMBER_KINDS:
                (left if "@removed" in one else joined).append(self.key(oid))
        return joined, left

    def _manager(self, user: Mapping[str, Any]) -> str:
        """Delta tells the manager as a list, whose last present one it is."""
        direct = mapping(user.get("manager"))
        told = [direct] if direct else mappings(user.get("manager@delta"))
        present = [text(one.get("id")) for one in told if "@removed" not in one]
        return self.key(present[-1]) if present and present[-1] else ""

    def _is_guest(self, user: Mapping[str, Any], principal: str) -> bool:
        kind = text(user.get("userType"))
        external = _EXTERNAL in principal.upper()
        if kind.lower() == "member":
            return external and not self.trust_external_members
        return kind.lower() == "guest" or external


def removed(told: Mapping[str, Any]) -> str:
    """Return why Graph names an object no more, empty if it does."""
    return text(mapping(told.get("@removed")).get("reason")) or (
        "deleted" if "@removed" in told else ""
    )


def is_whole(user: Mapping[str, Any]) -> bool:
    """Say whether a changed user came with all that was asked for, or but a part."""
    return "userPrincipalName" in user and "accountEnabled" in user


def anchor_guid(immutable_id: str) -> str:
    """
    Return the objectGUID behind a source anchor, empty if it is none.

    Entra Connect writes the sixteen bytes of mS-DS-ConsistencyGuid, or of objectGUID,
    in base64; AD's byte order is mixed.
    """
    try:
        raw = b64decode(immutable_id, validate=True)
    except (NotBase64, ValueError):
        return ""
    return str(UUID(bytes_le=raw)) if len(raw) == _GUID else ""


def _standing(user: Mapping[str, Any]) -> Standing:
    if user.get("accountEnabled") is False:
        return Standing.DISABLED
    if text(user.get("externalUserState")) == "PendingAcceptance":
        return Standing.PENDING
    return Standing.ACTIVE


def _at(user: Mapping[str, Any], path: str) -> Any:
    value: Any = user
    for step in path.split("/"):
        value = mapping(value).get(step)
    return value
