"""
A stand-in for BambooHR's API, as its reference describes it.

The key is the user's name of basic authentication; errors have no body that helps but a
header; no date is "0000-00-00"; the directory has no one who is not there now.
"""

import base64
import binascii
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from aiohttp.web import Request, Response, json_response

from connectors.sandbox.hr.company import Company

_DATES = frozenset({"hireDate", "terminationDate"})
_IN_DIRECTORY = (
    "id",
    "displayName",
    "firstName",
    "lastName",
    "jobTitle",
    "workPhone",
    "workEmail",
    "department",
)


class BambooHr:
    """Answers for one company."""

    def __init__(self, company: Company) -> None:
        self._company = company

    async def directory(self, request: Request) -> Response:
        if (refused := self._refused(request)) is not None:
            return refused
        there = [
            {name: told.get(name) for name in _IN_DIRECTORY}
            for told in self._company.employees.values()
            if told.get("status", "Active") == "Active"
        ]
        fields = [{"id": name, "type": "text", "name": name} for name in _IN_DIRECTORY]
        return json_response({"fields": fields, "employees": there})

    async def employee(self, request: Request) -> Response:
        if (refused := self._refused(request)) is not None:
            return refused
        told = self._company.employees.get(request.match_info["employee"])
        if told is None:
            return _error(404, "Employee not found")
        names = request.query.get("fields", "").split(",")
        return json_response(_shown(told, names))

    async def report(self, request: Request) -> Response:
        """Answer a report that is put together by whoever asks."""
        if (refused := self._refused(request)) is not None:
            return refused
        if not self._company.reports:
            return _error(403, "You do not have access to this resource")
        asked = await request.json()
        names = [str(name) for name in asked.get("fields", [])]
        current = request.query.get("onlyCurrent", "true") != "false"
        told = [
            _shown(one, names)
            for one in self._company.employees.values()
            if not current or one.get("status", "Active") == "Active"
        ]
        fields = [{"id": name, "type": "text", "name": name} for name in names]
        title = asked.get("title", "")
        return json_response({"title": title, "fields": fields, "employees": told})

    async def changed(self, request: Request) -> Response:
        if (refused := self._refused(request)) is not None:
            return refused
        try:
            since = datetime.fromisoformat(request.query["since"])
        except (KeyError, ValueError):
            return _error(400, "since is missing or no ISO 8601 time")
        told = {
            one: {"id": one, "action": action, "lastChanged": at.isoformat()}
            for one, (at, action) in self._company.changes.items()
            if at > since
        }
        latest = self._company.now.isoformat()
        return json_response({"latest": latest, "employees": told})

    def _refused(self, request: Request) -> Response | None:
        if request.match_info["company"] != self._company.name:
            return _error(404, "No such company")
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        try:
            key = base64.b64decode(given, validate=True).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            key = ""
        if scheme.lower() != "basic" or key != self._company.bamboo_key:
            return _error(401, "Invalid API key")
        if "application/json" not in request.headers.get("Accept", ""):
            # Whoever does not ask for JSON gets XML there.
            return Response(text="<employees/>", content_type="text/xml")
        return None


def _shown(told: Mapping[str, Any], names: list[str]) -> dict[str, Any]:
    """The fields that were asked for; one that is not set is null, a date zeros."""
    empty = {name: "0000-00-00" if name in _DATES else None for name in names if name}
    return {"id": told["id"], **empty} | {n: told[n] for n in names if told.get(n)}


def _error(status: int, message: str) -> Response:
    return Response(status=status, headers={"X-BambooHR-Error-Message": message})
