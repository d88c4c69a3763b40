"""One org as a system of records: what `bridge.records.ports.Records` asks for."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from bridge.records.forms import Deed, Form
from bridge.records.knowing import Page
from bridge.records.model import (
    Absence,
    Mention,
    Record,
    RecordChange,
    RecordRef,
    Remark,
    System,
)
from bridge.records.ports import Access, Budget, Done
from connectors.guarded import Limits, Line
from connectors.salesforce.adding import Parts
from connectors.salesforce.asking import NEW, Asking
from connectors.salesforce.client import PATHS, Client
from connectors.salesforce.finding import Finder
from connectors.salesforce.following import Following
from connectors.salesforce.kinds import USUAL, Extra, Kinds
from connectors.salesforce.manners import Manners
from connectors.salesforce.metadata import Metadata
from connectors.salesforce.outbound import Messages
from connectors.salesforce.reading import Reader
from connectors.salesforce.recognition import Recognition
from connectors.salesforce.remarks import Comments
from connectors.salesforce.rendering import Rendering
from connectors.salesforce.syncing import LISTS, MOST, KnownBy, Syncing
from connectors.salesforce.writing import Writer


@dataclass(frozen=True, slots=True)
class Setup:
    """
    How a company has set its org up.

    `base` is the org's own address (My Domain), `web` where people open records if that
    is another, `hosts` further hosts of such pages. `key_field` is an external id field,
    unique, on every object that ATOM makes records of. `events` says that change data
    capture is switched on. `hook_secret` is the last part of the path that outbound
    messages are sent to. `page` is how many records are listed in one call, `known_by` what the book
    knows contacts and accounts by beside what every org has.
    """

    instance: str
    base: str
    web: str = ""
    hosts: tuple[str, ...] = ()
    currency: str = "USD"
    key_field: str = "ATOM_Key__c"
    extras: tuple[Extra, ...] = USUAL
    events: bool = True
    organisation: str = ""
    hook_secret: str = ""
    ca: str = ""
    proxy: str = ""
    page: int = MOST
    known_by: KnownBy = field(default_factory=KnownBy)


class Salesforce:
    """
    Implements `bridge.records.ports.Records`, `AllAtOnce`, `Amends`, `Lists`,
    `Narrows`, `Remarks` and `TakesBack`.
    """

    def __init__(
        self,
        setup: Setup,
        budget: Budget,
        limits: Limits | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._setup = setup
        self._line = Line(
            setup.base,
            PATHS,
            bucket=f"{System.SALESFORCE}:{setup.instance}",
            shown=System.SALESFORCE.shown,
            budget=budget,
            manners=Manners(),
            limits=limits or Limits(),
            ca=setup.ca,
            proxy=setup.proxy,
        )
        client = Client(self._line)
        self._comments = Comments(client)
        self._kinds = Kinds((*setup.extras, *setup.known_by.extras))
        web = setup.web or setup.base
        self._recognition = Recognition(setup.instance, web, self._kinds, setup.hosts)
        metadata = Metadata(client)
        rendering = Rendering(setup.currency)
        self._reader = Reader(client, self._kinds, self._recognition, rendering, clock)
        self._asking = Asking(client, self._kinds, metadata)
        self._finder = Finder(client, self._kinds, self._recognition, self._reader)
        self._writer = Writer(
            Parts(
                client,
                self._kinds,
                metadata,
                self._asking,
                self._reader,
                self._recognition,
                setup.key_field,
            )
        )
        self._syncing = Syncing(
            client,
            self._kinds,
            self._recognition,
            self._reader,
            setup.page,
            setup.known_by,
        )
        self._messages = Messages(
            setup.hook_secret, setup.organisation, self._kinds, self._recognition
        )
        self._following = Following(
            client,
            self._kinds,
            self._recognition,
            setup.instance,
            events=setup.events,
        )

    @property
    def system(self) -> System:
        return System.SALESFORCE

    @property
    def instance(self) -> str:
        return self._setup.instance

    @property
    def kinds(self) -> tuple[str, ...]:
        return tuple(kind.name for kind in self._kinds.all)

    def recognise(self, text: str) -> Sequence[Mention]:
        return self._recognition.mentions(text)

    async def resolve(
        self, access: Access, mentions: Sequence[Mention]
    ) -> Mapping[str, RecordRef]:
        return await self._finder.resolve(access, mentions)

    async def read(
        self, access: Access, refs: Sequence[RecordRef], *, urgent: bool = True
    ) -> Mapping[RecordRef, Record | Absence]:
        return await self._reader.read(access, refs, urgent=urgent)

    async def find(self, access: Access, words: str, limit: int) -> Sequence[Record]:
        return await self._finder.find(access, words, limit)

    async def form(
        self, access: Access, act: str, ref: RecordRef | None = None, kind: str = ""
    ) -> Form:
        return await self._asking.form(access, act, ref, kind)

    async def narrowed(
        self, access: Access, act: str, ref: RecordRef | None, kind: str, chosen: str
    ) -> Form:
        return await self._asking.narrowed(access, act, ref, kind, chosen)

    async def perform(self, access: Access, deed: Deed) -> Done:
        return await self._writer.perform(access, deed)

    def takes_back(self, act: str, kind: str) -> bool:
        return self._writer.adds(act, kind)

    def amends(self, act: str, kind: str) -> bool:
        return act not in NEW and self._writer.adds(act, kind)

    def at_once(self, deeds: Sequence[Deed]) -> int:
        return self._writer.at_once(deeds)

    async def perform_all(
        self, access: Access, deeds: Sequence[Deed]
    ) -> Sequence[Done]:
        return await self._writer.perform_all(access, deeds)

    async def remarks(
        self, access: Access, ref: RecordRef, since_us: int
    ) -> Sequence[Remark]:
        return await self._comments.since(access, ref, since_us)

    async def changed(
        self, access: Access, since: str
    ) -> tuple[Sequence[RecordChange], str]:
        return await self._following.changed(access, since)

    def heard(
        self,
        headers: Mapping[str, str],  # noqa: ARG002 - nothing in them proves anything
        url: str,
        body: bytes,
        now: float,  # noqa: ARG002 - messages carry no time
    ) -> Sequence[RecordChange]:
        return self._messages.heard(body, url)

    @property
    def lists(self) -> tuple[str, ...]:
        return LISTS

    async def listed(self, access: Access, kind: str, position: str) -> Sequence[Page]:
        return await self._syncing.pages(access, kind, position)

    async def aclose(self) -> None:
        await self._line.aclose()
