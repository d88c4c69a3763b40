"""What the server can do: RFC 7644 section 4."""

from collections.abc import Mapping, Sequence
from typing import Any

from bridge.directory.scim import ScimKind
from bridge.directory.scim_server import LARGEST
from policy.directory.scim.asking import MOST_RESULTS
from policy.directory.scim.bulk import MOST_OPERATIONS
from policy.directory.scim.problems import Problem, unknown
from policy.directory.scim.schemas import published, shape

_CONFIG = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"
_TYPE = "urn:ietf:params:scim:schemas:core:2.0:ResourceType"
_SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:Schema"
LIST = "urn:ietf:params:scim:api:messages:2.0:ListResponse"


def service(base: str) -> dict[str, Any]:
    """Return what `/ServiceProviderConfig` says."""
    return {
        "schemas": [_CONFIG],
        "patch": {"supported": True},
        "bulk": {
            "supported": True,
            "maxOperations": MOST_OPERATIONS,
            "maxPayloadSize": LARGEST,
        },
        "filter": {"supported": True, "maxResults": MOST_RESULTS},
        "changePassword": {"supported": False},
        "sort": {"supported": True},
        "etag": {"supported": True},
        "authenticationSchemes": [
            {
                "type": "oauthbearertoken",
                "name": "Bearer token",
                "description": "A token that 'atom directory scim token create' makes",
                "specUri": "https://www.rfc-editor.org/info/rfc6750",
                "primary": True,
            }
        ],
        "meta": {
            "resourceType": "ServiceProviderConfig",
            "location": f"{base}/ServiceProviderConfig",
        },
    }


def types(base: str) -> list[dict[str, Any]]:
    """Return what `/ResourceTypes` lists."""
    return [_type(kind, base) for kind in ScimKind]


def one_type(name: str, base: str) -> dict[str, Any]:
    for each in types(base):
        if each["id"].lower() == name.lower():
            return each
    raise unknown("there is no such resource type")


def schemas(base: str) -> list[dict[str, Any]]:
    """Return what `/Schemas` lists."""
    return [_schema(each, base) for each in published().values()]


def one_schema(urn: str, base: str) -> dict[str, Any]:
    for each in schemas(base):
        if each["id"].lower() == urn.lower():
            return each
    raise unknown("there is no such schema")


def listed(
    documents: Sequence[Mapping[str, Any]], total: int | None = None, start: int = 1
) -> dict[str, Any]:
    """Return a list as answers have it."""
    return {
        "schemas": [LIST],
        "totalResults": len(documents) if total is None else total,
        "startIndex": start,
        "itemsPerPage": len(documents),
        "Resources": list(documents),
    }


def refuse_filter(query: Mapping[str, str]) -> None:
    """Raise `Problem` for a filter, which RFC 7644 section 4 wants answered by 403."""
    if any(name.lower() == "filter" for name in query):
        raise Problem(403, "what the server can do is not filtered")


def _type(kind: ScimKind, base: str) -> dict[str, Any]:
    own = shape(kind)
    return {
        "schemas": [_TYPE],
        "id": str(kind),
        "name": str(kind),
        "description": published()[own.urn]["description"],
        "endpoint": own.endpoint,
        "schema": own.urn,
        "schemaExtensions": [
            {"schema": urn, "required": False} for urn, _ in own.extensions.values()
        ],
        "meta": {
            "resourceType": "ResourceType",
            "location": f"{base}/ResourceTypes/{kind}",
        },
    }


def _schema(told: Mapping[str, Any], base: str) -> dict[str, Any]:
    meta = {"resourceType": "Schema", "location": f"{base}/Schemas/{told['id']}"}
    return {"schemas": [_SCHEMA], **told, "meta": meta}
