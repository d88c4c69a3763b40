"""The HR stand-ins' server: BambooHR, Workday, and what tests change in both."""

import socket
import struct
from collections.abc import Awaitable, Callable

from aiohttp import web

from connectors.sandbox.hr.bamboohr import BambooHr
from connectors.sandbox.hr.company import FAULTS, Company, Fault
from connectors.sandbox.hr.workday import Workday

_V1 = "/bamboohr/api/gateway.php/{company}/v1"
_WORKDAY = "/workday/ccx"
_PAGE = "<!DOCTYPE html><html><body><h1>Sign in</h1></body></html>"
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)

Handler = Callable[[web.Request], Awaitable[web.Response]]


def create_app(company: Company | None = None) -> web.Application:
    """Build the stand-ins around a company, by default an empty one."""
    company = company or Company()
    bamboo, workday = BambooHr(company), Workday(company)
    calls: list[tuple[str, str, str, Handler]] = [
        ("GET", f"{_V1}/employees/directory", "bamboohr.directory", bamboo.directory),
        ("GET", f"{_V1}/employees/changed", "bamboohr.changed", bamboo.changed),
        ("GET", _V1 + "/employees/{employee}", "bamboohr.employee", bamboo.employee),
        ("POST", f"{_V1}/reports/custom", "bamboohr.report", bamboo.report),
        ("POST", _WORKDAY + "/oauth2/{tenant}/token", "workday.token", workday.token),
        (
            "GET",
            _WORKDAY + "/api/staffing/v6/{tenant}/workers",
            "workday.workers",
            workday.workers,
        ),
        (
            "GET",
            _WORKDAY + "/service/customreport2/{tenant}/{owner}/{report}",
            "workday.report",
            workday.report,
        ),
    ]
    app = web.Application()
    for method, path, name, handler in calls:
        app.router.add_route(method, path, _faulty(company, name, handler))
    app.router.add_post("/sandbox/hr", _control(company))
    return app


def _faulty(company: Company, name: str, handler: Handler) -> Handler:
    async def answer(request: web.Request) -> web.Response:
        fault = company.fault(name)
        if fault is None:
            return await handler(request)
        if fault.kind == "page":
            return web.Response(text=_PAGE, content_type="text/html")
        if fault.kind == "half":
            return await _half(request, await handler(request))
        if fault.kind == "reset":
            _cut(request)
            return web.Response(status=500)
        told = fault.retry_after is not None
        headers = {"Retry-After": str(fault.retry_after)} if told else {}
        return web.Response(status=int(fault.kind), headers=headers)

    return answer


async def _half(request: web.Request, whole: web.Response) -> web.Response:
    """Send the first half of an answer that promises all of it, and hang up."""
    body = whole.body if isinstance(whole.body, bytes) else b""
    stream = web.StreamResponse(headers={"Content-Type": "application/json"})
    stream.content_length = len(body)
    await stream.prepare(request)
    await stream.write(body[: len(body) // 2])
    _cut(request)
    return web.Response(status=500)


def _cut(request: web.Request) -> None:
    if request.transport is not None:
        peer = request.transport.get_extra_info("socket")
        if peer is not None:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        request.transport.abort()


def _control(company: Company) -> Handler:
    """
    Change the company, as its HR department or fate does.

    {"change": {ID: VALUES}}, {"remove": [IDS]}, {"workers": [...]}, {"fault": {...}},
    {"set": {"reports": …, "vanishing": …}}, {"forget_tokens": true}.
    """

    async def control(request: web.Request) -> web.Response:
        asked = await request.json()
        for employee, values in asked.get("change", {}).items():
            company.change(employee, values)
        for employee in asked.get("remove", []):
            company.remove(employee)
        if "workers" in asked:
            company.workers[:] = asked["workers"]
        for name, value in asked.get("set", {}).items():
            setattr(company, name, value)
        if asked.get("forget_tokens"):
            company.tokens.clear()
        if "fault" in asked:
            fault = Fault(**asked["fault"])
            if fault.kind not in FAULTS:
                return web.json_response({"error": "no such fault"}, status=400)
            company.faults.append(fault)
        return web.json_response({"ok": True})

    return control
