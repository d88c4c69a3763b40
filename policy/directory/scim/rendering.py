"""A resource as clients see it: what is kept, and what follows from it."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from bridge.directory.scim import Kept, Member, Membership, ScimKind
from policy.directory.scim.schemas import shape
from policy.directory.scim.urns import ENTERPRISE


def etag(version: int) -> str:
    """Return the weak entity tag of a version."""
    return f'W/"{version}"'


def location(base: str, kind: ScimKind, resource: str) -> str:
    return f"{base}{shape(kind).endpoint}/{resource}"


def shown(
    kept: Kept,
    base: str,
    members: Sequence[Member] = (),
    memberships: Sequence[Membership] = (),
) -> dict[str, Any]:
    """Return the whole resource. `base` is the URL below which endpoints are."""
    own = shape(kept.kind)
    urns = [own.urn, *(u for u, _ in own.extensions.values() if u in kept.document)]
    document: dict[str, Any] = {
        "schemas": urns,
        "id": kept.id,
        **kept.document,
        "meta": {
            "resourceType": str(kept.kind),
            "created": _time(kept.created_us),
            "lastModified": _time(kept.modified_us),
            "location": location(base, kept.kind, kept.id),
            "version": etag(kept.version),
        },
    }
    if members:
        document["members"] = [_member(member, base) for member in members]
    if memberships:
        document["groups"] = [_group(group, base) for group in memberships]
    if manager := kept.document.get(ENTERPRISE, {}).get("manager"):
        document[ENTERPRISE] = {
            **kept.document[ENTERPRISE],
            "manager": _manager(manager, base),
        }
    return document


def _member(member: Member, base: str) -> Mapping[str, Any]:
    told = {
        "value": member.id,
        "$ref": location(base, member.kind, member.id),
        "type": str(member.kind),
    }
    return {**told, "display": member.display} if member.display else told


def _group(group: Membership, base: str) -> Mapping[str, Any]:
    return {
        "value": group.group,
        "$ref": location(base, ScimKind.GROUP, group.group),
        "display": group.name,
        "type": "direct" if group.direct else "indirect",
    }


def _manager(manager: Mapping[str, Any], base: str) -> Mapping[str, Any]:
    if "value" not in manager:
        return manager
    return {"$ref": location(base, ScimKind.USER, manager["value"]), **manager}


def _time(moment_us: int) -> str:
    moment = datetime.fromtimestamp(moment_us / 1_000_000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
