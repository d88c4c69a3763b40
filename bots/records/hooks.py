"""
Where business systems call when something changed: `/hooks/SYSTEM`, or with its name.

Who calls is proved to the system's adapter. What it says is on record before it is
answered, and taken up from there, so that nothing is lost that was acknowledged.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus

import structlog
from aiohttp import ClientError, web

from bots.metrics import REFUSED
from bots.records.polling import Told
from bridge.errors import AtomError, BadInput, NotAllowed, StoreUnavailable
from bridge.records.entries import heard
from bridge.records.model import System
from bridge.records.ports import Records

log = structlog.get_logger()

_READING = 5.0  # seconds that a body may take to arrive
_LARGEST = 1024 * 1024
_TOGETHER = 60.0  # seconds in which calls that nobody proves are one entry

# Salesforce sends an outbound message again until it is acknowledged in its own words.
_SOAP = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/">'
    "<soapenv:Body><notificationsResponse "
    'xmlns="http://soap.sforce.com/2005/09/outbound"><Ack>true</Ack>'
    "</notificationsResponse></soapenv:Body></soapenv:Envelope>"
)


_Called = tuple[str, System, str]


@dataclass(frozen=True, slots=True)
class RecordHooks:
    """
    `known` are the systems by company; `clock` gives seconds since 1970.

    `public` is where ATOM is reached from outside: some systems sign the address that
    they call. Of calls that prove nothing the first is on record at once, and
    those of the next minute together, as `run` does until it is cancelled: whoever
    calls for nothing must not fill the log.
    """

    known: Mapping[str, Sequence[Records]]
    told: Told
    clock: Callable[[], float]
    public: str = ""
    _unproved: dict[_Called, int] = field(default_factory=dict)

    async def run(self) -> None:
        while True:
            await asyncio.sleep(_TOGETHER)
            await self.note_unproved()

    async def note_unproved(self) -> None:
        """Put on record how often was called for nothing since the first time."""
        for called, count in list(self._unproved.items()):
            if not count:
                del self._unproved[called]
                continue
            try:
                await self._note(called, count)
            except AtomError as error:
                log.warning("unproved calls not on record", reason=str(error))
                return
            # Somebody may have called again meanwhile.
            self._unproved[called] -= count

    async def _refuse(self, called: _Called) -> None:
        if called in self._unproved:
            self._unproved[called] += 1
            return
        self._unproved[called] = 0
        try:
            await self._note(called, 1)
        except StoreUnavailable:
            self._unproved[called] += 1
            raise

    async def _note(self, called: _Called, calls: int) -> None:
        tenant, system, instance = called
        entry = heard(
            tenant, system, instance, events=0, refused="not proved", calls=calls
        )
        await self.told.record.note(entry)

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
        refused: _Called | None = None
        for tenant, known in self.known.items():
            for records in known:
                if records.system is not system:
                    continue
                try:
                    changes = records.heard(request.headers, url, body, self.clock())
                except NotAllowed:
                    refused = (tenant, system, records.instance)
                except BadInput:
                    return _refused(HTTPStatus.BAD_REQUEST, "malformed")
                else:
                    await self.told.keep(tenant, records, changes)
                    return _taken(system)
        if refused is not None:
            await self._refuse(refused)
        return _refused(HTTPStatus.FORBIDDEN, "secret")


def _taken(system: System) -> web.Response:
    if system is System.SALESFORCE:
        return web.Response(text=_SOAP, content_type="text/xml")
    return web.Response(status=HTTPStatus.OK)


def _refused(status: HTTPStatus, reason: str) -> web.Response:
    REFUSED.labels("records", reason).inc()
    return web.Response(status=status)
