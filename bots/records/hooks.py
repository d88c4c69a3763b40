"""
Where business systems call when something changed: `/hooks/SYSTEM`, or with its name.

Who calls is proved to the system's adapter. What it says is on record before it is
answered, and taken up from there, so that nothing is lost that was acknowledged.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus

import structlog
from aiohttp import ClientError, web

from bots.metrics import REFUSED
from bots.records.polling import Told
from bridge.errors import BadInput, NotAllowed, StoreUnavailable
from bridge.records.entries import heard
from bridge.records.model import System
from bridge.records.ports import Records

log = structlog.get_logger()

_READING = 5.0  # seconds that a body may take to arrive
_LARGEST = 1024 * 1024

# Salesforce sends an outbound message again until it is acknowledged in its own words.
_SOAP = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/">'
    "<soapenv:Body><notificationsResponse "
    'xmlns="http://soap.sforce.com/2005/09/outbound"><Ack>true</Ack>'
    "</notificationsResponse></soapenv:Body></soapenv:Envelope>"
)


@dataclass(frozen=True, slots=True)
class RecordHooks:
    """
    `known` are the systems by company; `clock` gives seconds since 1970.

    `public` is where ATOM is reached from outside: some systems sign the address that
    they call.
    """

    known: Mapping[str, Sequence[Records]]
    told: Told
    clock: Callable[[], float]
    public: str = ""

    def add_routes(self, app: web.Application) -> None:
        systems = "|".join(System)
        app.router.add_post(f"/hooks/{{system:{systems}}}", self.handle)
        # Some systems can only be told a secret as a part of the address.
        app.router.add_post(f"/hooks/{{system:{systems}}}/{{rest:.+}}", self.handle)

    async def handle(self, request: web.Request) -> web.Response:
        """Answer a call. One that nobody proves is refused, whatever it is about."""
        try:
            async with asyncio.timeout(_READING):
                body = await request.content.read(_LARGEST + 1)
                while len(body) <= _LARGEST and not request.content.at_eof():
                    body += await request.content.read(_LARGEST + 1)
        except (ClientError, OSError, TimeoutError):
            return _refused(HTTPStatus.BAD_REQUEST, "malformed")
        if len(body) > _LARGEST:
            return _refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "large")
        system = System(request.match_info["system"])
        try:
            return await self._heard(system, request, body)
        except StoreUnavailable:
            return web.Response(status=HTTPStatus.SERVICE_UNAVAILABLE)

    async def _heard(
        self, system: System, request: web.Request, body: bytes
    ) -> web.Response:
        url = f"{self.public}{request.path_qs}" if self.public else str(request.url)
        refused: tuple[str, Records] | None = None
        for tenant, known in self.known.items():
            for records in known:
                if records.system is not system:
                    continue
                try:
                    changes = records.heard(request.headers, url, body, self.clock())
                except NotAllowed:
                    refused = (tenant, records)
                except BadInput:
                    return _refused(HTTPStatus.BAD_REQUEST, "malformed")
                else:
                    await self.told.keep(tenant, records, changes)
                    return _taken(system)
        if refused is not None:
            tenant, records = refused
            entry = heard(
                tenant, system, records.instance, events=0, refused="not proved"
            )
            await self.told.record.note(entry)
        return _refused(HTTPStatus.FORBIDDEN, "secret")


def _taken(system: System) -> web.Response:
    if system is System.SALESFORCE:
        return web.Response(text=_SOAP, content_type="text/xml")
    return web.Response(status=HTTPStatus.OK)


def _refused(status: HTTPStatus, reason: str) -> web.Response:
    REFUSED.labels("records", reason).inc()
    return web.Response(status=status)
