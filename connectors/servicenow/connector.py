"""ServiceNow as records: incidents, changes, the catalogue, requests and knowledge."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from urllib.parse import urlsplit

from bridge.errors import BadInput
from bridge.records.forms import TAKE_BACK, Deed, Form
from bridge.records.model import (
    Absence,
    Mention,
    Record,
    RecordChange,
    RecordRef,
    Remark,
    System,
)
from bridge.records.orphans import Waiting
from bridge.records.ports import Access, Budget, Done
from connectors.guarded import Limits, Line
from connectors.servicenow.approvals import Approvals
from connectors.servicenow.calls import PATHS, Calls, ServiceNowManners
from connectors.servicenow.catalogue import Catalogue
from connectors.servicenow.changes import Changes
from connectors.servicenow.creating import unmade
from connectors.servicenow.finding import Finding
from connectors.servicenow.following import Following
from connectors.servicenow.handing import Handing
from connectors.servicenow.hooks import Hooks
from connectors.servicenow.incidents import Incidents
from connectors.servicenow.reading import Alert, Reading
from connectors.servicenow.recognition import recognise
from connectors.servicenow.remarks import Comments
from connectors.servicenow.requests import Requests
from connectors.servicenow.tables import (
    CHANGE,
    INCIDENT,
    ITEM,
    KINDS,
    REQUEST,
    sys_id,
)
from connectors.servicenow.translate import Translator
from connectors.servicenow.writing import Writing

_DEADLINE = 20.0  # seconds: the batch API has 30, and nobody waits as long as that


@dataclass(frozen=True, slots=True)
class Settings:
    """
    One instance: `name` is the company's word for it, `base` the address that is asked
    and `site` the one that people know, where that is another; links of `hosts` are its
    records as well. `secrets` sign what its business rules tell, each of at least 16
    characters. `deadline` is in seconds, for one operation.
    """

    name: str
    base: str
    secrets: tuple[str, ...] = ()
    site: str = ""
    hosts: tuple[str, ...] = ()
    deadline: float = _DEADLINE
    workers: int = 8
    ca: str = ""
    proxy: str = ""


_Acting = Incidents | Changes | Requests | Catalogue


def _unheard(_what: str, _table: str) -> None:
    """Nobody listens to alerts."""


class ServiceNow:
    """
    Implements `bridge.records.ports.Records`, `Remarks` and `TakesBack`, and
    `bridge.records.orphans.HandsOn`.

    `alert` is told what an operator should look at (`connectors.servicenow.reading`
    names the alerts), and the table concerned. `clock` is in seconds since 1970.
    """

    def __init__(
        self,
        settings: Settings,
        budget: Budget,
        alert: Alert = _unheard,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._settings = settings
        self._line = Line(
            settings.base,
            PATHS,
            bucket=f"{System.SERVICENOW}:{settings.name}",
            shown=System.SERVICENOW.shown,
            budget=budget,
            manners=ServiceNowManners(),
            limits=Limits(deadline=settings.deadline, workers=settings.workers),
            ca=settings.ca,
            proxy=settings.proxy,
        )
        site = (settings.site or settings.base).rstrip("/")
        self._hosts = (urlsplit(site).netloc, *settings.hosts)
        reading = Reading(
            Calls(self._line),
            Translator(settings.name, site),
            alert,
            lambda: int(clock() * 1_000_000),
        )
        writing = Writing(reading)
        self._reading = reading
        self._comments = Comments(reading)
        self._writing = writing
        self._finding = Finding(reading)
        incidents = Incidents(writing)
        approvals = Approvals(writing)
        self._handing = handing = Handing(writing)
        self._acting: Mapping[str, _Acting] = {
            INCIDENT.kind: incidents,
            CHANGE.kind: Changes(writing, incidents, approvals, handing),
            REQUEST.kind: Requests(writing, incidents, approvals, handing),
            ITEM.kind: Catalogue(writing),
        }
        self._following = Following(reading, writing.memory.ours)
        self._hooks = Hooks(settings.name, settings.secrets, writing.memory.ours)

    @property
    def system(self) -> System:
        return System.SERVICENOW

    @property
    def instance(self) -> str:
        return self._settings.name

    @property
    def kinds(self) -> tuple[str, ...]:
        return tuple(KINDS)

    def recognise(self, text: str) -> Sequence[Mention]:
        return recognise(text, self.instance, *self._hosts)

    async def resolve(
        self, access: Access, mentions: Sequence[Mention]
    ) -> Mapping[str, RecordRef]:
        return await self._reading.resolve(access, mentions)

    async def read(
        self, access: Access, refs: Sequence[RecordRef], *, urgent: bool = True
    ) -> Mapping[RecordRef, Record | Absence]:
        return await self._reading.read(access, refs, urgent=urgent)

    async def find(self, access: Access, words: str, limit: int) -> Sequence[Record]:
        return await self._finding.find(access, words, limit)

    async def browse(self, access: Access, limit: int) -> Sequence[Record]:
        """Return what of the catalogue this account can order."""
        return await self._finding.browse(access, limit)

    async def form(
        self, access: Access, act: str, ref: RecordRef | None = None, kind: str = ""
    ) -> Form:
        return await self._of(ref, kind).form(access, act, ref)

    async def perform(self, access: Access, deed: Deed) -> Done:
        if deed.act == TAKE_BACK and deed.ref is None:
            return await unmade(self._writing, access, deed, (INCIDENT, CHANGE))
        return await self._of(deed.ref, deed.kind).perform(access, deed)

    def takes_back(self, act: str, kind: str) -> bool:
        return act == "create" and kind in {INCIDENT.kind, CHANGE.kind}

    async def waiting(self, access: Access) -> Sequence[Waiting]:
        return await self._handing.waiting(access)

    async def deputies(
        self, access: Access, approvers: Collection[str]
    ) -> Mapping[str, Sequence[str]]:
        return await self._handing.deputies(access, approvers)

    async def accounts_of(
        self, access: Access, addresses: Collection[str]
    ) -> Mapping[str, str]:
        return await self._handing.accounts_of(access, addresses)

    async def remarks(
        self, access: Access, ref: RecordRef, since_us: int
    ) -> Sequence[Remark]:
        sys_id(ref.id)
        return await self._comments.since(access, ref, since_us)

    async def changed(
        self, access: Access, since: str
    ) -> tuple[Sequence[RecordChange], str]:
        return await self._following.changed(access, since)

    def heard(
        self,
        headers: Mapping[str, str],
        url: str,  # noqa: ARG002 - what is signed does not hold the address
        body: bytes,
        now: float,
    ) -> Sequence[RecordChange]:
        return self._hooks.heard(headers, body, now)

    async def aclose(self) -> None:
        await self._line.aclose()

    def _of(self, ref: RecordRef | None, kind: str) -> _Acting:
        if ref is not None and (ref.system, ref.instance) != (
            self.system,
            self.instance,
        ):
            raise BadInput("that record is of another system")
        if ref is not None:
            sys_id(ref.id)
        acting = self._acting.get(ref.kind if ref else kind)
        if acting is None:
            raise BadInput("nothing can be done with that from here")
        return acting


def business_rule() -> str:
    """Return the script for the instance's admin, which tells ATOM what changed."""
    script = files("connectors.servicenow").joinpath("business_rule.js")
    return script.read_text(encoding="utf-8")
