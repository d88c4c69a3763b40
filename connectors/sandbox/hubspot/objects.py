"""Objects over REST: alone and in batches of up to 100."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from aiohttp import web

from connectors.sandbox.http import answer, body_of
from connectors.sandbox.hubspot.hooks import Hooks
from connectors.sandbox.hubspot.refusals import Refusal, invalid, not_found
from connectors.sandbox.hubspot.state import (
    CHANGED,
    DEFAULTS,
    MADE,
    Json,
    Portal,
    Thing,
    iso,
)
from connectors.sandbox.hubspot.values import wrong_with
from connectors.sandbox.users import User

_MOST = 100
# Values whose choices come from elsewhere than the property.
_STAGES = {
    "deals": ("pipeline", "dealstage"),
    "tickets": ("hs_pipeline", "hs_pipeline_stage"),
}
_NEEDED = {
    "deals": ("dealname", "dealstage"),
    "tickets": ("subject", "hs_pipeline_stage"),
    "notes": ("hs_timestamp",),
    "tasks": ("hs_timestamp",),
}


class Objects:
    """One portal's objects."""

    def __init__(self, portal: Portal, hooks: Hooks) -> None:
        self._portal, self._hooks = portal, hooks

    async def read(self, request: web.Request, user: User) -> web.Response:
        kind = self.kind(request)
        by = request.query.get("idProperty", "")
        thing = self._found(user, kind, request.match_info["id"], by)
        told = self.shown(thing, user, _wanted(request))
        if wanted := request.query.get("associations"):
            told["associations"] = self._associations(thing, wanted.split(","))
        return answer(told)

    async def listed(self, request: web.Request, user: User) -> web.Response:
        kind = self.kind(request)
        limit = int(request.query.get("limit", "10"))
        if not 0 < limit <= _MOST:
            raise Refusal(400, "VALIDATION_ERROR", "limit must be between 1 and 100")
        after = int(request.query.get("after", "0"))
        things = sorted(self._portal.things[kind].values(), key=lambda t: int(t.id))
        seen = (each for each in things if self._portal.sees(user, each))
        live = [each for each in seen if not each.archived and int(each.id) > after]
        wanted = _wanted(request)
        told: Json = {"results": [self.shown(t, user, wanted) for t in live[:limit]]}
        if len(live) > limit:
            last = live[limit - 1].id
            told["paging"] = {"next": {"after": last, "link": f"?after={last}"}}
        return answer(told)

    async def create(self, request: web.Request, user: User) -> web.Response:
        kind = self.kind(request)
        made = self._made(kind, await _json(request), user)
        return answer(self.shown(made, user, ()), 201)

    async def change(self, request: web.Request, user: User) -> web.Response:
        kind = self.kind(request)
        by = request.query.get("idProperty", "")
        thing = self._found(user, kind, request.match_info["id"], by)
        values = (await _json(request)).get("properties", {})
        self._changed(thing, values, user)
        return answer(self.shown(thing, user, values))

    async def archive(self, request: web.Request, user: User) -> web.Response:
        kind = self.kind(request)
        thing = self._portal.things[kind].get(request.match_info["id"])
        if thing is not None and not thing.archived:
            self._allowed(user, kind, "d")
            thing.archived = True
            self._portal.index(thing)
            self._hooks.tell(thing, "deletion", user)
        return web.Response(status=204)

    async def batch_read(self, request: web.Request, user: User) -> web.Response:
        kind, body = self.kind(request), await _json(request)
        wanted = tuple(body.get("properties", ()))
        by = str(body.get("idProperty") or "")
        found, missing = [], []
        for each in self._inputs(body):
            try:
                thing = self._found(user, kind, str(each.get("id")), by)
                found.append(self.shown(thing, user, wanted))
            except Refusal:
                missing.append(str(each.get("id")))
        return _batch(found, kind, missing)

    async def batch_create(self, request: web.Request, user: User) -> web.Response:
        kind, body = self.kind(request), await _json(request)
        made = [self._made(kind, each, user) for each in self._inputs(body)]
        return _batch([self.shown(each, user, ()) for each in made], kind, [], 201)

    async def batch_update(self, request: web.Request, user: User) -> web.Response:
        kind, body = self.kind(request), await _json(request)
        found, missing = [], []
        for each in self._inputs(body):
            try:
                thing = self._found(
                    user, kind, str(each.get("id")), str(each.get("idProperty") or "")
                )
            except Refusal:
                missing.append(str(each.get("id")))
                continue
            self._changed(thing, each.get("properties", {}), user)
            found.append(self.shown(thing, user, each.get("properties", {})))
        return _batch(found, kind, missing)

    def kind(self, request: web.Request) -> str:
        kind = request.match_info["kind"]
        if kind not in self._portal.things:
            raise Refusal(
                400, "VALIDATION_ERROR", f"Unable to infer object type: {kind}"
            )
        return kind

    def shown(self, thing: Thing, user: User, wanted: Iterable[str]) -> Json:
        """Return an object, with default properties and with those that are wanted."""
        kind = thing.kind
        changed = CHANGED.get(kind, "hs_lastmodifieddate")
        usual = (MADE.get(kind, "createdate"), "hs_object_id", changed)
        values = self._portal.valued(thing)
        known = {*self._portal.properties[kind], *usual}
        names = [name for name in (*DEFAULTS[kind], *usual, *wanted) if name in known]
        return {
            "id": thing.id,
            "properties": {
                name: values.get(name)
                for name in dict.fromkeys(names)
                if user.profile.sees(kind, name)
            },
            "createdAt": iso(thing.created),
            "updatedAt": iso(thing.updated),
            "archived": thing.archived,
        }

    def _found(self, user: User, kind: str, id_: str, by: str = "") -> Thing:
        for thing in self._portal.things[kind].values():
            fits = thing.values.get(by) == id_ if by else thing.id == id_
            if fits and not thing.archived and self._portal.sees(user, thing):
                return thing
        raise not_found()

    def _allowed(self, user: User, kind: str, right: str) -> None:
        if not user.profile.may(right, kind):
            raise Refusal(
                403,
                "MISSING_SCOPES",
                "This user does not have the permissions that this call requires.",
            )

    def _inputs(self, body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        inputs = list(body.get("inputs", ()))
        if len(inputs) > _MOST:
            raise Refusal(400, "VALIDATION_ERROR", "A batch has at most 100 inputs.")
        return inputs

    def _made(self, kind: str, body: Mapping[str, Any], user: User) -> Thing:
        self._allowed(user, kind, "c")
        values = self._values(kind, body.get("properties", {}), user)
        missing = [name for name in _NEEDED.get(kind, ()) if not values.get(name)]
        if missing:
            raise invalid(
                {n: ("MISSING_REQUIRED", f"{n} is required") for n in missing}
            )
        self._unique(kind, values)
        if kind in _STAGES and not values.get(_STAGES[kind][0]):
            values[_STAGES[kind][0]] = self._portal.pipelines[kind][0].id
        self._staged(kind, values, {})
        moment = self._portal.moment()
        thing = Thing(self._portal.new_id(), kind, values, moment, moment)
        self._portal.things[kind][thing.id] = thing
        for each in body.get("associations", ()):
            self._link(thing, str(each["to"]["id"]))
            if kind == "notes":  # HubSpot keeps when an object had its last note
                self._touched(str(each["to"]["id"]), moment)
        self._portal.index(thing)
        self._hooks.tell(thing, "creation", user)
        return thing

    def _touched(self, id_: str, moment: float) -> None:
        for things in self._portal.things.values():
            if id_ in things:
                things[id_].updated = moment
                self._portal.index(things[id_])

    def _changed(self, thing: Thing, given: Mapping[str, Any], user: User) -> None:
        self._allowed(user, thing.kind, "u")
        values = self._values(thing.kind, given, user)
        self._staged(thing.kind, values, thing.values)
        self._unique(thing.kind, values, thing)
        before = dict(thing.values)
        thing.values.update(values)
        thing.updated = self._portal.moment()
        self._portal.index(thing)
        for name, value in values.items():
            if before.get(name) != value:
                self._hooks.tell(thing, "propertyChange", user, name, value)

    def _values(
        self, kind: str, given: Mapping[str, Any], user: User
    ) -> dict[str, str | None]:
        known, wrong = self._portal.properties[kind], {}
        values: dict[str, str | None] = {}
        for name, value in given.items():
            if name not in known:
                wrong[name] = (
                    "PROPERTY_DOESNT_EXIST",
                    f'Property "{name}" does not exist',
                )
            elif known[name].read_only or not user.profile.writes(kind, name):
                wrong[name] = ("READ_ONLY_VALUE", f'"{name}" is a read only property')
            elif problem := wrong_with(known[name], value):
                wrong[name] = problem
            else:
                values[name] = None if value in {None, ""} else str(value)
        if wrong:
            raise invalid(wrong)
        return values

    def _staged(
        self,
        kind: str,
        values: Mapping[str, str | None],
        before: Mapping[str, str | None],
    ) -> None:
        """A stage has to be one of its pipeline's."""
        if kind not in _STAGES:
            return
        of, name = _STAGES[kind]
        pipeline, stage = (values.get(each, before.get(each)) for each in (of, name))
        for each in self._portal.pipelines[kind]:
            if each.id == pipeline and stage in {one.id for one in each.stages}:
                return
        why = f"{stage} is not a valid stage of pipeline {pipeline}"
        raise invalid({name: ("INVALID_OPTION", why)})

    def _unique(
        self, kind: str, values: Mapping[str, str | None], own: Thing | None = None
    ) -> None:
        for name, told in self._portal.properties[kind].items():
            if not told.unique or not values.get(name):
                continue
            for other in self._portal.things[kind].values():
                same = other.values.get(name) == values[name] and other is not own
                if same and not other.archived:
                    what = kind.removesuffix("s").capitalize()
                    why = f"{what} already exists. Existing ID: {other.id}"
                    raise Refusal(409, "CONFLICT", why)

    def _link(self, thing: Thing, id_: str) -> None:
        for kind, things in self._portal.things.items():
            if id_ in things:
                self._portal.links.add((thing.kind, thing.id, kind, id_))
                return
        raise not_found()

    def _associations(self, thing: Thing, wanted: Iterable[str]) -> Json:
        told: Json = {}
        for to in wanted:
            ids = self._portal.linked(thing.kind, thing.id, to)
            name = f"{thing.kind.removesuffix('s')}_to_{to.removesuffix('s')}"
            if ids:
                told[to] = {"results": [{"id": id_, "type": name} for id_ in ids]}
        return told


def _batch(
    results: list[Json], kind: str, missing: list[str], status: int = 200
) -> web.Response:
    told: Json = {"status": "COMPLETE", "results": results}
    if not missing:
        return answer(told, status)
    told["numErrors"] = 1
    told["errors"] = [
        {
            "status": "error",
            "category": "OBJECT_NOT_FOUND",
            "message": f"Could not get some {kind} objects, they may be deleted or not "
            "exist. Check that ids are valid.",
            "context": {"ids": missing},
        }
    ]
    return answer(told, 207)


def _wanted(request: web.Request) -> tuple[str, ...]:
    given = request.query.getall("properties", [])
    return tuple(name for each in given for name in each.split(",") if name)


async def _json(request: web.Request) -> Mapping[str, Any]:
    try:
        body = await body_of(request)
    except json.JSONDecodeError:
        raise Refusal(400, "VALIDATION_ERROR", "Invalid input JSON") from None
    return body if isinstance(body, dict) else {}
