"""Associations (v4), and what a portal says of itself: properties, pipelines, owners."""

from aiohttp import web

from connectors.sandbox.http import answer, body_of
from connectors.sandbox.hubspot.objects import Objects
from connectors.sandbox.hubspot.refusals import not_found
from connectors.sandbox.hubspot.state import Json, Pipeline, Portal, Property
from connectors.sandbox.users import User

_TYPES = {
    ("notes", "contacts"): 202,
    ("notes", "companies"): 190,
    ("notes", "deals"): 214,
    ("notes", "tickets"): 228,
    ("tasks", "contacts"): 204,
    ("tasks", "companies"): 192,
    ("tasks", "deals"): 216,
    ("tasks", "tickets"): 230,
    ("deals", "companies"): 341,
    ("deals", "contacts"): 3,
    ("contacts", "companies"): 279,
    ("tickets", "companies"): 339,
    ("tickets", "contacts"): 16,
}


class Links:
    """One portal's associations and metadata."""

    def __init__(self, portal: Portal, objects: Objects) -> None:
        self._portal, self._objects = portal, objects

    async def listed(self, request: web.Request, user: User) -> web.Response:  # noqa: ARG002
        kind, id_ = self._objects.kind(request), request.match_info["id"]
        if id_ not in self._portal.things[kind]:
            raise not_found()
        return answer({"results": self._told(kind, id_, request.match_info["to"])})

    async def batch(self, request: web.Request, user: User) -> web.Response:  # noqa: ARG002
        kind, to = self._objects.kind(request), request.match_info["to"]
        inputs = (await body_of(request)).get("inputs", ())
        results, missing = [], []
        for each in inputs:
            told = self._told(kind, str(each["id"]), to)
            if told:
                results.append({"from": {"id": str(each["id"])}, "to": told})
            else:
                missing.append(str(each["id"]))
        body: Json = {"status": "COMPLETE", "results": results}
        if missing:
            error = {
                "status": "error",
                "category": "OBJECT_NOT_FOUND",
                "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND",
                "context": {"fromObjectId": missing},
            }
            body |= {"numErrors": len(missing), "errors": [error]}
        return answer(body, 207 if missing else 200)

    async def link(self, request: web.Request, user: User) -> web.Response:  # noqa: ARG002
        kind, id_ = self._objects.kind(request), request.match_info["id"]
        to, other = request.match_info["to"], request.match_info["other"]
        things = self._portal.things
        if id_ not in things[kind] or other not in things.get(to, {}):
            raise not_found()
        self._portal.links.add((kind, id_, to, other))
        return answer({"status": "COMPLETE", "results": []})

    async def properties(self, request: web.Request, user: User) -> web.Response:
        kind = self._objects.kind(request)
        told = [
            self._property(each)
            for each in self._portal.properties[kind].values()
            if user.profile.sees(kind, each.name)
        ]
        return answer({"results": told})

    async def pipelines(self, request: web.Request, user: User) -> web.Response:  # noqa: ARG002
        kind = self._objects.kind(request)
        told = self._portal.pipelines.get(kind, ())
        return answer({"results": [_pipeline(each, n) for n, each in enumerate(told)]})

    async def owners(self, request: web.Request, user: User) -> web.Response:  # noqa: ARG002
        mail = request.query.get("email")
        told = [each for each in self._portal.owners if mail in {None, each["email"]}]
        return answer({"results": told})

    async def owner(self, request: web.Request, user: User) -> web.Response:  # noqa: ARG002
        for each in self._portal.owners:
            if each["id"] == request.match_info["owner"]:
                return answer(each)
        raise not_found()

    def _told(self, kind: str, id_: str, to: str) -> list[Json]:
        number = _TYPES.get((kind, to)) or _TYPES.get((to, kind), 1) - 1
        types = [{"category": "HUBSPOT_DEFINED", "typeId": number, "label": None}]
        return [
            {"toObjectId": int(each), "associationTypes": types}
            for each in self._portal.linked(kind, id_, to)
        ]

    def _property(self, told: Property) -> Json:
        options = [
            {"label": label, "value": value, "displayOrder": n, "hidden": False}
            for n, (value, label) in enumerate(told.options)
        ]
        return {
            "name": told.name,
            "label": told.label,
            "type": told.type,
            "fieldType": told.field_type,
            "groupName": "information",
            "description": "",
            "options": options,
            "calculated": False,
            "hidden": False,
            "hasUniqueValue": told.unique,
            "formField": not told.read_only,
            "modificationMetadata": {
                "archivable": False,
                "readOnlyDefinition": True,
                "readOnlyValue": told.read_only,
            },
        }


def _pipeline(told: Pipeline, order: int) -> Json:
    stages = []
    for n, each in enumerate(told.stages):
        metadata = {"isClosed": str(each.closed).lower()}
        if each.probability:
            metadata["probability"] = each.probability
        stages.append(
            {
                "id": each.id,
                "label": each.label,
                "displayOrder": n,
                "metadata": metadata,
                "createdAt": "2026-01-01T00:00:00Z",
                "updatedAt": "2026-01-01T00:00:00Z",
                "archived": False,
            }
        )
    return {
        "id": told.id,
        "label": told.label,
        "displayOrder": order,
        "stages": stages,
        "createdAt": "2026-01-01T00:00:00Z",
        "updatedAt": "2026-01-01T00:00:00Z",
        "archived": False,
    }
