"""
The HR stand-ins beside those of other systems: with faults, a journal and webhooks.

`connectors.sandbox.hr.app` serves the same BambooHR and Workday to directories. Here
each key is a person's, who sees what their access level lets them. Sources: BambooHR,
"Webhooks"; Workday, "Reports as a Service".
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

from connectors.sandbox import page
from connectors.sandbox.faults import Fault
from connectors.sandbox.hr.bamboohr import BambooHr
from connectors.sandbox.hr.company import Company
from connectors.sandbox.hr.people import KEYS, OF_HR, employees, users, workers
from connectors.sandbox.http import answer
from connectors.sandbox.posting import Poster
from connectors.sandbox.stand_in import StandIn
from connectors.sandbox.users import User

HOOK_KEY = "sandbox-bamboohr-hook-key"
ISU = "isu_atom@acme"
ISU_PASSWORD = "sandbox-workday-password"  # noqa: S105 - seeded, and worth nothing
_V1 = "/bamboohr/api/gateway.php/{company}/v1"
_REPORT = "/workday/ccx/service/customreport2/{tenant}/{owner}/{report}"

Call = Callable[[web.Request], Awaitable[web.Response]]


class Hr(StandIn):
    """A BambooHR and a Workday of the same company."""

    name = "hr"
    shown = "HR"

    def __init__(self, token_life: float | None = None) -> None:
        self.company = Company()
        super().__init__(token_life)
        self.poster = Poster(self.faults)

    def seed(self) -> None:
        self.company = Company()
        self.users = users()
        for id_, told in employees(self.clock.moment()).items():
            self.company.change(id_, told)
        self.company.workers = workers(self.clock.moment())

    def state(self) -> Any:
        return {"employees": self.company.employees, "workers": self.company.workers}

    def bearer(self, request: web.Request) -> str:
        """Return the key: the name of basic authentication, the password is nothing."""
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return super().bearer(request)
        try:
            return base64.b64decode(given).decode().partition(":")[0]
        except (binascii.Error, UnicodeDecodeError):
            return ""

    def refusal(self, status: int) -> web.Response:
        said = {"X-BambooHR-Error-Message": f"error {status}"}
        return web.Response(status=status, headers=said)

    def rate_limited(self, fault: Fault) -> web.Response:
        """BambooHR says 503 when it is asked too much."""
        told = {"Retry-After": str(int(fault.number))}
        return web.Response(status=503, headers=told)

    def change(self, employee: str, values: Mapping[str, Any]) -> None:
        """Write into somebody's record, as HR's people do, and tell of it."""
        self.company.change(employee, values)
        at, action = self.company.changes[employee]
        self.company.employees[employee]["lastChanged"] = at.isoformat()
        event = {
            "type": f"employee.{action.lower()}",
            "timestamp": at.isoformat(),
            "data": {
                "companyId": self.company.name,
                "employeeId": employee,
                "changedFields": list(values),
                # What some webhooks send along, asked or not.
                "fields": {
                    name: self.company.employees[employee].get(name) for name in values
                },
            },
        }
        if url := self.hooks.get("employees"):
            body = json.dumps(event).encode()
            self.poster.tell("employees", url, body, lambda _: self.signed(body))

    def signed(self, body: bytes) -> dict[str, str]:
        stamp = str(int(self.clock.now()))
        key = HOOK_KEY.encode()
        digest = hmac.new(key, body + stamp.encode(), hashlib.sha256).hexdigest()
        return {"X-BambooHR-Signature": digest, "X-BambooHR-Timestamp": stamp}

    async def emit(self, wish: Mapping[str, Any]) -> Any:
        """Change somebody: {"employee": ID, "values": {…}}."""
        employee = str(wish["employee"])
        self.change(employee, wish.get("values", {}))
        return [employee]

    def routes(self) -> list[web.RouteDef]:
        calls: list[tuple[str, str, Callable[[BambooHr], Call]]] = [
            ("GET", f"{_V1}/employees/directory", lambda b: b.directory),
            ("GET", f"{_V1}/employees/changed", lambda b: b.changed),
            ("GET", _V1 + "/employees/{employee}", lambda b: b.employee),
            ("POST", f"{_V1}/reports/custom", lambda b: b.report),
        ]
        return [
            *(web.route(m, path, self._as_person(call)) for m, path, call in calls),
            web.get(_REPORT, self._report),
            web.get("/employees/employee.php", self._page),
        ]

    async def _page(self, request: web.Request) -> web.StreamResponse:
        """Show who is there; that somebody will join is not for whoever has a link."""
        told = self.company.employees.get(request.query.get("id", ""), {})
        today = f"{self.clock.moment():%Y-%m-%d}"
        if not told or told.get("hireDate", "") > today:
            return page.of(self.shown, "", "")
        title = f"{told['displayName']} – {told['jobTitle']}"
        return page.of(self.shown, "Employee", title)

    def _as_person(
        self, call: Callable[[BambooHr], Call]
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handler(request: web.Request) -> web.StreamResponse:
            user = self.user(request)
            if user is None:
                said = {"X-BambooHR-Error-Message": "Invalid API key"}
                return web.Response(status=401, headers=said)
            bamboo = BambooHr(self._seen_by(user, self.bearer(request)))
            return await call(bamboo)(request)

        return handler

    def _seen_by(self, user: User, key: str) -> Company:
        """Return the company as somebody's access level shows it."""
        seen = Company(self.company.name, key, _now=self.company.now)
        seen.changes = dict(self.company.changes)
        seen.reports = user.name in OF_HR
        today = f"{self.clock.moment():%Y-%m-%d}"
        for id_, told in self.company.employees.items():
            if user.name in OF_HR:
                seen.employees[id_] = told
            elif told.get("hireDate", "") <= today:
                seen.employees[id_] = {n: v for n, v in told.items() if n in KEYS}
            else:
                seen.changes.pop(id_, None)
        return seen

    async def _report(self, request: web.Request) -> web.StreamResponse:
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        pair = base64.b64encode(f"{ISU}:{ISU_PASSWORD}".encode()).decode()
        if scheme.lower() != "basic" or given != pair:
            return answer({"error": "invalid username or password"}, 401)
        if request.match_info["report"] != "Employees":
            return answer({"error": "The report is not enabled as a web service"}, 404)
        if request.query.get("format") != "json":
            return web.Response(text="<wd:Report_Data/>", content_type="text/xml")
        told = self.company.workers
        return answer({"Report_Entry": told} if told else {})
